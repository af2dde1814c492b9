/* Hot spots, functions and the quality of stacks as JSON; see docs/report.md. */
#include "render/json_stacks.h"

#include <stdio.h>

#include "report.h"

#define NS_PER_S 1e9

enum { FRAME_BYTES = 2048 };

static void add_text_if(struct json_builder *b, cJSON *object, const char *name, const char *text)
{
	json_add_text(b, object, name, text[0] ? text : NULL);
}

static void add_whole_if(struct json_builder *b, cJSON *object, const char *name, uint64_t value)
{
	if (value)
		json_add_whole(b, object, name, value);
	else
		json_add_null(b, object, name);
}

void json_add_stack_quality(struct json_builder *b, cJSON *observation, const struct report *report)
{
	const struct report_stack_quality *from = &report->stack_quality;
	cJSON *object = json_add_object(b, observation, "stacks");

	json_add_bool(b, object, "taken", from->are_taken);
	json_add_whole(b, object, "samples", from->sample_cnt);
	json_add_whole(b, object, "waits", from->wait_cnt);
	json_add_whole(b, object, "lost", from->lost_cnt);
	json_add_number(b, object, "complete_share", from->complete_share);
	json_add_number(b, object, "known_share", from->known_share);
	json_add_text(b, object, "why_no_lines", from->why_no_lines);
	json_add_texts(b, object, "notes", from->notes, from->note_cnt);
}

/* "parse (/src/feed.c:118)", "read (libc.so.6)", "0x4a3f0 (redis-server)" */
static void add_stack_frame(struct json_builder *b, cJSON *array, const struct report_frame *frame)
{
	const char *path = frame->file[0] ? frame->file : frame->module;
	char text[FRAME_BYTES], address[32];

	snprintf(address, sizeof(address), "0x%llx", (unsigned long long)frame->address);
	if (frame->line)
		snprintf(text, sizeof(text), "%s (%s:%u)",
			 frame->function[0] ? frame->function : address, path, frame->line);
	else
		snprintf(text, sizeof(text), "%s (%s)",
			 frame->function[0] ? frame->function : address, path);
	json_add_text(b, array, NULL, text);
}

static void add_stack(struct json_builder *b, cJSON *object, const struct report *report,
		      const struct report_stack *stack)
{
	cJSON *array = json_add_array(b, object, "stack");

	for (size_t i = 0; stack && i < stack->frame_cnt; i++)
		add_stack_frame(b, array, &report->frames[stack->frames[i]]);
}

static void add_place(struct json_builder *b, cJSON *object, const struct report_frame *place)
{
	json_add_text(b, object, "function", place->function);
	add_text_if(b, object, "file", place->file);
	add_whole_if(b, object, "line", place->line);
	add_text_if(b, object, "module", place->module);
	json_add_text(b, object, "language", frame_language_name(place->language));
	json_add_bool(b, object, "own", place->is_own);
}

static void add_gil_share(struct json_builder *b, cJSON *object, bool is_known, uint64_t held_ns,
			  uint64_t on_cpu_ns)
{
	if (is_known && on_cpu_ns)
		json_add_number(b, object, "gil_share", (double)held_ns / (double)on_cpu_ns);
	else
		json_add_null(b, object, "gil_share");
}

static void add_starter(struct json_builder *b, cJSON *object, const struct report_hot_spot *spot)
{
	cJSON *starter;

	if (!spot->has_starter) {
		json_add_null(b, object, "run_by");
		return;
	}
	starter = json_add_object(b, object, "run_by");
	add_place(b, starter, &spot->starter);
	add_text_if(b, starter, "callee", spot->starter_callee);
}

static void add_hot_spot(struct json_builder *b, cJSON *array, const struct report *report,
			 const struct report_hot_spot *spot)
{
	cJSON *object = json_add_object(b, array, NULL);

	json_add_text(b, object, "kind", spot->is_on_cpu ? "on-cpu" : "wait");
	json_add_text(b, object, "reason", spot->is_on_cpu ? NULL : wait_reason_name(spot->reason));
	json_add_text(b, object, "role", spot->is_on_cpu ? NULL : wait_role_name(spot->role));
	json_add_number(b, object, "seconds", (double)spot->time_ns / NS_PER_S);
	json_add_number(b, object, "share", spot->share);
	json_add_number(b, object, "share_error", spot->share_error);
	json_add_whole(b, object, "samples", spot->sample_cnt);
	add_place(b, object, &spot->place);
	add_text_if(b, object, "callee", spot->callee);
	add_text_if(b, object, "object", spot->object);
	add_text_if(b, object, "task", spot->task);
	add_starter(b, object, spot);
	add_gil_share(b, object, spot->is_gil_known, spot->gil_held_ns, spot->time_ns);
	add_stack(b, object, report, spot->stack);
}

static void add_function(struct json_builder *b, cJSON *array, const struct report_function *from)
{
	cJSON *object = json_add_object(b, array, NULL), *waits;

	json_add_number(b, object, "seconds", (double)from->time_ns / NS_PER_S);
	json_add_number(b, object, "share", from->share);
	add_place(b, object, &from->place);
	json_add_text(b, object, "class", verdict_class_name(from->verdict_class));
	add_text_if(b, object, "advice", from->advice);
	json_add_number(b, object, "on_cpu_s", (double)from->on_cpu_ns / NS_PER_S);
	add_gil_share(b, object, from->is_gil_known, from->gil_held_ns, from->on_cpu_ns);
	waits = json_add_array(b, object, "waits");
	for (size_t i = 0; i < from->wait_cnt; i++) {
		cJSON *wait = json_add_object(b, waits, NULL);

		json_add_text(b, wait, "reason", wait_reason_name(from->waits[i].reason));
		json_add_number(b, wait, "seconds", (double)from->waits[i].wait_ns / NS_PER_S);
		json_add_number(b, wait, "share", from->waits[i].share);
	}
}

void json_add_hot_spots(struct json_builder *b, cJSON *root, const struct report *report)
{
	cJSON *array = json_add_array(b, root, "hot_spots");

	for (size_t i = 0; i < report->hot_spot_cnt; i++)
		add_hot_spot(b, array, report, &report->hot_spots[i]);
	array = json_add_array(b, root, "functions");
	for (size_t i = 0; i < report->function_cnt; i++)
		add_function(b, array, &report->functions[i]);
}
