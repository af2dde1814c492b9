/*
 * Tickers: helper threads that do nothing but wake up on time (a JVM's periodic task, Go's sysmon,
 * a statistics thread). Each tick ends a quiet stretch, so that time would be charged to the timer
 * although the program waits for something else.
 */
#ifndef CLASSIFY_TICKER_H
#define CLASSIFY_TICKER_H

#include "observation/observation.h"

struct arena;
struct wait_roles;

/*
 * Moves quiet time from tickers to what the other threads were waiting for meanwhile: first to
 * waits for results, then to waits for work. @quiet_ns runs parallel to obs->waits; its sum stays.
 * What finds no taker stays with the timer. Uses @scratch for what it needs meanwhile.
 */
void ticker_hand_over(const struct observation *obs, const struct wait_roles *roles,
		      struct arena *scratch, uint64_t *quiet_ns);

#endif
