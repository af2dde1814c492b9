/* The table of APIs: one row per runtime. {N} stands for the number of workers. */
#include <string.h>
#include "arena.h"
#include "decide/vocabulary.h"

struct vocabulary_row {
	enum runtime_id runtime;
	const char *threads;
	const char *async;
	const char *processes;
};

static const struct vocabulary_row rows[] = {
	{ RUNTIME_NATIVE, "a pool of {N} threads (pthreads, OpenMP with OMP_NUM_THREADS={N})",
	  "an event loop (epoll, io_uring, libuv)", "fork() {N} workers" },
	{ RUNTIME_SHELL, "xargs -P {N}", "a client that does many at once (curl --parallel)",
	  "xargs -P {N}, or make -j{N}" },
	{ RUNTIME_CPYTHON, "concurrent.futures.ThreadPoolExecutor(max_workers={N})",
	  "asyncio with an async client",
	  "concurrent.futures.ProcessPoolExecutor(max_workers={N})" },
	{ RUNTIME_PYPY, "concurrent.futures.ThreadPoolExecutor(max_workers={N})",
	  "asyncio with an async client",
	  "concurrent.futures.ProcessPoolExecutor(max_workers={N})" },
	{ RUNTIME_RUBY, "Thread.new, {N} of them (or a Concurrent::FixedThreadPool)",
	  "the async gem (Fiber.scheduler)", "Process.fork or the parallel gem, {N} processes" },
	{ RUNTIME_NODE, "worker_threads, {N} of them",
	  "promises: await Promise.all over non-blocking calls",
	  "worker_threads or cluster, {N} of them" },
	{ RUNTIME_JVM, "Executors.newFixedThreadPool({N}) or virtual threads",
	  "virtual threads or CompletableFuture", "{N} JVM processes" },
	{ RUNTIME_DOTNET, "Parallel.ForEach with MaxDegreeOfParallelism={N}",
	  "async/await with Task.WhenAll", "{N} processes" },
	{ RUNTIME_PHP, NULL, "an event loop (ReactPHP, Amp) or curl_multi",
	  "{N} workers (PHP-FPM, pcntl_fork)" },
	{ RUNTIME_ERLANG, "{N} processes of the runtime", "processes of the runtime", "{N} nodes" },
	{ RUNTIME_PERL, NULL, "an event loop (IO::Async, Mojo::IOLoop)",
	  "Parallel::ForkManager with {N} workers" },
	{ RUNTIME_LUA, NULL, "an event loop (luv, cqueues)", "{N} processes" },
};

static const char *fill(const char *template, uint32_t workers, struct arena *arena)
{
	const char *text = arena_string(arena, template), *hole;

	while ((hole = strstr(text, "{N}"))) {
		if (workers)
			text = arena_printf(arena, "%.*s%u%s", (int)(hole - text), text, workers,
					    hole + 3);
		else
			text = arena_printf(arena, "%.*sN%s", (int)(hole - text), text, hole + 3);
	}
	return text;
}

const char *vocabulary_api(enum runtime_id runtime, enum concurrency_model model, uint32_t workers,
			   struct arena *arena)
{
	const struct vocabulary_row *row = &rows[0];
	const char *template = NULL;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].runtime == runtime)
			row = &rows[i];
	if (model == MODEL_THREADS)
		template = row->threads;
	else if (model == MODEL_ASYNC)
		template = row->async;
	else if (model == MODEL_MULTIPROCESSING)
		template = row->processes;
	return template ? fill(template, workers, arena) : NULL;
}
