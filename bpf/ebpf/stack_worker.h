/*
 * The process that makes stacks of what the probes copy. It is one of its own, because files and
 * memory of the target are read there, which may be made to crash whoever reads them: then the
 * stacks are lost, and nothing else.
 */
#ifndef CLASSIFY_STACK_WORKER_H
#define CLASSIFY_STACK_WORKER_H

#include <stdbool.h>
#include <stdint.h>

struct observation;
struct stack_worker;
struct wire_look;
struct wire_wait_key;

/* What the worker has of the probes: descriptors, which stay the caller's. */
struct stack_probes {
	int ring_fd;
	int waiting_fd; /* the link of the iterator over waiting threads */
	int pythons_fd;
	int python_threads_fd;
	uint64_t period_ns;	/* of samples; 0: there are none */
	struct wire_look *look; /* shared with the probes: what the iterator is to tell of */
};

/* Starts it. Returns NULL with -errno in @error. */
struct stack_worker *stack_worker_start(const struct stack_probes *probes, int *error);

/* Looks whether it is well; if it has ended or makes no progress, another one goes on in its place,
 * a few times. What was taken in before is lost, and will be noted. */
void stack_worker_look(struct stack_worker *worker);

/* The observation has ended at @until_ns (of the wire's clock), and the probes tell of all waits:
 * the worker begins to name what it has. Returns at once. */
void stack_worker_conclude(struct stack_worker *worker, uint64_t until_ns);

/*
 * Waits for what the worker has found and adds it to @obs, as stack_result_read() does. Meanwhile
 * it calls @progress, if given, with what is being read. Where the worker fails or doesn't come to
 * an end, a note in obs->stack_quality says so. Returns 0 or -ENOMEM.
 */
int stack_worker_collect(struct stack_worker *worker, struct observation *obs,
			 long (*find_wait)(void *context, const struct wire_wait_key *key),
			 void *context, void (*progress)(void *context, const char *what),
			 void *progress_context);

/* CPU time that it has used so far. */
uint64_t stack_worker_cpu_ns(const struct stack_worker *worker);

/* Ends it. Accepts NULL. */
void stack_worker_free(struct stack_worker *worker);

#endif
