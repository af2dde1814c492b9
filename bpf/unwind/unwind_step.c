/* Steps from frame to frame; see unwind_step.h. */
#include "unwind/unwind_step.h"

#include "code/address_space.h"
#include "unwind/call_site.h"
#include "unwind/expression.h"
#include "unwind/frame_info.h"

/* What a function may use below the stack pointer. */
#define RED_ZONE_BYTES 128

static bool is_known(const struct unwind_state *state, unsigned int number)
{
	return state->known & 1U << number;
}

static void set_register(struct unwind_state *state, unsigned int number, uint64_t value)
{
	state->registers[number] = value;
	state->known |= 1U << number;
}

/* Whether @address is where the copy doesn't go, but the stack does. */
static bool is_beyond(const struct stack_memory *memory, uint64_t address)
{
	return address >= memory->start &&
	       address - memory->start + sizeof(uint64_t) > memory->byte_cnt;
}

static bool compute(const struct frame_info *info, int32_t number, const struct unwind_state *state,
		    const struct stack_memory *memory, const uint64_t *cfa, uint64_t *result)
{
	const struct expression *expression = frame_info_expression(info, number);
	struct expression_input input = {
		.registers = state->registers, .known = state->known, .memory = memory, .cfa = cfa
	};

	return expression && expression_compute(expression, &input, result);
}

static bool find_cfa(const struct frame_info *info, const struct unwind_rule *rule,
		     const struct unwind_state *state, const struct stack_memory *memory,
		     uint64_t *cfa)
{
	if (rule->is_cfa_computed)
		return compute(info, rule->cfa_offset, state, memory, NULL, cfa);
	*cfa = state->registers[rule->cfa_register] + (uint64_t)(int64_t)rule->cfa_offset;
	return is_known(state, rule->cfa_register);
}

/* Where register @number of the caller is saved, or what it is. */
static enum step_result recover(const struct frame_info *info, const struct unwind_rule *rule,
				const struct unwind_state *state, const struct stack_memory *memory,
				uint64_t cfa, unsigned int number, uint64_t *value)
{
	int32_t offset = rule->offset[number];
	uint64_t place = cfa + (uint64_t)(int64_t)offset;

	switch (rule->how[number]) {
	case RULE_SAME:
		*value = state->registers[number];
		return is_known(state, number) ? STEP_DONE : STEP_FAILED;
	case RULE_REGISTER:
		*value = state->registers[offset];
		return is_known(state, (unsigned int)offset) ? STEP_DONE : STEP_FAILED;
	case RULE_IS:
		*value = place;
		return STEP_DONE;
	case RULE_COMPUTED:
		return compute(info, offset, state, memory, &cfa, value) ? STEP_DONE : STEP_FAILED;
	case RULE_AT_COMPUTED:
		if (!compute(info, offset, state, memory, &cfa, &place))
			return STEP_FAILED;
		break;
	case RULE_AT:
		break;
	default:
		return STEP_FAILED;
	}
	if (stack_memory_word(memory, place, value))
		return STEP_DONE;
	/* Below the innermost frame: it has just been taken off the stack again, which compilers
	 * don't say of each register, or has only been put there. */
	if (state->is_exact && place < memory->start && memory->start - place <= RED_ZONE_BYTES) {
		*value = state->registers[number];
		return is_known(state, number) ? STEP_DONE : STEP_FAILED;
	}
	return is_beyond(memory, place) ? STEP_CUT : STEP_FAILED;
}

/* The stack grows downwards: a caller's frame lies higher. But a signal may have come on another
 * stack than the one that its handler runs on. */
static enum step_result check_caller(const struct unwind_rule *rule,
				     const struct stack_memory *memory,
				     const struct unwind_state *callee,
				     const struct unwind_state *caller)
{
	uint64_t inner = callee->registers[REGISTER_RSP], outer = caller->registers[REGISTER_RSP];

	if (!caller->registers[REGISTER_RIP])
		return STEP_OUTERMOST;
	if (outer <= inner)
		return rule->is_signal_frame ? STEP_LEFT : STEP_FAILED;
	return outer - memory->start > memory->byte_cnt ? STEP_LEFT : STEP_DONE;
}

