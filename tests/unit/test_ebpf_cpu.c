/* What threads do with the CPUs that they have, and who has those that they lack, seen live. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"

#define MS 1000000ull

/* Ten times as often as usual, so that a fifth of a second of CPU time is enough. */
#define SAMPLE_HZ 997
#define CPU_MS	  200
#define SAMPLES	  (SAMPLE_HZ * CPU_MS / 1000)

/* Shares of a thread's samples that tell what it was at: far from each other, whatever the machine
 * takes for a system call. */
#define MOSTLY 0.4
#define HARDLY 0.1

static uint64_t cpu_used_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static int make_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

/* Calls @once until CPU_MS of CPU time are used; the clock is a system call, so it is rarely read.
 */
static int repeat(void (*once)(int *), int *fds)
{
	uint64_t until_ns = cpu_used_ns() + CPU_MS * MS;

	while (cpu_used_ns() < until_ns)
		for (int i = 0; i < 1000; i++)
			once(fds);
	return 0;
}

static void watch(struct live *live, int (*program)(void *), void *arg)
{
	static const struct observer_options options = { .follow_children = true,
							 .sample_hz = SAMPLE_HZ };

	live_prepare(live, &options, program, arg);
	live_release(live);
	live_end(live);
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

/* The thread with the most samples; fails when the clocks didn't run about as often as asked. */
static const struct obs_thread *sampled_thread(const struct live *live)
{
	const struct obs_thread *most = &live->obs.threads[0];
	uint64_t expected;

	for (size_t i = 1; i < live->obs.thread_cnt; i++)
		if (live->obs.threads[i].sample_cnt > most->sample_cnt)
			most = &live->obs.threads[i];
	expected = most->on_cpu_ns * SAMPLE_HZ / 1000000000ull;
	assert_in_range(most->sample_cnt, expected * 3 / 4, expected * 5 / 4);
	return most;
}

static double part(uint64_t cnt, const struct obs_thread *thread)
{
	return (double)cnt / (double)thread->sample_cnt;
}

static void assert_polls(const struct live *live, const char *call)
{
	const struct obs_thread *thread = sampled_thread(live);

	if (part(thread->poll_sample_cnt, thread) < MOSTLY)
		fail_msg("%d of %d samples", (int)thread->poll_sample_cnt, (int)thread->sample_cnt);
	assert_string_equal(thread->poll_call, call);
	assert_true(part(thread->spin_sample_cnt, thread) < HARDLY);
}

static void assert_works(const struct live *live)
{
	const struct obs_thread *thread = sampled_thread(live);

	assert_true(part(thread->poll_sample_cnt, thread) < HARDLY);
	assert_true(part(thread->spin_sample_cnt, thread) < HARDLY);
}

/* --- asking in vain --- */

static void receive_nothing(int *fds)
{
	char byte;

	recv(fds[0], &byte, 1, MSG_DONTWAIT);
}

static int receive_in_vain(void *unused)
{
	int ends[2];

	(void)unused;
	return make_pair(ends) || repeat(receive_nothing, ends);
}

static void receiving_in_vain_is_polling(void **state)
{
	watch(*state, receive_in_vain, NULL);
	assert_polls(*state, "recvfrom");
}

static void look_at_loop(int *fds)
{
	struct epoll_event event;

	epoll_wait(fds[0], &event, 1, 0);
}

static int loop_without_timeout(void *unused)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fds[3] = { epoll_create1(0) };

	(void)unused;
	return make_pair(fds + 1) || epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &event) ||
	       repeat(look_at_loop, fds);
}

static void loop_that_never_waits_is_polling(void **state)
{
	watch(*state, loop_without_timeout, NULL);
	assert_polls(*state, "epoll_wait");
}

static void await_loop(int *fds)
{
	struct epoll_event event;

	epoll_wait(fds[0], &event, 1, -1);
}

/* What nobody reads stays ready. */
static int loop_with_unread_input(void *unused)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fds[3] = { epoll_create1(0) };

	(void)unused;
	return make_pair(fds + 1) || epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &event) ||
	       write(fds[2], "x", 1) != 1 || repeat(await_loop, fds);
}

static void loop_that_never_reads_is_polling(void **state)
{
	watch(*state, loop_with_unread_input, NULL);
	assert_polls(*state, "epoll_wait");
}

static void poll_and_yield(int *fds)
{
	struct pollfd polled = { .fd = fds[0], .events = POLLIN };

	poll(&polled, 1, 0);
	sched_yield();
	sched_yield();
	sched_yield();
}

static int poll_and_yield_in_vain(void *unused)
{
	int ends[2];

	(void)unused;
	return make_pair(ends) || repeat(poll_and_yield, ends);
}

static void yielding_is_polling(void **state)
{
	watch(*state, poll_and_yield_in_vain, NULL);
	assert_polls(*state, "sched_yield");
}

/* --- work --- */

