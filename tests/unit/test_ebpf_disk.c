/* Waits for disks and for memory, seen live: which operation, on which file. Each program makes
 * the kernel go to the disk; that it had to wait there is what the disk's slowness sees to. */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"
#include "ebpf_world.h"

#define MB	   ((size_t)1 << 20)
#define FILE_BYTES (16 * MB)
#define STEP_BYTES (256 * 1024)

static struct {
	int fd;
	char path[PATH_MAX];
	char name[PATH_MAX + 16];
} world;

static void skip_because(const char *why)
{
	print_message("SKIPPED: %s\n", why);
	skip();
}

/* A file of FILE_BYTES on the disk and not in memory, unlinked by disk_end. */
static void cold_file(const char *label, int flags)
{
	char *block = malloc(MB);
	struct statfs fs;

	assert_non_null(block);
	memset(block, 'x', MB);
	world.fd = world_file(label, 0, world.path);
	assert_int_equal(fstatfs(world.fd, &fs), 0);
	for (size_t at = 0; at < FILE_BYTES; at += MB)
		assert_int_equal(write(world.fd, block, MB), MB);
	free(block);
	assert_int_equal(fsync(world.fd), 0);
	assert_int_equal(posix_fadvise(world.fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(world.fd);
	world.fd = open(world.path, O_RDWR | O_CLOEXEC | flags);
	if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC && world.fd >= 0)
		return;
	unlink(world.path);
	close(world.fd);
	skip_because("the build directory's file system is in memory or has no direct I/O");
}

static void disk_end(struct live *live)
{
	live_end(live);
	unlink(world.path);
	close(world.fd);
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

static void disk_run(struct live *live, int (*program)(void *))
{
	live_begin(live, program, NULL);
	disk_end(live);
}

static const struct obs_wait *find_row(const struct live *live, enum wait_reason reason,
				       enum wait_operation operation, const char *name)
{
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		const struct obs_wait *row = &live->obs.waits[i];

		if (row->reason == reason && row->operation == operation &&
		    !strcmp(row->name, name))
			return row;
	}
	return NULL;
}

static const struct obs_wait *disk_row(const struct live *live, enum wait_reason reason,
				       enum wait_operation operation, const char *name)
{
	const struct obs_wait *found = find_row(live, reason, operation, name);

	if (found)
		return found;
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		const struct obs_wait *row = &live->obs.waits[i];

		print_error("  %s %s %s %s \"%s\" on \"%s\"\n", wait_reason_name(row->reason),
			    row->call, wait_operation_name(row->operation),
			    object_kind_name(row->kind), row->name, row->device);
	}
	fail_msg("no row %s %s \"%s\"", wait_reason_name(reason), wait_operation_name(operation),
		 name);
	return NULL;
}

static void skip_without_probe(const struct live *live, const char *name)
{
	for (size_t i = 0; i < live->obs.quality.missing_probe_cnt; i++)
		if (!strncmp(live->obs.quality.missing_probes[i], name, strlen(name)))
			skip_because(name);
}

/* What the kernel says of the device that holds the file, read with other eyes than ours. */
static void skip_without_block_device(char *name, size_t size)
{
	char path[128], link[PATH_MAX];
	struct stat status;
	ssize_t len;

	assert_int_equal(fstat(world.fd, &status), 0);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(status.st_dev),
		 minor(status.st_dev));
	len = readlink(path, link, sizeof(link) - 1);
	if (len <= 0) {
		unlink(world.path);
		close(world.fd);
		skip_because("the build directory's file system has no block device");
	}
	link[len] = 0;
	snprintf(name, size, "%s", strrchr(link, '/') + 1);
}

/* --- reading and writing --- */

static int read_here_and_there(void *unused)
{
	char *block;

	(void)unused;
	posix_fadvise(world.fd, 0, 0, POSIX_FADV_RANDOM);
	if (posix_memalign((void **)&block, 4096, 4096))
		return 1;
	for (size_t at = 0; at < FILE_BYTES; at += STEP_BYTES)
		if (pread(world.fd, block, 4096, (off_t)at) != 4096)
			return 1;
	return 0;
}

static void a_page_cache_miss_is_a_read(void **state)
{
	const struct obs_wait *row;

	cold_file("cold", 0);
	disk_run(*state, read_here_and_there);
	row = disk_row(*state, WAIT_DISK, OPERATION_READ, world.path);
	assert_int_equal(row->kind, OBJECT_FILE);
	assert_string_equal(row->call, "pread64");
}

static void reading_past_the_page_cache_is_direct(void **state)
{
	cold_file("direct", O_DIRECT);
	disk_run(*state, read_here_and_there);
	disk_row(*state, WAIT_DISK, OPERATION_DIRECT, world.path);
	assert_null(find_row(*state, WAIT_DISK, OPERATION_READ, world.path));
}

static int write_and_flush(void *unused)
{
	(void)unused;
	for (off_t at = 0; at < 16; at++)
		if (pwrite(world.fd, "x", 1, at * 4096) != 1 || fsync(world.fd))
			return 1;
	return 0;
}

