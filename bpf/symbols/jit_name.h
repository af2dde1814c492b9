/* Takes the names apart that compilers give to code in perf maps. */
#ifndef CLASSIFY_JIT_NAME_H
#define CLASSIFY_JIT_NAME_H

#include <stdint.h>
#include "symbols/readable_name.h"

#define JIT_FILE_BYTES 1024

struct jit_name {
	char function[READABLE_NAME_BYTES];
	char file[JIT_FILE_BYTES]; /* "" if not told */
	uint32_t line;		   /* where the function begins; 0: not told */
};

/*
 * Reads @raw: of V8 "JS:*hot /app/x.js:12:3" (the same with LazyCompile:, Function: and others, and
 * with the marks ~ ^ + of its other compilers), of CPython "py::hot:/app/x.py", of JVMs
 * "Lcom/foo;::bar" and "void com.foo.bar(int)". What it doesn't know is the function as it is.
 */
void jit_name_read(const char *raw, struct jit_name *name);

#endif
