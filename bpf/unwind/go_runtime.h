/*
 * Functions of Go's runtime that change to another stack. Its call frame information tells of them
 * as if they did not: what it finds on the new stack is left over from earlier.
 */
#ifndef CLASSIFY_GO_RUNTIME_H
#define CLASSIFY_GO_RUNTIME_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#define GO_FUNCTIONS_MAX 16

enum go_role {
	GO_OTHER,     /* follow the rules */
	GO_BEGINS,    /* nothing that matters called it: a thread, or the scheduler, begins here */
	GO_ELSEWHERE, /* its caller is on another stack */
};

struct go_runtime {
	struct go_function {
		uint64_t start, end;
		enum go_role role;
	} functions[GO_FUNCTIONS_MAX];
	size_t function_cnt; /* 0: it is no Go program, or has no symbols */
};

void go_runtime_read(struct go_runtime *go, Elf *elf);

enum go_role go_runtime_role(const struct go_runtime *go, uint64_t address);

#endif
