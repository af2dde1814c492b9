/*
 * What a program of this corpus knows of itself: seconds that its threads computed and waited in
 * each of its sections, to compare with what classify says of the lines that are planted there.
 */
#ifndef LINES_TRUTH_H
#define LINES_TRUTH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* HOT computes at the line so marked; WAIT and WAIT2 wait at theirs; the others are decoys. */
enum section {
	SECTION_HOT,
	SECTION_OTHER,
	SECTION_WAIT,
	SECTION_WAIT2,
	SECTION_OTHER_WAIT,
	SECTION_CNT,
};

struct truth_mark {
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint64_t delay_ns; /* in a run queue: neither computing nor waiting */
};

uint64_t truth_now_ns(void);
struct truth_mark truth_begin(void);
/* Returns the CPU time since @begin, of this thread. */
uint64_t truth_end(struct truth_mark begin, enum section section);
/* Appends a line of JSON to @path. */
void truth_write(const char *path);

/* The far end, outside of the tree: a port of this host, or a directory with two FIFOs. */
struct partner {
	int in;
	int out;
};

struct partner partner_open(const char *where);
/* Asks for a byte in @delay_us; it then is to be read from partner.in. */
void partner_ask(struct partner partner, uint32_t delay_us);

#ifdef __cplusplus
}
#endif

#endif