static void fsync_is_sync(void **state)
{
	cold_file("fsync", 0);
	disk_run(*state, write_and_flush);
	assert_string_equal(disk_row(*state, WAIT_DISK, OPERATION_SYNC, world.path)->call, "fsync");
}

static int write_through(void *unused)
{
	(void)unused;
	for (off_t at = 0; at < 16; at++)
		if (pwrite(world.fd, "x", 1, at * 4096) != 1)
			return 1;
	return 0;
}

static void a_write_to_a_synchronous_file_is_sync(void **state)
{
	cold_file("osync", O_SYNC);
	disk_run(*state, write_through);
	assert_string_equal(disk_row(*state, WAIT_DISK, OPERATION_SYNC, world.path)->call,
			    "pwrite64");
}

static int make_and_remove_files(void *unused)
{
	char path[PATH_MAX + 16];

	(void)unused;
	for (int i = 0; i < 16; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s.%d", world.path, i);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		if (fd < 0 || fsync(fd) || unlink(path))
			return 1;
		close(fd);
	}
	return 0;
}

/* Every sync is of a file of its own, the journal's commit of all of them. */
static void files_of_one_inode_number_have_their_own_names(void **state)
{
	struct live *live = *state;
	size_t named_cnt = 0;

	cold_file("names", 0);
	disk_run(live, make_and_remove_files);
	for (size_t i = 0; i < live->obs.wait_cnt; i++) {
		const struct obs_wait *row = &live->obs.waits[i];

		if (row->operation != OPERATION_SYNC)
			continue;
		assert_int_equal(strncmp(row->name, world.path, strlen(world.path)), 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(live->obs.waits[j].name, row->name);
		named_cnt++;
	}
	assert_in_range(named_cnt, 1, 16);
}

static void the_device_is_named(void **state)
{
	const struct obs_wait *row;
	char device[64];

	cold_file("device", 0);
	skip_without_block_device(device, sizeof(device));
	disk_run(*state, read_here_and_there);
	row = disk_row(*state, WAIT_DISK, OPERATION_READ, world.path);
	assert_int_equal(strncmp(row->device, device, strlen(device)), 0);
}

/* --- memory --- */

static int touch_mapping(void *unused)
{
	char *map = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, world.fd, 0);
	int sum = 0;

	(void)unused;
	if (map == MAP_FAILED || madvise(map, FILE_BYTES, MADV_RANDOM))
		return 1;
	for (size_t at = 0; at < FILE_BYTES; at += STEP_BYTES)
		sum += map[at];
	return sum == (int)(FILE_BYTES / STEP_BYTES) * 'x' ? 0 : 1;
}

static void a_fault_of_a_cold_mapping_names_the_file(void **state)
{
	const struct obs_wait *row;

	cold_file("mapped", 0);
	disk_run(*state, touch_mapping);
	skip_without_probe(*state, "mm_filemap_add_to_page_cache");
	row = disk_row(*state, WAIT_PAGING, OPERATION_FAULT, world.path);
	assert_int_equal(row->kind, OBJECT_FILE);
	assert_string_equal(row->call, "");
}

/* --- names --- */

static void a_deleted_file_says_so(void **state)
{
	cold_file("deleted", 0);
	snprintf(world.name, sizeof(world.name), "%s (deleted)", world.path);
	unlink(world.path);
	disk_run(*state, read_here_and_there);
	disk_row(*state, WAIT_DISK, OPERATION_READ, world.name);
}

static int read_in_another_root(void *unused)
{
	char directory[PATH_MAX];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", world.path);
	slash = strrchr(directory, '/');
	*slash = 0;
	if (chroot(directory) || chdir("/"))
		return 1;
	return read_here_and_there(unused);
}

static void paths_begin_at_the_root_that_the_program_knows(void **state)
{
	cold_file("chroot", 0);
	disk_run(*state, read_in_another_root);
	disk_row(*state, WAIT_DISK, OPERATION_READ, strrchr(world.path, '/'));
}

#define LONG_BYTES 120

static void a_long_name_is_cut_and_says_so(void **state)
{
	char *slash, old[PATH_MAX];

	cold_file("long", 0);
	snprintf(old, sizeof(old), "%s", world.path);
	slash = strrchr(world.path, '/');
	memset(slash + 1, 'n', LONG_BYTES);
	slash[1 + LONG_BYTES] = 0;
	assert_int_equal(rename(old, world.path), 0);
	disk_run(*state, read_here_and_there);
	memcpy(world.name, world.path, (size_t)(slash - world.path) + 80);
	strcpy(world.name + (slash - world.path) + 80, "...");
	disk_row(*state, WAIT_DISK, OPERATION_READ, world.name);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(a_page_cache_miss_is_a_read),
		LIVE_TEST(reading_past_the_page_cache_is_direct),
		LIVE_TEST(fsync_is_sync),
		LIVE_TEST(a_write_to_a_synchronous_file_is_sync),
		LIVE_TEST(files_of_one_inode_number_have_their_own_names),
		LIVE_TEST(the_device_is_named),
		LIVE_TEST(a_fault_of_a_cold_mapping_names_the_file),
		LIVE_TEST(a_deleted_file_says_so),
		LIVE_TEST(paths_begin_at_the_root_that_the_program_knows),
		LIVE_TEST(a_long_name_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
