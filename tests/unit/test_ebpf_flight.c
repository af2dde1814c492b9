/* Operations in flight, from samples of connections as the probes tell of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "ebpf/flight.h"

#define STEP_NS 20000000ull
#define SOCKET	0xffff888000001000ull

struct watched {
	struct flight flight;
	uint64_t now_ns;
};

static int setup(void **state)
{
	static struct watched watched;

	watched.now_ns = STEP_NS;
	flight_init(&watched.flight, watched.now_ns);
	*state = &watched;
	return 0;
}

static int teardown(void **state)
{
	struct watched *watched = *state;

	flight_release(&watched->flight);
	return 0;
}

static void look(struct watched *watched, struct wire_connection *connections, size_t cnt)
{
	watched->now_ns += STEP_NS;
	assert_int_equal(flight_sample(&watched->flight, connections, cnt, watched->now_ns), 0);
}

/* One connection, in @state with so much written and received, for @sample_cnt samples. */
static void look_at(struct watched *watched, uint32_t state, uint32_t written, uint32_t received,
		    int sample_cnt)
{
	for (int i = 0; i < sample_cnt; i++) {
		struct wire_connection one = {
			.socket = SOCKET, .written = written, .received = received, .state = state
		};

		look(watched, &one, 1);
	}
}

static void assert_in_flight(struct watched *watched, double samples, uint32_t peak)
{
	struct obs_flight obs = { 0 };
	double cnt = (double)watched->flight.sample_cnt;

	flight_sum(&watched->flight, &obs);
	assert_int_equal(obs.sample_cnt, (uint64_t)cnt);
	assert_true(fabs(obs.mean * cnt - samples) < 1e-6 * (cnt + 1));
	assert_int_equal(obs.peak, peak);
}

static void nothing_seen_is_not_counted(void **state)
{
	assert_in_flight(*state, 0, 0);
}

static void what_asks_is_in_flight(void **state)
{
	struct watched *watched = *state;
	struct obs_flight obs = { 0 };

	for (int i = 0; i < 10; i++) {
		struct wire_connection some[] = {
			{ .socket = SOCKET + 2, .state = WIRE_CONNECTION_ASKS },
			{ .socket = SOCKET + 1, .state = WIRE_CONNECTION_AT_REST },
			{ .socket = SOCKET,
			  .state = i < 5 ? WIRE_CONNECTION_ASKS : WIRE_CONNECTION_AT_REST },
		};

		look(watched, some, 3);
	}
	look(watched, NULL, 0);
	assert_in_flight(watched, 15, 2);
	flight_sum(&watched->flight, &obs);
	assert_int_equal(obs.connection_cnt, 2);
	assert_true(fabs(obs.active_share - 10.0 / 11) < 1e-6);
}

static void an_answer_that_goes_on_is_in_flight(void **state)
{
	struct watched *watched = *state;

	look_at(watched, WIRE_CONNECTION_ASKS, 100, 0, 2);
	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 500, 5);
	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 900, 3);
	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 1300, 7);
	assert_in_flight(watched, 2 + 5 + 3, 1);
}

static void a_rest_between_requests_is_not(void **state)
{
	struct watched *watched = *state;

	look_at(watched, WIRE_CONNECTION_ASKS, 100, 0, 1);
	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 500, 5);
	look_at(watched, WIRE_CONNECTION_ASKS, 200, 500, 1);
	look_at(watched, WIRE_CONNECTION_AT_REST, 200, 900, 5);
	/* A request that was answered between two samples. */
	look_at(watched, WIRE_CONNECTION_AT_REST, 300, 1300, 5);
	assert_in_flight(watched, 2, 1);
}

static void an_answer_may_end_with_the_connection(void **state)
{
	struct watched *watched = *state;

	look_at(watched, WIRE_CONNECTION_ASKS, 600, 1500, 1);
	look_at(watched, WIRE_CONNECTION_AT_REST, 600, 2000, 9); /* session tickets */
	look_at(watched, WIRE_CONNECTION_CLOSED, 631, 2500, 1);
	look(watched, NULL, 0);
	assert_in_flight(watched, 1 + 9, 1);
}

/* The farewell is seen some time before the end. */
static void a_farewell_may_take_its_time(void **state)
{
	struct watched *watched = *state;

	look_at(watched, WIRE_CONNECTION_AT_REST, 600, 2000, 9);
	look_at(watched, WIRE_CONNECTION_AT_REST, 624, 2500, 4);
	look_at(watched, WIRE_CONNECTION_LEFT, 624, 2525, 1);
	assert_in_flight(watched, 9, 1);
}

static void a_rest_before_the_end_is_none(void **state)
{
	struct watched *watched = *state;

	look_at(watched, WIRE_CONNECTION_AT_REST, 600, 2000, 9);
	look_at(watched, WIRE_CONNECTION_LEFT, 600, 2025, 1);
	look_at(watched, WIRE_CONNECTION_AT_REST, 7600, 2000, 9);
	look_at(watched, WIRE_CONNECTION_CLOSED, 7624, 2000, 1);
	assert_in_flight(watched, 0, 0);
}

/* PING, PONG. */
static void small_requests_are_no_farewells(void **state)
{
	struct watched *watched = *state;

	for (uint32_t i = 1; i < 40; i++)
		look_at(watched, WIRE_CONNECTION_AT_REST, 14 * i, 7 * i, (int)i);
	look_at(watched, WIRE_CONNECTION_CLOSED, 14 * 40, 7 * 40, 1);
	assert_in_flight(watched, 0, 0);
}

static void an_address_that_is_used_again_is_another(void **state)
{
	struct watched *watched = *state;

	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 500, 5);
	look_at(watched, WIRE_CONNECTION_AT_REST, 70000, 90000, 5);
	look_at(watched, WIRE_CONNECTION_AT_REST, 70000, 90001, 1);
	assert_in_flight(watched, 5, 1);
}

/* What is older than the window stands, and the sums go on. */
static void long_observations_are_counted_whole(void **state)
{
	struct watched *watched = *state;

	look_at(watched, WIRE_CONNECTION_ASKS, 100, 0, 3 * FLIGHT_WINDOW);
	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 500, FLIGHT_WINDOW + 7);
	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 900, 1);
	assert_in_flight(watched, 3 * FLIGHT_WINDOW + FLIGHT_WINDOW - 2, 1);
}

static void samples_count_by_the_time_between_them(void **state)
{
	struct watched *watched = *state;
	struct obs_flight obs = { 0 };

	look_at(watched, WIRE_CONNECTION_ASKS, 100, 0, 1);
	watched->now_ns += 2 * STEP_NS;
	look_at(watched, WIRE_CONNECTION_AT_REST, 100, 500, 1);
	flight_sum(&watched->flight, &obs);
	assert_true(fabs(obs.mean - (0.5 + 1.5) / 4) < 1e-6);
}

#define FLIGHT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLIGHT_TEST(nothing_seen_is_not_counted),
		FLIGHT_TEST(what_asks_is_in_flight),
		FLIGHT_TEST(an_answer_that_goes_on_is_in_flight),
		FLIGHT_TEST(a_rest_between_requests_is_not),
		FLIGHT_TEST(an_answer_may_end_with_the_connection),
		FLIGHT_TEST(a_farewell_may_take_its_time),
		FLIGHT_TEST(a_rest_before_the_end_is_none),
		FLIGHT_TEST(small_requests_are_no_farewells),
		FLIGHT_TEST(an_address_that_is_used_again_is_another),
		FLIGHT_TEST(long_observations_are_counted_whole),
		FLIGHT_TEST(samples_count_by_the_time_between_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
