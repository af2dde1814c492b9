/* What a quiet program is waiting for when several of its threads wake up meanwhile, seen live. */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "clock.h"
#include "ebpf_live.h"
#include "ebpf_world.h"

#define MS	   1000000ull
#define TICK_US	   2000
#define WAIT_NS	   (150 * MS)
#define NAP_CNT	   40
#define ANSWER_CNT 20

static struct {
	struct sockaddr_in inet;
	char name[WORLD_NAME_BYTES];
	int job[2];
	volatile int is_done;
} world;

static uint64_t quiet_for(const struct live *live, enum wait_reason reason)
{
	uint64_t quiet_ns = 0;

	for (size_t i = 0; i < live->obs.wait_cnt; i++)
		if (live->obs.waits[i].reason == reason)
			quiet_ns += live->obs.waits[i].quiet_ns;
	return quiet_ns;
}

/* Of the tree's quiet time, without that before the test let it go, the part that is charged to
 * @reason. */
static double quiet_share(const struct live *live, enum wait_reason reason)
{
	uint64_t quiet_ns = live->obs.program.quiet_ns - quiet_for(live, WAIT_IPC);

	return (double)quiet_for(live, reason) / (double)quiet_ns;
}

static void list_charges(const struct live *live)
{
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		const struct obs_wait *row = &live->obs.waits[i];

		print_error("  %s in %s: %" PRIu64 " ns of %" PRIu64 " in %" PRIu64 "\n",
			    wait_reason_name(row->reason), row->call, row->quiet_ns, row->wait_ns,
			    row->wait_cnt);
	}
}

static void assert_charged(const struct live *live, enum wait_reason reason, double low,
			   double high)
{
	double share = quiet_share(live, reason);

	if (share >= low && share <= high)
		return;
	list_charges(live);
	fail_msg("%s has %.3f of quiet time, not %.2f to %.2f", wait_reason_name(reason), share,
		 low, high);
}

static int start(void *(*thread)(void *))
{
	pthread_t id;

	return pthread_create(&id, NULL, thread, NULL);
}

static int connect_out(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&world.inet, sizeof(world.inet)) ? -1 : fd;
}

static int receive(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 1 ? 0 : 1;
}

static void *tick(void *unused)
{
	for (;;)
		usleep(TICK_US);
	return unused;
}

static int receive_beside_a_ticker(void *unused)
{
	(void)unused;
	return start(tick) || receive(connect_out());
}

static int listen_for_it(void)
{
	int server = world_tcp_socket(&world.inet, world.name);

	assert_int_equal(listen(server, 8), 0);
	return server;
}

/* Lets the program wait for its one answer. */
static void run_with_answer(struct live *live, int (*program)(void *), uint64_t wait_ns)
{
	int server = listen_for_it(), client;

	live_begin(live, program, NULL);
	client = accept(server, NULL, NULL);
	live_until_blocked(live, live->pid, SYS_recvfrom, LIVE_ANY, 1);
	live_run_for(live, wait_ns);
	world_send(client);
	live_end(live);
	close(client);
	close(server);
	assert_int_equal(live->status, 0);
}

static void a_ticker_does_not_hide_what_is_waited_for(void **state)
{
	struct live *live = *state;

	run_with_answer(live, receive_beside_a_ticker, WAIT_NS);
	assert_charged(live, WAIT_NETWORK, 0.90, 1);
	assert_charged(live, WAIT_TIMER, 0, 0.10);
}

#define STEP_NS	 (40 * MS)
#define LATER_NS (4 * MS / 10)
#define LOOK_NS	 (2 * MS / 10)

