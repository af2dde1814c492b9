/* Machine code by the file that it is in and by the name of its function; see own_code.h. */
#include <ctype.h>
#include <string.h>
#include "explain/own_code.h"

static bool is_system_library(const struct executables *executables, const char *module)
{
	static const char *const directories[] = { "/lib/",
						   "/lib32/",
						   "/lib64/",
						   "/libx32/",
						   "/usr/lib",
						   "/usr/local/lib",
						   "/usr/local/cuda",
						   "/nix/store/",
						   "/gnu/store/",
						   "/snap/",
						   "/etc/alternatives/",
						   NULL };
	static const char *const parts[] = {
		"/site-packages/", "/dist-packages/", "/lib-dynload/", "/node_modules/",
		"/gems/",	   "/jre/",	      "/jvm/"
	};
	static const char *const names[] = { "libpython", "libjvm.",	"libruby",    "libnode.",
					     "libc.",	  "libc-",	"libm.",      "libstdc++",
					     "libgcc_s",  "libpthread", "libcoreclr", "ld-",
					     "libgo.",	  "libgomp.",	"libstd-",    NULL };
	const char *slash = strrchr(module, '/');

	if (module[0] != '/' || begins_with_any(module, directories) ||
	    begins_with_any(slash + 1, names))
		return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(module, parts[i]))
			return true;
	return is_beside_interpreter(executables, module);
}

/* Where compilers and package managers put the source of what they bring along. */
static bool is_library_source(const char *file)
{
	static const char *const roots[] = {
		"/usr/include/",      "/usr/local/include/", "/rustc/", "/usr/lib/",
		"/usr/local/go/src/", "/build/glibc",	     NULL
	};
	static const char *const parts[] = { "/include/c++/",	 "/.cargo/registry/",
					     "/.cargo/git/",	 "/cargo/registry/src/",
					     "/pkg/mod/",	 "/lib/rustlib/",
					     "/library/std/src", "/library/core/src",
					     "/site-packages/",	 "/dist-packages/" };

	if (begins_with_any(file, roots))
		return true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(file, parts[i]))
			return true;
	return false;
}

bool is_cpython_module(const char *module)
{
	static const char *const names[] = { "python", "libpython", NULL };
	const char *slash = strrchr(module, '/');

	return strstr(module, "/lib-dynload/") ||
	       begins_with_any(slash ? slash + 1 : module, names);
}

/* How CPython and V8 get from one call to the next, and what every operation comes down to. */
static bool is_machinery(const struct obs_frame *frame)
{
	static const char v8[] = "Builtins_";
	const char *function = frame->function;
	static const char *const prefixes[] = {
		"Py",		"_Py",	     "cfunction_", "method_",	   "vectorcall_",
		"slot_",	"object_",   "type_",	   "subtype_",	   "wrap",
		"classmethod_", "property_", "partial_",   "builtin_exec", "builtin___import__",
		"import_",	"long_",     "float_",	   "frame_",	   "func_",
		"gen_",		"gc_",	     "tuple",	   "call_",	   "do_call",
		"range",	"bounded_",  "x_",	   "binary_op",	   "l_",
		"k_",		"pymalloc_", NULL
	};

	return !strncmp(function, v8, sizeof(v8) - 1) ||
	       (is_cpython_module(frame->module) && begins_with_any(function, prefixes));
}

/* Of a C library that is linked into the program. */
static const char *const c_calls[] = { "read",
				       "write",
				       "recv",
				       "send",
				       "recvfrom",
				       "sendto",
				       "recvmsg",
				       "sendmsg",
				       "connect",
				       "accept",
				       "poll",
				       "ppoll",
				       "select",
				       "pselect",
				       "epoll_wait",
				       "epoll_pwait",
				       "nanosleep",
				       "clock_nanosleep",
				       "usleep",
				       "sleep",
				       "fsync",
				       "fdatasync",
				       "open",
				       "open64",
				       "openat",
				       "close",
				       "pread",
				       "pread64",
				       "pwrite",
				       "pwrite64",
				       "wait4",
				       "waitpid",
				       "waitid",
				       "memcpy",
				       "memmove",
				       "memset",
				       "memcmp",
				       "malloc",
				       "free",
				       "calloc",
				       "realloc",
				       "fread",
				       "fwrite",
				       "fgets",
				       "printf",
				       "pthread_mutex_lock",
				       "pthread_cond_wait",
				       "pthread_cond_timedwait",
				       "pthread_join",
				       "sem_wait",
				       "syscall",
				       "futex",
				       "qsort",
				       "start_thread" };

/* Names that are reserved to the implementation (C11, 7.1.3), and those calls: without debug
 * information nothing else tells them. */
static bool is_linked_in(const struct obs_frame *frame)
{
	const char *function = frame->function;

	if (function[0] == '_' && (function[1] == '_' || isupper((unsigned char)function[1])))
		return true;
	for (size_t i = 0; !frame->file[0] && i < sizeof(c_calls) / sizeof(c_calls[0]); i++)
		if (!strcmp(function, c_calls[i]))
			return true;
	return false;
}

/* What calls main() and a thread's function. */
static bool is_entry(const char *function)
{
	static const char *const names[] = { "_start",	     "_dl_start_user", "clone",
					     "clone3",	     "__clone",	       "__clone3",
					     "start_thread", "thread_start",   "_rt0_amd64_linux" };
	static const char libc_start[] = "__libc_start_";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(function, names[i]))
			return true;
	return !strncmp(function, libc_start, sizeof(libc_start) - 1);
}

static enum code_owner library_owner(const struct obs_frame *frame)
{
	return is_machinery(frame) ? CODE_MACHINERY : CODE_LIBRARY;
}

struct code_facts native_code_facts(const struct obs_frame *frame,
				    const struct executables *executables)
{
	const struct executable *executable = find_executable(executables, frame->module);
	struct code_facts code = { .is_executable = executable };

	code.is_entry = is_entry(frame->function);
	if (code.is_entry)
		code.owner = CODE_MACHINERY;
	else if (executable && executable->is_interpreter)
		code.owner = library_owner(frame);
	else if (!executable && is_system_library(executables, frame->module))
		code.owner = library_owner(frame);
	else if (is_library_source(frame->file) || is_language_runtime(frame))
		code.owner = CODE_LIBRARY;
	else if (executable && is_linked_in(frame))
		code.owner = CODE_LIBRARY;
	else
		code.owner = CODE_OWN;
	return code;
}
