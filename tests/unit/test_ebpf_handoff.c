/* Wakeups that come while their thread is on its way to sleep, seen live: what it then waits for is
 * a CPU, and nothing else. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"

#define ROUNDS 500
#define THREAD "sleeper"
/* A thread is that long on its way to sleep, at most. */
#define DELAY_MAX_NS 1500
/* Of the time in the run queue, that may be told as waiting: switches hidden by a sandbox are one
 * in some hundreds, and a round's share is one in ROUNDS. */
#define HARDLY 0.01

/* Between the two threads, and to the test, in memory that they share. */
static struct shared {
	atomic_uint turn;  /* rounds that the sleeper has begun */
	atomic_uint word;  /* what it sleeps on: rounds that the waker has answered */
	uint64_t sleep_ns; /* when it went to sleep last */
	uint64_t slept_ns; /* at most, in all: until the waker had woken it */
	int first_cpu, second_cpu;
} * shared;

static bool find_cpus(void)
{
	cpu_set_t set;
	int found[2] = { -1, -1 };

	if (sched_getaffinity(0, sizeof(set), &set))
		return false;
	for (int cpu = 0; cpu < CPU_SETSIZE && found[1] < 0; cpu++)
		if (CPU_ISSET(cpu, &set))
			found[found[0] >= 0] = cpu;
	shared->first_cpu = found[0];
	shared->second_cpu = found[1];
	return found[1] >= 0;
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Wakes the other one as soon as that is about to sleep, a little sooner or later. */
static void *wake_at_once(void *unused)
{
	uint64_t from_ns;
	unsigned seen = 0;

	stay_on(shared->second_cpu);
	for (; seen < ROUNDS; seen++) {
		while (shared->turn == seen)
			;
		from_ns = live_now_ns();
		while (live_now_ns() < from_ns + seen * 37 % DELAY_MAX_NS)
			;
		shared->word++;
		syscall(SYS_futex, &shared->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		shared->slept_ns += live_now_ns() - shared->sleep_ns;
	}
	return unused;
}

/* Has a CPU only when nobody else wants it. */
static int sleep_and_be_woken(void *unused)
{
	struct sched_param none = { 0 };
	uint64_t joined_ns;
	pthread_t waker;

	(void)unused;
	if (pthread_create(&waker, NULL, wake_at_once, NULL))
		return 1;
	prctl(PR_SET_NAME, THREAD);
	stay_on(shared->first_cpu);
	if (sched_setscheduler(0, SCHED_IDLE, &none))
		return 2;
	for (unsigned word = 0; word < ROUNDS; word++) {
		shared->sleep_ns = live_now_ns();
		shared->turn++;
		while (shared->word == word)
			syscall(SYS_futex, &shared->word, FUTEX_WAIT_PRIVATE, word, NULL, NULL, 0);
	}
	joined_ns = live_now_ns();
	if (pthread_join(waker, NULL))
		return 3;
	shared->slept_ns += live_now_ns() - joined_ns;
	return 0;
}

/* Computes on the sleeper's CPU until it is killed, outside of the tree. */
static pid_t start_rival(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	stay_on(shared->first_cpu);
	for (;;)
		;
}

static pid_t rival;

/* No test may leave it behind: the next ones wait for all children. */
static int end_with_rival(void **state)
{
	if (rival > 0)
		kill(rival, SIGKILL);
	rival = 0;
	return live_teardown(state);
}

static const struct obs_thread *sleeper(const struct live *live)
{
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		if (!strcmp(live->obs.threads[i].comm, THREAD))
			return &live->obs.threads[i];
	fail_msg("no thread " THREAD);
	return NULL;
}

static void a_thread_woken_on_its_way_to_sleep_queues(void **state)
{
	static const struct observer_options options = { .follow_children = true };
	struct live *live = *state;
	const struct obs_thread *thread;
	uint64_t waited_ns, queued_ns;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	if (!find_cpus()) {
		print_message("SKIPPED: needs two CPUs\n");
		skip();
	}
	live_prepare(live, &options, sleep_and_be_woken, NULL);
	rival = start_rival();
	assert_true(rival > 0);
	live_release(live);
	live_end(live);
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
	thread = sleeper(live);
	waited_ns = thread->wait_ns[WAIT_SYNC] + thread->wait_ns[WAIT_LOCK];
	queued_ns = thread->run_queue_ns + thread->preempted_ns;
	print_message("waited %.3f ms, at most %.3f ms are true; queued %.3f ms\n",
		      (double)waited_ns / 1e6, (double)shared->slept_ns / 1e6,
		      (double)queued_ns / 1e6);
	assert_true((double)waited_ns <= (double)shared->slept_ns + HARDLY * (double)queued_ns);
	/* What it needs of the CPU is nothing to what it gets it for: the test tests something. */
	assert_true(queued_ns > ROUNDS * 100000ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_thread_woken_on_its_way_to_sleep_queues,
						live_setup, end_with_rival),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
