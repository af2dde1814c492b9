/* Splits a thread's time by its counters; see thread_clock.h. */
#include "thread_clock.h"

#include <string.h>

/* Counters can't outrun the clock by more than a tick and the time a reading takes. When they do,
 * another task's counters have come under this id: a thread that runs exec takes its leader's. */
#define COUNTER_SLACK_NS 50000000ULL

void thread_clock_init(struct thread_clock *clock, uint64_t start_ns,
		       const struct thread_reading *base)
{
	memset(clock, 0, sizeof(*clock));
	clock->now_ns = start_ns;
	if (!base)
		return;
	clock->on_cpu_base_ns = base->on_cpu_ns;
	clock->run_queue_base_ns = base->run_queue_ns;
	clock->run_cnt = base->run_cnt;
}

/* Takes what @counter has grown beyond what is booked, as far as there is open time for it. */
static uint64_t take(struct thread_clock *clock, uint64_t counter_ns, uint64_t base_ns,
		     uint64_t *booked_ns)
{
	uint64_t known_ns = base_ns + *booked_ns;
	uint64_t due_ns = counter_ns > known_ns ? counter_ns - known_ns : 0;

	if (due_ns > clock->open_ns)
		due_ns = clock->open_ns;
	clock->open_ns -= due_ns;
	*booked_ns += due_ns;
	return due_ns;
}

static void rebase_if_foreign(struct thread_clock *clock, const struct thread_reading *reading)
{
	uint64_t on_cpu_ns = clock->on_cpu_base_ns + clock->on_cpu_ns;
	uint64_t limit_ns = on_cpu_ns + clock->open_ns + COUNTER_SLACK_NS;

	if (reading->on_cpu_ns + COUNTER_SLACK_NS >= on_cpu_ns && reading->on_cpu_ns <= limit_ns)
		return;
	clock->on_cpu_base_ns = reading->on_cpu_ns - clock->on_cpu_ns;
	clock->run_queue_base_ns = reading->run_queue_ns - clock->run_queue_ns;
}

void thread_clock_advance(struct thread_clock *clock, const struct thread_reading *reading,
			  struct thread_share *share)
{
	uint64_t elapsed_ns = reading->now_ns > clock->now_ns ? reading->now_ns - clock->now_ns : 0;

	memset(share, 0, sizeof(*share));
	clock->open_ns += elapsed_ns;
	clock->now_ns += elapsed_ns;
	rebase_if_foreign(clock, reading);
	share->on_cpu_ns =
		take(clock, reading->on_cpu_ns, clock->on_cpu_base_ns, &clock->on_cpu_ns);
	share->run_queue_ns =
		take(clock, reading->run_queue_ns, clock->run_queue_base_ns, &clock->run_queue_ns);
	share->has_run = reading->run_cnt != clock->run_cnt;
	if (!reading->is_runnable) {
		share->wait_ns = clock->open_ns;
		clock->open_ns = 0;
	} else if (share->has_run && clock->open_ns > elapsed_ns) {
		/* The run that was open has been counted: what is older than this interval
		 * and still open was a wait. */
		share->old_wait_ns = clock->open_ns - elapsed_ns;
		clock->open_ns = elapsed_ns;
	}
	clock->run_cnt = reading->run_cnt;
}
