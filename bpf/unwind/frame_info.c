/* Rules of a file's addresses; see frame_info.h. */
#include "unwind/frame_info.h"

#include <dwarf.h>
#include <stdlib.h>

#include "code/code_file.h"
#include "unwind/cfi_source.h"
#include "unwind/expression.h"
#include "unwind/go_runtime.h"

/* A power of two, at most half of which is used. */
#define SLOT_CNT_MIN 256
/* Files have some dozens; realigned stacks have one each, most the same. */
#define EXPRESSIONS_MAX 2048

struct slot {
	uint64_t address;
	uint32_t rule; /* its number + 1; 0: free */
};

/* Without a rule there is an entry too, so that it isn't looked for again. */
struct remembered {
	bool is_found;
	struct unwind_rule rule;
};

struct frame_info {
	struct code_file *file;
	struct cfi_source source;
	struct go_runtime go;
	bool is_open;
	struct slot *slots;
	size_t slot_cnt;
	struct remembered *rules;
	size_t rule_cnt, rule_capacity;
	struct expression *expressions;
	size_t expression_cnt, expression_capacity;
};

struct frame_info *frame_info_new(struct code_file *file)
{
	struct frame_info *info = calloc(1, sizeof(*info));

	if (info)
		info->file = file;
	return info;
}

static void forget(struct frame_info *info)
{
	free(info->slots);
	free(info->rules);
	free(info->expressions);
	info->slots = NULL;
	info->rules = NULL;
	info->expressions = NULL;
	info->slot_cnt = info->rule_cnt = info->rule_capacity = 0;
	info->expression_cnt = info->expression_capacity = 0;
}

void frame_info_free(struct frame_info *info)
{
	if (!info)
		return;
	forget(info);
	cfi_source_close(&info->source);
	free(info);
}

size_t frame_info_rule_cnt(const struct frame_info *info)
{
	return info->rule_cnt;
}

const struct expression *frame_info_expression(const struct frame_info *info, int32_t number)
{
	return number >= 0 && (size_t)number < info->expression_cnt ? &info->expressions[number]
								    : NULL;
}

static size_t slot_of(const struct frame_info *info, uint64_t address)
{
	size_t at = (size_t)(address * 0x9e3779b97f4a7c15 >> 20) & (info->slot_cnt - 1);

	while (info->slots[at].rule && info->slots[at].address != address)
		at = (at + 1) & (info->slot_cnt - 1);
	return at;
}

static bool grow_slots(struct frame_info *info)
{
	struct slot *old = info->slots;
	size_t old_cnt = info->slot_cnt;

	info->slot_cnt = old_cnt ? old_cnt * 2 : SLOT_CNT_MIN;
	info->slots = calloc(info->slot_cnt, sizeof(*info->slots));
	if (!info->slots) {
		info->slots = old;
		info->slot_cnt = old_cnt;
		return false;
	}
	for (size_t i = 0; i < old_cnt; i++)
		if (old[i].rule)
			info->slots[slot_of(info, old[i].address)] = old[i];
	free(old);
	return true;
}

/* Makes room for one element more in an array. */
static bool reserve(void **array, size_t cnt, size_t *capacity, size_t element_size)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *grown;

	if (cnt < *capacity)
		return true;
	grown = realloc(*array, wanted * element_size);
	if (!grown)
		return false;
	*array = grown;
	*capacity = wanted;
	return true;
}

/* Returns the number of an expression, or -1. */
static int32_t keep_expression(struct frame_info *info, const Dwarf_Op *operations, size_t cnt)
{
	if (info->expression_cnt == EXPRESSIONS_MAX ||
	    !reserve((void **)&info->expressions, info->expression_cnt, &info->expression_capacity,
		     sizeof(*info->expressions)) ||
	    !expression_translate(operations, cnt, &info->expressions[info->expression_cnt]))
		return -1;
	return (int32_t)info->expression_cnt++;
}

static bool is_small(Dwarf_Word number)
{
	return (int64_t)number >= INT32_MIN && (int64_t)number <= INT32_MAX;
}

/* A register and a distance comes as one operation. */
static bool take_cfa(struct frame_info *info, const Dwarf_Op *operations, size_t cnt,
		     struct unwind_rule *rule)
{
	Dwarf_Word number, offset;

	if (!cnt)
		return false;
	if (cnt == 1 && operations[0].atom == DW_OP_bregx) {
		number = operations[0].number;
		offset = operations[0].number2;
	} else if (cnt == 1 && operations[0].atom >= DW_OP_breg0 &&
		   operations[0].atom <= DW_OP_breg31) {
		number = operations[0].atom - DW_OP_breg0;
		offset = operations[0].number;
	} else {
		rule->is_cfa_computed = true;
		rule->cfa_offset = keep_expression(info, operations, cnt);
		return rule->cfa_offset >= 0;
	}
	rule->cfa_register = (uint8_t)number;
	rule->cfa_offset = (int32_t)offset;
	return number < UNWIND_REGISTER_CNT && is_small(offset);
}

