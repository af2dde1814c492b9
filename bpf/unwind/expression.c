/* A small stack machine; see expression.h. */
#include "unwind/expression.h"

#include <dwarf.h>

#include "unwind/stack_memory.h"
#include "unwind/unwind.h"

#define DEPTH_MAX 16
/* Branches could make a loop: an expression that isn't done by then never will be. */
#define STEPS_MAX 256

struct machine {
	const struct expression_input *input;
	uint64_t stack[DEPTH_MAX];
	size_t depth;
};

static bool push(struct machine *machine, uint64_t value)
{
	if (machine->depth == DEPTH_MAX)
		return false;
	machine->stack[machine->depth++] = value;
	return true;
}

static bool push_register(struct machine *machine, unsigned int number, int64_t offset)
{
	const struct expression_input *input = machine->input;

	if (number >= UNWIND_REGISTER_CNT || !(input->known & 1U << number))
		return false;
	return push(machine, input->registers[number] + (uint64_t)offset);
}

static bool push_copy(struct machine *machine, uint64_t below)
{
	return below < machine->depth && push(machine, machine->stack[machine->depth - 1 - below]);
}

static bool dereference(struct machine *machine, int64_t size)
{
	uint64_t value = 0, *top;

	if (!machine->depth || (size != 1 && size != 2 && size != 4 && size != 8))
		return false;
	top = &machine->stack[machine->depth - 1];
	if (!stack_memory_read(machine->input->memory, *top, &value, (size_t)size))
		return false;
	*top = value;
	return true;
}

static bool exchange(struct machine *machine, size_t count)
{
	if (machine->depth < count)
		return false;

	uint64_t *top = &machine->stack[machine->depth - 1], first = *top;

	for (size_t i = 0; i + 1 < count; i++)
		top[-(ptrdiff_t)i] = top[-(ptrdiff_t)i - 1];
	top[-(ptrdiff_t)(count - 1)] = first;
	return true;
}

static bool shift(uint8_t code, uint64_t value, uint64_t by, uint64_t *result)
{
	switch (code) {
	case DW_OP_shl:
		*result = by < 64 ? value << by : 0;
		return true;
	case DW_OP_shr:
		*result = by < 64 ? value >> by : 0;
		return true;
	default:
		*result = (uint64_t)((int64_t)value >> (by < 64 ? by : 63));
		return true;
	}
}

static bool compare(uint8_t code, int64_t a, int64_t b, uint64_t *result)
{
	switch (code) {
	case DW_OP_eq:
		*result = a == b;
		return true;
	case DW_OP_ne:
		*result = a != b;
		return true;
	case DW_OP_ge:
		*result = a >= b;
		return true;
	case DW_OP_gt:
		*result = a > b;
		return true;
	case DW_OP_le:
		*result = a <= b;
		return true;
	case DW_OP_lt:
		*result = a < b;
		return true;
	default:
		return false;
	}
}

static bool combine(uint8_t code, uint64_t a, uint64_t b, uint64_t *result)
{
	switch (code) {
	case DW_OP_plus:
		*result = a + b;
		return true;
	case DW_OP_minus:
		*result = a - b;
		return true;
	case DW_OP_mul:
		*result = a * b;
		return true;
	case DW_OP_and:
		*result = a & b;
		return true;
	case DW_OP_or:
		*result = a | b;
		return true;
	case DW_OP_xor:
		*result = a ^ b;
		return true;
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
		return shift(code, a, b, result);
	default:
		return compare(code, (int64_t)a, (int64_t)b, result);
	}
}

static bool combine_two(struct machine *machine, uint8_t code)
{
	if (machine->depth < 2)
		return false;

	uint64_t *top = &machine->stack[machine->depth - 1];

	if (!combine(code, top[-1], top[0], &top[-1]))
		return false;
	machine->depth--;
	return true;
}

static bool change_top(struct machine *machine, const struct expression_operation *operation)
{
	if (!machine->depth)
		return false;

	uint64_t *top = &machine->stack[machine->depth - 1];

	switch (operation->code) {
	case DW_OP_drop:
		machine->depth--;
		return true;
	case DW_OP_plus_uconst:
		*top += (uint64_t)operation->operand;
		return true;
	case DW_OP_neg:
		*top = -*top;
		return true;
	case DW_OP_not:
		*top = ~*top;
		return true;
	case DW_OP_abs:
		*top = (int64_t)*top < 0 ? -*top : *top;
		return true;
	default:
		return combine_two(machine, operation->code);
	}
}

static bool run_operation(struct machine *machine, const struct expression_operation *operation)
{
	switch (operation->code) {
	case DW_OP_const8u: /* all constants */
		return push(machine, (uint64_t)operation->operand);
	case DW_OP_bregx: /* all registers */
		return push_register(machine, operation->register_number, operation->operand);
	case DW_OP_call_frame_cfa:
		return machine->input->cfa && push(machine, *machine->input->cfa);
	case DW_OP_deref_size:
		return dereference(machine, operation->operand);
	case DW_OP_pick:
		return push_copy(machine, (uint64_t)operation->operand);
	case DW_OP_swap:
		return exchange(machine, 2);
	case DW_OP_rot:
		return exchange(machine, 3);
	case DW_OP_nop:
		return true;
	default:
		return change_top(machine, operation);
	}
}

/* Returns the number of the operation that follows @at. */
static bool branch(struct machine *machine, const struct expression_operation *operation,
		   size_t *at)
{
	bool taken = true;

	if (operation->code == DW_OP_bra) {
		if (!machine->depth)
			return false;
		taken = machine->stack[--machine->depth] != 0;
	}
	*at = taken ? operation->target : *at + 1;
	return true;
}

bool expression_compute(const struct expression *expression, const struct expression_input *input,
			uint64_t *result)
{
	struct machine machine = { .input = input };
	size_t at = 0;

	for (size_t step = 0; at < expression->operation_cnt; step++) {
		const struct expression_operation *operation = &expression->operations[at];
		bool is_branch = operation->code == DW_OP_skip || operation->code == DW_OP_bra;

		if (step == STEPS_MAX)
			return false;
		if (is_branch ? !branch(&machine, operation, &at)
			      : !run_operation(&machine, operation))
			return false;
		if (!is_branch)
			at++;
	}
	if (!machine.depth)
		return false;
	*result = machine.stack[machine.depth - 1];
	return true;
}
