/* The processes that stacks come from: what is mapped where in each, and its Python. */
#ifndef CLASSIFY_STACK_SPACES_H
#define CLASSIFY_STACK_SPACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "code/address_space.h"
#include "python/python.h"

struct code_files;
struct golang;
struct symbols;
struct wire_stack_owner;

struct stack_space {
	uint32_t tgid;
	uint64_t identity; /* of the address space: another program ran in it before */
	uint64_t start_stack;
	struct address_space maps;
	uint64_t maps_read_ns; /* 0: they couldn't be yet */
	bool is_gone;	       /* the process is; its last stacks may yet be on their way */
	struct golang *golang; /* NULL: it is no Go program, or not known to be one */
	bool is_asked_for_go;
	struct python *python;	/* NULL: there is none, or it isn't known yet */
	uint64_t python_due_ns; /* when to look for it again; 0: never */
	uint32_t python_try_cnt;
	uint64_t threads_due_ns;       /* when to tell the probes of its threads */
	struct python_thread *threads; /* as they were told of */
	size_t thread_cnt;
	uint64_t perf_map_due_ns; /* 0: no code of it was made as it ran */
	bool is_described;	  /* the probes know its Python */
};

struct stack_spaces {
	struct stack_space **all; /* by tgid */
	size_t cnt, capacity;
	struct code_files *files;
	struct symbols *symbols;
	int pythons_fd; /* the probes' maps */
	int python_threads_fd;
	/* Called when files may have been added, before any of them is read. */
	void (*files_added)(void *context);
	void *context;
	char python_why[160]; /* why the frames of one couldn't be read; "" */
	uint64_t sweep_due_ns;
};

/* Returns the space that stacks of @owner are of, reading its maps when it is new; they stay unread
 * when the process is gone or runs another program by now. NULL when out of memory. What is known
 * of an earlier program in the same process is dropped. */
struct stack_space *stack_spaces_get(struct stack_spaces *spaces,
				     const struct wire_stack_owner *owner);

/* Returns what is known of @space as a Go program, which is looked for when this is asked first;
 * NULL: it is none. */
const struct golang *stack_space_golang(struct stack_space *space);

/* Reads the maps of @space again, which lack an address, unless that was done just now. Returns
 * whether it was. */
bool stack_space_reread(struct stack_spaces *spaces, struct stack_space *space, uint64_t now_ns);

/* What is due: looks for Python where it was not ready, tells the probes of its threads, reads perf
 * maps, forgets processes that are gone. */
void stack_spaces_look(struct stack_spaces *spaces, uint64_t now_ns);

/* Code that isn't of a file was met: its perf map is to be read. */
void stack_space_has_jit(struct stack_spaces *spaces, struct stack_space *space, uint64_t now_ns);

void stack_spaces_release(struct stack_spaces *spaces);

#endif
