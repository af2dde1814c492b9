/*
 * Whose code a frame is: the program's own, a library's, its language runtime's or the kernel's.
 * Told by names of files and functions, which each language has its habits for (docs/rules.md,
 * "Own code").
 */
#ifndef CLASSIFY_OWN_CODE_H
#define CLASSIFY_OWN_CODE_H

#include "observation/observation.h"

struct arena;

enum code_owner {
	CODE_OWN,
	CODE_LIBRARY,
	CODE_MACHINERY, /* how a runtime makes calls: nobody means it when he calls something */
	CODE_KERNEL,
};

struct code_facts {
	enum code_owner owner;
	bool is_executable; /* machine code of a program, not of a library that it loads */
	bool is_entry;	    /* where a program or a thread begins: nobody's code */
	/* Of Python code that isn't own: the package it belongs to, as long as @package_len;
	 * "requests", "http", "<string>". NULL: none */
	const char *package;
	size_t package_len;
	bool is_installed; /* that package is not of the standard library */
	bool is_launcher;  /* of a script that does no more than start a package: programs.h */
};

struct executable {
	const char *path;
	bool is_interpreter; /* its own code isn't what it was started for */
};

/* The programs that were run, each once, and where their interpreters lie. */
struct executables {
	struct executable *all; /* sorted */
	size_t cnt;
	struct path_part *homes; /* sorted */
	size_t home_cnt;
};

/* executables.c. Strings stay @obs's; arrays are @arena's (out of memory is sticky there: then none
 * is known). */
struct executables executables_of(const struct observation *obs, struct arena *arena);
/* The program that is the file @module; NULL: none. */
const struct executable *find_executable(const struct executables *executables, const char *module);
/* /opt/conda/lib/... where /opt/conda/bin/python3 runs: what came with the interpreter. */
bool is_beside_interpreter(const struct executables *executables, const char *module);

struct code_facts code_facts(const struct obs_frame *frame, const struct executables *executables);

/* What people call the function of @frame, which isn't own: "requests.get", "json.loads", "read".
 * "": it has no name. A string of @arena's. */
const char *callee_name(const struct obs_frame *frame, const struct code_facts *code,
			struct arena *arena);

/* own_python.c, own_native.c: the parts of code_facts() by language. */
struct code_facts python_code_facts(const struct obs_frame *frame);
struct code_facts native_code_facts(const struct obs_frame *frame,
				    const struct executables *executables);
const char *python_callee_name(const struct obs_frame *frame, const struct code_facts *code,
			       struct arena *arena);
/* Whether @frame is Python code outside of any function. */
bool is_module_level(const struct obs_frame *frame);
/* Whether @file is in a directory of installed packages. */
bool is_installed_file(const char *file);
/* Whether @module is CPython, or one of the modules in C that come with it. */
bool is_cpython_module(const char *module);
/* The Python name of a function in C of those: "socket.recv" for "sock_recv". */
const char *cpython_name(const char *function, struct arena *arena);
/* Names of C++, Rust and Go functions of their runtimes. */
bool is_language_runtime(const struct obs_frame *frame);

/* Whether @text begins with one of @prefixes, which end with NULL. */
bool begins_with_any(const char *text, const char *const *prefixes);

#endif
