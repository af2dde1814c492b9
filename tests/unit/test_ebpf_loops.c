/* Event loops, seen live: which calls hold them up, how late that makes what they wait for, and how
 * many operations are in flight. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"
#include "ebpf_world.h"

#define MS	    1000000ull
#define HELD_UP_NS  (40 * MS)
#define CONNECTIONS 3

/* The child is a copy of the test, so what it needs it finds where the test put it. */
static struct {
	struct sockaddr_in inet;
	char name[WORLD_NAME_BYTES];
	int server;
	int far[CONNECTIONS]; /* the test's ends of the child's connections */
	int go[2];	      /* a pipe that tells the child to go on */
	int end[2];	      /* and one that tells it to end */
} world;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* --- what the children do --- */

struct loop {
	int epoll;
	int fd[CONNECTIONS];
};

static int connect_inet(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&world.inet, sizeof(world.inet)))
		_exit(90);
	return fd;
}

static void watch(const struct loop *loop, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event))
		_exit(91);
}

/* A loop that watches all its connections but the last. */
static struct loop make_loop_of(uint32_t events)
{
	struct loop loop = { .epoll = epoll_create1(0) };

	for (int i = 0; i < CONNECTIONS; i++)
		loop.fd[i] = connect_inet();
	for (int i = 0; i < CONNECTIONS - 1; i++)
		watch(&loop, loop.fd[i], events);
	return loop;
}

static struct loop make_loop(void)
{
	return make_loop_of(EPOLLIN);
}

static void read_one(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(92);
}

/* Waits through the loop for one byte, from whichever descriptor. */
static void turn(const struct loop *loop)
{
	struct epoll_event event;

	if (epoll_wait(loop->epoll, &event, 1, -1) != 1)
		_exit(93);
	read_one(event.data.fd);
}

static int hold_up_loop(void *unused)
{
	struct loop loop = make_loop();

	(void)unused;
	turn(&loop);
	read_one(loop.fd[CONNECTIONS - 1]);
	turn(&loop);
	return 0;
}

static int never_hold_up_loop(void *unused)
{
	struct loop loop = make_loop();

	(void)unused;
	for (int i = 0; i < 3; i++)
		turn(&loop);
	return 0;
}

/* Of two descriptors that are ready at once, it looks at one and sleeps. */
static int sleep_over_ready(void *unused)
{
	struct timespec ts = { .tv_nsec = HELD_UP_NS };
	struct loop loop = make_loop();

	(void)unused;
	turn(&loop);
	read_one(loop.fd[CONNECTIONS - 1]);
	turn(&loop);
	nanosleep(&ts, NULL);
	turn(&loop);
	return 0;
}

/* A loop that always finds something ready, and never sleeps. */
static int never_sleep_in_loop(void *unused)
{
	struct loop loop = make_loop();
	struct epoll_event event;

	(void)unused;
	read_one(world.go[0]);
	if (epoll_wait(loop.epoll, &event, 1, 0) != 1)
		return 1;
	read_one(event.data.fd);
	read_one(world.end[0]);
	return 0;
}

static int read_what_loop_watches(void *unused)
{
	struct loop loop = make_loop();

	(void)unused;
	turn(&loop);
	read_one(loop.fd[0]);
	return 0;
}

static int sleep_after_loop(void *unused)
{
	struct timespec ts = { .tv_nsec = MS };
	struct loop loop = make_loop();

	(void)unused;
	turn(&loop);
	close(loop.epoll);
	return nanosleep(&ts, NULL);
}

static int poll_the_loop(void *unused)
{
	struct loop loop = make_loop();
	struct pollfd polled = { .fd = loop.epoll, .events = POLLIN };

	(void)unused;
	turn(&loop);
	if (poll(&polled, 1, -1) != 1)
		return 1;
	turn(&loop);
	return 0;
}

