/* Read 16 KiB from a place at random in one of many files, which read-ahead doesn't help. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "forms.h"

enum { BLOCK_BYTES = 16384 };

static const char *directory;
static unsigned long file_cnt;

static int operation(unsigned long item)
{
	uint64_t drawn = (item + 1) * 0x9e3779b97f4a7c15ULL;
	char path[4096], block[BLOCK_BYTES];
	struct stat file;
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%lu", directory, (unsigned long)(drawn >> 20) % file_cnt);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	if (!fstat(fd, &file) && file.st_size >= BLOCK_BYTES)
		len = pread(fd, block, BLOCK_BYTES,
			    (off_t)((drawn >> 40) % (uint64_t)(file.st_size / BLOCK_BYTES)) *
				    BLOCK_BYTES);
	close(fd);
	return len == BLOCK_BYTES ? 0 : -1;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	directory = argv[1];
	file_cnt = strtoul(argv[2], NULL, 10);
	return file_cnt ? forms_main(argc, argv, operation, NULL) : 2;
}
