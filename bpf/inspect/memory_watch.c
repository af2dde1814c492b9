/* Looks now and then how much memory each process takes; see memory_watch.h. */
#include "memory_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "observation/observation.h"
#include "proc_file.h"

#define MS_NS 1000000ull
/* A pause between looks, and what one may take on. */
#define LOOK_INTERVAL_NS (40 * MS_NS)
#define CANDIDATE_CNT	 64
#define WALK_CNT	 8
/* Of the time, looking may take this share, as the inverse; and so much beyond that. */
#define COST_INVERSE   100
#define COST_CREDIT_NS (10 * MS_NS)

/* After its birth: when a short program has loaded, and when a long one has grown. Beyond these,
 * whenever it has become twice as old. */
static const uint64_t look_after_ns[] = { 50 * MS_NS, 200 * MS_NS, 1000 * MS_NS, 5000 * MS_NS,
					  30000 * MS_NS };
#define LOOK_AFTER_CNT (sizeof(look_after_ns) / sizeof(look_after_ns[0]))

struct candidate {
	size_t index;
	uint64_t resident_bytes;
};

void memory_watch_init(struct memory_watch *watch, struct observation *obs)
{
	memset(watch, 0, sizeof(*watch));
	watch->obs = obs;
}

void memory_watch_release(struct memory_watch *watch)
{
	free(watch->plans);
	memset(watch, 0, sizeof(*watch));
}

/* --- reading --- */

static void keep_largest(struct obs_process *process, uint64_t pss_bytes, uint64_t private_bytes)
{
	if (pss_bytes > process->pss_bytes)
		process->pss_bytes = pss_bytes;
	if (private_bytes > process->private_bytes)
		process->private_bytes = private_bytes;
}

/* Resident pages, and those of them that belong to files or shared memory. */
static int read_statm(pid_t pid, uint64_t *resident_bytes, uint64_t *shared_bytes)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), resident, shared;
	char text[128];
	ssize_t len = proc_file_read(pid, "statm", text, sizeof(text));

	if (len < 0)
		return (int)len;
	if (sscanf(text, "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2)
		return -EINVAL;
	*resident_bytes = resident * page_bytes;
	*shared_bytes = (shared < resident ? shared : resident) * page_bytes;
	return 0;
}

int memory_read_estimate(pid_t pid, struct obs_process *process)
{
	uint64_t resident_bytes, shared_bytes;
	int error = read_statm(pid, &resident_bytes, &shared_bytes);

	if (error)
		return error;
	keep_largest(process, resident_bytes - shared_bytes, resident_bytes - shared_bytes);
	return 0;
}

/* The number of the line that begins with @name, in kB; 0 where there is none. */
static uint64_t kilobytes_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	uint64_t kilobytes;

	return at && sscanf(at + strlen(name), "%" SCNu64, &kilobytes) == 1 ? kilobytes : 0;
}

int memory_read_pages(pid_t pid, struct obs_process *process)
{
	char text[2048];
	ssize_t len = proc_file_read(pid, "smaps_rollup", text, sizeof(text));

	if (len <= 0)
		return len ? (int)len : -ESRCH;
	keep_largest(
		process, kilobytes_of(text, "\nPss:") << 10,
		(kilobytes_of(text, "\nPrivate_Clean:") + kilobytes_of(text, "\nPrivate_Dirty:"))
			<< 10);
	return 0;
}

/* --- whose turn it is --- */

