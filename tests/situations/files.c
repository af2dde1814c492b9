/* Waiting for a disk. Disks differ a hundredfold, so these programs work for a time, not an amount.
 */
#include "situation.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { FILE_PAGES = 8192, STRIDE = 1237 /* pages; prime, so that each page comes up once */ };

static int data_file(const struct place *place, int flags)
{
	char path[PATH_MAX];

	path_in(place, "data", path);
	return (int)must(open(path, flags, 0600), path);
}

void prepare_cold_file(const struct place *place)
{
	int fd = data_file(place, O_RDWR | O_CREAT);
	char page[PAGE_BYTES];

	for (int i = 0; i < FILE_PAGES; i++) {
		memset(page, i, sizeof(page));
		must(write(fd, page, sizeof(page)), "write");
	}
	must(fsync(fd), "fsync");
	must(-posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
	announce("-");
}

/* Calls @step with offset after offset of the file, here and there, until the time is up; forgets
 * what that brought into memory. */
static void at_pages(int fd, void (*step)(int fd, off_t offset, void *buffer), void *buffer)
{
	long end = now_ms() + ALL_WAITS_MS;

	must(-posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), "posix_fadvise");
	for (long i = 0; now_ms() < end; i++) {
		off_t offset = (off_t)(i * STRIDE % FILE_PAGES) * PAGE_BYTES;

		step(fd, offset, buffer);
		must(-posix_fadvise(fd, offset, PAGE_BYTES, POSIX_FADV_DONTNEED), "posix_fadvise");
	}
}

static void read_page(int fd, off_t offset, void *buffer)
{
	must(pread(fd, buffer, PAGE_BYTES, offset), "pread");
}

static void write_page(int fd, off_t offset, void *buffer)
{
	must(pwrite(fd, buffer, PAGE_BYTES, offset), "pwrite");
}

static void write_and_sync(int fd, off_t offset, void *buffer)
{
	write_page(fd, offset, buffer);
	must(fsync(fd), "fsync");
}

static void write_and_sync_data(int fd, off_t offset, void *buffer)
{
	write_page(fd, offset, buffer);
	must(fdatasync(fd), "fdatasync");
}

static void write_and_sync_range(int fd, off_t offset, void *buffer)
{
	unsigned int flags = SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	write_page(fd, offset, buffer);
	must(sync_file_range(fd, offset, PAGE_BYTES, flags), "sync_file_range");
}

static void with_file(const struct place *place, int flags,
		      void (*step)(int fd, off_t offset, void *buffer))
{
	void *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);

	memset(page, 1, PAGE_BYTES);
	at_pages(data_file(place, flags), step, page);
	free(page);
}

static void read_cold(const struct place *place)
{
	with_file(place, O_RDONLY, read_page);
}

static void read_direct(const struct place *place)
{
	with_file(place, O_RDONLY | O_DIRECT, read_page);
}

static void write_direct(const struct place *place)
{
	with_file(place, O_RDWR | O_DIRECT, write_page);
}

static void write_synchronously(const struct place *place)
{
	with_file(place, O_RDWR | O_SYNC, write_page);
}

static void sync_file(const struct place *place)
{
	with_file(place, O_RDWR, write_and_sync);
}

static void sync_data(const struct place *place)
{
	with_file(place, O_RDWR, write_and_sync_data);
}

static void sync_range(const struct place *place)
{
	with_file(place, O_RDWR, write_and_sync_range);
}

static char *map_file(int fd)
{
	size_t bytes = (size_t)FILE_PAGES * PAGE_BYTES;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(at == MAP_FAILED ? -1 : 0, "mmap");
	must(madvise(at, bytes, MADV_RANDOM), "madvise");
	return at;
}

static void touch_page(int fd, off_t offset, void *file)
{
	char *page = (char *)file + offset;

	(void)fd;
	(void)*(volatile char *)page;
	must(madvise(page, PAGE_BYTES, MADV_DONTNEED), "madvise");
}

static void fault_cold(const struct place *place)
{
	int fd = data_file(place, O_RDWR);

	at_pages(fd, touch_page, map_file(fd));
}

static void dirty_and_sync_page(int fd, off_t offset, void *file)
{
	(void)fd;
	(void)offset;
	++*(volatile char *)file;
	must(msync(file, PAGE_BYTES, MS_SYNC), "msync");
}

static void sync_mapping(const struct place *place)
{
	int fd = data_file(place, O_RDWR);

	at_pages(fd, dirty_and_sync_page, map_file(fd));
}

static int out_file(const struct place *place)
{
	char path[PATH_MAX];

	path_in(place, "out", path);
	return (int)must(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), path);
}

static void send_page(int fd, off_t offset, void *to)
{
	must(sendfile(*(int *)to, fd, &offset, PAGE_BYTES), "sendfile");
}

static void sendfile_cold(const struct place *place)
{
	int out = out_file(place);

	at_pages(data_file(place, O_RDONLY), send_page, &out);
}

static void copy_page(int fd, off_t offset, void *to)
{
	must(copy_file_range(fd, &offset, *(int *)to, NULL, PAGE_BYTES, 0), "copy_file_range");
}

static void copy_cold(const struct place *place)
{
	int out = out_file(place);

	at_pages(data_file(place, O_RDONLY), copy_page, &out);
}

static void splice_page(int fd, off_t offset, void *pipe_fds)
{
	int *fds = pipe_fds;
	char page[PAGE_BYTES];

	must(splice(fd, &offset, fds[1], NULL, PAGE_BYTES, 0), "splice");
	must(read(fds[0], page, sizeof(page)), "read");
}

static void splice_cold(const struct place *place)
{
	int fds[2];

	must(pipe(fds), "pipe");
	at_pages(data_file(place, O_RDONLY), splice_page, fds);
}

/* Makes a name durable, as a mail server or a database does. */
static void rename_durably(const struct place *place)
{
	int dir = (int)must(open(place->dir, O_RDONLY | O_DIRECTORY), place->dir);
	long end = now_ms() + ALL_WAITS_MS;

	close((int)must(openat(dir, "a", O_CREAT | O_WRONLY, 0600), "openat"));
	for (int i = 0; now_ms() < end; i++) {
		must(renameat(dir, i % 2 ? "b" : "a", dir, i % 2 ? "a" : "b"), "renameat");
		must(fsync(dir), "fsync");
	}
}

const struct situation file_situations[] = {
	{ "file_read", read_cold, prepare_cold_file },
	{ "file_read_direct", read_direct, prepare_cold_file },
	{ "file_write_direct", write_direct, prepare_cold_file },
	{ "file_write_sync", write_synchronously, prepare_cold_file },
	{ "file_fsync", sync_file, prepare_cold_file },
	{ "file_fdatasync", sync_data, prepare_cold_file },
	{ "file_sync_range", sync_range, prepare_cold_file },
	{ "file_msync", sync_mapping, prepare_cold_file },
	{ "file_mapped", fault_cold, prepare_cold_file },
	{ "file_sendfile", sendfile_cold, prepare_cold_file },
	{ "file_copy_range", copy_cold, prepare_cold_file },
	{ "file_splice", splice_cold, prepare_cold_file },
	{ "directory_fsync", rename_durably, NULL },
	{ NULL, NULL, NULL },
};
