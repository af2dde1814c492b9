/* Takes lines of /proc/PID/maps apart; see map_line.h. */
#include "code/map_line.h"

#include <stdio.h>
#include <string.h>

#define DELETED " (deleted)"

/* The kernel writes a newline of a name, and nothing else, as \012. */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		if (!strncmp(from, "\\012", 4)) {
			*to++ = '\n';
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static void drop_deleted(char *path)
{
	size_t length = strlen(path), suffix = strlen(DELETED);

	if (length > suffix && !strcmp(path + length - suffix, DELETED))
		path[length - suffix] = '\0';
}

bool map_line_parse(char *text, struct map_line *line)
{
	unsigned long start, end, offset, inode;
	unsigned int major, minor;
	char permissions[5];
	int path_at = 0;

	text[strcspn(text, "\n")] = '\0';
	if (sscanf(text, "%lx-%lx %4s %lx %x:%x %lu%n", &start, &end, permissions, &offset, &major,
		   &minor, &inode, &path_at) != 7 ||
	    path_at == 0 || strlen(permissions) != 4 || start >= end)
		return false;
	*line = (struct map_line){
		.start = start,
		.end = end,
		.offset = offset,
		.device = (uint64_t)major << 32 | minor,
		.inode = inode,
		.is_executable = permissions[2] == 'x',
		.path = text + path_at + strspn(text + path_at, " "),
	};
	drop_deleted(line->path);
	unescape(line->path);
	return true;
}
