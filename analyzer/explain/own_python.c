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

/* What follows "3.11/" or "3.13t/" at @text, or NULL. */
static const char *after_version(const char *text)
{
	static const char digits[] = "0123456789";
	size_t len = strspn(text, digits);

	if (!len)
		return NULL;
	if (text[len] == '.')
		len += 1 + strspn(text + len + 1, digits);
	len += text[len] == 't';
	return text[len] == '/' ? text + len + 1 : NULL;
}

/* What follows "/python311.zip/" in @path, or NULL: any other archive is the program's. */
static const char *after_standard_zip(const char *path)
{
	static const char start[] = "/python", end[] = ".zip/";

	for (path = strstr(path, start); path; path = strstr(path, start)) {
		path += sizeof(start) - 1;
		path += strspn(path, "0123456789");
		if (isdigit((unsigned char)path[-1]) && !strncmp(path, end, sizeof(end) - 1))
			return path + sizeof(end) - 1;
	}
	return NULL;
}

/* What follows "/lib/python3.11/", "/lib64/python3.11/", "/python311.zip/" or PyPy's
 * "/lib-python/3/" and "/lib/pypy3.9/" in @path, or NULL. */
static const char *after_standard(const char *path)
{
	static const char *const roots[] = { "/lib/python", "/lib64/python", "/lib/pypy",
					     "/lib-python/" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		const char *found = strstr(path, roots[i]), *rest;

		for (; found; found = strstr(found, roots[i])) {
			found += strlen(roots[i]);
			rest = after_version(found);
			if (rest)
				return rest;
		}
	}
	return after_standard_zip(path);
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

/* Code that is no file's; "<string>" is what -c runs, and what was made up at run time. */
static struct code_facts code_without_file(const struct obs_frame *frame)
{
	static const char *const programs[] = { "<std", "<timeit-src>", "<python-input",
						"<ipython-input", NULL };
	struct code_facts code = { .owner = CODE_LIBRARY };

	if (!frame->file[0] || !strncmp(frame->file, "<frozen ", 8)) {
		code.owner = CODE_MACHINERY;
	} else if (begins_with_any(frame->file, programs)) {
		code.owner = CODE_OWN;
	} else {
		code.package = frame->file;
		code.package_len = strlen(frame->file);
	}
	return code;
}

struct code_facts python_code_facts(const struct obs_frame *frame)
{
	const char *rest = after_installed(frame->file);
	struct code_facts code = { .owner = CODE_LIBRARY, .is_installed = rest };

	if (!frame->file[0] || frame->file[0] == '<')
		return code_without_file(frame);
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

bool is_module_level(const struct obs_frame *frame)
{
	return frame->language == LANGUAGE_PYTHON && !strcmp(frame->function, "<module>");
}

bool is_installed_file(const char *file)
{
	return after_installed(file);
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
	{ "pysqlite_connection_", "sqlite3.Connection." },
	{ "pysqlite_cursor_", "sqlite3.Cursor." },
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
