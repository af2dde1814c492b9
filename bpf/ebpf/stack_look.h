/* Looks from outside at threads that have waited for a while: their stacks stand still. */
#ifndef CLASSIFY_STACK_LOOK_H
#define CLASSIFY_STACK_LOOK_H

#include <stdint.h>

struct stack_intake;
struct wire_look;

/* How often, unless that takes too long. */
#define STACK_LOOK_NS 10000000ull

struct stack_look {
	int link_fd;		 /* of the iterator over waiting threads */
	struct wire_look *order; /* what it is to tell of */
	uint64_t due_ns;
};

/* Looks, if it is due, and tells @intake. */
void stack_look(struct stack_look *look, struct stack_intake *intake, uint64_t now_ns);

/* Tells @intake of all waits that go on at @until_ns, the end of the observation: the probes were
 * told to tell of all. Stacks that aren't known yet are read first. */
void stack_look_last(struct stack_look *look, struct stack_intake *intake, uint64_t until_ns);

#endif