enum step_result unwind_step_rule(const struct frame_info *info, const struct unwind_rule *rule,
				  const struct stack_memory *memory, struct unwind_state *state)
{
	struct unwind_state caller = { .is_exact = rule->is_signal_frame };
	enum step_result result;
	uint64_t cfa, value;

	if (rule->how[REGISTER_RIP] == RULE_UNDEFINED)
		return STEP_OUTERMOST;
	if (rule->how[REGISTER_RIP] == RULE_ELSEWHERE)
		return STEP_CUT;
	if (!find_cfa(info, rule, state, memory, &cfa))
		return STEP_FAILED;
	result = recover(info, rule, state, memory, cfa, REGISTER_RIP, &value);
	if (result != STEP_DONE)
		return result;
	set_register(&caller, REGISTER_RIP, value);
	set_register(&caller, REGISTER_RSP, cfa);
	for (unsigned int i = 0; i < REGISTER_RIP; i++)
		if ((i != REGISTER_RSP || rule->how[i] > RULE_SAME) &&
		    recover(info, rule, state, memory, cfa, i, &value) == STEP_DONE)
			set_register(&caller, i, value);
	result = check_caller(rule, memory, state, &caller);
	if (result == STEP_DONE || result == STEP_LEFT)
		*state = caller;
	return result;
}

/* Where the addresses of programs end on x86-64. */
#define USER_END 0x7ffffffff000ull

/* A frame as functions with a frame pointer make it. */
struct pointed {
	uint64_t saved, return_address;
};

static bool read_pointed(const struct stack_memory *memory, const struct unwind_state *state,
			 struct pointed *pointed)
{
	uint64_t pointer = state->registers[REGISTER_RBP];

	return is_known(state, REGISTER_RBP) && pointer % sizeof(uint64_t) == 0 &&
	       pointer >= state->registers[REGISTER_RSP] &&
	       stack_memory_word(memory, pointer, &pointed->saved) &&
	       stack_memory_word(memory, pointer + sizeof(uint64_t), &pointed->return_address);
}

/* Whether it looks like one in every respect. In code that can be read a call has to be before the
 * return address; in other code, the next pointer has to be a good one, too. */
static enum step_result judge_pointed(const struct address_space *space, uint64_t pointer,
				      const struct pointed *pointed)
{
	const struct code_mapping *mapping = address_space_find(space, pointed->return_address - 1);
	bool leads_on = pointed->saved > pointer && pointed->saved % sizeof(uint64_t) == 0;

	if (!mapping)
		return leads_on && pointed->return_address - 1 < USER_END ? STEP_UNMAPPED
									  : STEP_FAILED;
	if (mapping->file && !pointed->saved &&
	    call_site_is_goroutine_end(mapping, pointed->return_address))
		return STEP_OUTERMOST;
	if (mapping->file)
		return call_site_follows_call(mapping, pointed->return_address) ? STEP_DONE
										: STEP_FAILED;
	return leads_on ? STEP_DONE : STEP_FAILED;
}

enum step_result unwind_step_pointer(const struct address_space *space,
				     const struct stack_memory *memory, struct unwind_state *state)
{
	uint64_t pointer = state->registers[REGISTER_RBP];
	enum step_result result;
	struct pointed pointed;

	if (!read_pointed(memory, state, &pointed))
		return STEP_FAILED;
	result = judge_pointed(space, pointer, &pointed);
	if (result != STEP_DONE)
		return result;
	*state = (struct unwind_state){ 0 };
	set_register(state, REGISTER_RBP, pointed.saved);
	set_register(state, REGISTER_RSP, pointer + 2 * sizeof(uint64_t));
	set_register(state, REGISTER_RIP, pointed.return_address);
	return STEP_DONE;
}