static void *hold_lock(void *loop_arg)
{
	const struct loop *loop = loop_arg;

	pthread_mutex_lock(&mutex);
	watch(loop, loop->fd[CONNECTIONS - 1], EPOLLIN); /* the loop may go for the lock now */
	read_one(loop->fd[1]);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static int lock_on_loop(void *unused)
{
	struct loop loop = make_loop();
	pthread_t thread;

	(void)unused;
	turn(&loop);
	if (pthread_create(&thread, NULL, hold_lock, &loop))
		return 1;
	turn(&loop);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return pthread_join(thread, NULL);
}

static void *turn_and_read(void *loop_arg)
{
	const struct loop *loop = loop_arg;

	turn(loop);
	read_one(loop->fd[CONNECTIONS - 1]);
	return NULL;
}

/* Two threads wait in one loop: when one is busy elsewhere, the other goes on. Edge-triggered, so
 * that they don't go for the same byte. */
static int share_loop(void *unused)
{
	struct loop loop = make_loop_of(EPOLLIN | EPOLLET);
	pthread_t thread;

	(void)unused;
	if (pthread_create(&thread, NULL, turn_and_read, &loop))
		return 1;
	turn_and_read(&loop);
	return pthread_join(thread, NULL);
}

/* Asks on two of its connections, not on the third. */
static int ask_twice(void *unused)
{
	struct loop loop = make_loop();

	(void)unused;
	if (write(loop.fd[0], "x", 1) != 1 || write(loop.fd[1], "x", 1) != 1)
		return 1;
	read_one(world.go[0]);
	read_one(loop.fd[0]);
	read_one(loop.fd[1]);
	read_one(world.go[0]);
	return 0;
}

/* --- the world around them --- */

static void open_world(void)
{
	world.server = world_tcp_socket(&world.inet, world.name);
	assert_int_equal(listen(world.server, CONNECTIONS), 0);
	assert_int_equal(pipe(world.go) | pipe(world.end), 0);
}

static void accept_world(void)
{
	for (int i = 0; i < CONNECTIONS; i++)
		world.far[i] = accept(world.server, NULL, NULL);
}

static void close_world(void)
{
	for (int i = 0; i < CONNECTIONS; i++)
		close(world.far[i]);
	close(world.go[0]);
	close(world.go[1]);
	close(world.end[0]);
	close(world.end[1]);
	close(world.server);
}

static void begin(struct live *live, int (*program)(void *))
{
	open_world();
	live_begin(live, program, NULL);
	accept_world();
}

static void end(struct live *live)
{
	live_end(live);
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
	close_world();
}

static void until_in_loop(struct live *live)
{
	live_until_blocked(live, live->pid, SYS_epoll_wait, LIVE_ANY, 1);
}

static void skip_without_data_ready(const struct live *live)
{
	for (size_t i = 0; i < live->obs.quality.missing_probe_cnt; i++)
		if (!strncmp(live->obs.quality.missing_probes[i], "sk_data_ready", 13)) {
			print_message("SKIPPED: this kernel has no sk_data_ready\n");
			skip();
		}
}

static uint64_t on_loop_cnt(const struct live *live)
{
	uint64_t cnt = 0;

	for (size_t i = 0; i < live->obs.wait_cnt; i++)
		if (live->obs.waits[i].on_loop)
			cnt += live->obs.waits[i].wait_cnt;
	return cnt;
}

/* --- tests --- */

static void a_blocking_call_makes_what_comes_meanwhile_late(void **state)
{
	struct live *live = *state;
	const struct obs_thread *thread;
	const struct obs_wait *row;
	uint64_t before_ns, after_ns, until_ns;

	begin(live, hold_up_loop);
	until_in_loop(live);
	world_send(world.far[0]);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	live_run_for(live, HELD_UP_NS); /* blocked, but nothing is late yet */
	before_ns = live_now_ns();
	world_send(world.far[1]);
	after_ns = live_now_ns();
	live_run_for(live, HELD_UP_NS);
	until_ns = live_now_ns();
	world_send(world.far[2]);
	end(live);
	skip_without_data_ready(live);
	row = live_row(live, WAIT_NETWORK, OBJECT_TCP, DIRECTION_OUTBOUND, world.name);
	thread = &live->obs.threads[0];
	assert_int_equal(on_loop_cnt(live), 1);
	assert_int_equal(thread->loop_late_cnt, 1);
	assert_in_range(thread->loop_late_ns, until_ns - after_ns, live_now_ns() - before_ns);
	assert_int_equal(thread->loop_late_max_ns, thread->loop_late_ns);
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		row = &live->obs.waits[i];
		assert_false(row->on_loop && row->via_event_loop);
		if (!row->on_loop)
			continue;
		assert_string_equal(row->call, "read");
		assert_string_equal(row->name, world.name);
		assert_true(row->wait_ns >= 2 * HELD_UP_NS);
	}
}

static void a_healthy_loop_is_never_late(void **state)
{
	struct live *live = *state;

	begin(live, never_hold_up_loop);
	until_in_loop(live);
	world_send(world.far[0]);
	until_in_loop(live);
	world_send(world.far[1]);
	world_send(world.far[0]);
	end(live);
	assert_int_equal(on_loop_cnt(live), 0);
	assert_int_equal(live->obs.threads[0].loop_late_cnt, 0);
}

static void what_was_ready_before_the_call_is_late_too(void **state)
{
	struct live *live = *state;

	begin(live, sleep_over_ready);
	until_in_loop(live);
	world_send(world.far[0]);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	world_send(world.far[0]);
	world_send(world.far[1]);
	world_send(world.far[2]);
	end(live);
	assert_true(live_row(live, WAIT_TIMER, OBJECT_NONE, DIRECTION_NONE, "")->on_loop);
	assert_int_equal(on_loop_cnt(live), 2);
	assert_true(live->obs.threads[0].loop_late_max_ns >= HELD_UP_NS);
}

static void the_call_s_own_descriptor_is_not_late(void **state)
{
	struct live *live = *state;

	begin(live, read_what_loop_watches);
	until_in_loop(live);
	world_send(world.far[0]);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	world_send(world.far[0]);
	end(live);
	assert_int_equal(on_loop_cnt(live), 1);
	assert_int_equal(live->obs.threads[0].loop_late_cnt, 0);
}

