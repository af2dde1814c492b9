/*
 * Recordings: an observation as a JSON file (schema "classify-recording/1", docs/recording.md),
 * so that the same data can be analysed again anywhere and without privileges.
 */
#ifndef CLASSIFY_RECORDING_H
#define CLASSIFY_RECORDING_H

#include <stdio.h>

struct observation;

/* Writes @obs to @out. Returns 0 or -errno (-EIO when the stream failed: check after fclose too).*/
int recording_write(const struct observation *obs, FILE *out);

/*
 * Reads a recording from @in into @obs (initialised by the callee; released by the caller even on
 * error). Every value is checked: a truncated, foreign or doctored file is an error, never a crash.
 * Returns 0 or -errno, with a one-line reason in @why (at most @why_size bytes).
 */
int recording_read(FILE *in, struct observation *obs, char *why, size_t why_size);

#endif
