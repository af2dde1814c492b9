/* Runtimes told by executable and mapped files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "arena.h"
#include "decide/runtime.h"
#include "decide/vocabulary.h"
#include "observation_builder.h"

struct runtime_case {
	const char *exe;
	const char *comm;
	const char *module; /* NULL: none */
	uint32_t hexversion;
	bool is_free_threaded;
	const char *name;
	const char *version;
	enum global_lock lock;
};

static const struct runtime_case cases[] = {
	{ "/usr/bin/python3.11", "python3", NULL, 0x030b02f0, false, "CPython", "3.11",
	  GLOBAL_LOCK_GIL },
	{ "/usr/bin/python3.13t", "python3", NULL, 0x030d00f0, true, "CPython", "3.13",
	  GLOBAL_LOCK_NONE },
	{ "/usr/bin/python3.9", "python3", NULL, 0, false, "CPython", "3.9", GLOBAL_LOCK_GIL },
	{ "/opt/embedder", "embedder", "/usr/lib/libpython3.12.so.1.0", 0, false, "CPython", "",
	  GLOBAL_LOCK_GIL },
	{ "", "python3", NULL, 0, false, "CPython", "", GLOBAL_LOCK_GIL },
	{ "/opt/pypy3.10", "pypy3.10", NULL, 0, false, "PyPy", "3.10", GLOBAL_LOCK_GIL },
	{ "/usr/bin/ruby3.1", "ruby", NULL, 0, false, "Ruby", "3.1", GLOBAL_LOCK_GVL },
	{ "/usr/bin/node", "MainThread", NULL, 0, false, "Node.js", "", GLOBAL_LOCK_EVENT_LOOP },
	{ "/usr/bin/nodemon-helper", "nodemon", NULL, 0, false, "native", "", GLOBAL_LOCK_NONE },
	{ "/usr/lib/jvm/bin/java", "java", NULL, 0, false, "JVM", "", GLOBAL_LOCK_NONE },
	{ "/opt/launcher", "launcher", "/opt/jre/lib/server/libjvm.so", 0, false, "JVM", "",
	  GLOBAL_LOCK_NONE },
	{ "/usr/bin/dotnet", "dotnet", NULL, 0, false, ".NET", "", GLOBAL_LOCK_NONE },
	{ "/usr/sbin/php-fpm8.2", "php-fpm8.2", NULL, 0, false, "PHP", "8.2", GLOBAL_LOCK_NONE },
	{ "/usr/lib/erlang/erts-13/bin/beam.smp", "beam.smp", NULL, 0, false, "Erlang", "",
	  GLOBAL_LOCK_NONE },
	{ "/usr/bin/perl", "perl", NULL, 0, false, "Perl", "", GLOBAL_LOCK_NONE },
	{ "/usr/bin/dash", "sh", NULL, 0, false, "native", "", GLOBAL_LOCK_NONE },
	{ "/usr/bin/xz", "xz", "/usr/lib/liblzma.so.5", 0, false, "native", "", GLOBAL_LOCK_NONE },
	{ "", "", NULL, 0, false, "native", "", GLOBAL_LOCK_NONE },
};

static void runtimes_are_told(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct runtime_case *c = &cases[i];
		const char *modules[] = { c->module };
		struct obs_process process = {
			.exe = c->exe,
			.comm = c->comm,
			.modules = modules,
			.module_cnt = c->module ? 1 : 0,
			.toolchain = "",
			.python_hexversion = c->hexversion,
			.is_free_threaded = c->is_free_threaded,
		};
		struct report_runtime runtime =
			runtime_describe(runtime_of(&process), &process, arena);

		assert_string_equal(runtime.name, c->name);
		assert_string_equal(runtime.version, c->version);
		assert_int_equal(runtime.global_lock, c->lock);
	}
	arena_free(arena);
}

