/* Finds the workers that take requests in turn; see serving.h. */
#include "account/thread_time.h"
#include "arena.h"
#include "decide/serving.h"
#include "decide/thresholds.h"
#include "observation/lives.h"

/* Those who might serve, and what all did. */
struct crew {
	struct life *lives;
	uint64_t *active_ns;
	size_t cnt;
	uint64_t all_ns;
};

static struct crew crew_of(const struct facts *facts, size_t most)
{
	return (struct crew){
		.lives = arena_array(facts->scratch, most, 2 * sizeof(struct life)),
		.active_ns = arena_array(facts->scratch, most, sizeof(uint64_t)),
	};
}

static void add(struct crew *crew, uint64_t active_ns, uint64_t start_ns, uint64_t end_ns)
{
	crew->lives[2 * crew->cnt] = (struct life){ start_ns, +1 };
	crew->lives[2 * crew->cnt + 1] = (struct life){ end_ns, -1 };
	crew->active_ns[crew->cnt++] = active_ns;
}

/* How many of those who did their part lived at once; 0 if they are fewer than two, or are not the
 * ones that did the work. */
static uint32_t served_by(struct crew *crew)
{
	uint64_t most_ns = 0, sum_ns = 0;
	size_t cnt = 0;

	for (size_t i = 0; i < crew->cnt; i++)
		most_ns = crew->active_ns[i] > most_ns ? crew->active_ns[i] : most_ns;
	for (size_t i = 0; i < crew->cnt; i++) {
		if (!crew->active_ns[i] ||
		    (double)crew->active_ns[i] < WORKER_PART * (double)most_ns)
			continue;
		sum_ns += crew->active_ns[i];
		crew->lives[2 * cnt] = crew->lives[2 * i];
		crew->lives[2 * cnt + 1] = crew->lives[2 * i + 1];
		cnt++;
	}
	if (cnt < 2 || share_of(sum_ns, crew->all_ns) < SERVING_PART)
		return 0;
	return lives_peak(crew->lives, 2 * cnt);
}

uint32_t serving_threads(const struct facts *facts)
{
	const struct process_facts *process = facts->dominant;
	struct crew crew;

	if (facts->idle_share < NOTABLE_IDLE || !process)
		return 0;
	crew = crew_of(facts, process->thread_cnt);
	for (size_t i = 0; crew.lives && crew.active_ns && i < process->thread_cnt; i++) {
		const struct thread_facts *thread = process->threads[i];

		crew.all_ns += thread->active_ns;
		if (thread->thread->tid != thread->thread->pid)
			add(&crew, thread->active_ns, thread->thread->start_ns,
			    thread->thread->end_ns);
	}
	return served_by(&crew);
}

uint32_t serving_processes(const struct facts *facts)
{
	const struct observation *obs = facts->obs;
	struct crew crew;

	if (facts->idle_share < NOTABLE_IDLE)
		return 0;
	crew = crew_of(facts, obs->process_cnt);
	for (size_t i = 0; crew.lives && crew.active_ns && i < obs->process_cnt; i++) {
		const struct process_facts *process = &facts->processes[i];

		crew.all_ns += process->active_ns;
		/* One that has run exec is a command, not a worker. */
		if (process->process->pid != obs->target.pid && !process->process->is_exec)
			add(&crew, process->active_ns, process->process->start_ns,
			    process->process->end_ns);
	}
	return served_by(&crew);
}