static void compute(int *fds)
{
	(void)fds;
	for (volatile int i = 0; i < 1000; i++)
		;
}

static int compute_only(void *unused)
{
	(void)unused;
	return repeat(compute, NULL);
}

static void computing_is_no_polling(void **state)
{
	watch(*state, compute_only, NULL);
	assert_works(*state);
}

/* A socket is read without waiting, but there always is something to read. */
static void copy_block(int *fds)
{
	static char block[16384];

	if (send(fds[0], block, sizeof(block), 0) != sizeof(block) ||
	    recv(fds[1], block, sizeof(block), MSG_DONTWAIT) != sizeof(block))
		_exit(2);
}

static int copy_blocks(void *unused)
{
	int ends[2];

	(void)unused;
	return make_pair(ends) || repeat(copy_block, ends);
}

static void moving_data_is_no_polling(void **state)
{
	const struct obs_thread *thread;

	watch(*state, copy_blocks, NULL);
	thread = sampled_thread(*state);
	/* A call that has taken the last there was looks like one that found nothing. */
	assert_true(thread->poll_sample_cnt < thread->io_sample_cnt);
}

/* --- spinning --- */

#if defined(__x86_64__)
static void spin(int *word)
{
	for (int i = 0; i < 1000 && __atomic_load_n(word, __ATOMIC_ACQUIRE); i++)
		__builtin_ia32_pause();
}

static int spin_only(void *unused)
{
	int word = 1;

	(void)unused;
	return repeat(spin, &word);
}

static void pausing_loop_is_spinning(void **state)
{
	const struct obs_thread *thread;

	watch(*state, spin_only, NULL);
	thread = sampled_thread(*state);
	assert_true(part(thread->spin_sample_cnt, thread) > MOSTLY);
	assert_int_equal(thread->poll_sample_cnt, 0);
}
#endif

/* --- runs of computing on a loop --- */

#define ROUNDS 4
#define RUN_MS 40

static void compute_for_ms(uint64_t ms)
{
	uint64_t until_ns = cpu_used_ns() + ms * MS;

	while (cpu_used_ns() < until_ns)
		compute(NULL);
}

/* Waits in the loop ROUNDS times, for what it is told by itself, and computes after each. */
static int loop_that_computes(void *arg)
{
	const uint64_t *run_ms = arg;
	struct epoll_event event = { .events = EPOLLIN };
	int loop = epoll_create1(0);

	if (epoll_ctl(loop, EPOLL_CTL_ADD, eventfd(0, 0), &event))
		return 1;
	for (int i = 0; i < ROUNDS; i++) {
		epoll_wait(loop, &event, 1, 5); /* nothing comes: it sleeps */
		compute_for_ms(*run_ms);
	}
	return 0;
}

static void long_computing_on_a_loop_is_a_run(void **state)
{
	struct live *live = *state;
	uint64_t run_ms = RUN_MS;
	const struct obs_thread *thread;

	watch(live, loop_that_computes, &run_ms);
	thread = sampled_thread(live);
	assert_int_equal(thread->event_loop_wait_cnt, ROUNDS);
	assert_int_equal(thread->loop_run_cnt, ROUNDS);
	assert_in_range(thread->loop_run_ns, ROUNDS * RUN_MS * MS / 2,
			ROUNDS * RUN_MS * MS * 3 / 2);
	assert_in_range(thread->loop_run_max_ns, RUN_MS * MS / 2, RUN_MS * MS * 3 / 2);
}

static void short_computing_on_a_loop_is_none(void **state)
{
	struct live *live = *state;
	uint64_t run_ms = 1;

	watch(live, loop_that_computes, &run_ms);
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		assert_int_equal(live->obs.threads[i].loop_run_cnt, 0);
}

/* A connection of the process to itself. */
static int make_connection(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(address);

	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &len) ||
	    connect(ends[0], (struct sockaddr *)&address, len))
		return -1;
	ends[1] = accept(listener, NULL, NULL);
	return ends[1] < 0 ? -1 : 0;
}

#define REQUESTS   50
#define REQUEST_MS 2

/* Its next request is there whenever it looks: it never sleeps, but doesn't stand still. */
static int loop_under_load(void *unused)
{
	struct epoll_event event = { .events = EPOLLIN };
	int loop = epoll_create1(0);
	int ends[2];
	char byte;

	(void)unused;
	if (make_connection(ends) || epoll_ctl(loop, EPOLL_CTL_ADD, ends[1], &event))
		return 1;
	epoll_wait(loop, &event, 1, 5); /* but once */
	for (int i = 0; i < REQUESTS; i++) {
		if (send(ends[0], "x", 1, 0) != 1 || epoll_wait(loop, &event, 1, -1) != 1 ||
		    recv(ends[1], &byte, 1, 0) != 1)
			return 2;
		compute_for_ms(REQUEST_MS);
	}
	return 0;
}

static void many_requests_are_no_run(void **state)
{
	watch(*state, loop_under_load, NULL);
	assert_int_equal(sampled_thread(*state)->loop_run_cnt, 0);
}