/* Naps until the next multiple of 40 ms, and @later a little longer; then looks around. */
static void *tick_by_the_clock(void *later)
{
	for (;;) {
		uint64_t until_ns = (clock_ns(CLOCK_MONOTONIC) / STEP_NS + 1) * STEP_NS +
				    (later ? LATER_NS : 0);
		const struct timespec until = { .tv_sec = (time_t)(until_ns / (1000 * MS)),
						.tv_nsec = (long)(until_ns % (1000 * MS)) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		while (clock_ns(CLOCK_MONOTONIC) < until_ns + LOOK_NS)
			;
	}
	return NULL;
}

static int receive_beside_two_tickers(void *unused)
{
	static int later;
	pthread_t id;

	(void)unused;
	return pthread_create(&id, NULL, tick_by_the_clock, NULL) ||
	       pthread_create(&id, NULL, tick_by_the_clock, &later) || receive(connect_out());
}

/* The second one's looks around are long beside the quiet since the first one's. On a busy machine
 * the two may be at it at once, and then that nap counts: one in ten or so. */
static void tickers_that_follow_each_other_claim_nothing(void **state)
{
	struct live *live = *state;

	run_with_answer(live, receive_beside_two_tickers, 12 * STEP_NS);
	assert_charged(live, WAIT_NETWORK, 0.70, 1);
}

static void *receive_and_say_so(void *unused)
{
	receive(connect_out());
	world.is_done = 1;
	return unused;
}

static int ask_whether_done(void *unused)
{
	(void)unused;
	if (start(receive_and_say_so))
		return 1;
	while (!world.is_done)
		usleep(TICK_US);
	return 0;
}

static void asking_now_and_then_is_waiting_for_the_answer(void **state)
{
	struct live *live = *state;

	run_with_answer(live, ask_whether_done, WAIT_NS);
	/* The nap during which the answer came is the main thread's own delay. */
	assert_charged(live, WAIT_NETWORK, 0.90, 1);
}

static void an_open_wait_claims_its_ticks(void **state)
{
	struct live *live = *state;
	int server = listen_for_it(), client;

	live_attach(live, receive_beside_a_ticker, NULL, SYS_recvfrom, 1);
	client = accept(server, NULL, NULL);
	live_run_for(live, WAIT_NS);
	live_cut(live);
	close(client);
	close(server);
	assert_charged(live, WAIT_NETWORK, 0.90, 1);
}

static int only_sleep(void *unused)
{
	(void)unused;
	for (int i = 0; i < NAP_CNT; i++)
		usleep(TICK_US);
	return 0;
}

static void sleep_that_nobody_claims_stays_sleep(void **state)
{
	struct live *live = *state;

	live_begin(live, only_sleep, NULL);
	live_end(live);
	assert_charged(live, WAIT_TIMER, 0.99, 1);
}

static void *work_on_jobs(void *unused)
{
	char byte;

	while (read(world.job[0], &byte, 1) == 1)
		for (volatile int i = 0; i < 20000; i++)
			;
	return unused;
}

static void *wait_for_requests(void *unused)
{
	receive(connect_out());
	return unused;
}

/* A timer drives the work; that somebody else waits for the world meanwhile changes nothing. */
static int give_jobs_on_time(void *unused)
{
	(void)unused;
	if (pipe(world.job) || start(work_on_jobs) || start(wait_for_requests))
		return 1;
	for (int i = 0; i < NAP_CNT; i++) {
		usleep(TICK_US);
		if (write(world.job[1], "x", 1) != 1)
			return 1;
	}
	return 0;
}

static void a_timer_that_sets_to_work_is_no_tick(void **state)
{
	struct live *live = *state;
	int server = listen_for_it();

	live_begin(live, give_jobs_on_time, NULL);
	live_end(live);
	close(server);
	assert_charged(live, WAIT_TIMER, 0.90, 1);
}

#define LONG_NAP_MS 20

/* What it sleeps for is what the program waits for; beside it, a helper ticks. */
static int work_now_and_then(void *unused)
{
	(void)unused;
	if (start(tick))
		return 1;
	for (int i = 0; i < NAP_CNT / 4; i++) {
		poll(NULL, 0, LONG_NAP_MS);
		for (volatile int j = 0; j < 4000000; j++)
			;
	}
	return 0;
}

static void a_sleep_before_work_claims_the_ticks_of_others(void **state)
{
	struct live *live = *state;
	uint64_t slept_ns = 0;

	live_begin(live, work_now_and_then, NULL);
	live_end(live);
	for (size_t i = 0; i < live->obs.wait_cnt; i++)
		if (!strcmp(live->obs.waits[i].call, "poll"))
			slept_ns += live->obs.waits[i].quiet_ns;
	if ((double)slept_ns < 0.70 * (double)quiet_for(live, WAIT_TIMER)) {
		list_charges(live);
		fail_msg("the sleeps before work have %" PRIu64 " ns", slept_ns);
	}
}

static int sleep_and_ask(void *unused)
{
	int fd = connect_out();

	(void)unused;
	for (int i = 0; i < ANSWER_CNT; i++) {
		usleep(TICK_US);
		if (write(fd, "x", 1) != 1 || receive(fd))
			return 1;
	}
	return 0;
}

static void a_sleep_before_a_request_is_a_sleep(void **state)
{
	struct live *live = *state;
	int server = listen_for_it(), client;
	char byte;

	live_begin(live, sleep_and_ask, NULL);
	client = accept(server, NULL, NULL);
	for (int i = 0; i < ANSWER_CNT; i++) {
		assert_int_equal(read(client, &byte, 1), 1);
		world_send(client);
	}
	live_end(live);
	close(client);
	close(server);
	/* Each answer comes at once: what is not sleep is the way there and back. */
	assert_true(live_wait_ns(live, WAIT_TIMER) > live_wait_ns(live, WAIT_NETWORK));
	assert_true((double)quiet_for(live, WAIT_TIMER) >
		    0.90 * (double)live_wait_ns(live, WAIT_TIMER));
}

static void *wait_for_nothing(void *unused)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&never, &mutex);
	return unused;
}

