/* A copy of a file in memory, for when the file itself is not to be held open. */
#ifndef CLASSIFY_FILE_COPY_H
#define CLASSIFY_FILE_COPY_H

#include <sys/types.h>

/* Copies the first @size bytes of @fd. Returns a descriptor of the copy, which the caller owns, or
 * -errno (-EIO: the file is shorter). */
int file_copy(int fd, off_t size);

#endif
