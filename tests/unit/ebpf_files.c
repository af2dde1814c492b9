/* Cold files and the rows of waits for them; see ebpf_files.h. */
#include "ebpf_files.h"
#include "ebpf_world.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct files files;

void files_skip(const char *why)
{
	print_message("SKIPPED: %s\n", why);
	skip();
}

/* A file of FILE_BYTES on the disk and not in memory, unlinked by files_end. */
void files_cold(const char *label, int flags)
{
	char *block = malloc(MB);
	struct statfs fs;

	assert_non_null(block);
	memset(block, 'x', MB);
	files.fd = world_file(label, 0, files.path);
	assert_int_equal(fstatfs(files.fd, &fs), 0);
	for (size_t at = 0; at < FILE_BYTES; at += MB)
		assert_int_equal(write(files.fd, block, MB), MB);
	free(block);
	assert_int_equal(fsync(files.fd), 0);
	assert_int_equal(posix_fadvise(files.fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(files.fd);
	files.fd = open(files.path, O_RDWR | O_CLOEXEC | flags);
	if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC && files.fd >= 0)
		return;
	unlink(files.path);
	close(files.fd);
	files_skip("the build directory's file system is in memory or has no direct I/O");
}

static void files_end(struct live *live)
{
	live_end(live);
	unlink(files.path);
	close(files.fd);
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

void files_run(struct live *live, int (*program)(void *))
{
	live_begin(live, program, NULL);
	files_end(live);
}

const struct obs_wait *files_find(const struct live *live, enum wait_reason reason,
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

const struct obs_wait *files_row(const struct live *live, enum wait_reason reason,
				 enum wait_operation operation, const char *name)
{
	const struct obs_wait *found = files_find(live, reason, operation, name);

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

void files_need_probe(const struct live *live, const char *name)
{
	for (size_t i = 0; i < live->obs.quality.missing_probe_cnt; i++)
		if (!strncmp(live->obs.quality.missing_probes[i], name, strlen(name)))
			files_skip(name);
}
