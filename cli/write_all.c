/* Writes on after EINTR, and after EAGAIN when there is room again. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "write_all.h"

/* O_NONBLOCK belongs to the open file, not to us: a target that set it did so for its whole
 * terminal or pipe, and to clear it again would break the target. */
static void wait_for_room(int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	poll(&room, 1, -1); /* whatever comes of it, the next write tells */
}

int write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, text, size);

		if (written < 0 && errno == EAGAIN)
			wait_for_room(fd);
		else if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			size -= (size_t)written;
		}
	}
	return 0;
}
