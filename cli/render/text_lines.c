/* Which lines of the program took the time, and what they did meanwhile. */
#include "render/text.h"

#include <string.h>

#include "render/escape.h"
#include "render/page.h"
#include "render/place_name.h"
#include "render/units.h"
#include "report.h"

enum { TOP_LINES = 6, PLACE_COLUMNS = 26, FUNCTION_COLUMNS = 24 };
/* Both columns beside the share leave the rest of a narrow page, these parts of it, in percent. */
enum { PLACE_PART = 33, FUNCTION_PART = 30 };
enum { WHAT_COLUMNS_MIN = 24 };

/* Less isn't worth a line, unless all are asked for. */
#define LINE_SHARE_MIN 0.01
/* Half of a 95% interval: with more, how few samples there are is worth saying. */
#define NOTABLE_MARGIN 0.05
/* With less idle time the lines' whole is the bars'. */
#define IDLE_TOLD 0.01

/* Its middle goes, rather than that it is broken there. */
static void say_object(struct page *page, const char *object)
{
	int columns = escape_columns(object, !page->style->use_unicode);
	int whole = page->width - page->indent, room = page->width - page->column - 1;

	if (page->style->is_verbose || columns <= whole) {
		page_say(page, object);
		return;
	}
	if (room < WHAT_COLUMNS_MIN) {
		page_newline(page);
		page_tab(page, page->indent);
		room = whole;
	} else {
		page_put(page, " ");
	}
	page_put_fit(page, object, room);
}

static void say_wait(struct page *page, const struct report_hot_spot *spot)
{
	static const char *const words[WAIT_REASON_CNT] = {
		[WAIT_NETWORK] = "the network", [WAIT_DISK] = "the disk",
		[WAIT_IPC] = "another process", [WAIT_LOCK] = "a lock",
		[WAIT_GIL] = "the GIL",		[WAIT_SYNC] = "another thread",
		[WAIT_CHILD] = "a child",	[WAIT_ACCEPT] = "work",
		[WAIT_POLL] = "an event",	[WAIT_TTY] = "the terminal",
		[WAIT_DEVICE] = "a device",	[WAIT_PAGING] = "memory",
	};

	if (spot->reason == WAIT_TIMER && !spot->object[0]) {
		page_say(page, "sleeps");
		return;
	}
	if (spot->reason == WAIT_STOPPED || (!words[spot->reason] && !spot->object[0])) {
		page_say(page, spot->reason == WAIT_STOPPED ? "is stopped" : "waits");
		return;
	}
	page_say(page, "waits for");
	if (spot->object[0] && spot->reason != WAIT_GIL)
		say_object(page, spot->object);
	else
		page_say(page, words[spot->reason]);
}

/* With less of it held, the lock is worth a word: threads can do the rest at once. */
#define GIL_MOSTLY_HELD 0.5

static bool is_nameless(const struct report_frame *place)
{
	return place->language == LANGUAGE_JIT && !place->function[0];
}

static void say_callee(struct page *page, const char *callee)
{
	char name[PLACE_NAME_BYTES], in_brackets[PLACE_NAME_BYTES + 2];

	if (!callee[0])
		return;
	place_shorten_cpp(callee, name);
	snprintf(in_brackets, sizeof(in_brackets), "(%s)", name);
	page_say(page, in_brackets);
}

static void say_what(struct page *page, const struct report_hot_spot *spot)
{
	if (spot->is_on_cpu)
		page_say(page, "computes");
	else
		say_wait(page, spot);
	say_callee(page, spot->callee);
	if (spot->is_on_cpu && spot->is_gil_known &&
	    (double)spot->gil_held_ns < GIL_MOSTLY_HELD * (double)spot->time_ns)
		page_say(page, "mostly without the GIL");
	if (spot->task[0]) {
		page_say(page, "in task");
		page_say(page, spot->task);
	}
	if (!spot->place.is_own)
		page_say(page,
			 is_nameless(&spot->place) ? "(code without names)" : "(not its own code)");
}

/* The widest of what is printed in a column. */
struct columns {
	int place;
	int function;
};

/* Lines with shares of one whole: of program time, or of all thread time. */
struct line_group {
	bool is_busy;
	size_t end; /* those shown lie before it */
	size_t cnt;
};

/* As report_hot_spot.share has it. */
static bool is_busy(const struct report_hot_spot *spot)
{
	if (spot->is_on_cpu || spot->reason == WAIT_LOCK || spot->reason == WAIT_GIL)
		return true;
	return spot->role != WAITS_FOR_TREE && spot->role != WAITS_FOR_WORK &&
	       spot->reason != WAIT_STOPPED;
}

