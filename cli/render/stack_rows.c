/* See stack_rows.h. */
#include "render/stack_rows.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "render/place_name.h"
#include "report.h"

#define TITLE_WORDS_MAX 8

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By what can be read of them, not by address: several of a line do not differ. */
static int compare_frames(const struct report_frame *a, const struct report_frame *b)
{
	int order = strcmp(a->function, b->function);

	if (!order)
		order = strcmp(a->file, b->file);
	if (!order)
		order = strcmp(a->module, b->module);
	if (!order)
		order = compare_numbers(a->line, b->line);
	if (!order)
		order = compare_numbers(a->language, b->language);
	return order ? order : a->is_inlined - b->is_inlined;
}

static int compare_indices(const void *a, const void *b, void *frames)
{
	const struct report_frame *all = frames;
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	int order = compare_frames(&all[left], &all[right]);

	return order ? order : compare_numbers(left, right);
}

/* Returns for each frame of @report the first one that reads the same, or NULL. */
static uint32_t *find_equal_frames(const struct report *report, struct arena *arena)
{
	size_t cnt = report->frame_cnt;
	uint32_t *sorted = arena_array(arena, cnt, sizeof(*sorted));
	uint32_t *first = arena_array(arena, cnt, sizeof(*first));

	if (!sorted || !first)
		return NULL;
	for (size_t i = 0; i < cnt; i++)
		sorted[i] = (uint32_t)i;
	qsort_r(sorted, cnt, sizeof(*sorted), compare_indices, report->frames);
	for (size_t i = 0; i < cnt; i++) {
		bool is_equal = i && !compare_frames(&report->frames[sorted[i - 1]],
						     &report->frames[sorted[i]]);

		first[sorted[i]] = is_equal ? first[sorted[i - 1]] : sorted[i];
	}
	return first;
}

static int compare_waits(const struct report_stack *a, const struct report_stack *b)
{
	int order = b->is_on_cpu - a->is_on_cpu;

	if (order || a->is_on_cpu)
		return order;
	order = compare_numbers(a->reason, b->reason);
	if (!order)
		order = compare_numbers(a->role, b->role);
	return order ? order : strcmp(a->object, b->object);
}

static int compare_rows(const struct stack_row *a, const struct stack_row *b, bool by_pid)
{
	int order = by_pid ? compare_numbers((uint64_t)a->stack->pid, (uint64_t)b->stack->pid) : 0;

	if (!order)
		order = strcmp(a->stack->process, b->stack->process);
	if (!order)
		order = strcmp(a->stack->thread, b->stack->thread);
	if (!order)
		order = compare_waits(a->stack, b->stack);
	if (!order)
		order = a->stack->is_complete - b->stack->is_complete;
	if (!order)
		order = compare_numbers(a->frame_cnt, b->frame_cnt);
	if (order || !a->frame_cnt)
		return order;
	return memcmp(a->frames, b->frames, a->frame_cnt * sizeof(*a->frames));
}

static int compare_for_merge(const void *a, const void *b, void *by_pid)
{
	return compare_rows(a, b, *(const bool *)by_pid);
}

static int compare_by_time(const void *a, const void *b, void *by_pid)
{
	const struct stack_row *left = a, *right = b;
	int order = compare_numbers(right->time_ns, left->time_ns);

	return order ? order : compare_rows(left, right, *(const bool *)by_pid);
}

/* Returns how many are left. */
static size_t merge_equal(struct stack_row *rows, size_t cnt, bool by_pid)
{
	size_t kept = 0;

	for (size_t i = 1; i < cnt; i++) {
		if (compare_rows(&rows[kept], &rows[i], by_pid))
			rows[++kept] = rows[i];
		else
			rows[kept].time_ns += rows[i].time_ns;
	}
	return kept + 1;
}

size_t stack_hidden_frames(const struct report *report, const struct report_stack *stack)
{
	size_t cnt = 0;

	while (!stack->is_on_cpu && cnt < stack->frame_cnt &&
	       report->frames[stack->frames[cnt]].language == LANGUAGE_KERNEL)
		cnt++;
	return cnt;
}

static bool fill_rows(const struct report *report, struct arena *arena, struct stack_row *rows)
{
	const uint32_t *first = find_equal_frames(report, arena);
	size_t total = 0;

	for (size_t i = 0; i < report->stack_cnt; i++)
		total += report->stacks[i].frame_cnt;
	uint32_t *frames = arena_array(arena, total, sizeof(*frames));

	for (size_t i = 0; i < report->stack_cnt; i++) {
		const struct report_stack *stack = &report->stacks[i];

		size_t hidden_cnt = stack_hidden_frames(report, stack);

		rows[i] = (struct stack_row){ stack, frames, stack->frame_cnt - hidden_cnt,
					      stack->time_ns };
		if (arena_has_failed(arena))
			return false;
		for (size_t j = hidden_cnt; j < stack->frame_cnt; j++)
			*frames++ = first[stack->frames[j]];
	}
	return true;
}

struct stack_row *stack_rows(const struct report *report, bool by_pid, struct arena *arena,
			     size_t *cnt)
{
	struct stack_row *rows = arena_array(arena, report->stack_cnt, sizeof(*rows));

	*cnt = 0;
	if (!rows || !fill_rows(report, arena, rows))
		return NULL;
	qsort_r(rows, report->stack_cnt, sizeof(*rows), compare_for_merge, &by_pid);
	*cnt = merge_equal(rows, report->stack_cnt, by_pid);
	qsort_r(rows, *cnt, sizeof(*rows), compare_by_time, &by_pid);
	return rows;
}

const char *frame_title(const struct report_frame *frame, struct arena *arena)
{
	if (*frame->function)
		return frame->function;
	if (!*frame->module)
		return "[unknown]";
	if (*frame->module == '[') /* "[kernel]" */
		return frame->module;
	return arena_printf(arena, "[%s]", place_base_name(frame->module));
}

const char *stack_wait_title(const struct report_stack *stack, struct arena *arena)
{
	if (stack->is_on_cpu)
		return NULL;
	const char *reason = wait_reason_name(stack->reason);
	size_t len = strlen(reason);
	/* "child make[12]", where the reason is "child" */
	bool is_said = !strncmp(stack->object, reason, len) && stack->object[len] == ' ';
	bool has_both = *stack->object && !is_said;

	return arena_printf(arena, "[%s: %s%s%s]", stack->role == WAITS_FOR_WORK ? "idle" : "wait",
			    is_said ? "" : reason, has_both ? " " : "", stack->object);
}

const char *export_title(const struct report *report, struct arena *arena)
{
	const char *title = "";

	if (!report->command_cnt && report->cgroup)
		return report->cgroup;
	for (size_t i = 0; i < report->command_cnt && i < TITLE_WORDS_MAX; i++)
		title = arena_printf(arena, "%s%s%s", title, i ? " " : "", report->command[i]);
	return title;
}

const char *stack_process(const struct report_stack *stack)
{
	return *stack->process ? stack->process : "[unknown]";
}

bool stack_has_thread_name(const struct report_stack *stack)
{
	return *stack->thread && strcmp(stack->thread, stack->process);
}
