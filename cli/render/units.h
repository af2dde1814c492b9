/* Quantities as people read them: three digits and a unit. */
#ifndef CLASSIFY_UNITS_H
#define CLASSIFY_UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum { UNIT_BYTES = 32 }; /* room for any of these */

/* "870 ns", "12.3 us" (a micro sign with @use_unicode), "2.41 s", "3m20s", "26h03m"; "0 s" */
void format_duration(uint64_t ns, bool use_unicode, char text[UNIT_BYTES]);

/* "1,204" */
void format_count(uint64_t count, char text[UNIT_BYTES]);

/* "95.6%"; what is neither 0 nor 1 never looks like it: "<0.1%", ">99.9%" */
void format_share(double share, char text[UNIT_BYTES]);

/* "512 B", "64.0 MiB" */
void format_bytes(uint64_t bytes, char text[UNIT_BYTES]);

/* "7.1", "0.85", "120": two digits after the point below one, none from a hundred on */
void format_factor(double factor, char text[UNIT_BYTES]);

#endif
