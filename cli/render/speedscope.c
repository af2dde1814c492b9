/*
 * Stacks as a file for speedscope (https://www.speedscope.app/file-format-schema.json): a profile
 * of all that computed, one of all that waited, and one of each thread with most time. Texts go
 * through cJSON; numbers, of which there can be millions, directly.
 */
#include "render/render.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <cjson/cJSON.h>

#include "arena.h"
#include "observation/utf8.h"
#include "render/stack_rows.h"
#include "render/text_numbers.h"
#include "report.h"

/* More can't be chosen from; what the others did is in the profiles of all. */
#define THREAD_MAX 64

struct thread_total {
	uint32_t number;
	uint64_t time_ns;
};

/* What is written beside the frames of a row. */
struct row_numbers {
	uint32_t thread;
	uint32_t process; /* of scope.texts; likewise wait */
	uint32_t wait;	  /* not on a CPU */
};

/* Samples refer to frames by number: first come the report's by their index, then the texts. */
struct scope {
	const struct report *report;
	FILE *out;
	struct arena *arena;
	const struct stack_row *rows; /* largest first */
	struct row_numbers *numbers;  /* of each row */
	size_t row_cnt;
	struct text_numbers threads;
	struct text_numbers texts; /* in place of frames: of processes, waits */
	uint32_t incomplete;	   /* of these: what stands for the callers that aren't known */
	int error;		   /* the first one */
};

/* Which rows a profile has: those of one thread, or of all that computed or waited. */
struct selection {
	const char *name;
	const struct thread_total *thread; /* NULL: all */
	bool is_on_cpu;			   /* with all */
};

static bool is_selected(const struct scope *scope, const struct selection *selection, size_t row)
{
	if (selection->thread)
		return scope->numbers[row].thread == selection->thread->number;
	return scope->rows[row].stack->is_on_cpu == selection->is_on_cpu;
}

static void write_text(struct scope *scope, const char *text)
{
	char *clean = utf8_sanitize(text);
	cJSON *string = clean ? cJSON_CreateString(clean) : NULL;
	char *quoted = string ? cJSON_PrintUnformatted(string) : NULL;

	if (quoted)
		fputs(quoted, scope->out);
	else
		scope->error = -ENOMEM;
	cJSON_free(quoted);
	cJSON_Delete(string);
	free(clean);
}

static void write_text_frame(struct scope *scope, const char *separator, uint32_t text)
{
	fprintf(scope->out, "%s%zu", separator, scope->report->frame_cnt + text);
}

/* Outermost first. */
static void write_sample(struct scope *scope, size_t row)
{
	const struct stack_row *sample = &scope->rows[row];

	putc('[', scope->out);
	write_text_frame(scope, "", scope->numbers[row].process);
	if (!sample->stack->is_complete)
		write_text_frame(scope, ",", scope->incomplete);
	for (size_t i = sample->frame_cnt; i-- > 0;)
		fprintf(scope->out, ",%" PRIu32, sample->frames[i]);
	if (!sample->stack->is_on_cpu)
		write_text_frame(scope, ",", scope->numbers[row].wait);
	putc(']', scope->out);
}

static void write_samples(struct scope *scope, const struct selection *selection)
{
	const char *separator = "";

	for (size_t row = 0; row < scope->row_cnt; row++) {
		if (!is_selected(scope, selection, row))
			continue;
		fputs(separator, scope->out);
		write_sample(scope, row);
		separator = ",";
	}
}

/* Returns their sum. */
static uint64_t write_weights(struct scope *scope, const struct selection *selection)
{
	const char *separator = "";
	uint64_t sum_ns = 0;

	for (size_t row = 0; row < scope->row_cnt; row++) {
		if (!is_selected(scope, selection, row))
			continue;
		fprintf(scope->out, "%s%" PRIu64, separator, scope->rows[row].time_ns);
		sum_ns += scope->rows[row].time_ns;
		separator = ",";
	}
	return sum_ns;
}

static void write_profile(struct scope *scope, const struct selection *selection)
{
	fputs("{\"type\":\"sampled\",\"name\":", scope->out);
	write_text(scope, selection->name);
	fputs(",\"unit\":\"nanoseconds\",\"samples\":[", scope->out);
	write_samples(scope, selection);
	fputs("],\"weights\":[", scope->out);
	uint64_t sum_ns = write_weights(scope, selection);

	fprintf(scope->out, "],\"startValue\":0,\"endValue\":%" PRIu64 "}", sum_ns);
}

static int compare_totals(const void *a, const void *b)
{
	const struct thread_total *left = a, *right = b;

	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? 1 : -1;
	return (left->number > right->number) - (left->number < right->number);
}

