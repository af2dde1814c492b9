/* Follows a stack outwards; see unwind.h. */
#include "unwind/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "code/address_space.h"
#include "code/code_file.h"
#include "unwind/frame_info.h"
#include "unwind/unwind_step.h"

/* Where a program's first instructions are, if it has no call frame information of them: dynamic
 * linkers and small C libraries have them in assembly. */
#define ENTRY_BYTES 64

struct unwinder {
	struct code_files *files;
};

struct unwinder *unwinder_new(struct code_files *files)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (unwinder)
		unwinder->files = files;
	return unwinder;
}

void unwinder_forget(struct code_file *file)
{
	frame_info_free(file->unwinding);
	file->unwinding = NULL;
}

void unwinder_free(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	for (uint32_t i = 0; i < code_files_cnt(unwinder->files); i++)
		unwinder_forget(code_files_at(unwinder->files, i));
	free(unwinder);
}

static struct frame_info *info_of(struct code_file *file)
{
	if (!file->unwinding)
		file->unwinding = frame_info_new(file);
	return file->unwinding;
}

/* The kernel starts a program with all registers zero. */
static bool is_entry(const struct code_file *file, uint64_t file_address,
		     const struct unwind_state *state)
{
	return file_address - file->entry < ENTRY_BYTES && !state->is_exact &&
	       (state->known & 1U << REGISTER_RBP) && !state->registers[REGISTER_RBP];
}

static enum step_result step(const struct address_space *space, const struct code_mapping *mapping,
			     uint64_t address, const struct stack_memory *memory,
			     struct unwind_state *state)
{
	const struct unwind_rule *rule = NULL;
	struct frame_info *info = NULL;
	uint64_t file_address;
	bool is_in_file = code_mapping_address(mapping, address, &file_address);

	if (is_in_file) {
		code_file_reading(mapping->file);
		info = info_of(mapping->file);
		rule = info ? frame_info_find(info, file_address) : NULL;
	}
	if (rule)
		return unwind_step_rule(info, rule, memory, state);
	if (is_in_file && is_entry(mapping->file, file_address, state))
		return STEP_OUTERMOST;
	return unwind_step_pointer(space, memory, state);
}

static enum unwind_end end_of(enum step_result result)
{
	switch (result) {
	case STEP_OUTERMOST:
		return UNWIND_COMPLETE;
	case STEP_CUT:
		return UNWIND_CUT;
	case STEP_UNMAPPED:
		return UNWIND_UNMAPPED;
	default:
		return UNWIND_NO_RULE;
	}
}

static void begin(const struct stack_copy *copy, struct unwind_state *state,
		  struct stack_memory *memory)
{
	*state =
		(struct unwind_state){ .known = (1U << UNWIND_REGISTER_CNT) - 1, .is_exact = true };
	memcpy(state->registers, copy->registers, sizeof(state->registers));
	*memory = (struct stack_memory){ .start = copy->registers[REGISTER_RSP],
					 .bytes = copy->bytes,
					 .byte_cnt = copy->byte_cnt };
}

size_t unwind(struct unwinder *unwinder, const struct address_space *space,
	      const struct stack_copy *copy, uint64_t *addresses, size_t capacity,
	      enum unwind_end *end)
{
	enum step_result result = STEP_DONE;
	struct unwind_state state;
	struct stack_memory memory;
	size_t cnt = 0;

	(void)unwinder;
	begin(copy, &state, &memory);
	*end = UNWIND_CUT;
	while (cnt < capacity) {
		uint64_t address = state.registers[REGISTER_RIP] - !state.is_exact;
		const struct code_mapping *mapping = address_space_find(space, address);

		/* A return address that leads nowhere was none. */
		if (mapping || !cnt)
			addresses[cnt++] = address;
		if (!mapping)
			*end = UNWIND_UNMAPPED;
		if (!mapping || result != STEP_DONE)
			break;
		result = step(space, mapping, address, &memory, &state);
		if (result == STEP_DONE || result == STEP_LEFT)
			continue;
		*end = end_of(result);
		break;
	}
	return cnt;
}
