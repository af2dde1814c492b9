/*
 * Stacks as a profile for pprof. A protobuf message may be written in parts, one after the other:
 * each sample, place and text is one, so that no large tree is built first.
 */
#include "render/render.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "pprof.pb-c.h"
#include "render/gzip_stream.h"
#include "render/pprof_places.h"
#include "render/stack_rows.h"
#include "report.h"

/* The values of each sample, in this order: readers that know of no default show the last one. */
enum { VALUE_SAMPLES, VALUE_WAIT_NS, VALUE_ON_CPU_NS, VALUE_CNT };

static const struct {
	const char *type, *unit;
} values[VALUE_CNT] = {
	[VALUE_SAMPLES] = { "samples", "count" },
	[VALUE_WAIT_NS] = { "wait", "nanoseconds" },
	[VALUE_ON_CPU_NS] = { "on_cpu", "nanoseconds" },
};

enum { LABEL_MAX = 9 };

struct labels {
	Pprof__Label list[LABEL_MAX];
	Pprof__Label *pointers[LABEL_MAX];
	size_t cnt;
};

struct profile {
	const struct report *report;
	struct gzip_stream out;
	struct arena *arena;
	struct text_numbers texts;
	struct pprof_places places;
	uint64_t *ids; /* of one sample's places */
};

static void write_part(struct profile *profile, const Pprof__Profile *part)
{
	pprof__profile__pack_to_buffer(part, &profile->out.buffer);
}

static void write_head(struct profile *profile)
{
	const struct report *report = profile->report;
	Pprof__ValueType types[VALUE_CNT], *pointers[VALUE_CNT];
	Pprof__Profile part = PPROF__PROFILE__INIT;

	text_number(&profile->texts, ""); /* is number 0 */
	for (size_t i = 0; i < VALUE_CNT; i++) {
		pprof__value_type__init(&types[i]);
		types[i].type = text_number(&profile->texts, values[i].type);
		types[i].unit = text_number(&profile->texts, values[i].unit);
		pointers[i] = &types[i];
	}
	part.n_sample_type = VALUE_CNT;
	part.sample_type = pointers;
	part.default_sample_type = types[VALUE_ON_CPU_NS].type;
	part.time_nanos = report->started_at_unix_ns;
	part.duration_nanos = (int64_t)report->duration_ns;
	part.n_comment = 2;
	part.comment = (int64_t[]){
		text_number(&profile->texts, "classify " CLASSIFY_VERSION),
		text_number(&profile->texts, export_title(report, profile->arena)),
	};
	write_part(profile, &part);
}

/* A @text that is empty says nothing. */
static void add_label(struct profile *profile, struct labels *labels, const char *key,
		      const char *text)
{
	Pprof__Label *label = &labels->list[labels->cnt];

	if (!*text)
		return;
	pprof__label__init(label);
	label->key = text_number(&profile->texts, key);
	label->str = text_number(&profile->texts, text);
	labels->pointers[labels->cnt++] = label;
}

static void add_labels(struct profile *profile, struct labels *labels,
		       const struct report_stack *stack)
{
	add_label(profile, labels, "process", stack->process);
	add_label(profile, labels, "pid", arena_printf(profile->arena, "%d", stack->pid));
	add_label(profile, labels, "thread", stack->thread);
	add_label(profile, labels, "tid", arena_printf(profile->arena, "%d", stack->tid));
	add_label(profile, labels, "task", stack->task);
	add_label(profile, labels, "stack", stack->is_complete ? "" : "incomplete");
	if (stack->is_on_cpu)
		return;
	add_label(profile, labels, "reason", wait_reason_name(stack->reason));
	add_label(profile, labels, "role", wait_role_name(stack->role));
	add_label(profile, labels, "object", stack->object);
}

static void write_sample(struct profile *profile, const struct report_stack *stack)
{
	int64_t numbers[VALUE_CNT] = { [VALUE_SAMPLES] = (int64_t)stack->sample_cnt };
	Pprof__Sample sample = PPROF__SAMPLE__INIT;
	Pprof__Profile part = PPROF__PROFILE__INIT;
	struct labels labels = { 0 };
	size_t hidden_cnt = stack_hidden_frames(profile->report, stack);

	numbers[stack->is_on_cpu ? VALUE_ON_CPU_NS : VALUE_WAIT_NS] = (int64_t)stack->time_ns;
	add_labels(profile, &labels, stack);
	sample.n_location_id = pprof_places_of(&profile->places, stack->frames + hidden_cnt,
					       stack->frame_cnt - hidden_cnt, profile->ids);
	sample.location_id = profile->ids;
	sample.n_value = VALUE_CNT;
	sample.value = numbers;
	sample.n_label = labels.cnt;
	sample.label = labels.pointers;
	part.n_sample = 1;
	part.sample = &(Pprof__Sample *){ &sample };
	write_part(profile, &part);
}

/* pprof prints names to terminals as they are. */
static char *escape(const char *text)
{
	char *escaped = NULL;
	size_t size;
	FILE *out = open_memstream(&escaped, &size);

	if (!out)
		return NULL;
	render_escaped(text, out);
	if (!fclose(out))
		return escaped;
	free(escaped);
	return NULL;
}

static void write_text(struct profile *profile, const char *text)
{
	char *clean = escape(text);
	Pprof__Profile part = PPROF__PROFILE__INIT;

	part.n_string_table = 1;
	part.string_table = &clean;
	if (clean)
		write_part(profile, &part);
	else
		profile->out.error = -ENOMEM;
	free(clean);
}

static bool has_failed(const struct profile *profile)
{
	return arena_has_failed(profile->arena) || profile->texts.has_failed ||
	       profile->places.error;
}

static void write_profile(struct profile *profile)
{
	const struct report *report = profile->report;
	size_t depth = 0;

	for (size_t i = 0; i < report->stack_cnt; i++)
		if (report->stacks[i].frame_cnt > depth)
			depth = report->stacks[i].frame_cnt;
	profile->ids = arena_array(profile->arena, depth + 1, sizeof(*profile->ids));
	write_head(profile);
	for (size_t i = 0; i < report->stack_cnt && !has_failed(profile); i++)
		write_sample(profile, &report->stacks[i]);
	if (!has_failed(profile))
		pprof_places_write(&profile->places, &profile->out);
	for (size_t i = 0; i < profile->texts.cnt && !has_failed(profile); i++)
		write_text(profile, profile->texts.texts[i]);
}

int render_pprof(const struct report *report, FILE *out)
{
	struct profile profile = { .report = report, .arena = arena_new() };
	int error = profile.arena ? gzip_stream_begin(&profile.out, out) : -ENOMEM;

	if (!error) {
		pprof_places_init(&profile.places, report, &profile.texts, profile.arena);
		write_profile(&profile);
		error = gzip_stream_end(&profile.out);
		if (has_failed(&profile))
			error = -ENOMEM;
		pprof_places_release(&profile.places);
		text_numbers_release(&profile.texts);
	}
	arena_free(profile.arena);
	if (!error && (ferror(out) || fflush(out) == EOF))
		error = -EIO;
	return error;
}
