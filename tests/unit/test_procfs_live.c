/* The sampler on live children: reasons and objects of real waits, and CPU time against the kernel.
 */
#include <errno.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "observer.h"
#include "procfs_target.h"

#define MS 1000000ULL
/* Long enough for the wait to outweigh everything before it. */
#define LOOK_MS 60

/* What the children wait on: made before the fork, used by both sides. */
struct world {
	int pipe[2];
	int listener;
	int client;   /* connected to the listener */
	int accepted; /* its other end */
	char server_name[32];
	char pipe_name[32];
	uint32_t *futex;
	volatile pid_t *pid; /* shared: a grandchild's */
};

static void world_connect(struct world *world)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	world->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(world->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(world->listener, 4), 0);
	assert_int_equal(getsockname(world->listener, (struct sockaddr *)&address, &len), 0);
	snprintf(world->server_name, sizeof(world->server_name), "127.0.0.1:%d",
		 ntohs(address.sin_port));
	world->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(world->client, (struct sockaddr *)&address, sizeof(address)), 0);
	world->accepted = accept(world->listener, NULL, NULL);
	assert_true(world->accepted >= 0);
}

static int world_setup(void **state)
{
	static struct world world;
	char link[64];
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(shared, MAP_FAILED);
	memset(&world, 0, sizeof(world));
	assert_int_equal(pipe(world.pipe), 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", world.pipe[0]);
	assert_true(readlink(link, world.pipe_name, sizeof(world.pipe_name) - 1) > 0);
	world.futex = (uint32_t *)shared;
	world.pid = (pid_t *)(shared + 64);
	world_connect(&world);
	*state = &world;
	return 0;
}

static int world_teardown(void **state)
{
	struct world *world = *state;

	close(world->pipe[0]);
	close(world->pipe[1]);
	close(world->listener);
	close(world->client);
	close(world->accepted);
	munmap(world->futex, 4096);
	return 0;
}

/* One kind of wait: what the child does, and what must be told of it. */
struct wait_case {
	void (*run)(void *context);
	long syscall;
	struct obs_wait expected;
};

static void check_wait(void **state, const struct wait_case *wait)
{
	struct target target = target_start(wait->run, *state);
	struct observation obs;
	struct observer *observer;
	const struct obs_wait *row;

	target_go(&target);
	target_await_syscall(target.pid, wait->syscall);
	observer = target_observe(&target);
	target_sample(observer, &target, LOOK_MS);
	target_finish(observer, &obs);
	target_stop(&target);

	row = longest_wait(&obs);
	assert_non_null(row);
	assert_string_equal(wait_reason_name(row->reason), wait_reason_name(wait->expected.reason));
	assert_string_equal(object_kind_name(row->kind), object_kind_name(wait->expected.kind));
	assert_string_equal(wait_direction_name(row->direction),
			    wait_direction_name(wait->expected.direction));
	assert_int_equal(row->via_event_loop, wait->expected.via_event_loop);
	assert_string_equal(row->name, wait->expected.name);
	assert_string_equal(row->far_end, wait->expected.far_end ? wait->expected.far_end : "");
	/* It did nothing else, from the first look to the last. */
	assert_true(row->wait_ns >= obs.duration_ns - 1 * MS);
	assert_true(row->quiet_ns >= obs.duration_ns - 1 * MS);
	observation_release(&obs);
}

static void run_sleep(void *context)
{
	(void)context;
	nanosleep(&(struct timespec){ .tv_sec = 100 }, NULL);
}

static void sleeping_is_timer(void **state)
{
	check_wait(state, &(struct wait_case){ run_sleep,
					       SYS_clock_nanosleep,
					       { .reason = WAIT_TIMER, .name = "" } });
}

static void run_select_nothing(void *context)
{
	(void)context;
	select(0, NULL, NULL, NULL, &(struct timeval){ .tv_sec = 100 });
}

static void selecting_nothing_is_timer(void **state)
{
	check_wait(state, &(struct wait_case){ run_select_nothing,
					       SYS_pselect6,
					       { .reason = WAIT_TIMER, .name = "" } });
}

static void run_read_pipe(void *context)
{
	const struct world *world = context;
	char byte;

	/* The writing end is the test's alone: outside the tree. */
	close(world->pipe[1]);
	(void)!read(world->pipe[0], &byte, 1);
}

static void reading_a_pipe_is_ipc(void **state)
{
	const struct world *world = *state;

	check_wait(state,
		   &(struct wait_case){
			   run_read_pipe,
			   SYS_read,
			   { .reason = WAIT_IPC, .kind = OBJECT_PIPE, .name = world->pipe_name } });
}

static void run_poll_pipe(void *context)
{
	const struct world *world = context;
	struct pollfd polled = { .fd = world->pipe[0], .events = POLLIN };

	poll(&polled, 1, 100000);
}

static void polling_one_descriptor_is_waiting_for_it(void **state)
{
	const struct world *world = *state;

	check_wait(state,
		   &(struct wait_case){
			   run_poll_pipe,
			   SYS_poll,
			   { .reason = WAIT_IPC, .kind = OBJECT_PIPE, .name = world->pipe_name } });
}

static void futex_wait(uint32_t *word, int op, uint32_t value)
{
	*word = value;
	syscall(SYS_futex, word, op, value, NULL, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void run_lock(void *context)
{
	futex_wait(((struct world *)context)->futex, FUTEX_WAIT_PRIVATE, 2);
}

static void waiting_for_a_mutex_is_lock(void **state)
{
	char name[48];

	snprintf(name, sizeof(name), "shared memory %p", (void *)((struct world *)*state)->futex);
	check_wait(state, &(struct wait_case){
				  run_lock,
				  SYS_futex,
				  { .reason = WAIT_LOCK, .kind = OBJECT_FUTEX, .name = name } });
}

static void run_condition(void *context)
{
	futex_wait(((struct world *)context)->futex, FUTEX_WAIT_BITSET_PRIVATE, 0);
}

static void waiting_for_a_condition_is_sync(void **state)
{
	char name[48];

	snprintf(name, sizeof(name), "shared memory %p", (void *)((struct world *)*state)->futex);
	check_wait(state, &(struct wait_case){
				  run_condition,
				  SYS_futex,
				  { .reason = WAIT_SYNC, .kind = OBJECT_FUTEX, .name = name } });
}

static void run_receive(void *context)
{
	char byte;

	recv(((struct world *)context)->client, &byte, 1, 0);
}

/* What this process is called as a far end. */
static char *own_name(char name[32])
{
	snprintf(name, 32, "%.15s[%d]", "test_procfs_live", (int)getpid());
	return name;
}

static void receiving_an_answer_is_network(void **state)
{
	char self[32];

	check_wait(state, &(struct wait_case){ run_receive,
					       SYS_recvfrom,
					       { .reason = WAIT_NETWORK,
						 .kind = OBJECT_TCP,
						 .direction = DIRECTION_OUTBOUND,
						 .name = ((struct world *)*state)->server_name,
						 .far_end = own_name(self) } });
}

static void run_accept(void *context)
{
	accept(((struct world *)context)->listener, NULL, NULL);
}

static void accepting_is_waiting_for_work(void **state)
{
	check_wait(state, &(struct wait_case){ run_accept,
					       SYS_accept,
					       { .reason = WAIT_ACCEPT,
						 .kind = OBJECT_TCP,
						 .direction = DIRECTION_LISTENING,
						 .name = ((struct world *)*state)->server_name } });
}

static void run_receive_request(void *context)
{
	char byte;

	recv(((struct world *)context)->accepted, &byte, 1, 0);
}

static void receiving_a_request_is_waiting_for_work(void **state)
{
	check_wait(state, &(struct wait_case){ run_receive_request,
					       SYS_recvfrom,
					       { .reason = WAIT_ACCEPT,
						 .kind = OBJECT_TCP,
						 .direction = DIRECTION_INBOUND,
						 .name = ((struct world *)*state)->server_name } });
}

static void loop_on(const int *fds, int cnt, int timeout_ms)
{
	int loop = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	for (int i = 0; i < cnt; i++)
		epoll_ctl(loop, EPOLL_CTL_ADD, fds[i], &event);
	epoll_wait(loop, &event, 1, timeout_ms);
}

static void run_client_loop(void *context)
{
	const struct world *world = context;

	loop_on((int[]){ eventfd(0, 0), world->listener, world->client }, 3, -1);
}

static void event_loop_with_an_outbound_socket_is_network(void **state)
{
	char self[32];

	check_wait(state, &(struct wait_case){ run_client_loop,
					       SYS_epoll_wait,
					       { .reason = WAIT_NETWORK,
						 .kind = OBJECT_TCP,
						 .direction = DIRECTION_OUTBOUND,
						 .via_event_loop = true,
						 .name = ((struct world *)*state)->server_name,
						 .far_end = own_name(self) } });
}

static void run_server_loop(void *context)
{
	const struct world *world = context;

	loop_on((int[]){ eventfd(0, 0), world->listener }, 2, 100000);
}

static void event_loop_of_a_server_waits_for_work(void **state)
{
	check_wait(state, &(struct wait_case){ run_server_loop,
					       SYS_epoll_wait,
					       { .reason = WAIT_ACCEPT,
						 .kind = OBJECT_TCP,
						 .direction = DIRECTION_LISTENING,
						 .via_event_loop = true,
						 .name = ((struct world *)*state)->server_name } });
}

static void run_timer_loop(void *context)
{
	(void)context;
	loop_on((int[]){ eventfd(0, 0) }, 1, 100000);
}

static void event_loop_with_only_a_timeout_is_timer(void **state)
{
	check_wait(state, &(struct wait_case){ run_timer_loop,
					       SYS_epoll_wait,
					       { .reason = WAIT_TIMER,
						 .kind = OBJECT_EPOLL,
						 .via_event_loop = true,
						 .name = "" } });
}

static void run_bare_loop(void *context)
{
	(void)context;
	loop_on((int[]){ eventfd(0, 0) }, 1, -1);
}

static void event_loop_with_nothing_known_is_poll(void **state)
{
	check_wait(state, &(struct wait_case){ run_bare_loop,
					       SYS_epoll_wait,
					       { .reason = WAIT_POLL,
						 .kind = OBJECT_EPOLL,
						 .via_event_loop = true,
						 .name = "" } });
}

/* A parent that waits for its child, which waits for the network. */
static void run_parent(void *context)
{
	struct world *world = context;
	pid_t pid = fork();

	if (pid == 0) {
		run_receive(context);
		_exit(0);
	}
	*world->pid = pid;
	waitpid(pid, NULL, 0);
}

static void quiet_time_goes_to_the_wait_outside(void **state)
{
	struct world *world = *state;
	struct target target = target_start(run_parent, world);
	struct observation obs;
	struct observer *observer = target_observe(&target);

	target_go(&target);
	target_await_syscall(target.pid, SYS_wait4);
	target_await_syscall(*world->pid, SYS_recvfrom);
	target_sample(observer, &target, LOOK_MS);
	target_finish(observer, &obs);
	kill(*world->pid, SIGKILL);
	target_stop(&target);

	assert_int_equal(obs.process_cnt, 2);
	assert_int_equal(obs.processes_peak, 2);
	assert_int_equal(obs.processes[1].pid, *world->pid);
	assert_int_equal(obs.processes[1].parent_pid, target.pid);
	for (size_t i = 0; i < obs.wait_cnt; i++) {
		if (obs.waits[i].reason == WAIT_CHILD)
			assert_true(obs.waits[i].quiet_ns < obs.duration_ns / 10);
		if (obs.waits[i].reason == WAIT_NETWORK)
			assert_true(obs.waits[i].quiet_ns >= LOOK_MS * MS * 9 / 10);
	}
	observation_release(&obs);
}

/* A daemon's way: the parent goes, the child stays. */
static void run_orphan(void *context)
{
	struct world *world = context;
	char byte;

	pid_t pid = fork();

	if (pid == 0)
		run_sleep(NULL);
	*world->pid = pid;
	(void)!read(world->pipe[0], &byte, 1);
}

static void orphan_that_was_seen_is_followed(void **state)
{
	struct world *world = *state;
	struct target target = target_start(run_orphan, world);
	struct observation obs;
	struct observer *observer;
	struct obs_process *orphan;
	int reaped;

	target_go(&target);
	target_await_syscall(target.pid, SYS_read);
	observer = target_observe(&target);
	assert_int_equal(write(world->pipe[1], "x", 1), 1);
	assert_int_equal(waitpid(target.pid, &reaped, 0), target.pid);
	for (int i = 0; i < 3; i++)
		assert_int_equal(observer->ops->drain(observer), 0);
	target_finish(observer, &obs);
	kill(*world->pid, SIGKILL);

	orphan = observation_find_process(&obs, *world->pid);
	assert_non_null(orphan);
	assert_false(orphan->exited);
	assert_int_equal(orphan->end_ns, obs.duration_ns);
	assert_true(observation_find_process(&obs, target.pid)->exited);
	observation_release(&obs);
}

static void stopped_process_is_stopped(void **state)
{
	struct target target = target_start(run_sleep, *state);
	struct observation obs;
	struct observer *observer;

	target_go(&target);
	target_await_syscall(target.pid, SYS_clock_nanosleep);
	kill(target.pid, SIGSTOP);
	target_await_state(target.pid, 'T');
	observer = target_observe(&target);
	target_sample(observer, &target, LOOK_MS);
	target_finish(observer, &obs);
	target_stop(&target);
	assert_int_equal(longest_wait(&obs)->reason, WAIT_STOPPED);
	observation_release(&obs);
}

static uint64_t cpu_of_thread_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static void burn(uint64_t ns)
{
	while (cpu_of_thread_ns() < ns)
		;
}

static void *burn_in_thread(void *context)
{
	burn(*(uint64_t *)context);
	return NULL;
}

static void run_burn(void *context)
{
	(void)context;
	burn(150 * MS);
}

static void run_burn_in_threads(void *context)
{
	uint64_t amounts[] = { 20 * MS, 40 * MS, 60 * MS };
	pthread_t threads[3];

	(void)context;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, burn_in_thread, &amounts[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

/* Children that end between two samples, most of them never seen. */
static void run_short_children(void *context)
{
	(void)context;
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			burn(1 * MS);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static uint64_t rusage_ns(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000ULL +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

/* Runs to the end; what the threads have been given is what the kernel accounts, within 1 ms. */
static void check_cpu_time(void **state, void (*run)(void *context), struct observation *obs)
{
	struct target target = target_start(run, *state);
	struct observer *observer = target_observe(&target);
	struct rusage usage;
	int64_t difference_ns;

	target_go(&target);
	target_sample(observer, &target, 0);
	assert_int_equal(wait4(target.pid, NULL, 0, &usage), target.pid);
	target_finish(observer, obs);
	difference_ns = (int64_t)total_on_cpu_ns(obs) - (int64_t)rusage_ns(&usage);
	assert_in_range(llabs(difference_ns), 0, 1 * MS + rusage_ns(&usage) / 1000);
	assert_true(obs->processes[0].exited);
}

static void cpu_time_of_one_thread(void **state)
{
	struct observation obs;

	check_cpu_time(state, run_burn, &obs);
	assert_int_equal(obs.thread_cnt, 1);
	assert_true(obs.program.computing_ns >= 149 * MS);
	observation_release(&obs);
}

static void cpu_time_of_threads(void **state)
{
	struct observation obs;

	check_cpu_time(state, run_burn_in_threads, &obs);
	assert_int_equal(obs.threads_peak, 4);
	assert_true(obs.program.computing_ns >= 60 * MS);
	observation_release(&obs);
}

static void cpu_time_of_children_that_were_not_seen(void **state)
{
	struct observation obs;

	check_cpu_time(state, run_short_children, &obs);
	assert_true(total_on_cpu_ns(&obs) >= 100 * MS);
	/* Not quiet: the parent's account says that its children computed. */
	assert_true(obs.program.computing_ns >= 70 * MS);
	observation_release(&obs);
}

/* Each nap of 50 ms is seen several times, and ends a segment. */
static void run_naps(void *context)
{
	(void)context;
	for (int i = 0; i < 4; i++)
		usleep(50 * 1000);
}

static void naps_end_segments(void **state)
{
	struct target target = target_start(run_naps, *state);
	struct observer *observer = target_observe(&target);
	struct observation obs;
	int nap_cnt = 0;

	target_go(&target);
	target_sample(observer, &target, 0);
	target_finish(observer, &obs);
	for (size_t i = 0; i < obs.segment_cnt; i++)
		nap_cnt += obs.segments[i].wait_ns[WAIT_TIMER] >= 20 * MS;
	assert_in_range(nap_cnt, 3, 5);
	assert_true(obs.slice_cnt > 4);
	observation_release(&obs);
	target_stop(&target);
}

static void process_that_is_gone(void **state)
{
	const struct observer_options options = { .follow_children = true };
	struct target target = target_start(run_sleep, *state);
	char why[256];
	int error;
	struct observer *observer = procfs_observer_new(&options, &error, why, sizeof(why));

	target_stop(&target);
	assert_int_equal(observer->ops->track(observer, target.pid), -ESRCH);
	observer->ops->free(observer);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(sleeping_is_timer),
		WORLD_TEST(naps_end_segments),
		WORLD_TEST(selecting_nothing_is_timer),
		WORLD_TEST(reading_a_pipe_is_ipc),
		WORLD_TEST(polling_one_descriptor_is_waiting_for_it),
		WORLD_TEST(waiting_for_a_mutex_is_lock),
		WORLD_TEST(waiting_for_a_condition_is_sync),
		WORLD_TEST(receiving_an_answer_is_network),
		WORLD_TEST(accepting_is_waiting_for_work),
		WORLD_TEST(receiving_a_request_is_waiting_for_work),
		WORLD_TEST(event_loop_with_an_outbound_socket_is_network),
		WORLD_TEST(event_loop_of_a_server_waits_for_work),
		WORLD_TEST(event_loop_with_only_a_timeout_is_timer),
		WORLD_TEST(event_loop_with_nothing_known_is_poll),
		WORLD_TEST(quiet_time_goes_to_the_wait_outside),
		WORLD_TEST(orphan_that_was_seen_is_followed),
		WORLD_TEST(stopped_process_is_stopped),
		WORLD_TEST(cpu_time_of_one_thread),
		WORLD_TEST(cpu_time_of_threads),
		WORLD_TEST(cpu_time_of_children_that_were_not_seen),
		WORLD_TEST(process_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
