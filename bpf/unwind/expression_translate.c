/* From libdw's operations to those that expression.c runs: many forms of one thing become one. */
#include <dwarf.h>

#include "unwind/expression.h"
#include "unwind/unwind.h"

static bool translate_constant(const Dwarf_Op *from, struct expression_operation *to)
{
	to->code = DW_OP_const8u;
	to->operand = (int64_t)from->number;
	if (from->atom >= DW_OP_lit0 && from->atom <= DW_OP_lit31) {
		to->operand = from->atom - DW_OP_lit0;
		return true;
	}
	return from->atom == DW_OP_const1u || from->atom == DW_OP_const1s ||
	       from->atom == DW_OP_const2u || from->atom == DW_OP_const2s ||
	       from->atom == DW_OP_const4u || from->atom == DW_OP_const4s ||
	       from->atom == DW_OP_const8u || from->atom == DW_OP_const8s ||
	       from->atom == DW_OP_constu || from->atom == DW_OP_consts;
}

static bool translate_register(const Dwarf_Op *from, struct expression_operation *to)
{
	uint64_t number = from->number;

	to->code = DW_OP_bregx;
	to->operand = (int64_t)from->number2;
	if (from->atom >= DW_OP_breg0 && from->atom <= DW_OP_breg31) {
		to->operand = (int64_t)from->number;
		number = from->atom - DW_OP_breg0;
	} else if (from->atom != DW_OP_bregx) {
		return false;
	}
	if (number >= UNWIND_REGISTER_CNT)
		return false;
	to->register_number = (uint8_t)number;
	return true;
}

static bool translate_copy(const Dwarf_Op *from, struct expression_operation *to)
{
	to->code = DW_OP_pick;
	to->operand = from->atom == DW_OP_pick ? (int64_t)from->number : from->atom == DW_OP_over;
	return from->atom == DW_OP_pick || from->atom == DW_OP_over || from->atom == DW_OP_dup;
}

static bool translate_dereference(const Dwarf_Op *from, struct expression_operation *to)
{
	to->code = DW_OP_deref_size;
	to->operand = from->atom == DW_OP_deref ? 8 : (int64_t)from->number;
	return from->atom == DW_OP_deref || from->atom == DW_OP_deref_size;
}

/* A branch goes to a byte of the expression, counted from the operation after it. */
static bool translate_branch(const Dwarf_Op *operations, size_t operation_cnt, size_t at,
			     struct expression_operation *to)
{
	const Dwarf_Op *from = &operations[at];
	uint64_t target = from->offset + 3 + from->number;

	if (from->atom != DW_OP_skip && from->atom != DW_OP_bra)
		return false;
	to->code = from->atom;
	for (size_t i = 0; i < operation_cnt; i++) {
		if (operations[i].offset != target)
			continue;
		to->target = (uint16_t)i;
		return true;
	}
	/* Past the last one: the end. */
	to->target = (uint16_t)operation_cnt;
	return at + 1 < operation_cnt && target > operations[operation_cnt - 1].offset;
}

static bool translate_plain(const Dwarf_Op *from, struct expression_operation *to)
{
	to->code = from->atom;
	to->operand = (int64_t)from->number;
	switch (from->atom) {
	case DW_OP_call_frame_cfa:
	case DW_OP_swap:
	case DW_OP_rot:
	case DW_OP_nop:
	case DW_OP_drop:
	case DW_OP_plus_uconst:
	case DW_OP_neg:
	case DW_OP_not:
	case DW_OP_abs:
	case DW_OP_plus:
	case DW_OP_minus:
	case DW_OP_mul:
	case DW_OP_and:
	case DW_OP_or:
	case DW_OP_xor:
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
	case DW_OP_eq:
	case DW_OP_ne:
	case DW_OP_ge:
	case DW_OP_gt:
	case DW_OP_le:
	case DW_OP_lt:
		return true;
	default:
		return false;
	}
}

bool expression_translate(const Dwarf_Op *operations, size_t operation_cnt,
			  struct expression *expression)
{
	if (operation_cnt > EXPRESSION_OPERATIONS_MAX)
		return false;
	for (size_t i = 0; i < operation_cnt; i++) {
		struct expression_operation *to = &expression->operations[i];

		*to = (struct expression_operation){ 0 };
		if (!translate_plain(&operations[i], to) &&
		    !translate_constant(&operations[i], to) &&
		    !translate_register(&operations[i], to) &&
		    !translate_copy(&operations[i], to) &&
		    !translate_dereference(&operations[i], to) &&
		    !translate_branch(operations, operation_cnt, i, to))
			return false;
	}
	expression->operation_cnt = operation_cnt;
	return true;
}
