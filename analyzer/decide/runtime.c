/* Runtimes by the base names of executable and mapped files. */
#include <ctype.h>
#include <string.h>
#include "arena.h"
#include "runtime.h"

struct runtime_row {
	enum runtime_id id;
	const char *name;
	enum global_lock lock;
	bool has_helper_threads;
	const char *exes[9];	/* a base name, with digits, dots and dashes after it */
	const char *modules[3]; /* how the base name of a mapped file begins */
};

static const struct runtime_row rows[] = {
	{ RUNTIME_CPYTHON, "CPython", GLOBAL_LOCK_GIL, false, { "python" }, { "libpython" } },
	{ RUNTIME_PYPY, "PyPy", GLOBAL_LOCK_GIL, false, { "pypy" }, { "libpypy" } },
	{ RUNTIME_RUBY, "Ruby", GLOBAL_LOCK_GVL, true, { "ruby" }, { "libruby" } },
	{ RUNTIME_NODE,
	  "Node.js",
	  GLOBAL_LOCK_EVENT_LOOP,
	  true,
	  { "node", "nodejs" },
	  { "libnode.so" } },
	{ RUNTIME_JVM, "JVM", GLOBAL_LOCK_NONE, true, { "java" }, { "libjvm.so" } },
	{ RUNTIME_DOTNET, ".NET", GLOBAL_LOCK_NONE, true, { "dotnet" }, { "libcoreclr.so" } },
	{ RUNTIME_ERLANG, "Erlang", GLOBAL_LOCK_NONE, true, { "beam.smp" }, { NULL } },
	{ RUNTIME_PHP,
	  "PHP",
	  GLOBAL_LOCK_NONE,
	  false,
	  { "php", "php-fpm", "php-cgi" },
	  { "libphp" } },
	{ RUNTIME_PERL, "Perl", GLOBAL_LOCK_NONE, false, { "perl" }, { "libperl.so" } },
	{ RUNTIME_LUA, "Lua", GLOBAL_LOCK_NONE, false, { "lua", "luajit" }, { "liblua" } },
	{ RUNTIME_GO, "Go", GLOBAL_LOCK_NONE, true, { NULL }, { NULL } },
	{ RUNTIME_RUST, "Rust", GLOBAL_LOCK_NONE, false, { NULL }, { NULL } },
	{ RUNTIME_SHELL,
	  "native",
	  GLOBAL_LOCK_NONE,
	  false,
	  { "sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "make", "xargs" },
	  { NULL } },
	{ RUNTIME_NATIVE, "native", GLOBAL_LOCK_NONE, false, { NULL }, { NULL } },
};

#define ROW_CNT	     (sizeof(rows) / sizeof(rows[0]))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "python3.11" and "node-18" are "python" and "node"; "nodemon" is not. */
static bool is_exe(const char *base, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(base, name, len))
		return false;
	return base[len + strspn(base + len, "0123456789.-")] == '\0' ||
	       !strcmp(base + len + strspn(base + len, "0123456789."), "t");
}

static bool matches_exe(const struct runtime_row *row, const char *base)
{
	for (size_t i = 0; i < ARRAY_LEN(row->exes) && row->exes[i]; i++)
		if (is_exe(base, row->exes[i]))
			return true;
	return false;
}

static bool matches_module(const struct runtime_row *row, const struct obs_process *process)
{
	for (size_t i = 0; i < ARRAY_LEN(row->modules) && row->modules[i]; i++)
		for (size_t m = 0; m < process->module_cnt; m++)
			if (!strncmp(base_name(process->modules[m]), row->modules[i],
				     strlen(row->modules[i])))
				return true;
	return false;
}

static bool is_built_with(const struct obs_process *process, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(process->toolchain, name, len) &&
	       (process->toolchain[len] == '\0' || process->toolchain[len] == ' ');
}

enum runtime_id runtime_of(const struct obs_process *process)
{
	const char *base = base_name(process->exe[0] ? process->exe : process->comm);

	if (process->python_hexversion)
		return RUNTIME_CPYTHON;
	for (size_t i = 0; i < ROW_CNT; i++)
		if (matches_exe(&rows[i], base))
			return rows[i].id;
	for (size_t i = 0; i < ROW_CNT; i++)
		if (matches_module(&rows[i], process))
			return rows[i].id;
	if (is_built_with(process, "go"))
		return RUNTIME_GO;
	return is_built_with(process, "rust") ? RUNTIME_RUST : RUNTIME_NATIVE;
}

static const struct runtime_row *row_of(enum runtime_id id)
{
	for (size_t i = 0; i < ROW_CNT; i++)
		if (rows[i].id == id)
			return &rows[i];
	return &rows[ROW_CNT - 1];
}

/* The digits and dots at the end of the executable's name: "python3.11" -> "3.11". */
static const char *version_in_name(const struct obs_process *process)
{
	const char *base = base_name(process->exe);

	while (*base && !isdigit((unsigned char)*base))
		base++;
	return base[strspn(base, "0123456789.")] ? "" : base;
}

static const char *version_of_toolchain(const struct obs_process *process)
{
	const char *blank = strchr(process->toolchain, ' ');

	return blank ? blank + 1 : "";
}

struct report_runtime runtime_describe(enum runtime_id id, const struct obs_process *process,
				       struct arena *arena)
{
	const struct runtime_row *row = row_of(id);
	struct report_runtime runtime = { .name = row->name,
					  .version = "",
					  .global_lock = row->lock };

	if (process && (id == RUNTIME_GO || id == RUNTIME_RUST))
		runtime.version = arena_string(arena, version_of_toolchain(process));
	else if (process && process->python_hexversion)
		runtime.version = arena_printf(arena, "%u.%u", process->python_hexversion >> 24,
					       process->python_hexversion >> 16 & 0xff);
	else if (process && id != RUNTIME_NATIVE && id != RUNTIME_SHELL)
		runtime.version = arena_string(arena, version_in_name(process));
	if (process && process->is_free_threaded)
		runtime.global_lock = GLOBAL_LOCK_NONE;
	return runtime;
}

enum global_lock runtime_global_lock(enum runtime_id id)
{
	return row_of(id)->lock;
}

bool runtime_has_helper_threads(enum runtime_id id)
{
	return row_of(id)->has_helper_threads;
}
