/*
 * Stacks as lines of "process;thread;outermost;...;innermost MICROSECONDS", as flamegraph.pl and
 * what came after it read them.
 */
#include "render/render.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "render/escape.h"
#include "render/stack_rows.h"
#include "report.h"

#define NS_PER_US 1000
/* Every line repeats its names: longer ones, as only a hostile program has, are cut. */
#define NAME_MAX_BYTES 1000

struct folding {
	const struct report *report;
	FILE *out;
	struct arena *arena;
	const char **titles; /* of frames, where they were needed already */
	uint64_t passed_ns;  /* of the rows so far */
	uint64_t printed_us; /* likewise */
};

/* A ';' would begin another frame. */
static void print_name(const char *name, FILE *out)
{
	struct glyph glyph;
	int left = NAME_MAX_BYTES;

	while (left > 0 && escape_next(&name, false, &glyph)) {
		left -= (int)strlen(glyph.bytes);
		fputs(glyph.bytes[0] == ';' ? ":" : glyph.bytes, out);
	}
	if (*name)
		fputs("...", out);
}

/* What flamegraph.pl colours by, and leaves out of what it shows. */
static const char *annotation(const struct report_frame *frame)
{
	if (frame->language == LANGUAGE_KERNEL)
		return "_[k]";
	if (frame->is_inlined)
		return "_[i]";
	return frame->language == LANGUAGE_JIT ? "_[j]" : "";
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Returns "function (file:line)" with its annotation, escaped; "" when out of memory. */
static const char *make_title(struct folding *folding, const struct report_frame *frame)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_name(frame_title(frame, folding->arena), out);
	if (*frame->file && frame->line) {
		fputs(" (", out);
		print_name(last_component(frame->file), out);
		fprintf(out, ":%" PRIu32 ")", frame->line);
	}
	fputs(annotation(frame), out);

	const char *title = fclose(out) ? NULL : arena_string(folding->arena, text);

	free(text);
	return title;
}

/* 0 or -ENOMEM. */
static int print_frames(struct folding *folding, const struct stack_row *row)
{
	for (size_t i = row->frame_cnt; i-- > 0;) {
		uint32_t frame = row->frames[i];
		const char **title = &folding->titles[frame];

		if (!*title)
			*title = make_title(folding, &folding->report->frames[frame]);
		if (!*title)
			return -ENOMEM;
		putc(';', folding->out);
		fputs(*title, folding->out);
	}
	return 0;
}

static int print_row(struct folding *folding, const struct stack_row *row, uint64_t time_us)
{
	const struct report_stack *stack = row->stack;
	const char *wait = stack_wait_title(stack, folding->arena);

	print_name(stack_process(stack), folding->out);
	if (stack_has_thread_name(stack)) {
		putc(';', folding->out);
		print_name(stack->thread, folding->out);
	}
	if (!stack->is_complete)
		fputs(";[incomplete]", folding->out);
	if (print_frames(folding, row))
		return -ENOMEM;
	if (wait) {
		putc(';', folding->out);
		print_name(wait, folding->out);
	}
	fprintf(folding->out, " %" PRIu64 "\n", time_us);
	return 0;
}

/* Microseconds that rounding takes from one line go to the next: the lines sum to the whole. */
static int fold(struct folding *folding, const struct stack_row *rows, size_t cnt)
{
	int error = 0;

	for (size_t i = 0; i < cnt && !error; i++) {
		folding->passed_ns += rows[i].time_ns;
		uint64_t time_us =
			(folding->passed_ns + NS_PER_US / 2) / NS_PER_US - folding->printed_us;

		if (time_us)
			error = print_row(folding, &rows[i], time_us);
		folding->printed_us += time_us;
	}
	return error;
}

int render_folded(const struct report *report, FILE *out)
{
	struct folding folding = { .report = report, .out = out, .arena = arena_new() };
	size_t cnt;

	if (!folding.arena)
		return -ENOMEM;
	const struct stack_row *rows = stack_rows(report, false, folding.arena, &cnt);

	folding.titles = arena_array(folding.arena, report->frame_cnt, sizeof(*folding.titles));
	int error = arena_has_failed(folding.arena) ? -ENOMEM : fold(&folding, rows, cnt);

	if (!error && arena_has_failed(folding.arena))
		error = -ENOMEM;
	arena_free(folding.arena);
	if (!error && (fflush(out) || ferror(out)))
		error = -EIO;
	return error;
}
