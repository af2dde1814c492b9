/* What the program is now, what to do about it, what that gains, and what was found. */
#include "render/text.h"

#include "render/page.h"
#include "render/units.h"
#include "report.h"

enum { TOP_REASONS = 2, TOP_NOTES = 1, TOP_FINDINGS = 3 };

/* Ends in a comma. */
static void say_runtime(struct page *page, const struct report_runtime *runtime)
{
	static const char *const locks[GLOBAL_LOCK_CNT] = {
		[GLOBAL_LOCK_NONE] = "",
		[GLOBAL_LOCK_GIL] = " with a GIL",
		[GLOBAL_LOCK_GVL] = " with a GVL",
		[GLOBAL_LOCK_EVENT_LOOP] = " on one event loop",
	};

	page_sayf(page, "%s%s%s%s,", runtime->name, runtime->version[0] ? " " : "",
		  runtime->version, locks[runtime->global_lock]);
}

static void say_cpus(struct page *page, const struct obs_host *host)
{
	char quota[UNIT_BYTES];

	page_sayf(page, "%u of %u CPU%s usable%s", host->cpus_usable, host->cpus_online,
		  host->cpus_online == 1 ? "" : "s", host->cpu_quota > 0 ? "," : "");
	if (host->cpu_quota > 0) {
		format_factor(host->cpu_quota, quota);
		page_sayf(page, "quota %s CPUs", quota);
	}
}

/* Ends in a semicolon. */
static void say_concurrency(struct page *page, const struct report_concurrency *now)
{
	const char *plural = now->workers == 1 ? "" : "s";
	char mean[UNIT_BYTES];

	page_sayf(page, "%s,", concurrency_model_name(now->current));
	if (now->in_flight_mean <= 0) {
		page_sayf(page, "%u worker%s;", now->workers, plural);
		return;
	}
	format_factor(now->in_flight_mean, mean);
	page_sayf(page, "%u worker%s,", now->workers, plural);
	if (now->in_flight_peak >= 0)
		page_sayf(page, "%s in flight (peak %.0f);", mean, now->in_flight_peak);
	else
		page_sayf(page, "%s in flight;", mean);
}

static void put_now(struct page *page, const struct report *report)
{
	page_label(page, COLOR_DIM, "now");
	say_concurrency(page, &report->concurrency);
	say_runtime(page, &report->runtime);
	say_cpus(page, &report->host);
	page_newline(page);
}

static void put_reasons(struct page *page, const struct report_recommendation *advice)
{
	size_t cnt = advice->reason_cnt;

	if (!page->style->is_verbose && cnt > TOP_REASONS)
		cnt = TOP_REASONS;
	for (size_t i = 0; i < cnt; i++) {
		page_label(page, COLOR_DIM, i ? "" : "because");
		page_say(page, advice->reasons[i]);
		page_newline(page);
	}
}

static void put_recommendation(struct page *page, const struct report_recommendation *advice)
{
	page_label(page, COLOR_GREEN, "do");
	page_color(page, COLOR_BOLD);
	page_say(page, advice->summary);
	page_color(page, COLOR_NONE);
	page_newline(page);
	if (advice->scope) {
		page_label(page, COLOR_DIM, "for");
		page_say(page, advice->scope);
		page_newline(page);
	}
	put_reasons(page, advice);
	if (advice->avoid) {
		page_label(page, COLOR_RED, "beware");
		page_say(page, advice->avoid);
		page_newline(page);
	}
}

static void put_notes(struct page *page, const struct report_recommendation *advice)
{
	size_t cnt = advice->note_cnt;

	if (!page->style->is_verbose && cnt > TOP_NOTES)
		cnt = TOP_NOTES;
	for (size_t i = 0; i < cnt; i++) {
		page_label(page, COLOR_DIM, i ? "" : "note");
		page_say(page, advice->notes[i]);
		page_newline(page);
	}
}

