/* Where the time went, as rows of bars. */
#include "render/text.h"

#include <stdlib.h>
#include <string.h>

#include "render/escape.h"
#include "render/page.h"
#include "render/units.h"
#include "report.h"

/* "behind " and a name: a comm of 15 bytes. */
enum { NEIGHBOUR_BYTES = 64 };
enum { BAR_COLUMNS = 18, MIN_NOTE_COLUMNS = 12, DETAIL_BYTES = 64, WAITS_BYTES = 192 };
enum { SHARE_END = PAGE_TEXT_COLUMN + BAR_COLUMNS + 7, DURATION_END = SHARE_END + 9 };

/* Nobody needs to be told of less, unless he asks. */
#define MIN_SHOWN_SHARE 0.001

static double share_of(uint64_t part_ns, uint64_t whole_ns)
{
	return whole_ns ? (double)part_ns / (double)whole_ns : 0;
}

/* Prints @text so that it ends at @column. */
static void put_right(struct page *page, const char *text, int column)
{
	page_tab(page, column - escape_columns(text, false));
	page_put(page, text);
}

/* A row up to its note, which the caller adds before the newline. */
static void begin_row(struct page *page, enum page_color color, const char *label, uint64_t part_ns,
		      uint64_t whole_ns)
{
	double share = share_of(part_ns, whole_ns);
	char text[UNIT_BYTES];

	page_label(page, COLOR_NONE, label);
	page_color(page, color);
	page_bar(page, share, BAR_COLUMNS);
	page_color(page, COLOR_NONE);
	format_share(share, text);
	put_right(page, text, SHARE_END);
	format_duration(part_ns, page->style->use_unicode, text);
	put_right(page, text, DURATION_END);
}

static void put_title(struct page *page, uint64_t whole_ns, const char *what)
{
	char duration[UNIT_BYTES];

	format_duration(whole_ns, page->style->use_unicode, duration);
	page_paragraph(page);
	page_color(page, COLOR_DIM);
	page_sayf(page, "where %s of %s went", duration, what);
	page_color(page, COLOR_NONE);
	page_newline(page);
}

/* What else is known of it: who is at the far end, or what was done and on which device. */
static void format_detail(const struct report_object *object, char *text, size_t size)
{
	const char *operation = object->operation ? wait_operation_name(object->operation) : NULL;
	const char *device = object->device;

	text[0] = '\0';
	if (object->far_end)
		snprintf(text, size, " (%s)", object->far_end);
	else if (operation && device)
		snprintf(text, size, " (%s, %s)", operation, device);
	else if (operation || device)
		snprintf(text, size, " (%s)", operation ? operation : device);
}

static void put_object_name(struct page *page, const struct report_object *object, int room)
{
	char detail[DETAIL_BYTES];
	int columns;

	format_detail(object, detail, sizeof(detail));
	columns = escape_columns(detail, !page->style->use_unicode);
	if (room - columns < MIN_NOTE_COLUMNS) {
		page_put_fit(page, object->name, room);
		return;
	}
	page_put_fit(page, object->name, room - columns);
	page_put(page, detail);
}

/* "  20 x tcp 127.0.0.1:8080 +3 more", as far as there is room. */
static void put_object_note(struct page *page, const struct report_object *object, size_t more_cnt)
{
	char count[UNIT_BYTES], more[UNIT_BYTES] = "";
	int room;

	format_count(object->wait_cnt, count);
	if (more_cnt)
		snprintf(more, sizeof(more), " +%zu more", more_cnt);
	room = page->width - page->column - 2 - escape_columns(count, true) - 3 -
	       escape_columns(more, true);
	/* Its whole name is worth more than how many others there are. */
	if (room < escape_columns(object->name, !page->style->use_unicode)) {
		room += escape_columns(more, true);
		more[0] = '\0';
	}
	if (room < MIN_NOTE_COLUMNS)
		return;
	page_tab(page, page->column + 2);
	page_put(page, count);
	page_put(page, page->style->use_unicode ? " × " : " x ");
	put_object_name(page, object, room);
	page_put(page, more);
}

/* One object stands for the rest only if it is most of them; and a count of 0 says that only time
 * is known of it. */
static void put_objects_note(struct page *page, const struct report_object *objects, size_t cnt,
			     uint64_t whole_ns)
{
	if (cnt && objects[0].wait_cnt && objects[0].wait_ns >= whole_ns / 2)
		put_object_note(page, &objects[0], cnt - 1);
}

static void put_computing(struct page *page, const struct report_program_time *time)
{
	char factor[UNIT_BYTES], note[UNIT_BYTES + sizeof("on  CPUs at once")];

	begin_row(page, COLOR_RED, "computing", time->computing_ns, time->wall_ns);
	if (time->parallelism >= 1.05) {
		format_factor(time->parallelism, factor);
		snprintf(note, sizeof(note), "on %s CPUs at once", factor);
		if (page->column + 2 + (int)strlen(note) <= page->width) {
			page_tab(page, page->column + 2);
			page_put(page, note);
		}
	}
	page_newline(page);
}

