/* Writing to a descriptor that others share: they may have made it non-blocking. */
#ifndef CLASSIFY_WRITE_ALL_H
#define CLASSIFY_WRITE_ALL_H

#include <stddef.h>

/* Writes the @size bytes of @text, waiting for a slow reader whether or not @fd blocks. Returns 0
 * or -errno. */
int write_all(int fd, const char *text, size_t size);

#endif
