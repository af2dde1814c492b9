/*
 * The places of a pprof profile: what a sample is a list of. Functions that were inlined into each
 * other are one place together, as pprof has it. Numbers are given out on demand; what they stand
 * for is written when all are known.
 */
#ifndef CLASSIFY_PPROF_PLACES_H
#define CLASSIFY_PPROF_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "render/text_numbers.h"

struct arena;
struct gzip_stream;
struct pprof_node;
struct report;

struct pprof_places {
	const struct report *report;
	struct text_numbers *texts; /* the profile's string table */
	struct arena *arena;	    /* of the texts that are made */
	struct text_numbers modules;
	struct text_numbers functions;
	struct pprof_node *nodes; /* by number: frames, and what they are inlined into */
	uint32_t node_cnt;
	uint32_t *slots; /* a hash table of nodes: number + 1; 0: free */
	uint32_t slot_cnt;
	int error;
};

/* Begins with none. @texts and @arena stay the caller's. */
void pprof_places_init(struct pprof_places *places, const struct report *report,
		       struct text_numbers *texts, struct arena *arena);

/* Stores the places of the @cnt frames at @frames, innermost first, at @ids, which has room for as
 * many and one. Returns how many they are: one that is not known where there are none. Out of
 * memory shows in places->error. */
size_t pprof_places_of(struct pprof_places *places, const uint32_t *frames, size_t cnt,
		       uint64_t *ids);

/* Writes all places that were asked for, with their functions and mappings. */
void pprof_places_write(struct pprof_places *places, struct gzip_stream *out);

void pprof_places_release(struct pprof_places *places);

#endif
