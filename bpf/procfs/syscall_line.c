/* Takes the line of /proc apart that names a system call; see syscall_line.h. */
#include "syscall_line.h"

#include <stdio.h>
#include <string.h>

bool syscall_line_parse(const char *text, struct syscall_line *line)
{
	uint64_t *arg = line->arg;

	memset(line, 0, sizeof(*line));
	line->is_running = !strncmp(text, "running", 7);
	if (line->is_running)
		return true;

	int got = sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &line->number, &arg[0], &arg[1],
			 &arg[2], &arg[3], &arg[4], &arg[5]);

	return got == 1 + SYSCALL_ARG_CNT || (got >= 1 && line->number == -1);
}