static void a_loop_that_was_closed_is_none(void **state)
{
	struct live *live = *state;

	begin(live, sleep_after_loop);
	until_in_loop(live);
	world_send(world.far[0]);
	end(live);
	assert_false(live_row(live, WAIT_TIMER, OBJECT_NONE, DIRECTION_NONE, "")->on_loop);
}

static void a_poll_of_the_loop_is_the_loop_s_wait(void **state)
{
	struct live *live = *state;

	begin(live, poll_the_loop);
	until_in_loop(live);
	world_send(world.far[0]);
	live_until_blocked(live, live->pid, SYS_poll, LIVE_ANY, 1);
	world_send(world.far[1]);
	end(live);
	assert_int_equal(on_loop_cnt(live), 0);
}

static void a_lock_on_the_loop_blocks_it(void **state)
{
	struct live *live = *state;

	begin(live, lock_on_loop);
	until_in_loop(live);
	world_send(world.far[0]);
	/* The holder reads; the loop, sent to the lock, waits for it. */
	world_send(world.far[2]);
	live_until_blocked(live, live->pid, SYS_futex, (long)&mutex.__data.__lock, 1);
	world_send(world.far[1]);
	end(live);
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		const struct obs_wait *row = &live->obs.waits[i];

		if (row->on_loop) /* the holder, which reads, drives no loop */
			assert_string_equal(row->call, "futex");
		if (row->reason == WAIT_LOCK)
			assert_true(row->on_loop);
	}
	assert_true(live_wait_ns(live, WAIT_LOCK) > 0);
}

static void a_loop_of_several_threads_is_not_held_up(void **state)
{
	struct live *live = *state;

	begin(live, share_loop);
	live_until_blocked(live, live->pid, SYS_epoll_wait, LIVE_ANY, 2);
	world_send(world.far[0]);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	world_send(world.far[1]);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 2);
	world_send(world.far[2]);
	world_send(world.far[2]);
	end(live);
	assert_int_equal(on_loop_cnt(live), 0);
}

static void a_loop_that_never_sleeps_is_found_when_attaching(void **state)
{
	struct live *live = *state;

	open_world();
	live_attach(live, never_sleep_in_loop, NULL, SYS_read, 1);
	accept_world();
	live_run_for(live, HELD_UP_NS); /* the observer looks at files when it drains */
	world_send(world.far[0]);
	world_send(world.go[1]);
	live_until_blocked(live, live->pid, SYS_read, world.end[0], 1);
	world_send(world.far[1]);
	live_run_for(live, HELD_UP_NS);
	world_send(world.end[1]);
	live_end(live);
	close_world();
	skip_without_data_ready(live);
	assert_int_equal(on_loop_cnt(live), 1);
	assert_int_equal(live->obs.threads[0].event_loop_wait_cnt, 0);
	assert_true(live->obs.threads[0].loop_late_max_ns >= HELD_UP_NS);
}

/* Two requests for a while, no request for another. */
static void answer_two(struct live *live)
{
	const struct obs_flight *flight = &live->obs.flight;
	uint64_t from_ns = live_now_ns(), asked_ns, all_ns;

	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	live_run_for(live, 4 * HELD_UP_NS);
	asked_ns = live_now_ns() - from_ns;
	world_send(world.go[1]);
	world_send(world.far[0]);
	world_send(world.far[1]);
	live_run_for(live, 4 * HELD_UP_NS);
	world_send(world.go[1]);
	live_wait(live);
	all_ns = live_now_ns() - from_ns;
	live_finish(live);
	assert_true(flight->sample_cnt > 4);
	assert_int_equal(flight->peak, 2);
	/* A sample more or less on a machine that is busy. */
	assert_true(flight->mean > 1.5 * (double)asked_ns / (double)all_ns);
	assert_true(flight->mean < 2.5 * (double)asked_ns / (double)all_ns);
}

static void requests_without_an_answer_are_in_flight(void **state)
{
	begin(*state, ask_twice);
	answer_two(*state);
	close_world();
}

static void they_are_found_when_attaching(void **state)
{
	struct live *live = *state;

	open_world();
	live_attach(live, ask_twice, NULL, SYS_read, 1);
	accept_world();
	answer_two(live);
	close_world();
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(a_blocking_call_makes_what_comes_meanwhile_late),
		LIVE_TEST(a_healthy_loop_is_never_late),
		LIVE_TEST(what_was_ready_before_the_call_is_late_too),
		LIVE_TEST(the_call_s_own_descriptor_is_not_late),
		LIVE_TEST(a_loop_that_was_closed_is_none),
		LIVE_TEST(a_poll_of_the_loop_is_the_loop_s_wait),
		LIVE_TEST(a_lock_on_the_loop_blocks_it),
		LIVE_TEST(a_loop_of_several_threads_is_not_held_up),
		LIVE_TEST(a_loop_that_never_sleeps_is_found_when_attaching),
		LIVE_TEST(requests_without_an_answer_are_in_flight),
		LIVE_TEST(they_are_found_when_attaching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
