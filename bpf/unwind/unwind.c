/* Follows a stack outwards; see unwind.h. */
#include "unwind/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "code/address_space.h"
#include "code/code_file.h"
#include "unwind/frame_info.h"
#include "unwind/unwind_step.h"

/* Where a program's first instructions are, without call frame information: dynamic linkers and
 * small C libraries have them in assembly. */
#define ENTRY_BYTES 128

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

void unwinder_free(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	for (uint32_t i = 0; i < code_files_cnt(unwinder->files); i++) {
		struct code_file *file = code_files_at(unwinder->files, i);

		frame_info_free(file->unwinding);
		file->unwinding = NULL;
	}
	free(unwinder);
}

static struct frame_info *info_of(struct code_file *file)
{
	if (!file->unwinding)
		file->unwinding = frame_info_new(file);
	return file->unwinding;
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
	if (is_in_file && file_address - mapping->file->entry < ENTRY_BYTES)
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
	default:
		return UNWIND_NO_RULE;
	}
}

size_t unwind(struct unwinder *unwinder, const struct address_space *space,
	      const struct stack_copy *copy, uint64_t *addresses, size_t capacity,
	      enum unwind_end *end)
{
	struct stack_memory memory = { .start = copy->registers[REGISTER_RSP],
				       .bytes = copy->bytes,
				       .byte_cnt = copy->byte_cnt };
	struct unwind_state state = { .known = (1U << UNWIND_REGISTER_CNT) - 1, .is_exact = true };
	size_t cnt = 0;

	(void)unwinder;
	memcpy(state.registers, copy->registers, sizeof(state.registers));
	*end = UNWIND_CUT;
	while (cnt < capacity) {
		uint64_t address = state.registers[REGISTER_RIP] - !state.is_exact;
		const struct code_mapping *mapping = address_space_find(space, address);
		enum step_result result;

		/* A return address that leads nowhere was none. */
		if (mapping || !cnt)
			addresses[cnt++] = address;
		if (!mapping) {
			*end = UNWIND_UNMAPPED;
			break;
		}
		result = step(space, mapping, address, &memory, &state);
		if (result != STEP_DONE) {
			*end = end_of(result);
			break;
		}
	}
	return cnt;
}