static void computing_without_a_loop_is_no_run(void **state)
{
	watch(*state, compute_only, NULL);
	assert_int_equal(sampled_thread(*state)->loop_run_cnt, 0);
}

/* --- who has the CPUs --- */

/* On the machine's first CPU only, and before whatever else wants it: in real time, taking turns
 * with each other. */
static void take_first_cpu(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t set;
	int cpu = 0;

	sched_getaffinity(0, sizeof(set), &set);
	while (!CPU_ISSET(cpu, &set))
		cpu++;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) || sched_setscheduler(0, SCHED_RR, &param))
		_exit(3);
}

static void skip_without_real_time(void)
{
	struct sched_param param = { .sched_priority = 1 };
	struct sched_param none = { 0 };

	if (!sched_setscheduler(0, SCHED_RR, &param)) {
		sched_setscheduler(0, SCHED_OTHER, &none);
		return;
	}
	print_message("SKIPPED: no rights to run in real time\n");
	skip();
}

static int compute_on_first_cpu(void *unused)
{
	(void)unused;
	take_first_cpu();
	return compute_only(NULL);
}

/* Computes beside the tested program until it is killed. */
static pid_t start_hog(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "test-hog");
	take_first_cpu();
	for (;;)
		compute(NULL);
}

static uint64_t queued_ns(const struct live *live)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		sum_ns += live->obs.threads[i].run_queue_ns + live->obs.threads[i].preempted_ns;
	return sum_ns;
}

static void others_on_its_cpu_are_named(void **state)
{
	struct live *live = *state;
	pid_t hog;

	skip_without_real_time();
	hog = start_hog();
	assert_true(hog > 0);
	watch(live, compute_on_first_cpu, NULL);
	kill(hog, SIGKILL);
	assert_int_equal(waitpid(hog, NULL, 0), hog);
	assert_true(queued_ns(live) > 50 * MS); /* of two, each gets about half */
	assert_true(live->obs.neighbour_cnt > 0);
	assert_string_equal(live->obs.neighbours[0].comm, "test-hog");
	assert_true(live->obs.neighbours[0].queue_ns > queued_ns(live) / 2);
	assert_true(live->obs.neighbours[0].cnt > 0);
	assert_true(live->obs.own_queue_ns < queued_ns(live) / 4);
}

/* Two processes of the tree on one CPU. */
static int compute_twice_on_first_cpu(void *unused)
{
	int status;

	(void)unused;
	take_first_cpu();
	if (!fork())
		_exit(compute_only(NULL));
	compute_only(NULL);
	return wait(&status) > 0 && !status ? 0 : 1;
}

static void the_tree_in_its_own_way_is_no_neighbour(void **state)
{
	struct live *live = *state;

	skip_without_real_time();
	watch(live, compute_twice_on_first_cpu, NULL);
	assert_true(queued_ns(live) > 50 * MS);
	assert_true(live->obs.own_queue_ns > queued_ns(live) / 2);
}

/* --- without samples --- */

static void rate_zero_takes_no_samples(void **state)
{
	struct live *live = *state;

	live_begin(live, compute_only, NULL);
	live_end(live);
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		assert_int_equal(live->obs.threads[i].sample_cnt, 0);
	assert_int_equal(live->obs.quality.missing_probe_cnt, 0);
}

/* As container runtimes do. There is no way back: this is the last test. */
static void forbid_perf_events(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

static void forbidden_samples_are_a_missing_probe(void **state)
{
	struct live *live = *state;
	const char **missing;
	size_t cnt;

	forbid_perf_events();
	watch(live, compute_only, NULL);
	missing = live->obs.quality.missing_probes;
	cnt = live->obs.quality.missing_probe_cnt;
	assert_true(cnt > 0);
	assert_int_equal(strncmp(missing[cnt - 1], "samples: ", 9), 0);
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		assert_int_equal(live->obs.threads[i].sample_cnt, 0);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(receiving_in_vain_is_polling),
		LIVE_TEST(loop_that_never_waits_is_polling),
		LIVE_TEST(loop_that_never_reads_is_polling),
		LIVE_TEST(yielding_is_polling),
		LIVE_TEST(computing_is_no_polling),
		LIVE_TEST(moving_data_is_no_polling),
#if defined(__x86_64__)
		LIVE_TEST(pausing_loop_is_spinning),
#endif
		LIVE_TEST(long_computing_on_a_loop_is_a_run),
		LIVE_TEST(short_computing_on_a_loop_is_none),
		LIVE_TEST(many_requests_are_no_run),
		LIVE_TEST(computing_without_a_loop_is_no_run),
		LIVE_TEST(others_on_its_cpu_are_named),
		LIVE_TEST(the_tree_in_its_own_way_is_no_neighbour),
		LIVE_TEST(rate_zero_takes_no_samples),
		LIVE_TEST(forbidden_samples_are_a_missing_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
