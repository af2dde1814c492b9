/* The table of notes, in the order in which they matter; see notes.h. */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "decide/libraries.h"
#include "decide/notes.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

/* Sources and reasons: docs/rules.md, "Notes". */
#define NOTES_MAX	 3
#define FAR_END_BUSY	 0.25 /* of a CPU */
#define FAR_END_MIN_NS	 100000000ULL
#define DATA_MIN_BYTES	 (64ULL << 20)
#define GIL_FREE_SHARE	 0.20
#define HTTP_POOL_SIZE	 10
#define DATABASE_WORKERS 10
#define MANY_DESCRIPTORS 500
#define FREE_THREADED	 0x030d0000
#define MAIN_OBJECT_PART 0.25 /* of the waits for the network */

struct note_context {
	const struct facts *facts;
	const struct model *model;
	const struct report *report;
	const struct report_recommendation *advice;
	const struct obs_process *process; /* the one that it is about; NULL: commands, or none */
	enum runtime_id runtime;
	bool overlaps_waits; /* the change is for what it waits for */
	bool uses_cpus;	     /* the change is for what it computes */
};

static bool changes_to(const struct note_context *ctx, enum concurrency_model model)
{
	return ctx->advice->action == ACTION_CHANGE && ctx->advice->model == model;
}

static bool is_disk_bound(const struct note_context *ctx)
{
	const char *subclass = ctx->report->verdict.subclass;

	return subclass && (!strcmp(subclass, "disk") || !strcmp(subclass, "paging"));
}

/* --- the far end --- */

static const struct obs_far_end *busiest_far_end(const struct observation *obs, double *cpus)
{
	const struct obs_far_end *busiest = NULL;

	*cpus = 0;
	for (size_t i = 0; i < obs->far_end_cnt; i++) {
		const struct obs_far_end *end = &obs->far_ends[i];
		uint64_t watched_ns = obs->duration_ns - end->since_ns;

		if (end->since_ns > obs->duration_ns || watched_ns < FAR_END_MIN_NS)
			continue;
		if ((double)end->cpu_ns / (double)watched_ns > *cpus) {
			*cpus = (double)end->cpu_ns / (double)watched_ns;
			busiest = end;
		}
	}
	return busiest;
}

static const char *far_end_computes_here(const struct note_context *ctx)
{
	const struct obs_far_end *end;
	double cpus;

	if (ctx->advice->action != ACTION_CHANGE || !ctx->overlaps_waits)
		return NULL;
	end = busiest_far_end(ctx->facts->obs, &cpus);
	if (!end || cpus < FAR_END_BUSY)
		return NULL;
	return arena_printf(
		ctx->facts->arena,
		"%s, which it waits for, took %.2f of a CPU on this host: asked more at "
		"once it takes more, up to what is left of the %u CPUs.",
		end->name, cpus, ctx->report->host.cpus_online);
}

/* The peer that it waits for most, of those in the network. */
static const struct report_object *main_peer(const struct note_context *ctx)
{
	const struct report_thread_time *time = &ctx->report->thread_time;

	for (size_t i = 0; i < time->wait_cnt; i++) {
		const struct report_wait *wait = &time->waits[i];

		for (size_t j = 0; j < wait->object_cnt; j++) {
			const struct report_object *object = &wait->objects[j];

			if (wait->reason != WAIT_NETWORK && object->kind != OBJECT_UNIX)
				continue;
			if (object->role == WAITS_FOR_RESULT && !object->is_rest &&
			    (double)object->wait_ns >= MAIN_OBJECT_PART * (double)wait->wait_ns)
				return object;
		}
	}
	return NULL;
}

static unsigned long port_of(const struct report_object *object)
{
	const char *colon = strrchr(object->name, ':');

	return object->kind == OBJECT_TCP && colon ? strtoul(colon + 1, NULL, 10) : 0;
}

static const struct database {
	unsigned port;
	const char *program; /* how its name begins */
	const char *socket;  /* a part of the path of its unix socket */
	const char *name;
	unsigned connections; /* its default of max_connections */
} databases[] = {
	{ 5432, "postgres[", ".s.PGSQL.", "PostgreSQL", 100 },
	{ 3306, "mysqld[", "mysqld.sock", "MySQL", 151 },
	{ 3306, "mariadbd[", "mysqld.sock", "MariaDB", 151 },
};

