/*
 * Times by stack, as they gather while the program runs: equal stacks once, and of stacks that
 * begin alike the common part once. Places in them are numbers still; they get their names at the
 * end.
 */
#ifndef CLASSIFY_STACK_TABLE_H
#define CLASSIFY_STACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "key_set.h"
#include "wire.h"

struct string_pool;

#define NO_NODE KEY_SET_FULL
/* In struct stack_row: it was on a CPU. */
#define NO_WAIT KEY_SET_FULL

enum place_kind {
	PLACE_NATIVE = 0, /* owner: number of the code file; address: as the file numbers it */
	PLACE_JIT,	  /* owner: the process; address: its own */
	PLACE_KERNEL,
	PLACE_PYTHON,	/* owner: number in python_places; address: whether it is an entry */
	PLACE_UNMAPPED, /* as PLACE_JIT, of an address that no mapping has */
};

/* A place and the node that called it: a node of a tree whose roots are outermost. */
struct stack_node {
	uint32_t kind; /* enum place_kind */
	uint32_t owner;
	uint64_t address;
	uint32_t caller;      /* NO_NODE: none */
	uint32_t is_complete; /* of one without caller: the thread began there */
};

/* What a row of times is of. The three parts of a stack are its innermost nodes, or NO_NODE. */
struct stack_row {
	uint32_t native;
	uint32_t kernel;
	uint32_t python;
	uint32_t thread;     /* number in threads */
	uint32_t task;	     /* number in tasks, or NO_NODE */
	uint32_t wait;	     /* number in waits, or NO_WAIT */
	uint32_t is_divided; /* among several tasks */
	uint32_t pad;
};

struct stack_sum {
	double time_ns;
	double gil_held_ns;
	double gil_known_ns;
	double sample_cnt; /* of a wait that is divided among tasks each has a part */
};

static inline void stack_sum_add(struct stack_sum *sum, const struct stack_sum *more)
{
	sum->time_ns += more->time_ns;
	sum->gil_held_ns += more->gil_held_ns;
	sum->gil_known_ns += more->gil_known_ns;
	sum->sample_cnt += more->sample_cnt;
}

struct stack_thread {
	uint32_t pid;
	uint32_t tid;
};

/* A line of Python. */
struct stack_python_place {
	const char *function; /* of the pool, as file is */
	const char *file;
	uint32_t line;
	uint32_t first_line;
};

struct stack_table {
	struct string_pool *strings;
	struct key_set nodes;	      /* struct stack_node */
	struct key_set rows;	      /* struct stack_row: struct stack_sum */
	struct key_set threads;	      /* struct stack_thread: const char *, of the pool */
	struct key_set tasks;	      /* const char *, of the pool */
	struct key_set waits;	      /* struct wire_wait_key */
	struct key_set python_places; /* struct stack_python_place */
	double lost_cnt;	      /* without room for them */
};

/* Returns 0 or -ENOMEM. */
int stack_table_init(struct stack_table *table);
void stack_table_release(struct stack_table *table);

/* Adds a place that @caller called. NO_NODE when there is no room. */
uint32_t stack_table_push(struct stack_table *table, const struct stack_node *node);

void stack_table_add(struct stack_table *table, const struct stack_row *row,
		     const struct stack_sum *sum);

/* Return the number of what may be there already, or KEY_SET_FULL. Strings are copied. */
uint32_t stack_table_thread(struct stack_table *table, uint32_t pid, uint32_t tid);
uint32_t stack_table_task(struct stack_table *table, const char *name);
uint32_t stack_table_python_place(struct stack_table *table, const char *function, const char *file,
				  uint32_t line, uint32_t first_line);

/* What the thread is called now. */
void stack_table_name_thread(struct stack_table *table, uint32_t number, const char *name);

/* "" when that isn't known. */
const char *stack_table_thread_name(const struct stack_table *table, uint32_t number);

static inline struct stack_sum *stack_table_sum(const struct stack_table *table, uint32_t row)
{
	return key_set_value(&table->rows, row);
}

static inline const struct stack_node *stack_table_node(const struct stack_table *table,
							uint32_t number)
{
	return (const struct stack_node *)key_set_at(&table->nodes, number);
}

#endif
