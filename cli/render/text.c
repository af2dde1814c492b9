/* The verdict on one screen: what it is, where the time went, what to do, how it was measured. */
#include "render/text.h"

#include <errno.h>
#include <string.h>

#include "render/page.h"
#include "render/units.h"
#include "report.h"

static const struct {
	const char *text;
	enum page_color color;
} classes[CLASS_CNT] = {
	[CLASS_CPU_BOUND] = { "CPU-bound", COLOR_RED },
	[CLASS_IO_BOUND] = { "I/O-bound", COLOR_BLUE },
	[CLASS_LOCK_BOUND] = { "lock-bound", COLOR_MAGENTA },
	[CLASS_TIMER_BOUND] = { "timer-bound", COLOR_CYAN },
	[CLASS_CPU_STARVED] = { "CPU-starved", COLOR_YELLOW },
	[CLASS_IDLE] = { "idle", COLOR_GREEN },
	[CLASS_MIXED] = { "mixed", COLOR_YELLOW },
	[CLASS_INCONCLUSIVE] = { "inconclusive", COLOR_YELLOW },
};

const char *text_class(int verdict_class)
{
	return classes[verdict_class].text;
}

static void put_verdict(struct page *page, const struct report_verdict *verdict)
{
	page_put(page, "classify: ");
	page_color(page, COLOR_BOLD);
	page_color(page, classes[verdict->verdict_class].color);
	page_put(page, text_class(verdict->verdict_class));
	if (verdict->subclass) {
		page_put(page, " (");
		page_put(page, verdict->subclass);
		page_put(page, ")");
	}
	page_color(page, COLOR_NONE);
	/* How sure one is of not knowing is nothing to tell. */
	if (verdict->verdict_class != CLASS_INCONCLUSIVE) {
		page_put(page, ",");
		page_sayf(page, "confidence %d%%", (int)(verdict->confidence * 100 + 1e-9));
	}
	page_newline(page);
	page_paragraph(page);
	page_say(page, verdict->summary);
	page_newline(page);
}

/* Below this, the class that came second is worth a line. */
#define CLOSE_CALL_CONFIDENCE 0.8

static void put_runner_up(struct page *page, const struct report_verdict *verdict)
{
	bool is_close = verdict->confidence < CLOSE_CALL_CONFIDENCE;

	if (!verdict->has_runner_up || (!is_close && !page->style->is_verbose))
		return;
	page_label(page, COLOR_DIM, "or else");
	page_sayf(page, "%s,", text_class(verdict->runner_up));
	page_say(page, verdict->would_win_if);
	page_newline(page);
}

/* How far a longer run might differ, where that is known. */
static void put_intervals(struct page *page, const struct report_ratios *ratios)
{
	if (!page->style->is_verbose || ratios->cpu_low < 0)
		return;
	page_label(page, COLOR_DIM, "within");
	page_sayf(page,
		  "computing %.1f to %.1f%%, waiting %.1f to %.1f%% of busy time (95%% intervals)",
		  100 * ratios->cpu_low, 100 * ratios->cpu_high, 100 * ratios->wait_low,
		  100 * ratios->wait_high);
	page_newline(page);
}

/* What the phase by itself calls for; keeping the model needs no words. */
static void say_phase_advice(struct page *page, const struct report_recommendation *advice)
{
	if (advice->action != ACTION_CHANGE)
		return;
	page_sayf(page, "so %s%s", concurrency_model_name(advice->model),
		  advice->workers ? "," : "");
	if (advice->workers)
		page_sayf(page, "%u worker%s", advice->workers, advice->workers == 1 ? "" : "s");
}

static void put_phase(struct page *page, const struct report_phase *phase)
{
	char length[UNIT_BYTES];

	format_duration(phase->end_ns - phase->start_ns, page->style->use_unicode, length);
	page_say(page, phase->name);
	page_sayf(page, "for %s: %s%s%s%s%s", length, text_class(phase->verdict_class),
		  phase->subclass ? " (" : "", phase->subclass ? phase->subclass : "",
		  phase->subclass ? ")" : "",
		  phase->recommendation.action == ACTION_CHANGE ? "," : "");
	say_phase_advice(page, &phase->recommendation);
	if (!page->style->is_verbose)
		return;
	page_newline(page);
	page_label(page, COLOR_DIM, "");
	page_say(page, phase->summary);
}

static void put_phases(struct page *page, const struct report *report)
{
	if (report->phase_cnt < 2)
		return;
	for (size_t i = 0; i < report->phase_cnt; i++) {
		page_label(page, COLOR_DIM, i ? "" : "phases");
		put_phase(page, &report->phases[i]);
		page_newline(page);
	}
}

/* "(pool, 6)"; that one is the main thread its name says already. */
static void say_kind(struct page *page, const struct report_role *role)
{
	bool is_main = !strcmp(role->kind, "main");

	if (role->thread_cnt > 1)
		page_sayf(page, "(%s%s%u)", is_main ? "" : role->kind, is_main ? "" : ", ",
			  role->thread_cnt);
	else if (!is_main)
		page_sayf(page, "(%s)", role->kind);
}