/* As redis does: a loop with a timeout, beside helpers that wait for jobs. */
static int tick_in_a_loop(void *unused)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), server = world_tcp_socket(&world.inet, world.name);

	(void)unused;
	if (listen(server, 8) || epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event) ||
	    start(wait_for_nothing))
		return 1;
	for (;;)
		epoll_wait(epoll, &event, 1, TICK_US / 1000);
}

static void a_loop_that_ticks_is_what_idle_helpers_stand_beside(void **state)
{
	struct live *live = *state;

	live_attach(live, tick_in_a_loop, NULL, SYS_epoll_wait, 1);
	live_run_for(live, WAIT_NS);
	live_cut(live);
	assert_charged(live, WAIT_SYNC, 0, 0.05);
	assert_true(quiet_share(live, WAIT_TIMER) + quiet_share(live, WAIT_ACCEPT) >= 0.90);
	/* Its timeouts are a server's. */
	live_row(live, WAIT_TIMER, OBJECT_EPOLL, DIRECTION_LISTENING, NULL);
}

static int wait_for_an_event(void *timeout_ms)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), fd = eventfd(0, 0);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return 1;
	return epoll_wait(epoll, &event, 1, *(int *)timeout_ms) ? 1 : 0;
}

/* As a latch of PostgreSQL in pg_sleep(): no client is waited for. */
static void a_timeout_without_clients_is_a_sleep(void **state)
{
	struct live *live = *state;
	int timeout_ms = 20;

	live_begin(live, wait_for_an_event, &timeout_ms);
	live_end(live);
	live_row(live, WAIT_TIMER, OBJECT_NONE, DIRECTION_NONE, NULL);
}

static void an_open_wait_in_a_loop_is_for_what_it_watches(void **state)
{
	struct live *live = *state;
	int forever = -1;

	live_attach(live, wait_for_an_event, &forever, SYS_epoll_wait, 1);
	live_cut(live);
	live_row(live, WAIT_SYNC, OBJECT_ANON, DIRECTION_NONE, "eventfd");
}

static int tick_beside_a_loop(void *unused)
{
	return start(tick) || tick_in_a_loop(unused);
}

