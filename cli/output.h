/*
 * A file to write a report or a recording to. It is proved writable before anything runs. A regular
 * file is replaced as a whole or not at all: what it held survives a full disk. Anything else
 * (terminal, pipe, /dev/null, a descriptor) is written directly.
 */
#ifndef CLASSIFY_OUTPUT_H
#define CLASSIFY_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
	int fd;		  /* written directly; -1: a file to replace */
	char *final_path; /* NULL with fd */
	char *kept_path;  /* of the finished text, when it could not take its place */
	FILE *stream;	  /* into memory, between begin and commit */
	char *text;
	size_t text_size;
};

/*
 * Opens @path or proves that it can be replaced; "-" is stdout, NULL is @default_fd. Returns 0 or
 * -errno; release it either way.
 */
int output_prepare(struct output *output, const char *path, int default_fd);

/* Whether what both are given, once they are prepared, would go to one file, pipe or terminal. */
bool output_is_same(const struct output *output, const struct output *other);

/* Returns the stream to write to, which belongs to @output, or NULL with errno set. Nothing of it
 * reaches the file before the commit. */
FILE *output_begin(struct output *output);

/*
 * Writes it all to its place. Returns 0, or -errno: then a regular file still holds what it held,
 * unless it is a mount point, and what was to go there may be kept beside it.
 */
int output_commit(struct output *output);

/* Drops what was not committed and closes everything. */
void output_release(struct output *output);

/* Says on stderr that @output (NULL: none yet), which goes to @path (NULL: the default place),
 * can't be written, and what helps. */
void output_explain(const struct output *output, const char *path, int error);

#endif
