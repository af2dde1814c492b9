/*
 * The files that processes have mapped to run code from, each once, however many processes map it.
 * They are opened while a process that maps them lives, so that they can be read when it is gone:
 * files that were deleted or replaced and files of other mount namespaces too. Then they are put
 * away, so that file systems can be unmounted and what was deleted be freed.
 */
#ifndef CLASSIFY_CODE_FILE_H
#define CLASSIFY_CODE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct code_files;
struct map_line;

/* So many are kept: a program maps some dozens, but a build or a test suite runs hundreds of
 * programs. The last one stands for all others. */
#define CODE_FILES_MAX 4096
/* What is copied into memory of one file, and of all. */
#define CODE_FILE_COPY_BYTES  ((off_t)32 << 20)
#define CODE_FILES_COPY_BYTES ((off_t)64 << 20)
/* Segments with code that one file can have. */
#define CODE_SEGMENTS_MAX 16

/* A part of a file that is mapped to run, by its program headers. */
struct code_segment {
	uint64_t offset;  /* in the file */
	uint64_t size;	  /* bytes of the file */
	uint64_t address; /* as the file numbers addresses */
};

/* One file, by device, inode and time of change. Its contents are untrusted. */
struct code_file {
	const char *path; /* as the process names it; "[vdso]" */
	pid_t pid;	  /* a process that mapped it, through whose /proc/PID/root paths lead */
	int fd;		  /* for reading; -1: it can't be */
	const char *why;  /* it can't be read, or its frames not be found; NULL: nothing is wrong */
	bool is_met;	  /* it is in a stack: set by whoever is to name it in the end */
	uint32_t number;  /* its place among all: 0 and up */
	void *unwinding;  /* of the unwinder */
	void *symbols;	  /* of the symbols */

	struct code_segment segments[CODE_SEGMENTS_MAX];
	size_t segment_cnt; /* 0: it is no ELF file of this machine */
	uint64_t entry;	    /* where the file says that it begins to run */
};

/* Returns an empty set, or NULL when out of memory. */
struct code_files *code_files_new(void);

/* Closes all files; what hangs off them has to be gone already. Accepts NULL. */
void code_files_free(struct code_files *files);

size_t code_files_cnt(const struct code_files *files);
struct code_file *code_files_at(const struct code_files *files, uint32_t number);

/*
 * The file that @pid has mapped as @line says, opened if that has not been done yet. NULL: the line
 * maps no file that code could be told apart in (anonymous memory, shared memory, memfd), or there
 * is no memory for one more. A file that can't be opened is returned too, with fd -1 and why.
 */
struct code_file *code_files_get(struct code_files *files, pid_t pid, const struct map_line *line);

/*
 * To be called of @file from time to time when no process maps it any more: closes it when that
 * frees anything, because it was deleted or is on another mount than our root. If it was met, a
 * copy in memory takes its place unless it is too large. True: fd is another one or -1 now, and
 * what hangs off @file from reading it has to go. When a process maps it again, it is opened again.
 */
bool code_file_put_away(struct code_files *files, struct code_file *file);

/* In the end: opens the files that were met and closed again, if their paths still lead to them;
 * the others get why. */
void code_files_take_out(struct code_files *files);

/*
 * A library that reads a corrupt file may crash or never return. Whoever is about to call one on
 * @file says so, and @number, if one was given before, becomes the file's number + 1.
 */
void code_file_reading(const struct code_file *file);
void code_files_watch(uint32_t *number);

#endif