static void put_rest(struct page *page, const struct report_wait *waits, size_t cnt,
		     uint64_t whole_ns)
{
	char label[UNIT_BYTES];
	uint64_t rest_ns = 0;

	for (size_t i = 0; i < cnt; i++)
		rest_ns += waits[i].wait_ns;
	if (!cnt)
		return;
	snprintf(label, sizeof(label), "%zu others", cnt);
	begin_row(page, COLOR_BLUE, label, rest_ns, whole_ns);
	page_newline(page);
}

/* How much of the rows above is of unknown cause, even if that is nothing. */
static void put_unexplained(struct page *page, uint64_t unexplained_ns, uint64_t whole_ns)
{
	char share[UNIT_BYTES], duration[UNIT_BYTES];

	format_share(share_of(unexplained_ns, whole_ns), share);
	format_duration(unexplained_ns, page->style->use_unicode, duration);
	page_paragraph(page);
	page_color(page, COLOR_DIM);
	page_sayf(page, "of it unexplained: %s, %s", duration, share);
	page_color(page, COLOR_NONE);
	page_newline(page);
}

/* How many of the waits, which are sorted, are worth a row. */
static size_t shown_waits(const struct report_program_time *time, bool all)
{
	size_t cnt = time->wait_cnt;

	while (!all && cnt &&
	       share_of(time->waits[cnt - 1].wait_ns, time->wall_ns) < MIN_SHOWN_SHARE)
		cnt--;
	return cnt;
}

void text_program_time(struct page *page, const struct report *report)
{
	const struct report_program_time *time = &report->program_time;
	size_t cnt = shown_waits(time, page->style->is_verbose);
	size_t shown_cnt = cnt;

	/* One row for the rest is no shorter than the one row it would stand for. */
	if (!page->style->is_verbose && cnt > TEXT_TOP_ROWS + 1)
		shown_cnt = TEXT_TOP_ROWS;
	put_title(page, time->wall_ns, "program time");
	put_computing(page, time);
	for (size_t i = 0; i < shown_cnt; i++) {
		const struct report_wait *wait = &time->waits[i];

		begin_row(page, COLOR_BLUE, wait_reason_name(wait->reason), wait->wait_ns,
			  time->wall_ns);
		put_objects_note(page, wait->objects, wait->object_cnt, wait->wait_ns);
		page_newline(page);
	}
	put_rest(page, time->waits + shown_cnt, cnt - shown_cnt, time->wall_ns);
	if (share_of(time->starved_ns, time->wall_ns) >= MIN_SHOWN_SHARE ||
	    page->style->is_verbose) {
		begin_row(page, COLOR_YELLOW, "starved", time->starved_ns, time->wall_ns);
		page_newline(page);
	}
	if (time->idle_ns) {
		begin_row(page, COLOR_DIM, "idle", time->idle_ns, time->wall_ns);
		put_objects_note(page, time->idle_objects, time->idle_object_cnt, time->idle_ns);
		page_newline(page);
	}
	if (page->style->is_verbose)
		put_unexplained(page, time->unexplained_ns, time->wall_ns);
}

/* One state of thread time, whether a wait or not. */
struct state {
	const char *label;
	enum page_color color;
	uint64_t ns;
	const struct report_wait *wait; /* NULL: not a wait */
};

static const char queue_label[] = "run queue";

enum { PLAIN_STATE_CNT = 4, STATE_CNT_MAX = PLAIN_STATE_CNT + WAIT_REASON_CNT };

static int by_time_descending(const void *left, const void *right)
{
	uint64_t left_ns = ((const struct state *)left)->ns;
	uint64_t right_ns = ((const struct state *)right)->ns;

	return (left_ns < right_ns) - (left_ns > right_ns);
}

/* Fills @states, largest first, without empty ones; returns how many. */
static size_t collect_states(const struct report_thread_time *time, struct state *states)
{
	size_t cnt = 0, used_cnt = 0;

	states[cnt++] = (struct state){ "on CPU", COLOR_RED, time->on_cpu_ns, NULL };
	states[cnt++] = (struct state){ queue_label, COLOR_YELLOW, time->run_queue_ns, NULL };
	states[cnt++] = (struct state){ "throttled", COLOR_YELLOW, time->throttled_ns, NULL };
	states[cnt++] = (struct state){ "stopped", COLOR_DIM, time->stopped_ns, NULL };
	for (size_t i = 0; i < time->wait_cnt && cnt < STATE_CNT_MAX; i++) {
		const struct report_wait *wait = &time->waits[i];

		states[cnt++] = (struct state){ wait_reason_name(wait->reason), COLOR_BLUE,
						wait->wait_ns, wait };
	}
	qsort(states, cnt, sizeof(states[0]), by_time_descending);
	while (used_cnt < cnt && states[used_cnt].ns)
		used_cnt++;
	return used_cnt;
}

