/* Copies files into memory; see file_copy.h. */
#include "code/file_copy.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

int file_copy(int fd, off_t size)
{
	off_t at = 0;
	int copy = memfd_create("classify-copy", MFD_CLOEXEC);

	if (copy < 0)
		return -errno;
	while (at < size) {
		/* Not beyond what is wanted: the file may grow. */
		ssize_t cnt = sendfile(copy, fd, &at, (size_t)(size - at));
		int error = cnt < 0 ? -errno : -EIO;

		if (cnt > 0 || error == -EINTR)
			continue;
		close(copy);
		return error;
	}
	return copy;
}