static struct thread_total *sum_threads(struct scope *scope)
{
	size_t cnt = scope->threads.cnt;
	struct thread_total *totals = arena_array(scope->arena, cnt, sizeof(*totals));

	for (size_t i = 0; totals && i < cnt; i++)
		totals[i].number = (uint32_t)i;
	for (size_t row = 0; totals && row < scope->row_cnt; row++)
		totals[scope->numbers[row].thread].time_ns += scope->rows[row].time_ns;
	if (totals)
		qsort(totals, cnt, sizeof(*totals), compare_totals);
	return totals;
}

static void write_profiles(struct scope *scope)
{
	const struct thread_total *totals = sum_threads(scope);

	write_profile(scope, &(struct selection){ .name = "all on a CPU", .is_on_cpu = true });
	fputs(",\n", scope->out);
	write_profile(scope, &(struct selection){ .name = "all waiting" });
	for (size_t i = 0; totals && i < scope->threads.cnt && i < THREAD_MAX; i++) {
		const char *name = scope->threads.texts[totals[i].number];

		fputs(",\n", scope->out);
		write_profile(scope, &(struct selection){ .name = name, .thread = &totals[i] });
	}
}

/* @frame: NULL for a text. */
static void write_frame(struct scope *scope, const char *name, const struct report_frame *frame)
{
	fputs("{\"name\":", scope->out);
	write_text(scope, name);
	if (frame && (*frame->file || *frame->module)) {
		fputs(",\"file\":", scope->out);
		write_text(scope, *frame->file ? frame->file : frame->module);
	}
	if (frame && *frame->file && frame->line)
		fprintf(scope->out, ",\"line\":%" PRIu32, frame->line);
	putc('}', scope->out);
}

static void write_frames(struct scope *scope)
{
	const struct report *report = scope->report;

	for (size_t i = 0; i < report->frame_cnt; i++) {
		const struct report_frame *frame = &report->frames[i];

		fputs(i ? ",\n" : "", scope->out);
		write_frame(scope, frame_title(frame, scope->arena), frame);
	}
	for (size_t i = 0; i < scope->texts.cnt; i++) {
		fputs(report->frame_cnt || i ? ",\n" : "", scope->out);
		write_frame(scope, scope->texts.texts[i], NULL);
	}
}

static void write_file(struct scope *scope)
{
	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
	      "\"exporter\":\"classify " CLASSIFY_VERSION "\",\n\"name\":",
	      scope->out);
	write_text(scope, export_title(scope->report, scope->arena));
	fputs(",\n\"activeProfileIndex\":0,\n\"profiles\":[\n", scope->out);
	write_profiles(scope);
	fputs("],\n\"shared\":{\"frames\":[\n", scope->out);
	write_frames(scope);
	fputs("]}}\n", scope->out);
}

static const char *name_thread(const struct report_stack *stack, struct arena *arena)
{
	if (!stack_has_thread_name(stack))
		return arena_printf(arena, "%s[%d]", stack_process(stack), stack->pid);
	return arena_printf(arena, "%s[%d] %s", stack_process(stack), stack->pid, stack->thread);
}

static void number_rows(struct scope *scope)
{
	scope->numbers = arena_array(scope->arena, scope->row_cnt, sizeof(*scope->numbers));
	scope->incomplete = text_number(&scope->texts, "[incomplete]");
	for (size_t i = 0; scope->numbers && i < scope->row_cnt; i++) {
		const struct report_stack *stack = scope->rows[i].stack;
		struct row_numbers *numbers = &scope->numbers[i];

		numbers->thread = text_number(&scope->threads, name_thread(stack, scope->arena));
		numbers->process = text_number(&scope->texts, stack_process(stack));
		if (!stack->is_on_cpu)
			numbers->wait =
				text_number(&scope->texts, stack_wait_title(stack, scope->arena));
	}
}

static bool has_failed(const struct scope *scope)
{
	return arena_has_failed(scope->arena) || scope->threads.has_failed ||
	       scope->texts.has_failed;
}

int render_speedscope(const struct report *report, FILE *out)
{
	struct scope scope = { .report = report, .out = out, .arena = arena_new() };

	if (!scope.arena)
		return -ENOMEM;
	scope.rows = stack_rows(report, true, scope.arena, &scope.row_cnt);
	number_rows(&scope);
	if (!has_failed(&scope))
		write_file(&scope);
	int error = has_failed(&scope) ? -ENOMEM : scope.error;

	text_numbers_release(&scope.threads);
	text_numbers_release(&scope.texts);
	arena_free(scope.arena);
	if (!error && (ferror(out) || fflush(out) == EOF))
		error = -EIO;
	return error;
}
