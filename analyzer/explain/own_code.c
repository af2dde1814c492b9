/* What is common to all languages, and code compiled at run time; see own_code.h. */
#include "explain/own_code.h"
#include <string.h>
#include "arena.h"

bool begins_with_any(const char *text, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (!strncmp(text, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

/* V8's own: "Builtin:ArrayMap". They have no file either. */
static const char *const engine_parts[] = { "Builtin:", "BytecodeHandler:", "RegExp:", "Stub:",
					    "Handler:", "Bytecode",	    NULL };
static const char *const jvm_packages[] = { "java.",	"javax.",   "jdk.",	 "sun.",
					    "com.sun.", "java/",    "javax/",	 "jdk/",
					    "sun/",	"com/sun/", "Ljava/",	 "Ljavax/",
					    "Ljdk/",	"Lsun/",    "Lcom/sun/", NULL };

/* Of code without a file: a method of the JVM's has its class's name before it, perhaps after its
 * type; what has none is a stub of an engine. */
static enum code_owner method_owner(const char *function)
{
	const char *name = function + strcspn(function, "(");

	if (!strstr(function, "::") && !strpbrk(function, "(."))
		return CODE_MACHINERY;
	while (name > function && name[-1] != ' ')
		name--;
	return begins_with_any(name, jvm_packages) ? CODE_LIBRARY : CODE_OWN;
}

/* Code that was compiled at run time: of Node.js it has a file, of the JVM a class. */
/* Node.js's: what follows the last "/node_modules/", with the scope that it may have. */
static void set_node_package(struct code_facts *code, const char *file)
{
	static const char directory[] = "/node_modules/";
	const char *rest = NULL;

	for (const char *at = file; (at = strstr(at, directory));)
		rest = at += sizeof(directory) - 1;
	if (!rest)
		return;
	code->package = rest;
	code->package_len = strcspn(rest, "/");
	if (rest[0] == '@' && rest[code->package_len])
		code->package_len += 1 + strcspn(rest + code->package_len + 1, "/");
	code->is_installed = true;
}

static struct code_facts jit_code_facts(const struct obs_frame *frame)
{
	static const char *const internals[] = { "node:", "internal/", "native ", NULL };
	struct code_facts code = { .owner = CODE_LIBRARY };

	if (begins_with_any(frame->function, engine_parts)) {
		code.owner = CODE_MACHINERY;
	} else if (!frame->file[0]) {
		code.owner = method_owner(frame->function);
	} else if (!begins_with_any(frame->file, internals)) {
		set_node_package(&code, frame->file);
		code.owner = code.package ? CODE_LIBRARY : CODE_OWN;
	}
	return code;
}

struct code_facts code_facts(const struct obs_frame *frame, const struct executables *executables)
{
	switch (frame->language) {
	case LANGUAGE_KERNEL:
		return (struct code_facts){ .owner = CODE_KERNEL };
	case LANGUAGE_PYTHON:
		return python_code_facts(frame);
	case LANGUAGE_JIT:
		return jit_code_facts(frame);
	default:
		return native_code_facts(frame, executables);
	}
}

/* The C library's functions have names inside it that nobody calls them by: "__GI___libc_read",
 * "__clock_nanosleep", "read@@GLIBC_2.2.5". */
static const char *c_library_name(const char *function, struct arena *arena)
{
	static const char *const prefixes[] = { "__GI_", "__libc_", "__new_", "__" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(function, prefixes[i], strlen(prefixes[i])))
			function += strlen(prefixes[i]);
	return arena_printf(arena, "%.*s", (int)strcspn(function, "@"), function);
}

static bool is_c_library(const char *module)
{
	static const char *const names[] = { "libc.", "libc-", "libpthread", "libm.",
					     "libm-", "ld-",   NULL };
	const char *slash = strrchr(module, '/');

	return begins_with_any(slash ? slash + 1 : module, names);
}

const char *callee_name(const struct obs_frame *frame, const struct code_facts *code,
			struct arena *arena)
{
	if (frame->language == LANGUAGE_PYTHON)
		return python_callee_name(frame, code, arena);
	if (is_cpython_module(frame->module))
		return cpython_name(frame->function, arena);
	if (is_c_library(frame->module))
		return c_library_name(frame->function, arena);
	return arena_string(arena, frame->function);
}
