/*
 * /proc/PID/maps: the files that a process has mapped to run code from.
 */
#ifndef CLASSIFY_MAPS_H
#define CLASSIFY_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More mapped files than this are not looked at: no real program comes near. */
#define MAPS_FILES_MAX 512

struct mapped_file {
	uint64_t start; /* address of the first executable mapping */
	uint64_t end;
	uint64_t offset; /* of that mapping in the file */
	char *path;	 /* as the kernel gives it, "(deleted)" included */
};

/* Executable files of one process in address order, each once. */
struct mapped_files {
	struct mapped_file *files;
	size_t file_cnt;
};

/*
 * Takes one line of maps apart. Returns true, and *file with a path that points into @line, when
 * the line is an executable mapping of a file.
 */
bool maps_parse_line(char *line, struct mapped_file *file);

/* Reads the maps of @pid. Returns 0 or -errno; release @maps with mapped_files_release(). */
int mapped_files_read(pid_t pid, struct mapped_files *maps);

void mapped_files_release(struct mapped_files *maps);

#endif