static void toolchains_are_told(void **state)
{
	static const struct {
		const char *toolchain;
		uint32_t hexversion;
		const char *name, *version;
	} built[] = {
		{ "go 1.19.8", 0, "Go", "1.19.8" },
		{ "go", 0, "Go", "" },
		{ "rust 1.70.0", 0, "Rust", "1.70.0" },
		{ "gold 1.0", 0, "native", "" },
		{ "rust 1.70.0", 0x030b02f0, "CPython", "3.11" }, /* embeds it */
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(built) / sizeof(built[0]); i++) {
		struct obs_process process = { .exe = "/usr/bin/x",
					       .comm = "x",
					       .toolchain = built[i].toolchain,
					       .python_hexversion = built[i].hexversion };
		struct report_runtime runtime =
			runtime_describe(runtime_of(&process), &process, arena);

		assert_string_equal(runtime.name, built[i].name);
		assert_string_equal(runtime.version, built[i].version);
	}
	arena_free(arena);
}

static void apis_carry_the_number_of_workers(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(vocabulary_api(RUNTIME_CPYTHON, MODEL_THREADS, 24, arena),
			    "concurrent.futures.ThreadPoolExecutor(max_workers=24)");
	assert_string_equal(vocabulary_api(RUNTIME_CPYTHON, MODEL_MULTIPROCESSING, 0, arena),
			    "concurrent.futures.ProcessPoolExecutor(max_workers=N)");
	assert_string_equal(vocabulary_api(RUNTIME_NATIVE, MODEL_THREADS, 2, arena),
			    "a pool of 2 threads (std::thread, pthreads, OpenMP with "
			    "OMP_NUM_THREADS=2)");
	assert_string_equal(vocabulary_api(RUNTIME_RUST, MODEL_THREADS, 3, arena),
			    "a pool of 3 threads (Rayon to compute, std::thread to wait)");
	assert_string_equal(vocabulary_api(RUNTIME_GO, MODEL_THREADS, 3, arena),
			    "3 goroutines (errgroup with SetLimit(3), GOMAXPROCS not below the "
			    "CPUs)");
	assert_null(vocabulary_api(RUNTIME_CPYTHON, MODEL_SYNC, 1, arena));
	assert_null(vocabulary_api(RUNTIME_PERL, MODEL_THREADS, 4, arena));
	arena_free(arena);
}

/* Four threads of which one at a time works, while the others wait for each other. */
static bool takes_turns(const char *toolchain)
{
	struct observation obs;
	struct report report;
	bool found;

	build_observation(&obs, 1000, 100, 0, 2);
	build_process(&obs, 10, "/usr/bin/client")->toolchain = toolchain;
	build_thread(&obs, 10, 10, 20);
	WAITED(&obs, 10, .reason = WAIT_SYNC, .ms = 980, .kind = OBJECT_FUTEX, .by_tree = true);
	for (int i = 11; i < 15; i++) {
		build_thread(&obs, 10, i, 20);
		WAITED(&obs, i, .reason = WAIT_NETWORK, .ms = 225, .cnt = 5, .quiet_ms = 225,
		       .kind = OBJECT_TCP, .direction = DIRECTION_OUTBOUND, .name = "10.0.0.5:443");
		WAITED(&obs, i, .reason = WAIT_SYNC, .ms = 755, .kind = OBJECT_FUTEX,
		       .by_tree = true);
	}
	build_report(&obs, &report);
	found = has_finding(&report, "workers-take-turns");
	report_release(&report);
	return found;
}

/* Go's pass goroutines on to each other, which says nothing of the goroutines. */
static void threads_of_go_do_not_take_turns(void **state)
{
	(void)state;
	assert_true(takes_turns(""));
	assert_false(takes_turns("go 1.19.8"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runtimes_are_told),
		cmocka_unit_test(toolchains_are_told),
		cmocka_unit_test(threads_of_go_do_not_take_turns),
		cmocka_unit_test(apis_carry_the_number_of_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
