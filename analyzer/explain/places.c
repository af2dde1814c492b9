/* Numbers places by sorting frames; see places.h. */
#include "explain/places.h"
#include <stdlib.h>
#include <string.h>
#include "arena.h"

static int text_order(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b);
}

static int number_order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* The module counts only for what has no file: one source may be in several programs. What has no
 * name has the address that its function begins at, but for code that is compiled as it runs. */
static int function_order(const struct obs_frame *a, const struct obs_frame *b)
{
	int order = text_order(a->function, b->function);

	if (!order)
		order = text_order(a->file, b->file);
	if (!order && !a->file[0])
		order = text_order(a->module, b->module);
	if (!order && !a->function[0] && a->language != LANGUAGE_JIT)
		order = (a->address > b->address) - (a->address < b->address);
	return order ? order : number_order(a->first_line, b->first_line);
}

static int by_place(const void *a, const void *b, void *context)
{
	const struct obs_frame *frames = context;
	const struct obs_frame *left = &frames[*(const uint32_t *)a];
	const struct obs_frame *right = &frames[*(const uint32_t *)b];
	int order = function_order(left, right);

	return order ? order : number_order(left->line, right->line);
}

struct places places_of(const struct observation *obs, struct arena *arena)
{
	uint32_t *order = arena_array(arena, obs->frame_cnt, sizeof(*order));
	struct places places = {
		.lines = arena_array(arena, obs->frame_cnt, sizeof(*places.lines)),
		.functions = arena_array(arena, obs->frame_cnt, sizeof(*places.functions)),
	};

	if (!order || !places.lines || !places.functions)
		return (struct places){ .lines = NULL };
	for (uint32_t i = 0; i < obs->frame_cnt; i++)
		order[i] = i;
	qsort_r(order, obs->frame_cnt, sizeof(*order), by_place, obs->frames);
	for (size_t i = 0; i < obs->frame_cnt; i++) {
		const struct obs_frame *frame = &obs->frames[order[i]];
		const struct obs_frame *before = i ? &obs->frames[order[i - 1]] : NULL;

		places.line_cnt +=
			!i || function_order(before, frame) || before->line != frame->line;
		places.function_cnt += !i || function_order(before, frame);
		places.lines[order[i]] = places.line_cnt - 1;
		places.functions[order[i]] = places.function_cnt - 1;
	}
	return places;
}