/* Waits in code of others are for who asks for all, but for results. */
static bool is_for_all(const struct report_hot_spot *spot)
{
	return spot->share >= LINE_SHARE_MIN &&
	       (spot->is_on_cpu || spot->place.is_own || spot->role == WAITS_FOR_RESULT ||
		spot->reason == WAIT_LOCK || spot->reason == WAIT_GIL);
}

static bool is_shown(const struct page *page, const struct line_group *group,
		     const struct report_hot_spot *spot)
{
	return is_busy(spot) == group->is_busy && (page->style->is_verbose || is_for_all(spot));
}

static struct line_group find_group(const struct page *page, const struct report *report,
				    bool is_busy)
{
	struct line_group group = { .is_busy = is_busy };
	size_t most = page->style->is_verbose ? report->hot_spot_cnt : is_busy ? TOP_LINES : 0;

	for (size_t i = 0; i < report->hot_spot_cnt && group.cnt < most; i++) {
		if (!is_shown(page, &group, &report->hot_spots[i]))
			continue;
		group.cnt++;
		group.end = i + 1;
	}
	return group;
}

static struct columns measure(const struct page *page, const struct report *report,
			      const struct line_group *group)
{
	struct columns columns = { 0, 0 };
	int place_most = page->width * PLACE_PART / 100;
	int function_most = page->width * FUNCTION_PART / 100;
	char place[PLACE_BYTES], function[PLACE_NAME_BYTES];

	if (!page->style->is_verbose) {
		place_most = place_most < PLACE_COLUMNS ? place_most : PLACE_COLUMNS;
		function_most = function_most < FUNCTION_COLUMNS ? function_most : FUNCTION_COLUMNS;
	}
	for (size_t i = 0; i < group->end; i++) {
		const struct report_hot_spot *spot = &report->hot_spots[i];

		if (!is_shown(page, group, spot))
			continue;
		place_format(page, report, &spot->place, place);
		place_format_function(&spot->place, function);
		page_widen(page, &columns.place, place, place_most);
		page_widen(page, &columns.function, function, function_most);
	}
	return columns;
}

/* "curl+0x1b540  waits for ..." is nobody's to change; the line that runs it is. */
static void put_starter(struct page *page, const struct report *report,
			const struct report_hot_spot *spot)
{
	char place[PLACE_BYTES], function[PLACE_NAME_BYTES];

	place_format(page, report, &spot->starter, place);
	place_format_function(&spot->starter, function);
	page_paragraph(page);
	page_tab(page, PAGE_SHARE_COLUMN_END + 2);
	page->indent = PAGE_SHARE_COLUMN_END + 4;
	page_say(page, "run by");
	page_color(page, COLOR_BLUE);
	page_say(page, place);
	page_color(page, COLOR_NONE);
	page_say(page, function);
	say_callee(page, spot->starter_callee);
	page_newline(page);
}

static void put_line(struct page *page, const struct report *report,
		     const struct report_hot_spot *spot, struct columns columns)
{
	char share[UNIT_BYTES], place[PLACE_BYTES], function[PLACE_NAME_BYTES];
	int column = PAGE_SHARE_COLUMN_END + 2;

	format_share(spot->share, share);
	place_format(page, report, &spot->place, place);
	place_format_function(&spot->place, function);
	page_paragraph(page);
	page_tab(page, PAGE_SHARE_COLUMN_END - escape_columns(share, true));
	page_put(page, share);
	page_tab(page, column);
	page_color(page, spot->is_on_cpu ? COLOR_RED : COLOR_BLUE);
	page_put_fit(page, place, columns.place);
	page_color(page, COLOR_NONE);
	column += columns.place + 2;
	if (function[0]) {
		page_tab(page, column);
		page_put_fit(page, function, columns.function);
	}
	column += columns.function + 2;
	if (page->width - column < WHAT_COLUMNS_MIN) {
		page_newline(page);
		column = PAGE_SHARE_COLUMN_END + 4;
	}
	page_tab(page, column);
	page->indent = column;
	say_what(page, spot);
	page_newline(page);
}

/* The bars above are of all program time, the lines of that in which it wasn't idle. */
static void say_whole(struct page *page, const struct report_program_time *time)
{
	char busy[UNIT_BYTES];

	if ((double)time->idle_ns <= IDLE_TOLD * (double)time->wall_ns) {
		page_say(page, "at which lines");
		return;
	}
	format_duration(time->wall_ns - time->idle_ns, page->style->use_unicode, busy);
	page_sayf(page, "at which lines, of the %s that it wasn't idle", busy);
}