/* As a JVM that serves: what its periodic task cuts short is the loop's rest. */
static void ticks_of_helpers_are_the_rest_of_a_server(void **state)
{
	struct live *live = *state;
	uint64_t loop_ns = 0;

	live_attach(live, tick_beside_a_loop, NULL, SYS_epoll_wait, 1);
	live_run_for(live, WAIT_NS);
	live_cut(live);
	for (size_t i = 0; i < live->obs.wait_cnt; i++)
		if (live->obs.waits[i].via_event_loop)
			loop_ns += live->obs.waits[i].quiet_ns;
	/* All but where the two are awake at once; each getting its own it would be half. */
	if ((double)loop_ns < 0.60 * (double)live->obs.program.quiet_ns) {
		list_charges(live);
		fail_msg("the loop has %" PRIu64 " ns", loop_ns);
	}
}

/* --- servers with threads of their own --- */

static struct {
	struct sockaddr_in inet;
	char name[WORLD_NAME_BYTES];
	int fd;
} service;

static void *sleep_long(void *unused)
{
	sleep(60);
	return unused;
}

/* Each request is a connection. */
static int serve(void *unused)
{
	(void)unused;
	while (!close(accept(service.fd, NULL, NULL)))
		;
	return 1;
}

static int serve_beside_a_sleeper(void *unused)
{
	return start(sleep_long) || serve(unused);
}

/* Asks once, and then takes what is sent to it. */
static void *subscribe(void *unused)
{
	int fd = connect_out();

	if (write(fd, "x", 1) == 1)
		while (!receive(fd))
			;
	return unused;
}

static int serve_beside_a_subscriber(void *unused)
{
	return start(subscribe) || serve(unused);
}

static void listen_for_service(void)
{
	service.fd = world_tcp_socket(&service.inet, service.name);
	assert_int_equal(listen(service.fd, 64), 0);
}

static void ask_for_service(struct live *live, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		live_run_for(live, 10 * MS);
		assert_int_equal(
			connect(fd, (struct sockaddr *)&service.inet, sizeof(service.inet)), 0);
		close(fd);
	}
}

static void a_long_sleep_takes_no_server_s_rest(void **state)
{
	struct live *live = *state;

	listen_for_service();
	live_attach(live, serve_beside_a_sleeper, NULL, SYS_accept, 1);
	ask_for_service(live, 10);
	live_cut(live);
	close(service.fd);
	assert_charged(live, WAIT_ACCEPT, 0.90, 1);
}

static void what_is_pushed_takes_no_server_s_rest(void **state)
{
	struct live *live = *state;
	int server = listen_for_it(), client;
	char byte;

	listen_for_service();
	live_attach(live, serve_beside_a_subscriber, NULL, SYS_accept, 1);
	client = accept(server, NULL, NULL);
	assert_int_equal(read(client, &byte, 1), 1);
	world_send(client); /* the answer */
	ask_for_service(live, 20);
	world_send(client); /* a message */
	live_run_for(live, 10 * MS);
	live_cut(live);
	close(client);
	close(server);
	close(service.fd);
	assert_charged(live, WAIT_ACCEPT, 0.80, 1);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(a_ticker_does_not_hide_what_is_waited_for),
		LIVE_TEST(tickers_that_follow_each_other_claim_nothing),
		LIVE_TEST(asking_now_and_then_is_waiting_for_the_answer),
		LIVE_TEST(an_open_wait_claims_its_ticks),
		LIVE_TEST(sleep_that_nobody_claims_stays_sleep),
		LIVE_TEST(a_timer_that_sets_to_work_is_no_tick),
		LIVE_TEST(a_sleep_before_work_claims_the_ticks_of_others),
		LIVE_TEST(a_sleep_before_a_request_is_a_sleep),
		LIVE_TEST(a_loop_that_ticks_is_what_idle_helpers_stand_beside),
		LIVE_TEST(ticks_of_helpers_are_the_rest_of_a_server),
		LIVE_TEST(a_long_sleep_takes_no_server_s_rest),
		LIVE_TEST(what_is_pushed_takes_no_server_s_rest),
		LIVE_TEST(a_timeout_without_clients_is_a_sleep),
		LIVE_TEST(an_open_wait_in_a_loop_is_for_what_it_watches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
