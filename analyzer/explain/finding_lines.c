/* Findings get the line that shows them, where the stacks do. */
#include <math.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/phrase.h"
#include "decide/polling.h"
#include "decide/thresholds.h"
#include "explain/explanation.h"
#include "explain/starters.h"

/* Whose time a finding is about, beside what its rule says. */
struct subject {
	const struct explanation *on;
	const struct obs_thread *thread;
	pid_t pid;
};

/* How much of a sum is what a finding is about. */
static uint64_t blocked_loop_ns(const struct subject *subject, const struct stack_sum *sum)
{
	(void)subject;
	return sum->on_loop_ns;
}

static bool is_of_thread(const struct subject *subject, const struct stack_sum *sum)
{
	return subject->thread && sum->time->tid == subject->thread->tid &&
	       sum->time->pid == subject->thread->pid;
}

static uint64_t thread_cpu_ns(const struct subject *subject, const struct stack_sum *sum)
{
	return sum->time->is_on_cpu && is_of_thread(subject, sum) ? sum->time_ns : 0;
}

static uint64_t process_cpu_ns(const struct subject *subject, const struct stack_sum *sum)
{
	return sum->time->is_on_cpu && sum->time->pid == subject->pid ? sum->time_ns : 0;
}

static uint64_t result_ns(const struct subject *subject, const struct stack_sum *sum)
{
	(void)subject;
	return !sum->time->is_on_cpu && sum->role == WAITS_FOR_RESULT ? sum->time_ns : 0;
}

static uint64_t lock_ns(const struct subject *subject, const struct stack_sum *sum)
{
	(void)subject;
	return !sum->time->is_on_cpu && sum->reason == WAIT_LOCK ? sum->time_ns : 0;
}

static uint64_t turn_ns(const struct subject *subject, const struct stack_sum *sum)
{
	return !sum->time->is_on_cpu && sum->reason == WAIT_SYNC &&
			       sum->time->pid == subject->pid && sum->time->tid != subject->pid
		       ? sum->time_ns
		       : 0;
}

static uint64_t gil_held_ns(const struct subject *subject, const struct stack_sum *sum)
{
	return sum->time->is_on_cpu && sum->time->pid == subject->pid ? sum->gil_held_ns : 0;
}

static void loop_subject(struct subject *subject)
{
	subject->thread =
		subject->on->model->loop_thread ? subject->on->model->loop_thread->thread : NULL;
}

static void dominant_subject(struct subject *subject)
{
	const struct process_facts *dominant = subject->on->facts->dominant;

	subject->pid = dominant ? dominant->process->pid : -1;
}

static void gil_subject(struct subject *subject)
{
	const struct process_facts *process = subject->on->facts->gil.process;

	subject->pid = process ? process->process->pid : -1;
}

/* The busiest of the threads that do it. */
static void vain_subject(struct subject *subject)
{
	const struct facts *facts = subject->on->facts;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++) {
		const struct thread_facts *thread = &facts->threads[i];

		if (thread_works_in_vain(thread) &&
		    (!subject->thread || thread->thread->on_cpu_ns > subject->thread->on_cpu_ns))
			subject->thread = thread->thread;
	}
}

static void no_subject(struct subject *subject)
{
	(void)subject;
}

static const struct line_rule {
	const char *id;
	const char *what; /* happens there */
	void (*find)(struct subject *subject);
	uint64_t (*time_ns)(const struct subject *subject, const struct stack_sum *sum);
} rules[] = {
	{ "blocking-call-on-event-loop", "It blocks", no_subject, blocked_loop_ns },
	{ "cpu-work-on-event-loop", "It computes", loop_subject, thread_cpu_ns },
	{ "serial-io", "It waits", no_subject, result_ns },
	{ "threads-for-cpu-work", "It computes", dominant_subject, process_cpu_ns },
	{ "lock-contention", "It waits for locks", no_subject, lock_ns },
	{ "workers-take-turns", "They wait for each other", dominant_subject, turn_ns },
	{ "gil-contention", "The GIL is held", gil_subject, gil_held_ns },
	{ "busy-polling", "It asks", vain_subject, thread_cpu_ns },
	{ "spinning-lock", "It spins", vain_subject, thread_cpu_ns },
};