static const char *database_connections(const struct note_context *ctx)
{
	const struct report_object *peer = main_peer(ctx);

	if (!peer || ctx->advice->action != ACTION_CHANGE ||
	    (ctx->advice->workers && ctx->advice->workers < DATABASE_WORKERS))
		return NULL;
	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
		const struct database *database = &databases[i];

		if (port_of(peer) != database->port && !strstr(peer->name, database->socket) &&
		    (!peer->far_end ||
		     strncmp(peer->far_end, database->program, strlen(database->program))))
			continue;
		return arena_printf(ctx->facts->arena,
				    "Each operation in flight takes a connection of its own: %s "
				    "allows %u unless told otherwise (max_connections), so keep "
				    "them in a pool.",
				    database->name, database->connections);
	}
	return NULL;
}

static bool is_http_port(unsigned long port)
{
	return port == 80 || port == 443 || port == 8000 || port == 8080 || port == 8443;
}

static const char *http_pool(const struct note_context *ctx)
{
	const struct report_object *peer = main_peer(ctx);

	if (!changes_to(ctx, MODEL_THREADS) || ctx->runtime != RUNTIME_CPYTHON || !peer ||
	    !is_http_port(port_of(peer)) || ctx->advice->workers <= HTTP_POOL_SIZE)
		return NULL;
	return arena_printf(ctx->facts->arena,
			    "With requests or urllib3, raise what they keep open to one host from "
			    "%d to %u connections (pool_maxsize), or the rest are made anew each "
			    "time.",
			    HTTP_POOL_SIZE, ctx->advice->workers);
}

static const char *many_descriptors(const struct note_context *ctx)
{
	uint32_t planned = ctx->facts->options->planned_concurrency;

	if (ctx->advice->action != ACTION_CHANGE || !ctx->overlaps_waits ||
	    (planned < MANY_DESCRIPTORS && ctx->advice->workers < MANY_DESCRIPTORS))
		return NULL;
	return "Each connection in flight takes a descriptor: raise ulimit -n, which is often "
	       "1024, and bound what is in flight at once by a semaphore.";
}

/* --- what has to be rewritten --- */

static bool has_blocked_loop(const struct note_context *ctx)
{
	for (size_t i = 0; i < ctx->report->finding_cnt; i++)
		if (!strcmp(ctx->report->findings[i].id, "blocking-call-on-event-loop"))
			return true;
	return false;
}

static const char *generic_replacements(const struct note_context *ctx)
{
	switch (ctx->runtime) {
	case RUNTIME_CPYTHON:
	case RUNTIME_PYPY:
		return "Every call that blocks has to be replaced: requests by aiohttp or httpx, "
		       "time.sleep by asyncio.sleep; what can't be goes to asyncio.to_thread().";
	case RUNTIME_NODE:
		return "Every call that blocks has to be replaced by its asynchronous form: those "
		       "whose name ends in Sync, and execSync above all.";
	default:
		return "Every call that blocks has to be replaced by one that the loop can wait "
		       "for.";
	}
}

static const char *libraries_to_replace(const struct note_context *ctx)
{
	const struct library *found[LIBRARIES_FOUND_MAX];
	struct arena *arena = ctx->facts->arena;
	size_t cnt;

	if (!changes_to(ctx, MODEL_ASYNC) && !has_blocked_loop(ctx))
		return NULL;
	cnt = ctx->process ? libraries_that_block(ctx->runtime, ctx->process, found) : 0;
	if (!cnt)
		return changes_to(ctx, MODEL_ASYNC) ? generic_replacements(ctx) : NULL;
	if (cnt == 1)
		return arena_printf(arena,
				    "Every call that blocks has to be replaced: it has %s loaded, "
				    "which blocks the loop; use %s.",
				    found[0]->name, found[0]->instead);
	return arena_printf(arena,
			    "Every call that blocks has to be replaced: it has %s loaded (use %s) "
			    "and %s (use %s).",
			    found[0]->name, found[0]->instead, found[1]->name, found[1]->instead);
}

