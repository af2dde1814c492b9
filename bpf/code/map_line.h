/*
 * One line of /proc/PID/maps: a mapping of a process. What it names is up to the process.
 */
#ifndef CLASSIFY_MAP_LINE_H
#define CLASSIFY_MAP_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct map_line {
	uint64_t start, end;
	uint64_t offset; /* of start, in the file */
	uint64_t device; /* as the line has it: major << 32 | minor */
	uint64_t inode;	 /* 0: no file */
	bool is_executable;
	char *path; /* "" for anonymous memory; without " (deleted)" */
};

/*
 * Takes @text, which it changes, apart: @line->path points into it. False when it is no line of
 * maps, or its addresses make no sense.
 */
bool map_line_parse(char *text, struct map_line *line);

#endif