static void put_summary(struct page *page, const struct report *report, const struct state *states,
			size_t cnt)
{
	char text[UNIT_BYTES];

	if (cnt > TEXT_TOP_ROWS)
		cnt = TEXT_TOP_ROWS;
	format_duration(report->thread_time.wall_ns, page->style->use_unicode, text);
	page_label(page, COLOR_DIM, "threads");
	page_sayf(page, "%u at once, together %s:", report->threads_peak, text);
	for (size_t i = 0; i < cnt; i++) {
		format_share(share_of(states[i].ns, report->thread_time.wall_ns), text);
		page_sayf(page, "%s %s%s", states[i].label, text, i + 1 < cnt ? "," : "");
	}
	page_newline(page);
}

/* The role where the reason doesn't imply it. */
static const char *role_words(enum wait_role role)
{
	static const char *const words[WAIT_ROLE_CNT] = {
		[WAITS_FOR_RESULT] = " for a result",
		[WAITS_FOR_WORK] = " for work",
		[WAITS_FOR_TREE] = " inside the program",
	};

	return words[role] ? words[role] : "";
}

static bool has_many_roles(enum wait_reason reason)
{
	return reason == WAIT_NETWORK || reason == WAIT_IPC || reason == WAIT_POLL ||
	       reason == WAIT_TIMER;
}

/* Adds to @text, which holds WAITS_BYTES; what doesn't fit is cut. */
static void add_detail(char *text, const char *detail)
{
	size_t len = strlen(text);

	snprintf(text + len, WAITS_BYTES - len, ", %s", detail);
}

/* "20 waits for a result in recvfrom, outbound, nginx[812]" */
static void say_waits(struct page *page, const struct report_object *object, bool say_role)
{
	char count[UNIT_BYTES], text[WAITS_BYTES];

	format_count(object->wait_cnt, count);
	snprintf(text, sizeof(text), "%s wait%s%s%s%s", count, object->wait_cnt == 1 ? "" : "s",
		 say_role ? role_words(object->role) : "", object->call ? " in " : "",
		 object->call ? object->call : "");
	if (object->direction != DIRECTION_NONE)
		add_detail(text, wait_direction_name(object->direction));
	if (object->operation != OPERATION_NONE)
		add_detail(text, wait_operation_name(object->operation));
	if (object->device)
		add_detail(text, object->device);
	if (object->far_end)
		add_detail(text, object->far_end);
	page_say(page, text);
}

static void put_objects(struct page *page, const struct report_wait *wait)
{
	char text[UNIT_BYTES];

	for (size_t i = 0; i < wait->object_cnt; i++) {
		const struct report_object *object = &wait->objects[i];

		page_label(page, COLOR_NONE, "");
		page_put_fit(page, object->name, SHARE_END - PAGE_TEXT_COLUMN);
		format_duration(object->wait_ns, page->style->use_unicode, text);
		put_right(page, text, DURATION_END);
		say_waits(page, object, has_many_roles(wait->reason));
		page_newline(page);
	}
}

static void put_queue_row(struct page *page, const char *what, uint64_t ns)
{
	char text[UNIT_BYTES];

	if (!ns)
		return;
	page_label(page, COLOR_NONE, "");
	page_put_fit(page, what, SHARE_END - PAGE_TEXT_COLUMN);
	format_duration(ns, page->style->use_unicode, text);
	put_right(page, text, DURATION_END);
	page_newline(page);
}

/* Which waits for a CPU, and who had it. */
static void put_queue(struct page *page, const struct report_queue *queue)
{
	if (!queue->is_known)
		return;
	put_queue_row(page, "after waking up", queue->wakeup_ns);
	put_queue_row(page, "preempted", queue->preempted_ns);
	put_queue_row(page, "behind its own threads", queue->own_ns);
	for (size_t i = 0; i < queue->neighbour_cnt; i++) {
		char text[NEIGHBOUR_BYTES];

		snprintf(text, sizeof(text), "behind %s", queue->neighbours[i].name);
		put_queue_row(page, text, queue->neighbours[i].queue_ns);
	}
}

void text_thread_time(struct page *page, const struct report *report)
{
	const struct report_thread_time *time = &report->thread_time;
	struct state states[STATE_CNT_MAX];
	size_t cnt = collect_states(time, states);

	if (!page->style->is_verbose) {
		if (report->threads_peak > 1)
			put_summary(page, report, states, cnt);
		return;
	}
	page_newline(page);
	put_title(page, time->wall_ns, "thread time");
	for (size_t i = 0; i < cnt; i++) {
		begin_row(page, states[i].color, states[i].label, states[i].ns, time->wall_ns);
		page_newline(page);
		if (states[i].wait)
			put_objects(page, states[i].wait);
		if (states[i].label == queue_label)
			put_queue(page, &time->queue);
	}
	put_unexplained(page, time->unexplained_ns, time->wall_ns);
	page_newline(page);
}
