/* Gives the places in a table of stacks their names, and makes the part of an observation of it. */
#ifndef CLASSIFY_STACK_NAMES_H
#define CLASSIFY_STACK_NAMES_H

struct code_file;
struct code_files;
struct observation;
struct stack_table;
struct symbols;

struct stack_naming {
	const struct stack_table *table;
	const struct code_files *files;
	struct symbols *symbols;
	/* Called before a file is read: it may be corrupt in a way that ends this process. */
	void (*reading)(void *context, const struct code_file *file);
	void *context;
};

/*
 * Fills frames, calls and stack_times of @obs, which has none, and as many empty waits as the table
 * has: obs_stack_time.wait is a number in table.waits. Returns 0 or -ENOMEM.
 */
int stack_names_give(const struct stack_naming *naming, struct observation *obs);

#endif
