/*
 * The goroutines of a Go program that wait. A Go program's threads mostly wait in its scheduler, on
 * behalf of goroutines that are parked: those know at which line. Read from outside, while the
 * program runs; all of it is untrusted and may change as it is being read.
 */
#ifndef CLASSIFY_GOLANG_H
#define CLASSIFY_GOLANG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct address_space;
struct golang;

#define GO_REASON_BYTES 32

struct goroutine {
	uint64_t id;
	uint64_t sp, pc, bp;	      /* where it is to go on */
	uint64_t stack_end;	      /* above sp */
	char reason[GO_REASON_BYTES]; /* in Go's words: "IO wait", "sleep", "chan receive" */
};

/* Looks whether @space is a Go program's, whose goroutines can be told. Returns 0 and @golang
 * (free() it), -ENOENT, -ENOTSUP (it has no symbols or no debug information), or -ENOMEM. */
int golang_open(const struct address_space *space, struct golang **golang);

/*
 * Reads up to @capacity goroutines that wait for time or for input and output; if there are none,
 * of those that wait for others. Where there are more, some from all over. Go's own are left out.
 * Returns how many, or -errno.
 */
ssize_t golang_waiting(const struct golang *golang, struct goroutine *goroutines, size_t capacity);

#endif