static int make_room(struct memory_watch *watch, size_t cnt)
{
	size_t capacity = watch->capacity ? watch->capacity : 64;
	struct memory_plan *grown;

	if (cnt <= watch->capacity)
		return 0;
	while (capacity < cnt)
		capacity *= 2;
	grown = realloc(watch->plans, capacity * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	watch->plans = grown;
	watch->capacity = capacity;
	return 0;
}

static void plan_newcomers(struct memory_watch *watch)
{
	const struct observation *obs = watch->obs;

	if (make_room(watch, obs->process_cnt))
		return;
	for (; watch->cnt < obs->process_cnt; watch->cnt++) {
		const struct obs_process *process = &obs->processes[watch->cnt];

		watch->plans[watch->cnt] = (struct memory_plan){
			.from_ns = process->start_ns,
			.next_ns = process->start_ns + look_after_ns[0],
			.exe = process->exe,
		};
	}
}

/* What it took as another program is nothing to this one. Names are interned. */
static void plan_anew(struct memory_plan *plan, struct obs_process *process, uint64_t now_ns)
{
	if (*plan->exe)
		process->pss_bytes = process->private_bytes = 0;
	*plan = (struct memory_plan){ .from_ns = now_ns,
				      .next_ns = now_ns + look_after_ns[0],
				      .exe = process->exe };
}

static void plan_next(struct memory_plan *plan, uint64_t now_ns)
{
	uint64_t age_ns = now_ns - plan->from_ns;

	plan->look_cnt++;
	while (plan->look_cnt < LOOK_AFTER_CNT && look_after_ns[plan->look_cnt] <= age_ns)
		plan->look_cnt++;
	plan->next_ns = plan->look_cnt < LOOK_AFTER_CNT
				? plan->from_ns + look_after_ns[plan->look_cnt]
				: now_ns + age_ns;
}

/* Those whose turn it is, at most CANDIDATE_CNT; the rest come with the next look. */
static size_t gather(struct memory_watch *watch, struct candidate *candidates, uint64_t now_ns)
{
	struct observation *obs = watch->obs;
	size_t cnt = 0, i;

	while (watch->first_live < watch->cnt && obs->processes[watch->first_live].exited)
		watch->first_live++;
	i = watch->resume_at > watch->first_live ? watch->resume_at : watch->first_live;
	for (; i < watch->cnt && cnt < CANDIDATE_CNT; i++) {
		struct memory_plan *plan = &watch->plans[i];
		struct obs_process *process = &obs->processes[i];

		if (process->exited)
			continue;
		if (process->exe != plan->exe)
			plan_anew(plan, process, now_ns);
		if (now_ns >= plan->next_ns)
			candidates[cnt++].index = i;
	}
	watch->resume_at = i < watch->cnt ? i : 0;
	return cnt;
}

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->resident_bytes != b->resident_bytes)
		return a->resident_bytes > b->resident_bytes ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void look_at(struct memory_watch *watch, struct candidate *candidates, size_t cnt,
		    uint64_t now_ns)
{
	struct obs_process *processes = watch->obs->processes;
	uint64_t shared_bytes;

	for (size_t i = 0; i < cnt; i++) {
		candidates[i].resident_bytes = 0;
		read_statm(processes[candidates[i].index].pid, &candidates[i].resident_bytes,
			   &shared_bytes);
		plan_next(&watch->plans[candidates[i].index], now_ns);
	}
	qsort(candidates, cnt, sizeof(*candidates), compare_candidates);
	for (size_t i = 0; i < cnt; i++) {
		struct obs_process *process = &processes[candidates[i].index];

		if (i >= WALK_CNT || candidates[i].resident_bytes > MEMORY_WALK_MAX_BYTES ||
		    memory_read_pages(process->pid, process))
			memory_read_estimate(process->pid, process);
	}
}

void memory_watch_look(struct memory_watch *watch, uint64_t now_ns)
{
	struct candidate candidates[CANDIDATE_CNT];
	uint64_t from_ns;

	if (now_ns < watch->next_ns || watch->spent_ns > now_ns / COST_INVERSE + COST_CREDIT_NS)
		return;
	watch->next_ns = now_ns + LOOK_INTERVAL_NS;
	from_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	plan_newcomers(watch);
	look_at(watch, candidates, gather(watch, candidates, now_ns), now_ns);
	watch->spent_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - from_ns;
}
