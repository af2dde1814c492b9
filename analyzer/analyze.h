/* The analyzer's front door: observation in, report out. Pure: no I/O, no printing, no clock. */
#ifndef CLASSIFY_ANALYZE_H
#define CLASSIFY_ANALYZE_H

#include <stdbool.h>
#include <stdint.h>

struct observation;
struct report;

struct analyze_options {
	uint32_t planned_concurrency; /* --concurrency N: operations in flight; 0: not said */
	bool is_replay;		      /* the observation comes from a recording */
};

/*
 * Fills @report (initialised by the callee; released by the caller with report_release(), on error
 * too) from @obs. Returns 0 or -ENOMEM. Strings are copied: @obs may be released before @report.
 */
int analyze(const struct observation *obs, const struct analyze_options *options,
	    struct report *report);

#endif
