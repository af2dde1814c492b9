/* A verification on one screen: whether it came true, the two programs, what changed, what is next.
 */
#include "render/render.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "render/page.h"
#include "render/units.h"
#include "verification/verification.h"

static const struct {
	const char *text;
	enum page_color color;
} outcomes[OUTCOME_CNT] = {
	[OUTCOME_HELD] = { "the prediction held", COLOR_GREEN },
	[OUTCOME_BETTER] = { "better than predicted", COLOR_GREEN },
	[OUTCOME_WORSE] = { "the prediction did not hold", COLOR_RED },
	[OUTCOME_UNDECIDED] = { "too close to call", COLOR_YELLOW },
	[OUTCOME_NO_PREDICTION] = { "nothing was predicted for this", COLOR_YELLOW },
	[OUTCOME_NOT_COMPARABLE] = { "not comparable", COLOR_RED },
};

static void put_headline(struct page *page, const struct verification *result)
{
	char measured[UNIT_BYTES];

	page_put(page, "classify: ");
	page_color(page, COLOR_BOLD);
	page_color(page, outcomes[result->outcome].color);
	page_put(page, outcomes[result->outcome].text);
	page_color(page, COLOR_NONE);
	if (result->outcome != OUTCOME_NOT_COMPARABLE) {
		format_factor(result->speedup.measured, measured);
		page_put(page, ",");
		if (result->gain == GAIN_NONE)
			page_say(page, "and no gain that could be told from chance");
		else if (result->gain == GAIN_SLOWER)
			page_sayf(page, "slower: %s times the speed", measured);
		else
			page_sayf(page, "%s times as fast", measured);
	}
	page_newline(page);
}

/* "6.8 to 7.3" */
static void say_range(struct page *page, const char *before, double low, double high,
		      const char *after)
{
	char from[UNIT_BYTES], to[UNIT_BYTES];

	format_factor(low, from);
	format_factor(high, to);
	page_sayf(page, "%s%s to %s%s", before, from, to, after);
}

static void put_obstacles(struct page *page, const struct verification *result)
{
	for (size_t i = 0; i < result->obstacle_cnt; i++) {
		page_paragraph(page);
		page_say(page, "Their times can't be set against each other:");
		page_say(page, result->obstacles[i]);
		page_newline(page);
	}
}

static void put_measured(struct page *page, const struct verification *result)
{
	const struct speedup *speedup = &result->speedup;

	page_label(page, COLOR_DIM, "measured");
	say_range(page, "", speedup->low, speedup->high, " times the speed");
	if (speedup->confidence > 0)
		page_sayf(page, "(by %zu and %zu runs, with %d%% confidence)",
			  result->before.run_cnt, result->after.run_cnt,
			  (int)(speedup->confidence * 100 + 1e-9));
	else
		page_sayf(page, "(too few runs to tell chance: %d%% either way is assumed)",
			  (int)(SPREAD_ASSUMED * 100 + 0.5));
	if (result->outcome == OUTCOME_UNDECIDED)
		page_say(page, "- more runs would tell more (--runs)");
	page_newline(page);
}

static void put_prediction(struct page *page, const struct verification *result)
{
	const struct verified_prediction *prediction = &result->prediction;
	char expected[UNIT_BYTES];

	if (!result->has_prediction)
		return;
	format_factor(prediction->expected, expected);
	page_label(page, COLOR_DIM, "predicted");
	say_range(page, "", prediction->low, prediction->high, "");
	page_sayf(page, "(%s expected) for %s, %.0f at once", expected, prediction->model,
		  prediction->asked_for);
	if (prediction->asked_for != prediction->workers)
		page_sayf(page,
			  prediction->is_from_curve ? "(on the curve of the one for %.0f)"
						    : "(made for %.0f)",
			  prediction->workers);
	page_newline(page);
}

