/* What a recommended change has to heed: the notes, each with what calls for it and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "observation_builder.h"

#define LIB "/usr/lib/python3/dist-packages/"
#define CP  ".cpython-311-x86_64-linux-gnu.so"

/* What a program is, besides that it computes for @computing_ms of 1000 and waits for @peer. */
struct program {
	const char *exe;
	uint64_t computing_ms;
	const char *peer;
	const char *far_end;
	enum object_kind kind; /* of the peer; 0: TCP */
	uint32_t planned;
	const char *module, *module2;
	uint64_t private_bytes;
	uint32_t hexversion;
	bool has_second_thread;
	uint64_t gil_sample_cnt, gil_held_sample_cnt;
	uint64_t far_end_cpu_ms;
	uint64_t far_end_since_ms;
};

static void build_program(struct observation *obs, const struct program *program)
{
	struct obs_process *process;
	struct obs_thread *thread;
	uint64_t waits_ms = 1000 - program->computing_ms;

	build_observation(obs, 1000, program->computing_ms, 0, 4);
	process = build_process(obs, 10, program->exe ? program->exe : PYTHON);
	process->private_bytes = program->private_bytes;
	if (program->hexversion)
		process->python_hexversion = program->hexversion;
	if (program->module)
		observation_add_string(obs, &process->modules, &process->module_cnt,
				       program->module);
	if (program->module2)
		observation_add_string(obs, &process->modules, &process->module_cnt,
				       program->module2);
	thread = build_thread(obs, 10, 10, program->computing_ms);
	thread->gil_sample_cnt = program->gil_sample_cnt;
	thread->gil_held_sample_cnt = program->gil_held_sample_cnt;
	if (waits_ms)
		WAITED(obs, 10, .reason = program->kind == OBJECT_FILE ? WAIT_DISK : WAIT_NETWORK,
		       .ms = waits_ms, .cnt = 500, .quiet_ms = waits_ms,
		       .kind = program->kind ? program->kind : OBJECT_TCP,
		       .direction =
			       program->kind == OBJECT_FILE ? DIRECTION_NONE : DIRECTION_OUTBOUND,
		       .name = program->peer ? program->peer : "10.0.0.5:9999",
		       .far_end = program->far_end,
		       .operation = program->kind == OBJECT_FILE ? OPERATION_READ : OPERATION_NONE);
	if (program->has_second_thread) {
		build_thread(obs, 10, 11, 0);
		WAITED(obs, 11, .reason = WAIT_SYNC, .ms = 1000);
	}
	if (program->far_end_cpu_ms) {
		struct obs_far_end *end = observation_add_far_end(obs);

		end->name = "postgres[812]";
		end->cpu_ns = program->far_end_cpu_ms * MS;
		end->since_ns = program->far_end_since_ms * MS;
		end->thread_cnt = 1;
	}
}

static struct report report_of(struct program program)
{
	struct observation obs;
	struct report report;

	build_program(&obs, &program);
	build_report_for(&obs, program.planned, &report);
	assert_true(report.recommendation.note_cnt <= 3);
	return report;
}

#define REPORT_OF(...) report_of((struct program){ __VA_ARGS__ })

/* The number of the note that has @part in it; -1: none has. */
static int note_with(const struct report *report, const char *part)
{
	for (size_t i = 0; i < report->recommendation.note_cnt; i++)
		if (strstr(report->recommendation.notes[i], part))
			return (int)i;
	return -1;
}

static void list_notes(const struct report *report)
{
	print_message("advice: %s\n", report->recommendation.summary);
	for (size_t i = 0; i < report->recommendation.note_cnt; i++)
		print_message("note: %s\n", report->recommendation.notes[i]);
}

static void expect_note(struct report report, const char *part)
{
	if (note_with(&report, part) < 0) {
		list_notes(&report);
		fail_msg("no note has \"%s\"", part);
	}
	report_release(&report);
}

static void expect_no_note(struct report report, const char *part)
{
	if (note_with(&report, part) >= 0) {
		list_notes(&report);
		fail_msg("a note has \"%s\"", part);
	}
	report_release(&report);
}

#define MANY_IN_FLIGHT .computing_ms = 20, .planned = 400

