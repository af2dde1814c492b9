/* See stack_chains.h. */
#include "stack_chains.h"
#include "code/address_space.h"
#include "code/code_file.h"
#include "stack_intake.h"
#include "unwind/unwind.h"

static struct stack_node native_node(struct stack_intake *intake, struct stack_space *space,
				     uint64_t address, uint64_t now_ns)
{
	const struct code_mapping *mapping = address_space_find(&space->maps, address);
	struct stack_node node = {
		.kind = PLACE_UNMAPPED, .owner = space->tgid, .address = address, .caller = NO_NODE
	};

	if (!mapping)
		return node;
	if (mapping->file && code_mapping_address(mapping, address, &node.address)) {
		node.kind = PLACE_NATIVE;
		node.owner = mapping->file->number;
		mapping->file->is_met = true;
	} else if (!mapping->file) {
		node.kind = PLACE_JIT;
		stack_space_has_jit(&intake->spaces, space, now_ns);
	}
	return node;
}

uint32_t chain_native(struct stack_intake *intake, struct stack_space *space,
		      const struct raw_stack *raw, uint64_t now_ns)
{
	const struct stack_copy copy = { raw->registers, raw->bytes, raw->byte_cnt };
	uint64_t addresses[UNWIND_FRAMES_MAX];
	uint32_t caller = NO_NODE;
	enum unwind_end end;
	size_t cnt =
		unwind(intake->unwinder, &space->maps, &copy, addresses, UNWIND_FRAMES_MAX, &end);

	if (end == UNWIND_UNMAPPED && stack_space_reread(&intake->spaces, space, now_ns))
		cnt = unwind(intake->unwinder, &space->maps, &copy, addresses, UNWIND_FRAMES_MAX,
			     &end);
	for (size_t i = cnt; i-- > 0;) {
		struct stack_node node = native_node(intake, space, addresses[i], now_ns);

		node.caller = caller;
		node.is_complete = caller == NO_NODE && end == UNWIND_COMPLETE;
		caller = stack_table_push(&intake->table, &node);
		if (caller == NO_NODE)
			break;
	}
	return caller;
}

uint32_t chain_kernel(struct stack_intake *intake, const uint64_t *addresses, size_t cnt)
{
	uint32_t caller = NO_NODE;

	for (size_t i = cnt; i-- > 0;) {
		struct stack_node node = { .kind = PLACE_KERNEL,
					   .address = addresses[i],
					   .caller = caller };

		caller = stack_table_push(&intake->table, &node);
		if (caller == NO_NODE)
			break;
	}
	return caller;
}

/* A frame that can't be read has a place without a name: those around it keep theirs. */
static uint32_t python_place_number(struct stack_intake *intake, struct stack_space *space,
				    const struct python_frame *frame)
{
	struct python_place place;

	if (python_place(space->python, frame, &place))
		return stack_table_python_place(&intake->table, "", "", 0, 0);
	return stack_table_python_place(&intake->table, place.function, place.file, place.line,
					place.first_line);
}

uint32_t chain_python(struct stack_intake *intake, struct stack_space *space,
		      const struct python_frame *frames, size_t cnt, uint32_t caller, bool is_cut)
{
	if (!space->python)
		return caller;
	for (size_t i = cnt; i-- > 0;) {
		struct stack_node node = { .kind = PLACE_PYTHON,
					   .owner = python_place_number(intake, space, &frames[i]),
					   .address = frames[i].is_entry,
					   .caller = caller,
					   .is_complete = caller == NO_NODE && !is_cut };

		if (node.owner == KEY_SET_FULL)
			break;
		caller = stack_table_push(&intake->table, &node);
		if (caller == NO_NODE)
			break;
	}
	return caller;
}
