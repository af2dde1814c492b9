/* Files for the eBPF tests of waits for disks: on the disk, not in memory, and gone afterwards. */
#ifndef CLASSIFY_EBPF_FILES_H
#define CLASSIFY_EBPF_FILES_H

#include "ebpf_live.h"
#include <limits.h>

#define MB	   ((size_t)1 << 20)
#define FILE_BYTES (16 * MB)
#define STEP_BYTES (256 * 1024)

/* The file of the test that runs; its program, a copy of the test, finds it here. */
extern struct files {
	int fd;
	char path[PATH_MAX];
} files;

/* Ends the test here, saying @why. */
void files_skip(const char *why);
/* Ends the test if this kernel lacks the probe @name. */
void files_need_probe(const struct live *live, const char *name);

/* Opens, with @flags, a file of FILE_BYTES 'x' of which nothing is in memory. files_run removes it.
 * The test is skipped where the working directory isn't on a disk. */
void files_cold(const char *label, int flags);

/* Observes @program to its end, which must be a good one. */
void files_run(struct live *live, int (*program)(void *));

/* Returns the first row, or NULL. */
const struct obs_wait *files_find(const struct live *live, enum wait_reason reason,
				  enum wait_operation operation, const char *name);
/* The same; fails, listing all rows, when there is none. */
const struct obs_wait *files_row(const struct live *live, enum wait_reason reason,
				 enum wait_operation operation, const char *name);

#endif
