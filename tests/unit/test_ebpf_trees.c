/* Trees of processes and threads, seen live: nobody is lost, nobody counted twice. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"
#include "ebpf_world.h"

#define STORM_CNT   1000
#define THREAD_CNT  200
#define BLOCKED_CNT 15
#define BUSY_CNT    5
#define WATCHED_NS  (50 * MS)
#define PYTHON	    "/usr/bin/python3"
#define MS	    1000000ull
/* A process is told to its parent, and its CPU time with it, a little before it is gone. */
#define LAST_GASP_NS 50000ull

static int pipe_ends[2];

static void open_pipe(void)
{
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
}

static void close_pipe(void)
{
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

/* Until the test closes the other end. */
static int read_to_end(void)
{
	char byte;

	close(pipe_ends[1]);
	return (int)read(pipe_ends[0], &byte, 1);
}

static void *read_in_thread(void *unused)
{
	char byte;

	if (read(pipe_ends[0], &byte, 1) < 0)
		abort();
	return unused;
}

static void assert_ended_well(const struct live *live)
{
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

static void assert_all_exited(const struct observation *obs)
{
	for (size_t i = 0; i < obs->thread_cnt; i++)
		assert_true(obs->threads[i].exited);
	for (size_t i = 0; i < obs->process_cnt; i++)
		assert_true(obs->processes[i].exited);
}

/* --- exec --- */

static int exec_true(void *unused)
{
	(void)unused;
	return execl("/bin/true", "true", (char *)NULL);
}

static int exec_pipeline(void *unused)
{
	(void)unused;
	return execl("/bin/sh", "sh", "-c", "/bin/echo x | /bin/cat | /usr/bin/wc -l >/dev/null",
		     (char *)NULL);
}

static void begin_at_exec(struct live *live, int (*program)(void *))
{
	static const struct observer_options options = { .follow_children = true,
							 .begins_at_exec = true };

	live_prepare(live, &options, program, NULL);
	live_release(live);
	/* What the child does between its release and exec isn't the command's: above all, to give
	 * up the test's memory, of which sanitizers map a lot. */
	live->cpu_slack_ns = 20 * MS;
	live_end(live);
	assert_ended_well(live);
}

static void an_observation_begins_at_exec(void **state)
{
	struct live *live = *state;

	begin_at_exec(live, exec_true);
	assert_int_equal(live->obs.process_cnt, 1);
	assert_int_equal(live->obs.thread_cnt, 1);
	assert_true(live->obs.processes[0].is_exec);
	assert_string_equal(live->obs.processes[0].comm, "true");
	assert_string_equal(live->obs.processes[0].exe, "/bin/true");
	assert_int_equal(live->obs.threads[0].start_ns, 0);
	assert_int_equal(live->obs.threads[0].end_ns, live->obs.duration_ns);
	/* The wait for its release was before. */
	assert_int_equal(live_wait_ns(live, WAIT_IPC), 0);
	assert_all_exited(&live->obs);
}

static const struct obs_process *find_comm(const struct live *live, const char *comm)
{
	for (size_t i = 0; i < live->obs.process_cnt; i++)
		if (!strcmp(live->obs.processes[i].comm, comm))
			return &live->obs.processes[i];
	fail_msg("no process %s", comm);
	return NULL;
}

static void a_pipeline_is_followed(void **state)
{
	struct live *live = *state;

	begin_at_exec(live, exec_pipeline);
	assert_int_equal(live->obs.process_cnt, 4);
	assert_int_equal(live->obs.thread_cnt, 4);
	assert_int_equal(find_comm(live, "wc")->parent_pid, find_comm(live, "sh")->pid);
	assert_true(find_comm(live, "echo")->is_exec);
	assert_true(find_comm(live, "cat")->is_exec);
	assert_all_exited(&live->obs);
}

/* --- births and deaths --- */

static int fork_storm(void *unused)
{
	(void)unused;
	for (int i = 0; i < STORM_CNT; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || (i % 10 == 9 && waitpid(pid, NULL, 0) != pid))
			return 1;
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

static void a_fork_storm_loses_nobody(void **state)
{
	struct live *live = *state;

	live->cpu_slack_ns = STORM_CNT * LAST_GASP_NS;
	live_begin(live, fork_storm, NULL);
	live_end(live);
	assert_ended_well(live);
	assert_int_equal(live->obs.thread_cnt, STORM_CNT + 1);
	assert_int_equal(live->obs.process_cnt, STORM_CNT + 1);
	assert_all_exited(&live->obs);
}

static int run_threads(void *unused)
{
	pthread_t threads[THREAD_CNT];

	(void)unused;
	for (int i = 0; i < THREAD_CNT; i++)
		if (pthread_create(&threads[i], NULL, read_in_thread, NULL))
			return 1;
	close(pipe_ends[1]);
	for (int i = 0; i < THREAD_CNT; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void many_threads_of_one_process(void **state)
{
	struct live *live = *state;
	size_t waited_cnt = 0;

	open_pipe();
	live->cpu_slack_ns = THREAD_CNT * LAST_GASP_NS;
	live_begin(live, run_threads, NULL);
	live_until_blocked(live, live->pid, SYS_read, pipe_ends[0], THREAD_CNT);
	close_pipe();
	live_end(live);
	assert_ended_well(live);
	assert_int_equal(live->obs.process_cnt, 1);
	assert_int_equal(live->obs.thread_cnt, THREAD_CNT + 1);
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		waited_cnt += live->obs.threads[i].wait_cnt[WAIT_IPC];
	assert_true(waited_cnt >= THREAD_CNT);
	assert_all_exited(&live->obs);
}

static void *exec_in_thread(void *unused)
{
	exec_true(NULL);
	return unused;
}

static int exec_beside_threads(void *unused)
{
	pthread_t thread;

	(void)unused;
	if (pthread_create(&thread, NULL, read_in_thread, NULL) ||
	    pthread_create(&thread, NULL, exec_in_thread, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 1; /* exec ends this thread */
}

static void a_thread_may_run_exec(void **state)
{
	struct live *live = *state;

	open_pipe();
	live_begin(live, exec_beside_threads, NULL);
	live_end(live);
	close_pipe();
	assert_ended_well(live);
	assert_int_equal(live->obs.process_cnt, 1);
	assert_int_equal(live->obs.thread_cnt, 3);
	assert_true(live->obs.processes[0].is_exec);
	assert_string_equal(live->obs.processes[0].comm, "true");
	assert_all_exited(&live->obs);
}

/* Without exit handlers: they belong to the test. */
static void *read_and_exit(void *unused)
{
	(void)unused;
	read_in_thread(NULL);
	_exit(0);
}

static int leave_threads_behind(void *unused)
{
	pthread_t thread;

	(void)unused;
	if (pthread_create(&thread, NULL, read_and_exit, NULL))
		return 1;
	pthread_exit(NULL);
}

static void threads_may_outlive_their_leader(void **state)
{
	struct live *live = *state;
	const struct obs_thread *thread;

	open_pipe();
	live_begin(live, leave_threads_behind, NULL);
	live_until_blocked(live, live->pid, SYS_read, pipe_ends[0], 1);
	world_send(pipe_ends[1]);
	live_end(live);
	close_pipe();
	assert_ended_well(live);
	assert_int_equal(live->obs.process_cnt, 1);
	assert_int_equal(live->obs.thread_cnt, 2);
	thread = &live->obs.threads[live->obs.threads[0].tid == live->obs.threads[0].pid];
	assert_int_equal(thread->wait_cnt[WAIT_IPC], 1);
	assert_all_exited(&live->obs);
}

static int become_daemon(void *unused)
{
	(void)unused;
	if (!fork()) {
		setsid();
		if (!fork())
			_exit(read_to_end());
		_exit(0);
	}
	wait(NULL);
	return 0;
}

/* The daemon reads until the pipe has no writer; it is ours to reap once its parents are gone. */
static void a_daemon_is_followed_beyond_its_parents(void **state)
{
	struct live *live = *state;
	const struct obs_thread *daemon;
	siginfo_t info;

	open_pipe();
	live->leaves_orphans = true;
	live_begin(live, become_daemon, NULL);
	live_wait(live);
	live_until_blocked(live, live_orphan(), SYS_read, pipe_ends[0], 1);
	close_pipe();
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	live_finish(live);
	assert_ended_well(live);
	assert_int_equal(live->obs.process_cnt, 3);
	assert_int_equal(live->obs.thread_cnt, 3);
	daemon = &live->obs.threads[2];
	assert_int_equal(daemon->pid, info.si_pid);
	assert_true(daemon->wait_ns[WAIT_IPC] > 0);
	assert_all_exited(&live->obs);
}

static int fork_and_wait(void *unused)
{
	(void)unused;
	if (!fork())
		_exit(read_to_end());
	close(pipe_ends[1]);
	wait(NULL);
	return 0;
}

static void children_are_left_out_where_not_wanted(void **state)
{
	static const struct observer_options options = { .follow_children = false };
	struct live *live = *state;

	open_pipe();
	live->leaves_orphans = true; /* the child's time is in the kernel's account */
	live_prepare(live, &options, fork_and_wait, NULL);
	live_release(live);
	live_until_blocked(live, live->pid, SYS_wait4, LIVE_ANY, 1);
	close_pipe();
	live_end(live);
	assert_ended_well(live);
	assert_int_equal(live->obs.process_cnt, 1);
	assert_int_equal(live->obs.thread_cnt, 1);
	assert_int_equal(
		live_row(live, WAIT_CHILD, OBJECT_CHILD, DIRECTION_NONE, NULL)->woken_by_tree_cnt,
		0);
}

/* --- attach --- */

static volatile int is_over;

static void *spin(void *unused)
{
	while (!is_over)
		;
	return unused;
}

static int block_and_spin(void *unused)
{
	pthread_t threads[BLOCKED_CNT + BUSY_CNT];

	(void)unused;
	for (int i = 0; i < BUSY_CNT; i++)
		if (pthread_create(&threads[i], NULL, spin, NULL))
			return 1;
	for (int i = BUSY_CNT; i < BLOCKED_CNT + BUSY_CNT; i++)
		if (pthread_create(&threads[i], NULL, read_in_thread, NULL))
			return 1;
	close(pipe_ends[1]);
	for (int i = BUSY_CNT; i < BLOCKED_CNT + BUSY_CNT; i++)
		pthread_join(threads[i], NULL);
	is_over = 1;
	for (int i = 0; i < BUSY_CNT; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void threads_alive_at_attach_are_seeded(void **state)
{
	struct live *live = *state;
	size_t blocked_cnt = 0, busy_cnt = 0;

	open_pipe();
	live_attach(live, block_and_spin, NULL, SYS_read, BLOCKED_CNT);
	live_run_for(live, WATCHED_NS);
	close_pipe();
	live_end(live);
	assert_ended_well(live);
	assert_int_equal(live->obs.thread_cnt, BLOCKED_CNT + BUSY_CNT + 1);
	for (size_t i = 0; i < live->obs.thread_cnt; i++) {
		const struct obs_thread *thread = &live->obs.threads[i];

		if (thread->tid == thread->pid)
			assert_true(thread->wait_ns[WAIT_SYNC] >= WATCHED_NS);
		else if (thread->wait_cnt[WAIT_IPC] == 1 && thread->wait_ns[WAIT_IPC] >= WATCHED_NS)
			blocked_cnt++;
		else if (!thread->wait_cnt[WAIT_IPC] &&
			 thread->on_cpu_ns + thread->preempted_ns + thread->run_queue_ns >=
				 WATCHED_NS)
			busy_cnt++;
	}
	assert_int_equal(blocked_cnt, BLOCKED_CNT);
	assert_int_equal(busy_cnt, BUSY_CNT);
	assert_all_exited(&live->obs);
}

/* A process that never rests has run before the iterator gets to it. */
static void a_busy_process_can_be_attached_to(void **state)
{
	struct live *live = *state;

	open_pipe();
	live_attach(live, block_and_spin, NULL, SYS_read, BLOCKED_CNT);
	live_cut(live);
	close_pipe();
	assert_int_equal(live->obs.thread_cnt, BLOCKED_CNT + BUSY_CNT + 1);
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		assert_false(live->obs.threads[i].exited);
	live_row(live, WAIT_IPC, OBJECT_PIPE, DIRECTION_NONE, NULL);
}

static int fork_for_ever(void *unused)
{
	(void)unused;
	for (;;) {
		if (!fork())
			_exit(0);
		wait(NULL);
	}
}

/* Children are born while the tree is being listed: each is one process, listed or told. */
static void a_forking_process_can_be_attached_to(void **state)
{
	struct live *live = *state;

	live_attach(live, fork_for_ever, NULL, SYS_wait4, 1);
	live_run_for(live, 20 * MS);
	/* What is reaped while the observation ends is lost, and counted as lost. */
	assert_int_equal(kill(live->pid, SIGSTOP), 0);
	live_until_stopped(live);
	live_cut(live);
	assert_true(live->obs.process_cnt > 1);
	assert_int_equal(live->obs.process_cnt, live->obs.thread_cnt);
}

/* --- the GIL --- */

static int exec_python(void *unused)
{
	static const char program[] =
		"import threading\n"
		"def spin():\n"
		"\tfor i in range(15000000): pass\n"
		"threads = [threading.Thread(target=spin) for i in range(4)]\n"
		"[thread.start() for thread in threads]\n"
		"[thread.join() for thread in threads]\n";

	(void)unused;
	return execl(PYTHON, "python3", "-c", program, (char *)NULL);
}

static void busy_python_threads_wait_for_the_gil(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	uint64_t spinning_ns = 0;

	if (access(PYTHON, X_OK)) {
		print_message("SKIPPED: there is no " PYTHON "\n");
		skip();
	}
	begin_at_exec(live, exec_python);
	if (live->obs.processes[0].python_hexversion < 0x03080000)
		fail_msg("%s (%s) not known to be CPython after %" PRIu64 " ns",
			 live->obs.processes[0].exe, live->obs.processes[0].command,
			 live->obs.duration_ns);
	if (!live->obs.processes[0].gil_is_known) {
		print_message("SKIPPED: " PYTHON " has no GIL that we know\n");
		skip();
	}
	assert_int_equal(live->obs.thread_cnt, 5);
	row = live_row(live, WAIT_GIL, OBJECT_FUTEX, DIRECTION_NONE, "GIL");
	assert_int_equal(row->wait_ns, live_wait_ns(live, WAIT_GIL));
	/* Of four that run, three wait at any time. */
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		if (live->obs.threads[i].tid != live->obs.threads[i].pid)
			spinning_ns += live->obs.threads[i].on_cpu_ns;
	if (row->wait_ns <= spinning_ns)
		fail_msg("waited %" PRIu64 " ns, ran %" PRIu64 " ns", row->wait_ns, spinning_ns);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(an_observation_begins_at_exec),
		LIVE_TEST(a_pipeline_is_followed),
		LIVE_TEST(a_fork_storm_loses_nobody),
		LIVE_TEST(many_threads_of_one_process),
		LIVE_TEST(a_thread_may_run_exec),
		LIVE_TEST(threads_may_outlive_their_leader),
		LIVE_TEST(a_daemon_is_followed_beyond_its_parents),
		LIVE_TEST(children_are_left_out_where_not_wanted),
		LIVE_TEST(threads_alive_at_attach_are_seeded),
		LIVE_TEST(a_busy_process_can_be_attached_to),
		LIVE_TEST(a_forking_process_can_be_attached_to),
		LIVE_TEST(busy_python_threads_wait_for_the_gil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
