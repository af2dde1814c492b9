/* See pprof_places.h. */
#include "render/pprof_places.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "pprof.pb-c.h"
#include "render/gzip_stream.h"
#include "render/stack_rows.h"
#include "report.h"

#define SLOTS_AT_FIRST 1024
#define NO_NODE	       UINT32_MAX
#define NO_FRAME       UINT32_MAX

/* pprof drops samples without a place. */
static const struct report_frame unknown = { .function = "", .file = "", .module = "" };

/* A frame with what it is inlined into. Equal chains are one node. */
struct pprof_node {
	uint32_t frame;
	uint32_t outer; /* the node; NO_NODE: not inlined */
	bool is_place;	/* the innermost of a chain in some stack */
};

void pprof_places_init(struct pprof_places *places, const struct report *report,
		       struct text_numbers *texts, struct arena *arena)
{
	*places = (struct pprof_places){ .report = report, .texts = texts, .arena = arena };
	/* pprof takes the first mapping for the program itself. */
	for (size_t i = 0; i < report->frame_cnt; i++) {
		const struct report_frame *frame = &report->frames[i];

		if (frame->is_own && *frame->module == '/') {
			text_number(&places->modules, frame->module);
			break;
		}
	}
}

static const struct report_frame *frame_of(const struct pprof_places *places, uint32_t node)
{
	uint32_t frame = places->nodes[node].frame;

	return frame == NO_FRAME ? &unknown : &places->report->frames[frame];
}

static uint32_t *find_slot(const struct pprof_places *places, uint32_t frame, uint32_t outer)
{
	uint64_t hash = ((uint64_t)frame << 32 | outer) * UINT64_C(0x9e3779b97f4a7c15);

	for (uint32_t i = (uint32_t)(hash >> 32);; i++) {
		uint32_t *slot = &places->slots[i & (places->slot_cnt - 1)];

		if (!*slot || (places->nodes[*slot - 1].frame == frame &&
			       places->nodes[*slot - 1].outer == outer))
			return slot;
	}
}

/* At most half of the slots are in use, and there is room for as many nodes. */
static bool grow(struct pprof_places *places)
{
	uint32_t slot_cnt = places->slot_cnt ? 2 * places->slot_cnt : SLOTS_AT_FIRST;
	struct pprof_node *nodes = reallocarray(places->nodes, slot_cnt / 2, sizeof(*nodes));

	if (!nodes)
		return false;
	places->nodes = nodes;
	uint32_t *slots = calloc(slot_cnt, sizeof(*slots));

	if (!slots)
		return false;
	free(places->slots);
	places->slots = slots;
	places->slot_cnt = slot_cnt;
	for (uint32_t i = 0; i < places->node_cnt; i++)
		*find_slot(places, nodes[i].frame, nodes[i].outer) = i + 1;
	return true;
}

/* Returns its number; NO_NODE when out of memory. */
static uint32_t number_node(struct pprof_places *places, uint32_t frame, uint32_t outer)
{
	if (places->node_cnt == places->slot_cnt / 2 && !grow(places)) {
		places->error = -ENOMEM;
		return NO_NODE;
	}
	uint32_t *slot = find_slot(places, frame, outer);

	if (!*slot) {
		places->nodes[places->node_cnt++] =
			(struct pprof_node){ .frame = frame, .outer = outer };
		*slot = places->node_cnt;
	}
	return *slot - 1;
}

static uint64_t place_of(struct pprof_places *places, uint32_t node)
{
	places->nodes[node].is_place = true;
	return node + UINT64_C(1);
}

static void turn_round(uint64_t *ids, size_t cnt)
{
	for (size_t i = 0; i < cnt / 2; i++) {
		uint64_t id = ids[i];

		ids[i] = ids[cnt - 1 - i];
		ids[cnt - 1 - i] = id;
	}
}

/* From the outermost frame inwards, as those that are inlined need to know into what. */
size_t pprof_places_of(struct pprof_places *places, const uint32_t *frames, size_t cnt,
		       uint64_t *ids)
{
	const struct report_frame *all = places->report->frames;
	uint32_t node = NO_NODE;
	size_t id_cnt = 0;

	for (size_t i = cnt; i-- > 0;) {
		node = number_node(places, frames[i], all[frames[i]].is_inlined ? node : NO_NODE);
		if (node == NO_NODE)
			return 0;
		if (!i || !all[frames[i - 1]].is_inlined)
			ids[id_cnt++] = place_of(places, node);
	}
	if (!cnt) {
		node = number_node(places, NO_FRAME, NO_NODE);
		if (node != NO_NODE)
			ids[id_cnt++] = place_of(places, node);
	}
	turn_round(ids, id_cnt);
	return id_cnt;
}

static void write_part(const Pprof__Profile *part, struct gzip_stream *out)
{
	pprof__profile__pack_to_buffer(part, &out->buffer);
}

