/* Waits for disks and for memory, seen live: which operation, on which file. Each program makes
 * the kernel go to the disk; that it had to wait there is what the disk's slowness sees to. */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_files.h"
#include "ebpf_live.h"
#include "ebpf_world.h"

/* What the kernel says of the device that holds the file, read with other eyes than ours. */
static void skip_without_block_device(char *name, size_t size)
{
	char path[128], link[PATH_MAX];
	struct stat status;
	ssize_t len;

	assert_int_equal(fstat(files.fd, &status), 0);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(status.st_dev),
		 minor(status.st_dev));
	len = readlink(path, link, sizeof(link) - 1);
	if (len <= 0) {
		unlink(files.path);
		close(files.fd);
		files_skip("the build directory's file system has no block device");
	}
	link[len] = 0;
	snprintf(name, size, "%s", strrchr(link, '/') + 1);
}

/* --- reading and writing --- */

#define READ_ROUNDS_MAX 50

/* How often the kernel says that this process has slept. */
static long sleep_cnt(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw;
}

/* Reads until it had to wait: a host that has the file in its own memory may answer before the
 * thread sleeps, and what the kernel holds on to isn't dropped at once. */
static int read_here_and_there(void *unused)
{
	char *block;

	(void)unused;
	posix_fadvise(files.fd, 0, 0, POSIX_FADV_RANDOM);
	if (posix_memalign((void **)&block, 4096, 4096))
		return 1;
	for (int round = 0; round < READ_ROUNDS_MAX; round++) {
		long before = sleep_cnt();

		for (size_t at = 0; at < FILE_BYTES; at += STEP_BYTES)
			if (pread(files.fd, block, 4096, (off_t)at) != 4096)
				return 1;
		if (sleep_cnt() != before)
			return 0;
		posix_fadvise(files.fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	return 1;
}

static void a_page_cache_miss_is_a_read(void **state)
{
	const struct obs_wait *row;

	files_cold("cold", 0);
	files_run(*state, read_here_and_there);
	row = files_row(*state, WAIT_DISK, OPERATION_READ, files.path);
	assert_int_equal(row->kind, OBJECT_FILE);
	assert_string_equal(row->call, "pread64");
}

static void reading_past_the_page_cache_is_direct(void **state)
{
	files_cold("direct", O_DIRECT);
	files_run(*state, read_here_and_there);
	files_row(*state, WAIT_DISK, OPERATION_DIRECT, files.path);
	assert_null(files_find(*state, WAIT_DISK, OPERATION_READ, files.path));
}

static int write_and_flush(void *unused)
{
	(void)unused;
	for (off_t at = 0; at < 16; at++)
		if (pwrite(files.fd, "x", 1, at * 4096) != 1 || fsync(files.fd))
			return 1;
	return 0;
}

static void fsync_is_sync(void **state)
{
	files_cold("fsync", 0);
	files_run(*state, write_and_flush);
	assert_string_equal(files_row(*state, WAIT_DISK, OPERATION_SYNC, files.path)->call,
			    "fsync");
}

static int write_through(void *unused)
{
	(void)unused;
	for (off_t at = 0; at < 16; at++)
		if (pwrite(files.fd, "x", 1, at * 4096) != 1)
			return 1;
	return 0;
}

static void a_write_to_a_synchronous_file_is_sync(void **state)
{
	files_cold("osync", O_SYNC);
	files_run(*state, write_through);
	assert_string_equal(files_row(*state, WAIT_DISK, OPERATION_SYNC, files.path)->call,
			    "pwrite64");
}

static int make_and_remove_files(void *unused)
{
	char path[PATH_MAX + 16];

	(void)unused;
	for (int i = 0; i < 16; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s.%d", files.path, i);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		if (fd < 0 || fsync(fd) || unlink(path))
			return 1;
		close(fd);
	}
	return 0;
}

/* The file structure and the inode's number of one are those of the next. */
static void files_of_one_inode_number_have_their_own_names(void **state)
{
	struct live *live = *state;
	const char *first = NULL;
	bool differ = false;

	files_cold("names", 0);
	files_run(live, make_and_remove_files);
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		const struct obs_wait *row = &live->obs.waits[i];

		if (row->operation != OPERATION_SYNC)
			continue;
		assert_int_equal(strncmp(row->name, files.path, strlen(files.path)), 0);
		first = first ? first : row->name;
		differ |= strcmp(first, row->name) != 0;
	}
	assert_true(differ);
}

static void the_device_is_named(void **state)
{
	const struct obs_wait *row;
	char device[64];

	files_cold("device", 0);
	skip_without_block_device(device, sizeof(device));
	files_run(*state, read_here_and_there);
	row = files_row(*state, WAIT_DISK, OPERATION_READ, files.path);
	assert_int_equal(strncmp(row->device, device, strlen(device)), 0);
}

/* --- a disk of the test's own --- */

#define IMAGE_BYTES (64 * MB)

static struct {
	char image[PATH_MAX];
	char directory[PATH_MAX];
	bool is_mounted;
} disk;

static int shell(const char *command)
{
	char text[3 * PATH_MAX];

	snprintf(text, sizeof(text), "%s >/dev/null 2>&1", command);
	return system(text);
}

static int disk_mount(void)
{
	char command[2 * PATH_MAX + 64];

	snprintf(command, sizeof(command), "mount -o loop '%s' '%s'", disk.image, disk.directory);
	disk.is_mounted = !shell(command);
	return disk.is_mounted ? 0 : -1;
}

static void disk_unmount(void)
{
	char command[PATH_MAX + 64];

	snprintf(command, sizeof(command), "umount '%s'", disk.directory);
	if (disk.is_mounted)
		shell(command);
	disk.is_mounted = false;
}

/* Mounts an empty ext4 of the test's own, on a loop device. */
static void disk_make(const char *label)
{
	char command[PATH_MAX + 64];
	int fd = world_file(label, 0, disk.image);

	assert_int_equal(ftruncate(fd, IMAGE_BYTES), 0);
	close(fd);
	snprintf(disk.directory, sizeof(disk.directory), "%.3000s.mount", disk.image);
	assert_int_equal(mkdir(disk.directory, 0700), 0);
	snprintf(command, sizeof(command), "mkfs.ext4 -q -F '%s'", disk.image);
	if (shell(command) || disk_mount())
		files_skip("no ext4 on a loop device can be made here");
}

static int disk_teardown(void **state)
{
	int error = live_teardown(state);

	disk_unmount();
	rmdir(disk.directory);
	unlink(disk.image);
	return error;
}

#define DIRECTORY_CNT 40
#define NAMES_OF_EACH 200 /* so that each directory has blocks of its own */

static void disk_path(char *path, int directory, int file)
{
	snprintf(path, PATH_MAX, "%.3000s/d%02d/a-name-to-take-up-some-room-%d", disk.directory,
		 directory, file);
}

static void disk_fill(void)
{
	char path[PATH_MAX];

	for (int i = 0; i < DIRECTORY_CNT; i++) {
		snprintf(path, sizeof(path), "%.3000s/d%02d", disk.directory, i);
		assert_int_equal(mkdir(path, 0700), 0);
		for (int j = 0; j < NAMES_OF_EACH; j++) {
			disk_path(path, i, j);
			assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
		}
	}
}

static int look_names_up(void *unused)
{
	char path[PATH_MAX];
	struct stat status;

	(void)unused;
	for (int i = 0; i < DIRECTORY_CNT; i++) {
		disk_path(path, i, NAMES_OF_EACH / 2);
		if (stat(path, &status))
			return 1;
	}
	return 0;
}

static void a_cold_directory_is_metadata(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	size_t named_cnt = 0;

	disk_make("metadata");
	disk_fill();
	disk_unmount();
	assert_int_equal(disk_mount(), 0);
	live_begin(live, look_names_up, NULL);
	live_end(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		row = &live->obs.waits[i];
		if (row->kind != OBJECT_DIRECTORY)
			continue;
		assert_int_equal(row->operation, OPERATION_METADATA);
		assert_string_equal(row->call, "newfstatat");
		assert_int_equal(strncmp(row->name, disk.directory, strlen(disk.directory)), 0);
		assert_int_equal(strncmp(row->device, "loop", 4), 0);
		named_cnt++;
	}
	assert_true(named_cnt >= DIRECTORY_CNT / 2);
}

static int write_much(void *unused)
{
	char *block = calloc(1, MB);
	int fd = open(files.path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	(void)unused;
	for (size_t at = 0; at < IMAGE_BYTES / 2; at += MB)
		if (!block || write(fd, block, MB) != MB)
			return 1;
	return 0;
}

/* The device may have no more than @bytes of dirty pages; false: this kernel has no such knob. */
static bool limit_dirty_pages(const char *bytes)
{
	static const char *const knobs[] = { "strict_limit", "max_bytes" };
	const char *const values[] = { "1", bytes };
	struct stat status;
	bool is_limited = true;

	assert_int_equal(stat(disk.directory, &status), 0);
	for (int i = 0; i < 2; i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/%s", major(status.st_dev),
			 minor(status.st_dev), knobs[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		is_limited &= fd >= 0 && write(fd, values[i], strlen(values[i])) > 0;
		close(fd);
	}
	return is_limited;
}

static void a_writer_that_is_held_back_is_throttled(void **state)
{
	struct live *live = *state;

	disk_make("throttled");
	if (!limit_dirty_pages("1048576"))
		files_skip("this kernel can't limit a device's dirty pages (6.2+)");
	snprintf(files.path, sizeof(files.path), "%.3000s/much", disk.directory);
	live_begin(live, write_much, NULL);
	live_end(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
	files_need_probe(live, "balance_dirty_pages");
	assert_string_equal(files_row(live, WAIT_DISK, OPERATION_THROTTLED, files.path)->call,
			    "write");
}

#define TRACE_PIPE "/sys/kernel/tracing/trace_pipe"

static int read_trace_pipe(void *unused)
{
	char byte;

	(void)unused;
	return read(files.fd, &byte, 1) != 1;
}

static void a_file_of_the_kernel_is_no_disk(void **state)
{
	struct live *live = *state;

	files.fd = open(TRACE_PIPE, O_RDONLY | O_CLOEXEC);
	if (files.fd < 0)
		files_skip("no " TRACE_PIPE " to read");
	live_begin(live, read_trace_pipe, NULL);
	live_until_blocked(live, live->pid, SYS_read, files.fd, 1);
	live_cut(live);
	close(files.fd);
	live_row(live, WAIT_DEVICE, OBJECT_FILE, DIRECTION_NONE, TRACE_PIPE);
	assert_int_equal(live_wait_ns(live, WAIT_DISK), 0);
}

/* --- names --- */

static void a_deleted_file_says_so(void **state)
{
	char name[PATH_MAX + 16];

	files_cold("deleted", 0);
	snprintf(name, sizeof(name), "%s (deleted)", files.path);
	unlink(files.path);
	files_run(*state, read_here_and_there);
	files_row(*state, WAIT_DISK, OPERATION_READ, name);
}

static int read_in_another_root(void *unused)
{
	char directory[PATH_MAX];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", files.path);
	slash = strrchr(directory, '/');
	*slash = 0;
	if (chroot(directory) || chdir("/"))
		return 1;
	return read_here_and_there(unused);
}

static void paths_begin_at_the_root_that_the_program_knows(void **state)
{
	files_cold("chroot", 0);
	files_run(*state, read_in_another_root);
	files_row(*state, WAIT_DISK, OPERATION_READ, strrchr(files.path, '/'));
}

#define LONG_BYTES 120

static void a_long_name_is_cut_and_says_so(void **state)
{
	char name[PATH_MAX + 16];
	char *slash, old[PATH_MAX];

	files_cold("long", 0);
	snprintf(old, sizeof(old), "%s", files.path);
	slash = strrchr(files.path, '/');
	memset(slash + 1, 'n', LONG_BYTES);
	slash[1 + LONG_BYTES] = 0;
	assert_int_equal(rename(old, files.path), 0);
	files_run(*state, read_here_and_there);
	memcpy(name, files.path, (size_t)(slash - files.path) + 80);
	strcpy(name + (slash - files.path) + 80, "...");
	files_row(*state, WAIT_DISK, OPERATION_READ, name);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

#define DISK_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(a_page_cache_miss_is_a_read),
		LIVE_TEST(reading_past_the_page_cache_is_direct),
		LIVE_TEST(fsync_is_sync),
		LIVE_TEST(a_write_to_a_synchronous_file_is_sync),
		LIVE_TEST(files_of_one_inode_number_have_their_own_names),
		LIVE_TEST(the_device_is_named),
		DISK_TEST(a_cold_directory_is_metadata),
		DISK_TEST(a_writer_that_is_held_back_is_throttled),
		LIVE_TEST(a_file_of_the_kernel_is_no_disk),
		LIVE_TEST(a_deleted_file_says_so),
		LIVE_TEST(paths_begin_at_the_root_that_the_program_knows),
		LIVE_TEST(a_long_name_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
