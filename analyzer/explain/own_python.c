/* Python code by the place of its file; see own_code.h. */
#include <ctype.h>
#include <string.h>
#include "arena.h"
#include "explain/own_code.h"

/* What follows the last of such directories in @path, or NULL. */
static const char *after_installed(const char *path)
{
	static const char *const directories[] = { "/site-packages/", "/dist-packages/" };
	const char *rest = NULL, *found;

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		for (found = path; (found = strstr(found, directories[i])); rest = found)
			found += strlen(directories[i]);
	return rest;
}

/* What follows "/lib/python3.11/", "/lib64/python3.11/", "/python311.zip/" or PyPy's
 * "/lib-python/3/" and "/lib/pypy3.9/" in @path, or NULL. */
static const char *after_standard(const char *path)
{
	static const char *const roots[] = { "/lib/python", "/lib64/python", "/lib/pypy",
					     "/lib-python/" };
	const char *found;

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		found = strstr(path, roots[i]);
		if (!found || !isdigit((unsigned char)found[strlen(roots[i])]))
			continue;
		found = strchr(found + strlen(roots[i]), '/');
		if (found)
			return found + 1;
	}
	found = strstr(path, ".zip/");
	return found && strstr(path, "/python") ? found + strlen(".zip/") : NULL;
}

/* The first part of a path within a directory of packages, without ".py". */
static size_t package_len(const char *rest)
{
	size_t len = strcspn(rest, "/");

	return len > 3 && !rest[len] && !strcmp(rest + len - 3, ".py") ? len - 3 : len;
}

/* Those that start threads, processes and modules for others, and run loops: never a program. */
static bool is_starter(const char *rest, size_t len)
{
	static const char *const names[] = { "threading", "concurrent", "multiprocessing",
					     "asyncio",	  "selectors",	"runpy",
					     "importlib", "contextlib", "functools" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && !strncmp(rest, names[i], len))
			return true;
	return false;
}

struct code_facts python_code_facts(const struct obs_frame *frame)
{
	const char *rest = after_installed(frame->file);
	struct code_facts code = { .owner = CODE_LIBRARY, .is_installed = rest };

	if (!frame->file[0]) {
		code.owner = CODE_MACHINERY;
		return code;
	}
	if (frame->file[0] == '<') {
		/* "<frozen importlib._bootstrap>"; "<string>" is what -c runs, and what was made
		 * up at run time. */
		if (!strncmp(frame->file, "<frozen ", 8)) {
			code.owner = CODE_MACHINERY;
			return code;
		}
		code.package = frame->file;
		code.package_len = strlen(frame->file);
		return code;
	}
	if (!rest)
		rest = after_standard(frame->file);
	if (!rest) {
		code.owner = CODE_OWN;
		return code;
	}
	code.package_len = package_len(rest);
	if (code.is_installed || !is_starter(rest, code.package_len))
		code.package = rest;
	return code;
}

static bool is_module_level(const struct obs_frame *frame)
{
	return frame->language == LANGUAGE_PYTHON && !strcmp(frame->function, "<module>");
}

/* The length of "/usr" in "/usr/bin/tool"; -1 for a file in another directory. */
static ssize_t bin_prefix_len(const char *file)
{
	static const char bin[] = "/bin";
	const char *name = strrchr(file, '/');
	ssize_t len = name ? name - file - (ssize_t)strlen(bin) : -1;

	return len >= 0 && !strncmp(file + len, bin, strlen(bin)) ? len : -1;
}

bool may_be_launcher(const struct obs_frame *frame)
{
	return is_module_level(frame) && bin_prefix_len(frame->file) >= 0;
}

bool is_launcher(const struct obs_frame *outer, const struct obs_frame *inner)
{
	ssize_t len = bin_prefix_len(outer->file);

	return may_be_launcher(outer) && inner->language == LANGUAGE_PYTHON &&
	       !strncmp(inner->file, outer->file, (size_t)len) &&
	       !strncmp(inner->file + len, "/lib", 4) && after_installed(inner->file);
}

/* "urllib/request.py" is "urllib.request", "json/__init__.py" is "json". */
static const char *dotted(const char *rest, struct arena *arena)
{
	static const char init[] = "/__init__.py";
	size_t len = strlen(rest);
	char *name;

	if (len > 3 && !strcmp(rest + len - 3, ".py"))
		len -= 3;
	if (strlen(rest) > strlen(init) && !strcmp(rest + strlen(rest) - strlen(init), init))
		len = strlen(rest) - strlen(init);
	name = arena_array(arena, len + 1, 1);
	for (size_t i = 0; name && i < len; i++)
		name[i] = rest[i];
	for (size_t i = 0; name && i < len; i++)
		if (name[i] == '/')
			name[i] = '.';
	return name ? name : "";
}

/* Of an installed package people know the name that they import, not the file that has it. */
const char *python_callee_name(const struct obs_frame *frame, const struct code_facts *code,
			       struct arena *arena)
{
	const char *rest = after_installed(frame->file);
	const char *module;

	if (!frame->function[0])
		return "";
	if (rest)
		module = arena_printf(arena, "%.*s", (int)package_len(rest), rest);
	else if ((rest = after_standard(frame->file)))
		module = dotted(rest, arena);
	else
		return arena_string(arena, code->owner == CODE_OWN ? frame->function : "");
	if (is_module_level(frame))
		return arena_printf(arena, "import %s", module);
	return arena_printf(arena, "%s.%s", module, frame->function);
}

/* How CPython's source names the functions of its modules and types in C. */
static const struct {
	const char *prefix;
	const char *name;
} c_names[] = {
	{ "time_", "time." },
	{ "pysleep", "time.sleep" },
	{ "sock_", "socket." },
	{ "socket_", "socket." },
	{ "os_", "os." },
	{ "posix_", "os." },
	{ "builtin_", "" },
	{ "select_epoll_", "epoll." },
	{ "select_poll_", "poll." },
	{ "select_", "select." },
	{ "_ssl__SSLSocket_", "SSLSocket." },
	{ "_io_FileIO_", "FileIO." },
	{ "_io__Buffered_", "BufferedReader." },
	{ "_queue_SimpleQueue_", "SimpleQueue." },
	{ "lock_PyThread_acquire_lock", "Lock.acquire" },
	{ "rlock_acquire", "RLock.acquire" },
	{ "list_", "list." },
	{ "dict_", "dict." },
	{ "set_", "set." },
	{ "bytes_", "bytes." },
	{ "unicode_", "str." },
	{ "zlib_", "zlib." },
	{ "_hashlib_", "hashlib." },
	{ "_sqlite3_", "sqlite3." },
};

const char *cpython_name(const char *function, struct arena *arena)
{
	static const char impl[] = "_impl";
	size_t len = strlen(function), impl_len = strlen(impl);

	if (len > impl_len && !strcmp(function + len - impl_len, impl))
		len -= impl_len;
	for (size_t i = 0; i < sizeof(c_names) / sizeof(c_names[0]); i++) {
		size_t prefix_len = strlen(c_names[i].prefix);

		if (len < prefix_len || strncmp(function, c_names[i].prefix, prefix_len))
			continue;
		/* "unicode_new" makes a str. */
		if (len - prefix_len == 3 && !strncmp(function + prefix_len, "new", 3))
			return arena_printf(arena, "%.*s", (int)strcspn(c_names[i].name, "."),
					    c_names[i].name);
		return arena_printf(arena, "%s%.*s", c_names[i].name, (int)(len - prefix_len),
				    function + prefix_len);
	}
	return arena_printf(arena, "%.*s", (int)len, function);
}