static void write_function(struct pprof_places *places, uint64_t id, const char *name,
			   const char *file, struct gzip_stream *out)
{
	Pprof__Function function = PPROF__FUNCTION__INIT;
	Pprof__Profile part = PPROF__PROFILE__INIT;

	function.id = id;
	function.name = text_number(places->texts, name);
	function.filename = text_number(places->texts, file);
	part.n_function = 1;
	part.function = &(Pprof__Function *){ &function };
	write_part(&part, out);
}

/* Returns the number of @frame's function, which is written when it is new. */
static uint64_t function_of(struct pprof_places *places, const struct report_frame *frame,
			    struct gzip_stream *out)
{
	const char *name = frame_title(frame, places->arena);
	/* The length keeps apart what else would read the same. */
	const char *key = arena_printf(places->arena, "%zu:%s%s", strlen(name), name, frame->file);
	size_t known_cnt = places->functions.cnt;
	uint64_t id = text_number(&places->functions, key) + UINT64_C(1);

	if (places->functions.cnt > known_cnt)
		write_function(places, id, name, frame->file, out);
	return id;
}

/* Returns the number of @frame's module, 0 when it has none. */
static uint64_t mapping_of(struct pprof_places *places, const struct report_frame *frame)
{
	return *frame->module ? text_number(&places->modules, frame->module) + UINT64_C(1) : 0;
}

static size_t chain_length(const struct pprof_places *places, uint32_t node)
{
	size_t cnt = 0;

	for (; node != NO_NODE; node = places->nodes[node].outer)
		cnt++;
	return cnt;
}

/* Of the frames that are inlined into each other the last one has them all. */
static void write_place(struct pprof_places *places, uint32_t number, struct gzip_stream *out)
{
	size_t cnt = chain_length(places, number);
	Pprof__Line *lines = arena_array(places->arena, cnt, sizeof(*lines));
	Pprof__Line **pointers = arena_array(places->arena, cnt, sizeof(*pointers));
	Pprof__Location location = PPROF__LOCATION__INIT;
	Pprof__Profile part = PPROF__PROFILE__INIT;
	const struct report_frame *frame = NULL;
	uint32_t node = number;

	for (size_t i = 0; lines && pointers && i < cnt; i++) {
		frame = frame_of(places, node);
		pprof__line__init(&lines[i]);
		lines[i].function_id = function_of(places, frame, out);
		lines[i].line = frame->line;
		pointers[i] = &lines[i];
		node = places->nodes[node].outer;
	}
	if (!frame) {
		places->error = -ENOMEM;
		return;
	}
	location.id = number + UINT64_C(1);
	location.mapping_id = mapping_of(places, frame);
	location.address = frame->address;
	location.n_line = cnt;
	location.line = pointers;
	part.n_location = 1;
	part.location = &(Pprof__Location *){ &location };
	write_part(&part, out);
}

/* Addresses are those of the file, not of where it was mapped. */
static void write_mapping(struct pprof_places *places, uint32_t number, uint64_t limit,
			  struct gzip_stream *out)
{
	Pprof__Mapping mapping = PPROF__MAPPING__INIT;
	Pprof__Profile part = PPROF__PROFILE__INIT;

	mapping.id = number + UINT64_C(1);
	mapping.memory_limit = limit;
	mapping.filename = text_number(places->texts, places->modules.texts[number]);
	mapping.has_functions = true;
	mapping.has_filenames = true;
	mapping.has_line_numbers = true;
	mapping.has_inline_frames = true;
	part.n_mapping = 1;
	part.mapping = &(Pprof__Mapping *){ &mapping };
	write_part(&part, out);
}

static void write_mappings(struct pprof_places *places, struct gzip_stream *out)
{
	uint64_t *limits = arena_array(places->arena, places->modules.cnt, sizeof(*limits));

	for (uint32_t i = 0; limits && i < places->node_cnt; i++) {
		const struct report_frame *frame = frame_of(places, i);
		uint64_t id = mapping_of(places, frame);

		if (id && limits[id - 1] <= frame->address)
			limits[id - 1] = frame->address + (frame->address < UINT64_MAX);
	}
	for (uint32_t i = 0; limits && i < places->modules.cnt; i++)
		write_mapping(places, i, limits[i], out);
}

void pprof_places_write(struct pprof_places *places, struct gzip_stream *out)
{
	/* Those that are only part of a place may have modules of their own. */
	for (uint32_t i = 0; i < places->node_cnt; i++)
		mapping_of(places, frame_of(places, i));
	for (uint32_t i = 0; i < places->node_cnt; i++)
		if (places->nodes[i].is_place)
			write_place(places, i, out);
	write_mappings(places, out);
	if (places->modules.has_failed || places->functions.has_failed)
		places->error = -ENOMEM;
}

void pprof_places_release(struct pprof_places *places)
{
	text_numbers_release(&places->modules);
	text_numbers_release(&places->functions);
	free(places->nodes);
	free(places->slots);
}
