/*
 * Looks up blocks here and there in a file, past the page cache: a database that is larger than
 * memory, in small. Disks differ a hundredfold in how long that takes, so this sample, alone among
 * them, works for a time instead of an amount.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 2, BLOCKS = 256, BLOCK_BYTES = 65536, ALIGNMENT = 4096 };

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Returns 0, or -1 with errno set. */
static int fill(int fd, char *block)
{
	for (int i = 0; i < BLOCKS; i++) {
		memset(block, i, BLOCK_BYTES);
		if (write(fd, block, BLOCK_BYTES) != BLOCK_BYTES)
			return -1;
	}
	return fsync(fd);
}

/* Returns how many blocks were read, or -1 with errno set. */
static int look_up(int fd, char *block)
{
	double end_s = now_s() + SECONDS;
	int lookups = 0;

	for (; now_s() < end_s; lookups++) {
		off_t offset = (off_t)(random() % BLOCKS) * BLOCK_BYTES;

		if (pread(fd, block, BLOCK_BYTES, offset) != BLOCK_BYTES)
			return -1;
	}
	return lookups;
}

int main(int argc, char **argv)
{
	char *block = aligned_alloc(ALIGNMENT, BLOCK_BYTES);
	int lookups;
	int fd;

	if (argc != 2 || !block) {
		fprintf(stderr, "usage: disk FILE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_DIRECT, 0600);
	lookups = fd < 0 || fill(fd, block) ? -1 : look_up(fd, block);
	if (lookups < 0)
		perror(argv[1]);
	unlink(argv[1]);
	free(block);
	printf("%d lookups\n", lookups);
	return lookups < 0;
}