static void put_side(struct page *page, const char *label, const struct verified_side *side)
{
	bool use_unicode = page->style->use_unicode;
	const struct run_facts *typical = side->typical;
	char median[UNIT_BYTES], min[UNIT_BYTES], max[UNIT_BYTES], cpu[UNIT_BYTES];

	format_duration(side->wall.median_ns, use_unicode, median);
	format_duration(side->wall.min_ns, use_unicode, min);
	format_duration(side->wall.max_ns, use_unicode, max);
	format_duration(typical->on_cpu_ns, use_unicode, cpu);
	page_label(page, COLOR_DIM, label);
	if (side->run_cnt > 1)
		page_sayf(page, "%s (%s to %s in %zu runs), %s on CPUs;", median, min, max,
			  side->run_cnt, cpu);
	else
		page_sayf(page, "%s (one run), %s on CPUs;", median, cpu);
	page_say(page, typical->model);
	page_sayf(page, "with %u worker%s,", typical->workers, typical->workers == 1 ? "" : "s");
	page_sayf(page, "%s%s%s", typical->verdict_class, typical->subclass ? "/" : "",
		  typical->subclass ? typical->subclass : "");
	page_newline(page);
}

enum { CHANGE_COLUMN = PAGE_TEXT_COLUMN + 2, AFTER_COLUMN = CHANGE_COLUMN + 14 };
enum { TOP_CHANGES = 6 };

static void put_change(struct page *page, const struct verified_change *change)
{
	char before[UNIT_BYTES], after[UNIT_BYTES];

	format_duration(change->before_ns, page->style->use_unicode, before);
	format_duration(change->after_ns, page->style->use_unicode, after);
	page_paragraph(page);
	page_put_fit(page, change->what, CHANGE_COLUMN - PAGE_MARGIN - 1);
	page_tab(page, CHANGE_COLUMN);
	page_put(page, before);
	page_tab(page, AFTER_COLUMN);
	page_put(page, after);
	page_newline(page);
}

static void put_changes(struct page *page, const struct verification *result)
{
	size_t cnt = result->change_cnt;

	if (!page->style->is_verbose && cnt > TOP_CHANGES)
		cnt = TOP_CHANGES;
	if (!cnt)
		return;
	page_newline(page);
	page_paragraph(page);
	page_color(page, COLOR_DIM);
	page_put(page, "program time");
	page_tab(page, CHANGE_COLUMN);
	page_put(page, "before");
	page_tab(page, AFTER_COLUMN);
	page_put(page, "after");
	page_color(page, COLOR_NONE);
	page_newline(page);
	for (size_t i = 0; i < cnt; i++)
		put_change(page, &result->changes[i]);
	page_newline(page);
}

static void put_next(struct page *page, const struct run_facts *after)
{
	page_label(page, COLOR_GREEN, "next");
	page_color(page, COLOR_BOLD);
	page_say(page, after->advice);
	page_color(page, COLOR_NONE);
	page_newline(page);
	if (!after->finding_id)
		return;
	page_label(page, COLOR_YELLOW, "because");
	page_sayf(page, "%s:", after->finding_id);
	page_say(page, after->finding_summary);
	page_newline(page);
}

int render_verification_text(const struct verification *result, const struct text_style *style,
			     FILE *out)
{
	struct page page;

	page_init(&page, style, out);
	put_headline(&page, result);
	put_obstacles(&page, result);
	page_newline(&page);
	if (result->outcome != OUTCOME_NOT_COMPARABLE)
		put_measured(&page, result);
	put_prediction(&page, result);
	put_side(&page, "before", &result->before);
	put_side(&page, "after", &result->after);
	put_changes(&page, result);
	put_next(&page, result->after.typical);
	for (size_t i = 0; i < result->note_cnt; i++) {
		page_label(&page, COLOR_YELLOW, "note");
		page_say(&page, result->notes[i]);
		page_newline(&page);
	}
	return ferror(out) || fflush(out) == EOF ? -EIO : 0;
}
