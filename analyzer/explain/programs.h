/*
 * What of Python code is the program that was started can't be told by a frame alone: what -c runs
 * has a name that generated code has too, and scripts that pip made to start a package lie where
 * others do.
 */
#ifndef CLASSIFY_PROGRAMS_H
#define CLASSIFY_PROGRAMS_H

#include "explain/own_code.h"
#include "observation/observation.h"

struct arena;

/* Makes the code of a program that -c ran own in @code (by frame of @obs), and marks launchers. */
void find_programs(const struct observation *obs, struct code_facts *code, struct arena *arena);

/* Whether a script that lies at @outer is one to start the package that @inner is of: it is in the
 * bin directory beside that package's lib directory. */
bool is_launched_by(const struct obs_frame *outer, const struct obs_frame *inner);

#endif