static void say_quality(struct page *page, const struct report *report,
			const struct line_group *group)
{
	const struct report_stack_quality *quality = &report->stack_quality;
	double margin = 0;
	char samples[UNIT_BYTES];

	for (size_t i = 0; i < group->end; i++)
		if (is_busy(&report->hot_spots[i]) && 2 * report->hot_spots[i].share_error > margin)
			margin = 2 * report->hot_spots[i].share_error;
	if (margin >= NOTABLE_MARGIN || page->style->is_verbose) {
		format_count(quality->sample_cnt + quality->wait_cnt, samples);
		page_sayf(page, "(%s samples: give or take %.0f points)", samples, 100 * margin);
	}
	if (quality->known_share < 0.9)
		page_sayf(page, "(known for %.0f%% of the time)", 100 * quality->known_share);
}

static void put_lines_title(struct page *page, const struct report *report,
			    const struct line_group *group)
{
	page_paragraph(page);
	page_color(page, COLOR_DIM);
	if (!group->is_busy) {
		page_say(page, "waiting for each other or for work, of all thread time");
	} else {
		say_whole(page, &report->program_time);
		say_quality(page, report, group);
	}
	page_color(page, COLOR_NONE);
	page_newline(page);
}

/* Why there are none: for who asks, or has reason to expect some. */
static void put_no_lines(struct page *page, const struct report *report)
{
	const struct report_stack_quality *quality = &report->stack_quality;
	bool are_missed =
		quality->why_no_lines && report->verdict.verdict_class != CLASS_INCONCLUSIVE;

	if (!quality->are_taken || (!are_missed && !page->style->is_verbose))
		return;
	page_paragraph(page);
	page_color(page, COLOR_DIM);
	page_say(page, "at which lines: not known,");
	page_say(page, quality->why_no_lines ? quality->why_no_lines
					     : "none took a notable part of the time");
	page_color(page, COLOR_NONE);
	page_newline(page);
}

/* Where no line is the program's own because its runtime keeps the names to itself: how to get
 * them.
 */
static void put_hint(struct page *page, const struct report *report)
{
	static const char *const hints[][2] = {
		{ "Node.js", "node --perf-basic-prof names its functions" },
		{ "JVM", "jcmd PID Compiler.perfmap names its methods" },
		{ ".NET", "DOTNET_PerfMapEnabled=1 names its methods" },
		{ "Ruby", "lines of Ruby can't be told" },
		{ "Perl", "lines of Perl can't be told" },
		{ "PHP", "lines of PHP can't be told" },
	};
	bool are_foreign = report->hot_spot_cnt;
	const char *hint = NULL;

	for (size_t i = 0; i < report->hot_spot_cnt; i++)
		are_foreign &= !report->hot_spots[i].place.is_own;
	for (size_t i = 0; i < report->hot_spot_cnt; i++)
		are_foreign |= is_nameless(&report->hot_spots[i].place);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (!strcmp(report->runtime.name, hints[i][0]))
			hint = hints[i][1];
	if (!are_foreign || !hint)
		return;
	page_paragraph(page);
	page_color(page, COLOR_DIM);
	page_say(page, hint);
	page_color(page, COLOR_NONE);
	page_newline(page);
}

/* What can't be named, and why. */
static void put_stack_notes(struct page *page, const struct report_stack_quality *quality)
{
	for (size_t i = 0; page->style->is_verbose && i < quality->note_cnt; i++) {
		page_paragraph(page);
		page_color(page, COLOR_DIM);
		page_say(page, quality->notes[i]);
		page_color(page, COLOR_NONE);
		page_newline(page);
	}
}

static bool are_run_alike(const struct report_hot_spot *left, const struct report_hot_spot *right)
{
	return left->has_starter && right->has_starter &&
	       left->starter.line == right->starter.line &&
	       !strcmp(left->starter.file, right->starter.file);
}

/* What runs them is said once for those that follow each other. */
static void put_lines(struct page *page, const struct report *report, bool is_busy)
{
	struct line_group group = find_group(page, report, is_busy);
	struct columns columns = measure(page, report, &group);
	const struct report_hot_spot *last = NULL;

	if (!group.cnt)
		return;
	put_lines_title(page, report, &group);
	for (size_t i = 0; i < group.end; i++) {
		const struct report_hot_spot *spot = &report->hot_spots[i];

		if (!is_shown(page, &group, spot))
			continue;
		if (last && last->has_starter && !are_run_alike(last, spot))
			put_starter(page, report, last);
		put_line(page, report, spot, columns);
		last = spot;
	}
	if (last && last->has_starter)
		put_starter(page, report, last);
}

void text_lines(struct page *page, const struct report *report)
{
	put_lines(page, report, true);
	put_hint(page, report);
	put_lines(page, report, false);
	if (!report->hot_spot_cnt)
		put_no_lines(page, report);
	text_functions(page, report);
	put_stack_notes(page, &report->stack_quality);
}
