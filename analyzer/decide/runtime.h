/* Which language runtime a process runs on, and what stands in the way of its threads. */
#ifndef CLASSIFY_RUNTIME_H
#define CLASSIFY_RUNTIME_H

#include "observation/observation.h"
#include "report.h"

struct arena;

/* Not stored: only the names in struct report_runtime are. */
enum runtime_id {
	RUNTIME_NATIVE,
	RUNTIME_SHELL, /* native, but its program is the commands it starts */
	RUNTIME_CPYTHON,
	RUNTIME_PYPY,
	RUNTIME_RUBY,
	RUNTIME_NODE,
	RUNTIME_JVM,
	RUNTIME_DOTNET,
	RUNTIME_PHP,
	RUNTIME_ERLANG,
	RUNTIME_PERL,
	RUNTIME_LUA,
	RUNTIME_GO,
	RUNTIME_RUST,
	RUNTIME_CNT,
};

/* The runtime of @process, told by its executable and the files it has mapped. */
enum runtime_id runtime_of(const struct obs_process *process);

/* Its name, version and global lock as the report has them; the version is a string of @arena. */
struct report_runtime runtime_describe(enum runtime_id id, const struct obs_process *process,
				       struct arena *arena);

/* What stands in the way of threads in runtime @id. */
enum global_lock runtime_global_lock(enum runtime_id id);

/* Whether the runtime starts helper threads of its own that mostly sleep (JIT, GC, pool). */
bool runtime_has_helper_threads(enum runtime_id id);

#endif