/* A line with what of it a finding is about. */
struct found_line {
	const struct stack_sum *sum; /* the largest there */
	uint64_t time_ns;
	uint64_t all_ns; /* of all lines */
	double variance;
};

/* @room: a number for each line. */
static struct found_line find_line(const struct subject *subject, const struct line_rule *rule,
				   uint64_t *room)
{
	const struct explanation *on = subject->on;
	struct found_line found = { .sum = NULL };

	memset(room, 0, on->places.line_cnt * sizeof(*room));
	for (size_t i = 0; i < on->sum_cnt; i++) {
		uint64_t time_ns = rule->time_ns(subject, &on->sums[i]);
		uint64_t *line_ns = &room[on->sums[i].line];

		found.all_ns += time_ns;
		*line_ns += time_ns;
		if (*line_ns > found.time_ns && sum_has_place(on, &on->sums[i])) {
			found.time_ns = *line_ns;
			found.sum = &on->sums[i];
		}
	}
	for (size_t i = 0; found.sum && i < on->sum_cnt; i++)
		if (rule->time_ns(subject, &on->sums[i]) && on->sums[i].line == found.sum->line)
			found.variance += on->sums[i].variance;
	return found;
}

static bool is_certain(const struct found_line *found)
{
	return found->time_ns && share_of(found->time_ns, found->all_ns) >= LINE_SHARE_MIN &&
	       sqrt(found->variance) <= SPOT_ERROR_MAX * (double)found->time_ns;
}

/* Longer names, as templates have them, are left out of sentences that can say the line. */
#define TITLE_NAME_MAX 60

/* "fetch (/srv/fetch.py:42)"; NULL where neither function nor line is known. */
static const char *place_title(const struct explanation *on, const struct stack_sum *sum)
{
	const struct obs_frame *frame = &on->obs->frames[sum->frame];

	if (frame->line && strlen(frame->function) > TITLE_NAME_MAX)
		return arena_printf(on->arena, "%s:%u", frame->file, frame->line);
	if (frame->line && frame->function[0])
		return arena_printf(on->arena, "%s (%s:%u)", frame->function, frame->file,
				    frame->line);
	if (!frame->function[0])
		return NULL;
	return arena_printf(on->arena, "%s (%s)", frame->function,
			    frame->file[0] ? frame->file : frame->module);
}

/* The same; of a command without a line the one that runs it. Code that isn't the program's own is
 * nothing to point at. */
static const char *place_to_change(const struct explanation *on, const struct stack_sum *sum)
{
	bool is_own = sum_blame(on, sum)->is_own;
	const struct stack_sum *starter = NULL;

	if (!is_own || !on->obs->frames[sum->frame].line)
		starter = starter_of(on, sum);
	if (starter)
		return arena_printf(on->arena, "a command that %s runs", place_title(on, starter));
	return is_own ? place_title(on, sum) : NULL;
}

static void add_line(struct explanation *on, struct report_finding *finding,
		     const struct line_rule *rule, const struct found_line *found)
{
	const char *place = place_to_change(on, found->sum);
	struct report_evidence *evidence =
		arena_array(on->arena, finding->evidence_cnt + 1, sizeof(*evidence));

	if (!place || !evidence)
		return;
	for (size_t i = 0; i < finding->evidence_cnt; i++)
		evidence[i] = finding->evidence[i];
	evidence[finding->evidence_cnt++] = (struct report_evidence){
		.metric = arena_printf(on->arena, "line: %s", place),
		.value = seconds(found->time_ns),
		.unit = "s",
		.source = "samples of stacks",
	};
	finding->evidence = evidence;
	finding->summary = arena_printf(on->arena, "%s %s%s in %s.", finding->summary, rule->what,
					found->time_ns < found->all_ns ? " most" : "", place);
}

void finding_lines_report(struct explanation *on)
{
	uint64_t *room = arena_array(on->scratch, on->places.line_cnt, sizeof(*room));

	for (size_t i = 0; room && i < on->report->finding_cnt; i++) {
		struct report_finding *finding = &on->report->findings[i];

		for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
			struct subject subject = { .on = on };
			struct found_line found;

			if (strcmp(finding->id, rules[k].id))
				continue;
			rules[k].find(&subject);
			found = find_line(&subject, &rules[k], room);
			if (found.sum && is_certain(&found))
				add_line(on, finding, &rules[k], &found);
		}
	}
}
