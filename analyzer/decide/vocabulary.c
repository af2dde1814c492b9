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
	{ RUNTIME_NATIVE,
	  "a pool of {N} threads (std::thread, pthreads, OpenMP with OMP_NUM_THREADS={N})",
	  "an event loop (epoll, io_uring, libuv, Asio)", "fork() {N} workers" },
	{ RUNTIME_RUST, "a pool of {N} threads (Rayon to compute, std::thread to wait)",
	  "Tokio, with futures::join_all or a JoinSet", "{N} processes" },
	{ RUNTIME_GO, "{N} goroutines (errgroup with SetLimit({N}), GOMAXPROCS not below the CPUs)",
	  "a goroutine for each operation: the runtime waits for them by one loop",
	  "{N} processes" },
	{ RUNTIME_SHELL, "xargs -P {N}", "a client that does many at once (curl --parallel)",
	  "xargs -P {N}, make -j{N} or GNU parallel -j {N}" },
	{ RUNTIME_CPYTHON, "concurrent.futures.ThreadPoolExecutor(max_workers={N})",
	  "asyncio with an async client",
	  "concurrent.futures.ProcessPoolExecutor(max_workers={N})" },
	{ RUNTIME_PYPY, "concurrent.futures.ThreadPoolExecutor(max_workers={N})",
	  "asyncio with an async client",
	  "concurrent.futures.ProcessPoolExecutor(max_workers={N})" },
	{ RUNTIME_RUBY, "Thread.new, {N} of them (or Concurrent::FixedThreadPool.new({N}))",
	  "the async gem (Fiber.scheduler)",
	  "Process.fork or the parallel gem, {N} processes (or {N} Ractors, from Ruby 3 on)" },
	{ RUNTIME_NODE,
	  "worker_threads, {N} of them (UV_THREADPOOL_SIZE={N} for fs, dns and crypto)",
	  "promises: await Promise.all over non-blocking calls",
	  "worker_threads or cluster, {N} of them" },
	{ RUNTIME_JVM,
	  "Executors.newFixedThreadPool({N}), or ForkJoinPool({N}) to compute; to wait, virtual "
	  "threads where it is Java 21 or later",
	  "virtual threads where it is Java 21 or later, else CompletableFuture with an "
	  "asynchronous client",
	  "{N} JVM processes" },
	{ RUNTIME_DOTNET, "Parallel.ForEach with MaxDegreeOfParallelism={N}, or Task.Run",
	  "async/await with Task.WhenAll", "{N} processes" },
	{ RUNTIME_PHP, NULL, "curl_multi, or an event loop (Swoole, Amp, ReactPHP)",
	  "{N} workers (PHP-FPM, pcntl_fork, or the parallel extension)" },
	{ RUNTIME_ERLANG, "{N} processes of the runtime (spawn)",
	  "processes of the runtime (spawn)", "{N} nodes" },
	{ RUNTIME_PERL, NULL, "an event loop (IO::Async, Mojo::IOLoop)",
	  "fork, or Parallel::ForkManager with {N} workers" },
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