static void put_prediction(struct page *page, const struct report_prediction *prediction,
			   const char *label)
{
	char low[UNIT_BYTES], expected[UNIT_BYTES], high[UNIT_BYTES], memory[UNIT_BYTES];

	format_factor(prediction->speedup_low, low);
	format_factor(prediction->speedup_expected, expected);
	format_factor(prediction->speedup_high, high);
	format_bytes(prediction->extra_memory_bytes, memory);
	page_label(page, COLOR_DIM, label);
	page_sayf(page, "%s times the speed (%s to %s) with %s, %u worker%s", expected, low, high,
		  concurrency_model_name(prediction->model), prediction->workers,
		  prediction->workers == 1 ? "" : "s");
	if (prediction->extra_memory_bytes)
		page_sayf(page, "and %s more memory", memory);
	for (size_t i = 0; i < prediction->assumption_cnt; i++) {
		page_say(page, i ? "and" : "if");
		page_say(page, prediction->assumptions[i]);
	}
	page_newline(page);
}

/* What the predictions are made of. */
static void put_operations(struct page *page, const struct report *report)
{
	const struct report_operations *operations = &report->operations;
	bool use_unicode = page->style->use_unicode;
	char computed[UNIT_BYTES], locked[UNIT_BYTES], waited[UNIT_BYTES], most[UNIT_BYTES];
	char start[UNIT_BYTES], cnt[UNIT_BYTES];

	if (operations->cnt <= 0 || !page->style->is_verbose)
		return;
	format_count((uint64_t)operations->cnt, cnt);
	format_duration((uint64_t)operations->computed.mean_ns, use_unicode, computed);
	format_duration((uint64_t)operations->computed_locked_ns, use_unicode, locked);
	format_duration((uint64_t)operations->waited.mean_ns, use_unicode, waited);
	format_duration((uint64_t)operations->waited.p95_ns, use_unicode, most);
	format_duration((uint64_t)operations->start_ns, use_unicode, start);
	page_label(page, COLOR_DIM, "replayed");
	page_sayf(page,
		  "%s operations; each computed %s, %s of it under the global lock, and "
		  "waited %s (95%% of them %s at most); started in %s",
		  cnt, computed, locked, waited, most, start);
	page_newline(page);
}

/* The prediction for what is recommended; all of them when verbose. */
static void put_predictions(struct page *page, const struct report *report)
{
	const struct report_recommendation *advice = &report->recommendation;
	const char *label = "expect";

	for (size_t i = 0; i < report->prediction_cnt; i++) {
		const struct report_prediction *prediction = &report->predictions[i];
		bool is_recommended = prediction->model == advice->model &&
				      (!advice->workers || prediction->workers == advice->workers);

		if (!is_recommended && !page->style->is_verbose)
			continue;
		put_prediction(page, prediction, label);
		label = "";
	}
}

void text_advice(struct page *page, const struct report *report)
{
	put_now(page, report);
	put_recommendation(page, &report->recommendation);
	put_predictions(page, report);
	put_operations(page, report);
	put_notes(page, &report->recommendation);
}

static void put_evidence(struct page *page, const struct report_evidence *evidence)
{
	page_label(page, COLOR_NONE, "");
	page_color(page, COLOR_DIM);
	page_sayf(page, "%s:", evidence->metric);
	page_sayf(page, "%.6g %s (%s)", evidence->value, evidence->unit, evidence->source);
	page_color(page, COLOR_NONE);
	page_newline(page);
}

static void put_finding(struct page *page, const struct report_finding *finding)
{
	static const struct {
		const char *label;
		enum page_color color;
	} severities[SEVERITY_CNT] = {
		[SEVERITY_INFO] = { "info", COLOR_CYAN },
		[SEVERITY_WARNING] = { "warning", COLOR_YELLOW },
		[SEVERITY_HIGH] = { "problem", COLOR_RED },
	};

	page_label(page, severities[finding->severity].color, severities[finding->severity].label);
	page_color(page, COLOR_BOLD);
	page_sayf(page, "%s:", finding->id);
	page_color(page, COLOR_NONE);
	page_say(page, finding->summary);
	page_newline(page);
	if (!page->style->is_verbose)
		return;
	for (size_t i = 0; i < finding->evidence_cnt; i++)
		put_evidence(page, &finding->evidence[i]);
}

void text_findings(struct page *page, const struct report *report)
{
	size_t cnt = report->finding_cnt;

	if (!page->style->is_verbose && cnt > TOP_FINDINGS + 1)
		cnt = TOP_FINDINGS;
	for (size_t i = 0; i < cnt; i++)
		put_finding(page, &report->findings[i]);
	if (cnt < report->finding_cnt) {
		page_label(page, COLOR_DIM, "");
		page_sayf(page, "and %zu more (-v shows all)", report->finding_cnt - cnt);
		page_newline(page);
	}
}