static const struct report_prediction *predicted(const struct note_context *ctx,
						 enum concurrency_model model)
{
	for (size_t i = 0; i < ctx->report->prediction_cnt; i++)
		if (ctx->report->predictions[i].model == model)
			return &ctx->report->predictions[i];
	return NULL;
}

static const char *threads_first(const struct note_context *ctx)
{
	const struct report_prediction *threads = predicted(ctx, MODEL_THREADS);

	if (!changes_to(ctx, MODEL_ASYNC) || ctx->runtime == RUNTIME_NODE || !threads ||
	    threads->speedup_low <= 1)
		return NULL;
	return arena_printf(ctx->facts->arena,
			    "A pool of %u threads keeps the calls as they are, which is less to "
			    "rewrite, and is expected to give %.3g times the speed.",
			    threads->workers, threads->speedup_expected);
}

static const char *keeps_its_calls(const struct note_context *ctx)
{
	if (!changes_to(ctx, MODEL_THREADS) || !ctx->overlaps_waits || !ctx->process ||
	    ctx->model->is_command_sequence || is_disk_bound(ctx) ||
	    (ctx->runtime != RUNTIME_CPYTHON && ctx->runtime != RUNTIME_RUBY))
		return NULL;
	return "Threads take its blocking calls and callbacks as they are; for an event loop each "
	       "of them would have to be rewritten.";
}

/* --- disks --- */

static const char *queue_of_reads(const struct note_context *ctx)
{
	if (ctx->advice->action != ACTION_CHANGE || !is_disk_bound(ctx))
		return NULL;
	if (ctx->runtime == RUNTIME_NODE)
		return arena_printf(
			ctx->facts->arena,
			"Node.js reads files with 4 threads that dns.lookup, crypto and "
			"zlib share: UV_THREADPOOL_SIZE=%u makes them more.",
			ctx->advice->workers ? ctx->advice->workers : 8);
	if ((ctx->runtime != RUNTIME_NATIVE && ctx->runtime != RUNTIME_RUST) || !ctx->process)
		return NULL;
	return "Native code can also keep several reads in the disk's queue by io_uring, or ask "
	       "ahead for them by posix_fadvise(POSIX_FADV_WILLNEED).";
}

/* --- processes --- */

static bool is_python(const struct note_context *ctx)
{
	return ctx->runtime == RUNTIME_CPYTHON || ctx->runtime == RUNTIME_PYPY;
}

static const char *data_to_share(const struct note_context *ctx)
{
	uint64_t bytes = ctx->process ? ctx->process->private_bytes : 0;
	const char *how = "load what all of it read before the fork, or map it from a file";

	if (!changes_to(ctx, MODEL_MULTIPROCESSING) || bytes < DATA_MIN_BYTES)
		return NULL;
	if (is_python(ctx))
		how = "load what is only read before the fork, map it from a file, or put it into "
		      "multiprocessing.shared_memory";
	if (ctx->runtime == RUNTIME_NODE)
		how = "put what is only read into a SharedArrayBuffer";
	return arena_printf(
		ctx->facts->arena,
		"It has %.0f MiB of its own, which each of %u processes may take again: "
		"%s.",
		(double)bytes / (1 << 20), ctx->advice->workers, how);
}

static const char *fork_with_threads(const struct note_context *ctx)
{
	size_t cnt = 0;

	if (!changes_to(ctx, MODEL_MULTIPROCESSING) || !is_python(ctx) || !ctx->process)
		return NULL;
	for (size_t i = 0; i < ctx->facts->obs->thread_cnt; i++)
		cnt += ctx->facts->obs->threads[i].pid == ctx->process->pid;
	if (cnt < 2)
		return NULL;
	return "It has threads already, and a fork copies the locks that they hold just then: "
	       "start the workers before them, or with the spawn or forkserver method "
	       "(mp_context); Python 3.12 and later warn of it.";
}

