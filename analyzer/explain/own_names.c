/* Functions of the runtimes of C++, Rust and Go, by their names; see own_code.h. */
#include <string.h>
#include "explain/own_code.h"

/* Where the name itself begins in "void std::sort<int*>(int*, int*)": after a type, which is there
 * for templates only. */
static const char *after_type(const char *function)
{
	const char *name = function;
	int depth = 0;

	for (const char *at = function; *at; at++) {
		if (*at == '<')
			depth++;
		else if (*at == '>')
			depth -= depth > 0;
		else if (*at == '(' && !depth)
			break;
		else if (*at == ' ' && !depth)
			name = at + 1;
	}
	return name;
}

static bool is_cpp_runtime(const char *function)
{
	static const char *const prefixes[] = { "std::",	"__gnu_cxx::",	   "__cxxabiv1::",
						"operator new", "operator delete", NULL };

	return begins_with_any(function, prefixes) ||
	       begins_with_any(after_type(function), prefixes);
}

/* A path of Rust, perhaps after "&mut ", "*const ", "[" or "dyn ". */
static const char *rust_path(const char *type)
{
	static const char *const words[] = { "&",    "mut ", "*",     "const ", "[",
					     "dyn ", "(",    "impl ", "'_ " };
	bool goes_on = true;

	while (goes_on) {
		goes_on = false;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			size_t len = strlen(words[i]);

			if (strncmp(type, words[i], len))
				continue;
			type += len;
			goes_on = true;
		}
	}
	return type;
}

static const char *const rust_crates[] = {
	"std::",  "core::",	  "alloc::",	 "hashbrown::", "compiler_builtins::",
	"__rust", "std_detect::", "backtrace::", NULL
};

/* Symbols of its own, such as rust_begin_unwind; a crate may be called like one. */
static bool is_rust_symbol(const char *function)
{
	static const char start[] = "rust_";

	return !strncmp(function, start, sizeof(start) - 1) && !strstr(function, "::");
}

/* "<T as core::fmt::Display>::fmt" is the crate's that T is of, or the trait's if that has none:
 * a parameter, or "u8". */
static bool is_rust_runtime(const char *function)
{
	const char *type, *as, *end;

	if (function[0] != '<')
		return is_rust_symbol(function) || begins_with_any(function, rust_crates);
	type = rust_path(function + 1);
	as = strstr(function, " as ");
	end = type + strcspn(type, " <>");
	if (memchr(type, ':', (size_t)(end - type)) || !as)
		return begins_with_any(type, rust_crates);
	return begins_with_any(as + strlen(" as "), rust_crates);
}

/* The first part of the import path of a package: all that Go's own are of have no dot in it. */
static bool is_go_standard(const char *function)
{
	static const char *const roots[] = {
		"archive",  "bufio",	"bytes",   "cmp",     "compress", "container", "context",
		"crypto",   "database", "debug",   "embed",   "encoding", "errors",    "expvar",
		"flag",	    "fmt",	"go",	   "hash",    "html",	  "image",     "index",
		"internal", "io",	"iter",	   "log",     "maps",	  "math",      "mime",
		"net",	    "os",	"path",	   "plugin",  "reflect",  "regexp",    "runtime",
		"slices",   "sort",	"strconv", "strings", "sync",	  "syscall",   "testing",
		"text",	    "time",	"unicode", "unique",  "unsafe",	  "vendor",    "weak",
		"type"
	};
	size_t len = strcspn(function, "./");

	/* Of the runtime's assembly: "gogo", "_rt0_amd64_linux". */
	if (!function[len])
		return true;
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (strlen(roots[i]) == len && !strncmp(function, roots[i], len))
			return true;
	return false;
}

bool is_language_runtime(const struct obs_frame *frame)
{
	static const char *const go_runtime[] = { "runtime.", "internal/", "syscall.", NULL };

	if (!frame->function[0])
		return false;
	switch (frame->language) {
	case LANGUAGE_GO:
		return is_go_standard(frame->function);
	case LANGUAGE_RUST:
		return is_rust_runtime(frame->function);
	case LANGUAGE_CPP:
		return is_cpp_runtime(frame->function);
	case LANGUAGE_C:
		return false;
	default:
		return is_cpp_runtime(frame->function) || is_rust_runtime(frame->function) ||
		       begins_with_any(frame->function, go_runtime);
	}
}