static void put_roles(struct page *page, const struct report *report)
{
	size_t cnt = report->role_cnt;

	if (cnt < 2)
		return;
	if (!page->style->is_verbose && cnt > TEXT_TOP_ROWS + 1)
		cnt = TEXT_TOP_ROWS;
	page_label(page, COLOR_DIM, "roles");
	for (size_t i = 0; i < cnt; i++) {
		const struct report_role *role = &report->roles[i];

		page_say(page, role->name);
		say_kind(page, role);
		page_sayf(page, "%s%s", text_class(role->verdict_class),
			  i + 1 < report->role_cnt ? "," : "");
	}
	if (cnt < report->role_cnt)
		page_sayf(page, "and %zu more (-v shows all)", report->role_cnt - cnt);
	page_newline(page);
}

/* Writes "pid 42" to @text, with the number in its container where that is another. */
static void format_pid(const struct report *report, char *text, size_t size)
{
	if (report->pid_in_container)
		snprintf(text, size, "pid %d, %d in its container", report->pid,
			 report->pid_in_container);
	else
		snprintf(text, size, "pid %d", report->pid);
}

/* Writes "(pid 42), exit code 0" to @facts. */
static void format_fate(const struct report *report, char *facts, size_t size)
{
	const char *signal_name = report->was_signaled ? sigabbrev_np(report->exit_code) : NULL;
	char pid[64];

	format_pid(report, pid, sizeof(pid));
	if (*report->cgroup)
		snprintf(facts, size, "(first %s)", pid);
	else if (!report->has_exited)
		snprintf(facts, size, "(%s), still running", pid);
	else if (report->exit_code < 0)
		snprintf(facts, size, "(%s), has exited", pid);
	else if (signal_name)
		snprintf(facts, size, "(%s), killed by SIG%s", pid, signal_name);
	else
		snprintf(facts, size, "(%s), %s %d", pid,
			 report->was_signaled ? "killed by signal" : "exit code",
			 report->exit_code);
}

/* The command line within @max_columns; whole arguments go from its end first. */
static void put_command(struct page *page, const struct report *report, int max_columns)
{
	enum { MIN_ARGUMENT_COLUMNS = 8 };
	int end = page->column + max_columns;

	if (*report->cgroup) {
		page_put(page, "cgroup ");
		page_put_fit(page, report->cgroup, end - page->column);
	}
	for (size_t i = 0; i < report->command_cnt; i++) {
		if (end - page->column < MIN_ARGUMENT_COLUMNS) {
			page_put(page, page->style->use_unicode ? " …" : " ...");
			return;
		}
		page_put(page, i ? " " : "");
		page_put_fit(page, report->command[i], end - page->column);
	}
}

static void put_target(struct page *page, const struct report *report)
{
	char fate[128];

	format_fate(report, fate, sizeof(fate));
	page_label(page, COLOR_DIM, "target");
	/* Between them a blank, and room for the sign that arguments are left out. */
	put_command(page, report, page->width - page->column - (int)strlen(fate) - 1 - 4);
	page_say(page, fate);
	page_newline(page);
}

static void say_losses(struct page *page, const struct report *report)
{
	char count[UNIT_BYTES];

	if (report->lost_events) {
		format_count(report->lost_events, count);
		page_color(page, COLOR_YELLOW);
		page_sayf(page, "%s events lost", count);
		page_color(page, COLOR_NONE);
	} else {
		/* A sampler can't know what it missed: its note tells. */
		page_say(page, report->source == SOURCE_EBPF ? "nothing lost" : "sampled");
	}
}

static void put_measured(struct page *page, const struct report *report)
{
	char duration[UNIT_BYTES], switches[UNIT_BYTES];

	format_duration(report->duration_ns, page->style->use_unicode, duration);
	format_count(report->switch_cnt, switches);
	page_label(page, COLOR_DIM, "measured");
	page_sayf(page, "%s for %s, %s switch%s,",
		  report->source == SOURCE_EBPF ? "by eBPF" : "from /proc", duration, switches,
		  report->switch_cnt == 1 ? "" : "es");
	say_losses(page, report);
	if (report->is_replay)
		page_say(page, "(a recording)");
	page_newline(page);
}

/* What the measurement could not see is said always: it is part of the verdict. */
static void put_limits(struct page *page, const struct report *report)
{
	if (report->source_note[0]) {
		page_label(page, COLOR_YELLOW, "note");
		page_say(page, report->source_note);
		page_newline(page);
	}
	for (size_t i = 0; i < report->missing_probe_cnt; i++) {
		page_label(page, COLOR_YELLOW, i ? "" : "no probe");
		page_say(page, report->missing_probes[i]);
		page_newline(page);
	}
}

int render_text(const struct report *report, const struct text_style *style, FILE *out)
{
	struct page page;

	page_init(&page, style, out);
	put_verdict(&page, &report->verdict);
	page_newline(&page);
	text_program_time(&page, report);
	text_lines(&page, report);
	page_newline(&page);
	text_advice(&page, report);
	text_findings(&page, report);
	put_runner_up(&page, &report->verdict);
	put_intervals(&page, &report->ratios);
	put_phases(&page, report);
	put_roles(&page, report);
	text_thread_time(&page, report);
	put_target(&page, report);
	put_measured(&page, report);
	put_limits(&page, report);
	return ferror(out) || fflush(out) == EOF ? -EIO : 0;
}
