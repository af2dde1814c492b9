/*
 * Program time: what the tree as a whole did at each instant. A quiet stretch is charged to the
 * wait that ended it; quiet for want of work is idle. Exact: computing, starved and quiet sum to
 * wall_ns, and idle and the waits to quiet_ns.
 */
#ifndef CLASSIFY_PROGRAM_TIME_H
#define CLASSIFY_PROGRAM_TIME_H

#include "observation/observation.h"
#include "report.h"

struct arena;
struct wait_roles;

/* Fills @time with arrays from @arena (out of memory is sticky there), using @scratch for what is
 * needed meanwhile. Quiet time that no wait is charged with counts as the reason "other". */
void account_program_time(const struct observation *obs, const struct wait_roles *roles,
			  struct arena *arena, struct arena *scratch,
			  struct report_program_time *time);

/* Fills @ratios from @time. */
void account_ratios(const struct report_program_time *time, struct report_ratios *ratios);

#endif