static const char *computes_without_gil(const struct note_context *ctx)
{
	uint64_t sample_cnt = 0, held_cnt = 0;
	const struct library *library;
	double free_share;

	if (!changes_to(ctx, MODEL_MULTIPROCESSING) || !ctx->uses_cpus || !ctx->process ||
	    ctx->runtime != RUNTIME_CPYTHON)
		return NULL;
	for (size_t i = 0; i < ctx->facts->obs->thread_cnt; i++) {
		const struct obs_thread *thread = &ctx->facts->obs->threads[i];

		if (thread->pid != ctx->process->pid)
			continue;
		sample_cnt += thread->gil_sample_cnt;
		held_cnt += thread->gil_held_sample_cnt;
	}
	library = library_without_gil(ctx->process);
	if (sample_cnt < GIL_SAMPLES_MIN)
		return library ? arena_printf(ctx->facts->arena,
					      "It has %s loaded, whose long calls let go of the "
					      "GIL: where they take the time, threads do as well, "
					      "and copy nothing.",
					      library->name)
			       : NULL;
	free_share = 1 - (double)held_cnt / (double)sample_cnt;
	if (free_share < GIL_FREE_SHARE)
		return NULL;
	return arena_printf(ctx->facts->arena,
			    "%.0f%% of its computing lets go of the GIL%s%s%s: threads can do that "
			    "part at the same time, and copy nothing.",
			    pct(free_share), library ? " (it has " : "",
			    library ? library->name : "", library ? " loaded)" : "");
}

static const char *without_a_gil(const struct note_context *ctx)
{
	if (!changes_to(ctx, MODEL_MULTIPROCESSING) || !ctx->uses_cpus || !ctx->process ||
	    ctx->runtime != RUNTIME_CPYTHON || ctx->process->is_free_threaded ||
	    ctx->process->python_hexversion < FREE_THREADED)
		return NULL;
	return arena_printf(
		ctx->facts->arena,
		"The free-threaded build (python%u.%ut) computes in threads at the same "
		"time, without copies, if its extension modules support it.",
		ctx->process->python_hexversion >> 24,
		ctx->process->python_hexversion >> 16 & 0xff);
}

static const char *arguments_are_copied(const struct note_context *ctx)
{
	if (!changes_to(ctx, MODEL_MULTIPROCESSING) || !is_python(ctx) || !ctx->process)
		return NULL;
	return "Arguments and results are pickled and copied: hand over little (a path, a range), "
	       "and several items at once (chunksize).";
}

static const char *more_than_cpus(const struct note_context *ctx)
{
	uint32_t cpus = usable_cpus(ctx->facts);

	if (ctx->advice->action != ACTION_CHANGE || ctx->advice->workers <= cpus ||
	    ctx->advice->model != MODEL_MULTIPROCESSING)
		return NULL;
	return arena_printf(ctx->facts->arena,
			    "More workers than its %u CPUs are for the waiting: start no more "
			    "where a worker mostly computes.",
			    cpus);
}

/* Those of other models are skipped, so the order matters within a model only. */
static const char *(*const rows[])(const struct note_context *ctx) = {
	libraries_to_replace, far_end_computes_here, threads_first,	   data_to_share,
	fork_with_threads,    computes_without_gil,  database_connections, http_pool,
	many_descriptors,     queue_of_reads,	     without_a_gil,	   more_than_cpus,
	arguments_are_copied, keeps_its_calls,
};

void notes_report(const struct facts *facts, const struct model *model, struct report *report)
{
	struct report_recommendation *advice = &report->recommendation;
	bool is_commands = model->is_command_sequence && model_runs_commands(facts);
	struct note_context ctx = { .facts = facts,
				    .model = model,
				    .report = report,
				    .advice = advice,
				    .runtime = RUNTIME_SHELL };

	if (facts->dominant && !is_commands) {
		ctx.process = facts->dominant->process;
		ctx.runtime = facts->dominant->runtime;
	}
	ctx.uses_cpus = report->verdict.verdict_class == CLASS_CPU_BOUND;
	ctx.overlaps_waits = !ctx.uses_cpus;
	advice->notes = arena_array(facts->arena, NOTES_MAX, sizeof(*advice->notes));
	for (size_t i = 0; advice->notes && i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *note = advice->note_cnt < NOTES_MAX ? rows[i](&ctx) : NULL;

		if (note)
			advice->notes[advice->note_cnt++] = note;
	}
}