static bool is_cfa_relative(const Dwarf_Op *operations, size_t cnt, Dwarf_Word *offset)
{
	if (!cnt || cnt > 2 || operations[0].atom != DW_OP_call_frame_cfa)
		return false;
	if (cnt == 2 && operations[1].atom != DW_OP_plus_uconst)
		return false;
	*offset = cnt == 2 ? operations[1].number : 0;
	return is_small(*offset);
}

/* @operations lead to where the register is saved, or with a last one more to its value. */
static enum register_rule take_operations(struct frame_info *info, const Dwarf_Op *operations,
					  size_t cnt, int32_t *number)
{
	bool is_value = operations[cnt - 1].atom == DW_OP_stack_value;
	Dwarf_Word offset;

	if (cnt == 1 && operations[0].atom == DW_OP_regx) {
		*number = (int32_t)operations[0].number;
		return operations[0].number < UNWIND_REGISTER_CNT ? RULE_REGISTER : RULE_UNDEFINED;
	}
	cnt -= is_value;
	if (is_cfa_relative(operations, cnt, &offset)) {
		*number = (int32_t)offset;
		return is_value ? RULE_IS : RULE_AT;
	}
	*number = keep_expression(info, operations, cnt);
	if (*number < 0)
		return RULE_UNDEFINED;
	return is_value ? RULE_COMPUTED : RULE_AT_COMPUTED;
}

/* False: it says how, but that is not understood. */
static bool take_register(struct frame_info *info, Dwarf_Frame *frame, int number,
			  enum register_rule *how, int32_t *offset)
{
	Dwarf_Op memory[3], *operations;
	size_t cnt;

	*how = RULE_UNDEFINED;
	*offset = 0;
	if (dwarf_frame_register(frame, number, memory, &operations, &cnt) != 0)
		return false;
	if (!cnt) {
		*how = operations ? RULE_UNDEFINED : RULE_SAME;
		return true;
	}
	*how = take_operations(info, operations, cnt, offset);
	return *how != RULE_UNDEFINED;
}

static bool take_frame(struct frame_info *info, Dwarf_Frame *frame, struct unwind_rule *rule)
{
	Dwarf_Op *operations;
	size_t cnt;
	int return_address = dwarf_frame_info(frame, NULL, NULL, &rule->is_signal_frame);

	if (return_address < 0 || dwarf_frame_cfa(frame, &operations, &cnt) != 0 ||
	    !take_cfa(info, operations, cnt, rule))
		return false;
	for (int i = 0; i < UNWIND_REGISTER_CNT; i++) {
		enum register_rule how;
		int number = i == REGISTER_RIP ? return_address : i;

		/* Without its return address a frame would look like the outermost one. */
		if (!take_register(info, frame, number, &how, &rule->offset[i]) &&
		    i == REGISTER_RIP)
			return false;
		rule->how[i] = (uint8_t)how;
	}
	return true;
}

static bool read_rule(struct frame_info *info, Dwarf_CFI *cfi, uint64_t address,
		      struct unwind_rule *rule)
{
	Dwarf_Frame *frame = NULL;
	bool is_taken;

	*rule = (struct unwind_rule){ 0 };
	if (!cfi || dwarf_cfi_addrframe(cfi, address, &frame) != 0)
		return false;
	is_taken = take_frame(info, frame, rule);
	free(frame);
	return is_taken;
}

static void open_source(struct frame_info *info)
{
	if (info->is_open)
		return;
	cfi_source_open(&info->source, info->file->fd);
	if (info->source.elf)
		go_runtime_read(&info->go, info->source.elf);
	info->is_open = true;
}

static void look_up(struct frame_info *info, uint64_t address, struct remembered *found)
{
	enum go_role role;

	open_source(info);
	found->is_found = read_rule(info, cfi_source_exceptions(&info->source, address), address,
				    &found->rule) ||
			  read_rule(info, cfi_source_debug(&info->source, info->file->fd), address,
				    &found->rule);
	role = go_runtime_role(&info->go, address);
	if (role == GO_OTHER)
		return;
	found->is_found = true;
	found->rule.how[REGISTER_RIP] = role == GO_BEGINS ? RULE_UNDEFINED : RULE_ELSEWHERE;
}

static const struct remembered *remember(struct frame_info *info, uint64_t address)
{
	if (info->rule_cnt == FRAME_INFO_RULES_MAX || info->expression_cnt == EXPRESSIONS_MAX)
		forget(info);
	if ((info->rule_cnt * 2 >= info->slot_cnt && !grow_slots(info)) ||
	    !reserve((void **)&info->rules, info->rule_cnt, &info->rule_capacity,
		     sizeof(*info->rules)))
		return NULL;

	struct remembered *found = &info->rules[info->rule_cnt];
	struct slot *slot = &info->slots[slot_of(info, address)];

	look_up(info, address, found);
	*slot = (struct slot){ .address = address, .rule = (uint32_t)++info->rule_cnt };
	return found;
}

const struct unwind_rule *frame_info_find(struct frame_info *info, uint64_t address)
{
	const struct remembered *found = NULL;

	if (info->slot_cnt) {
		const struct slot *slot = &info->slots[slot_of(info, address)];

		found = slot->rule ? &info->rules[slot->rule - 1] : NULL;
	}
	if (!found)
		found = remember(info, address);
	return found && found->is_found ? &found->rule : NULL;
}