static void async_names_the_blocking_driver(void **state)
{
	static const struct {
		const char *module, *names, *instead;
	} cases[] = {
		{ LIB "psycopg2/_psycopg" CP, "psycopg2", "asyncpg" },
		{ LIB "MySQLdb/_mysql" CP, "mysqlclient", "asyncmy" },
		{ LIB "grpc/_cython/cygrpc" CP, "grpc", "grpc.aio" },
		{ LIB "pymongo/_cmessage" CP, "PyMongo", "AsyncMongoClient" },
		{ LIB "_ldap" CP, "python-ldap", "bonsai" },
		{ LIB "pycurl" CP, "PycURL", "aiohttp" },
		{ LIB "hiredis/hiredis" CP, "redis-py", "redis.asyncio" },
		{ LIB "pyodbc" CP, "pyodbc", "aioodbc" },
		{ LIB "zmq/backend/cython/_poll" CP, "pyzmq", "zmq.asyncio" },
		{ "/usr/lib/python3.11/lib-dynload/_sqlite3" CP, "sqlite3", "aiosqlite" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report report = REPORT_OF(MANY_IN_FLIGHT, .module = cases[i].module);
		int note = note_with(&report, cases[i].names);

		assert_true(note >= 0);
		assert_int_equal(note_with(&report, cases[i].instead), note);
		report_release(&report);
	}
}

static void async_names_two_drivers(void **state)
{
	struct report report = REPORT_OF(MANY_IN_FLIGHT, .module = LIB "psycopg2/_psycopg" CP,
					 .module2 = LIB "pycurl" CP);

	(void)state;
	assert_int_equal(report.recommendation.model, MODEL_ASYNC);
	assert_int_equal(note_with(&report, "psycopg2"), 0);
	assert_int_equal(note_with(&report, "PycURL"), 0);
	report_release(&report);
}

static void what_only_looks_like_a_driver_is_none(void **state)
{
	(void)state;
	expect_no_note(REPORT_OF(MANY_IN_FLIGHT, .module = "/opt/mine/_psycopg" CP), "psycopg2");
	expect_no_note(REPORT_OF(MANY_IN_FLIGHT, .module = LIB "_ldapper" CP), "ldap");
	expect_no_note(REPORT_OF(MANY_IN_FLIGHT, .module = LIB "xgrpc/cygrpc" CP), "grpc");
	expect_no_note(REPORT_OF(MANY_IN_FLIGHT, .module = ""), "loaded");
	/* libpq alone says nothing of a Python program: psycopg 3 has it, too. */
	expect_no_note(REPORT_OF(MANY_IN_FLIGHT, .module = "/usr/lib/libpq.so.5.15"), "libpq");
	expect_note(REPORT_OF(MANY_IN_FLIGHT, .exe = "/bin/a", .module = "/usr/lib/libpq.so.5.15"),
		    "PQsocket");
}

static void async_without_a_known_driver_is_a_rewrite_still(void **state)
{
	(void)state;
	expect_note(REPORT_OF(MANY_IN_FLIGHT), "requests by aiohttp");
	expect_note(REPORT_OF(MANY_IN_FLIGHT, .exe = "/usr/bin/ruby3.1"),
		    "Every call that blocks has to be replaced");
}

static void threads_are_the_smaller_rewrite(void **state)
{
	(void)state;
	expect_note(REPORT_OF(.computing_ms = 100), "blocking calls and callbacks as they are");
	expect_no_note(REPORT_OF(.computing_ms = 100, .exe = "/bin/a"), "callbacks");
}

static void many_in_flight_take_descriptors(void **state)
{
	(void)state;
	expect_note(REPORT_OF(.computing_ms = 5, .planned = 2000), "ulimit -n");
	expect_no_note(REPORT_OF(.computing_ms = 5, .planned = 200), "ulimit -n");
}

static void pools_have_limits(void **state)
{
	(void)state;
	expect_note(REPORT_OF(.computing_ms = 30, .peer = "10.0.0.5:443"), "pool_maxsize");
	expect_no_note(REPORT_OF(.computing_ms = 300, .peer = "10.0.0.5:443"), "pool_maxsize");
	expect_no_note(REPORT_OF(.computing_ms = 30, .peer = "10.0.0.5:9000"), "pool_maxsize");
	expect_note(REPORT_OF(.computing_ms = 30, .peer = "10.0.0.5:5432"),
		    "PostgreSQL allows 100");
	expect_note(REPORT_OF(.computing_ms = 30, .peer = "10.0.0.5:3306"), "MySQL allows 151");
	expect_note(
		REPORT_OF(.computing_ms = 30, .peer = "127.0.0.1:7000", .far_end = "postgres[7]"),
		"PostgreSQL");
	expect_no_note(REPORT_OF(.computing_ms = 30, .peer = "127.0.0.1:7000",
				 .far_end = "postgreslike[7]"),
		       "PostgreSQL");
}

static void a_far_end_that_computes_here_is_named_first(void **state)
{
	struct report report =
		REPORT_OF(.computing_ms = 30, .far_end_cpu_ms = 400, .far_end_since_ms = 500);

	(void)state;
	assert_int_equal(
		note_with(&report, "postgres[812], which it waits for, took 0.80 of a CPU"), 0);
	report_release(&report);
	expect_no_note(REPORT_OF(.computing_ms = 30, .far_end_cpu_ms = 90), "which it waits for");
	/* Watched for too short a time to tell. */
	expect_no_note(REPORT_OF(.computing_ms = 30, .far_end_cpu_ms = 90, .far_end_since_ms = 950),
		       "which it waits for");
}

static void disks_have_queues(void **state)
{
	(void)state;
	expect_note(REPORT_OF(.computing_ms = 30, .exe = "/bin/a", .kind = OBJECT_FILE,
			      .peer = "/srv/x"),
		    "io_uring");
	expect_no_note(REPORT_OF(.computing_ms = 30, .kind = OBJECT_FILE, .peer = "/srv/x"),
		       "io_uring");
	/* An event loop is no alternative there. */
	expect_no_note(REPORT_OF(.computing_ms = 30, .kind = OBJECT_FILE, .peer = "/srv/x"),
		       "event loop");
}

#define COMPUTES .computing_ms = 1000

static void processes_share_no_data(void **state)
{
	struct report report = REPORT_OF(COMPUTES, .private_bytes = 300ull << 20);

	(void)state;
	assert_int_equal(report.recommendation.model, MODEL_MULTIPROCESSING);
	assert_int_equal(note_with(&report, "It has 300 MiB of its own, which each of 4"), 0);
	assert_int_equal(note_with(&report, "multiprocessing.shared_memory"), 0);
	assert_true(note_with(&report, "pickled") > 0);
	report_release(&report);
	expect_no_note(REPORT_OF(COMPUTES, .private_bytes = 10ull << 20), "MiB of its own");
	expect_note(REPORT_OF(COMPUTES, .exe = "/usr/bin/ruby3.1", .private_bytes = 300ull << 20),
		    "before the fork");
	expect_no_note(REPORT_OF(COMPUTES, .exe = "/usr/bin/ruby3.1"), "pickled");
}

static void forks_and_threads_do_not_mix(void **state)
{
	(void)state;
	expect_note(REPORT_OF(COMPUTES, .has_second_thread = true), "forkserver");
	expect_no_note(REPORT_OF(COMPUTES), "forkserver");
}

static void native_code_without_the_gil(void **state)
{
	const char *numpy = LIB "numpy/core/_multiarray_umath" CP;

	(void)state;
	/* Not measured: by what is loaded. */
	expect_note(REPORT_OF(COMPUTES, .module = numpy), "It has NumPy loaded");
	expect_no_note(REPORT_OF(COMPUTES, .module = LIB "zlib" CP), "GIL: ");
	/* Measured: whatever is loaded. */
	expect_note(REPORT_OF(COMPUTES, .module = numpy, .gil_sample_cnt = 100,
			      .gil_held_sample_cnt = 60),
		    "40% of its computing lets go of the GIL (it has NumPy loaded)");
	expect_no_note(REPORT_OF(COMPUTES, .module = numpy, .gil_sample_cnt = 100,
				 .gil_held_sample_cnt = 99),
		       "NumPy");
}

static void python_without_a_gil(void **state)
{
	(void)state;
	expect_note(REPORT_OF(COMPUTES, .hexversion = 0x030d00f0), "python3.13t");
	expect_no_note(REPORT_OF(COMPUTES, .hexversion = 0x030c00f0), "free-threaded");
}

static void nothing_is_noted_where_nothing_changes(void **state)
{
	struct observation obs;
	struct report report;

	(void)state;
	build_observation(&obs, 10, 10, 0, 4); /* too short for a verdict */
	build_process(&obs, 10, PYTHON)->private_bytes = 1ull << 30;
	build_thread(&obs, 10, 10, 10);
	build_report(&obs, &report);
	assert_int_not_equal(report.recommendation.action, ACTION_CHANGE);
	assert_int_equal(report.recommendation.note_cnt, 0);
	report_release(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(async_names_the_blocking_driver),
		cmocka_unit_test(async_names_two_drivers),
		cmocka_unit_test(what_only_looks_like_a_driver_is_none),
		cmocka_unit_test(async_without_a_known_driver_is_a_rewrite_still),
		cmocka_unit_test(threads_are_the_smaller_rewrite),
		cmocka_unit_test(many_in_flight_take_descriptors),
		cmocka_unit_test(pools_have_limits),
		cmocka_unit_test(a_far_end_that_computes_here_is_named_first),
		cmocka_unit_test(disks_have_queues),
		cmocka_unit_test(processes_share_no_data),
		cmocka_unit_test(forks_and_threads_do_not_mix),
		cmocka_unit_test(native_code_without_the_gil),
		cmocka_unit_test(python_without_a_gil),
		cmocka_unit_test(nothing_is_noted_where_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
