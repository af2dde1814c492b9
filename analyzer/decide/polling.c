/* Finds threads that poll or spin; see polling.h, and docs/rules.md for where the numbers come
 * from.
 */
#include "decide/polling.h"
#include "account/thread_time.h"
#include "decide/thresholds.h"

/* Between two calls an interpreter takes longer than the call itself: what little it can do in that
 * time is no work, but it makes the calls' share small. */
static bool is_interpreter(enum runtime_id runtime)
{
	return runtime == RUNTIME_CPYTHON || runtime == RUNTIME_RUBY || runtime == RUNTIME_PERL ||
	       runtime == RUNTIME_PHP;
}

/* Many of its samples are in calls in vain, and hardly one in input or output that came to
 * anything.
 */
static bool is_polling(const struct thread_facts *of)
{
	const struct obs_thread *thread = of->thread;
	uint64_t polls = thread->poll_sample_cnt;
	double share = share_of(polls, thread->sample_cnt);
	double vain = share_of(polls, polls + thread->io_sample_cnt);

	if (thread->sample_cnt >= POLL_SAMPLES_MIN && share >= POLL_SHARE && vain >= POLL_VAIN)
		return true;
	/* A loop that is looked at between two callbacks is no polling, however short they are. */
	return of->process && is_interpreter(of->process->runtime) &&
	       !of->process->process->has_event_loop && polls >= SLOW_POLL_SAMPLES_MIN &&
	       share >= SLOW_POLL_SHARE && vain >= SLOW_POLL_VAIN;
}

static bool is_spinning(const struct thread_facts *of)
{
	const struct obs_thread *thread = of->thread;

	return thread->sample_cnt >= SPIN_THREAD_SAMPLES_MIN &&
	       share_of(thread->spin_sample_cnt, thread->sample_cnt) >= SPIN_SHARE;
}

bool thread_works_in_vain(const struct thread_facts *thread)
{
	return is_polling(thread) || is_spinning(thread);
}

static struct vain_work add_up(const struct facts *facts,
			       bool (*belongs)(const struct thread_facts *),
			       uint64_t (*in_vain)(const struct obs_thread *))
{
	struct vain_work found = { .call = "" };
	uint64_t vain_cnt = 0, most_cnt = 0;

	for (size_t i = 0; i < facts->obs->thread_cnt; i++) {
		const struct obs_thread *thread = &facts->obs->threads[i];

		if (!belongs(&facts->threads[i]))
			continue;
		found.thread_cnt++;
		found.on_cpu_ns += thread->on_cpu_ns;
		found.sample_cnt += thread->sample_cnt;
		vain_cnt += in_vain(thread);
		if (thread->poll_sample_cnt > most_cnt) {
			most_cnt = thread->poll_sample_cnt;
			found.call = thread->poll_call;
		}
	}
	found.sample_share = share_of(vain_cnt, found.sample_cnt);
	found.tree_share = share_of(found.on_cpu_ns, facts->thread_time->on_cpu_ns);
	return found;
}

static uint64_t poll_samples(const struct obs_thread *thread)
{
	return thread->poll_sample_cnt;
}

static uint64_t spin_samples(const struct obs_thread *thread)
{
	return thread->spin_sample_cnt;
}

struct vain_work polling_find(const struct facts *facts)
{
	struct vain_work found = add_up(facts, is_polling, poll_samples);

	return found.tree_share >= VAIN_PART ? found : (struct vain_work){ .call = "" };
}

struct vain_work spinning_find(const struct facts *facts)
{
	struct vain_work found = add_up(facts, is_spinning, spin_samples);
	bool is_enough = found.tree_share >= VAIN_PART && found.sample_cnt >= SPIN_SAMPLES_MIN;

	return is_enough ? found : (struct vain_work){ .call = "" };
}

bool polling_leads(const struct facts *facts)
{
	return polling_find(facts).tree_share >= VAIN_LEADS;
}
