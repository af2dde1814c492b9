/* What processes have mapped to run: lines of maps, files, and addresses in files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "chain.h"
#include "code/address_space.h"
#include "code/code_file.h"
#include "code/map_line.h"

static bool parse(struct map_line *line, const char *text)
{
	static char copy[512];

	snprintf(copy, sizeof(copy), "%s", text);
	return map_line_parse(copy, line);
}

static void test_a_line_is_taken_apart(void **state)
{
	struct map_line line;

	(void)state;
	assert_true(parse(&line, "7f0c2c228000-7f0c2c37e000 r-xp 00028000 fe:01 1835123       "
				 "/usr/lib/a b (deleted)\n"));
	assert_int_equal(line.start, 0x7f0c2c228000);
	assert_int_equal(line.end, 0x7f0c2c37e000);
	assert_int_equal(line.offset, 0x28000);
	assert_int_equal(line.device, 0xfeUL << 32 | 1);
	assert_int_equal(line.inode, 1835123);
	assert_true(line.is_executable);
	assert_string_equal(line.path, "/usr/lib/a b");
	assert_true(parse(&line, "1000-2000 rw-p 00000000 00:00 0 \n"));
	assert_false(line.is_executable);
	assert_string_equal(line.path, "");
	assert_true(parse(&line, "1000-2000 rwxp 00000000 fe:01 3 /a\\012b\\012"));
	assert_string_equal(line.path, "/a\nb\n");
}

static void test_what_is_no_line_is_refused(void **state)
{
	static const char *const texts[] = { "",
					     "\n",
					     "1000",
					     "1000-2000",
					     "1000-2000 r-xp",
					     "1000-2000 r-xp 0 fe:01",
					     "2000-1000 r-xp 0 fe:01 3 /a",
					     "2000-2000 r-xp 0 fe:01 3 /a",
					     "1000-2000 r-x 0 fe:01 3 /a",
					     "1000-2000 r-xpp 0 fe:01 3 /a" };
	struct map_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(parse(&line, texts[i]));
}

static const struct code_mapping *own(struct address_space *space, struct code_files *files,
				      const void *address)
{
	assert_int_equal(address_space_read(space, files, getpid()), 0);
	return address_space_find(space, (uint64_t)address);
}

static void test_an_address_is_found_in_its_file(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 };
	const struct code_mapping *here = own(&space, files, (void *)&test_a_line_is_taken_apart);
	const struct code_mapping *there = address_space_find(&space, (uint64_t)&strtoul);
	extern const char __executable_start[];
	char path[4096] = "";
	uint64_t address;

	(void)state;
	assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	assert_non_null(here);
	assert_string_equal(here->file->path, path);
	assert_null(here->file->why);
	assert_true(here->file->fd >= 0);
	assert_true(fcntl(here->file->fd, F_GETFD) & FD_CLOEXEC);
	assert_true(code_mapping_address(here, (uint64_t)&test_a_line_is_taken_apart, &address));
	/* A program that may lie anywhere counts from 0. */
	assert_int_equal(address,
			 (uint64_t)&test_a_line_is_taken_apart - (uint64_t)__executable_start);
	assert_non_null(there);
	assert_ptr_not_equal(here->file, there->file);
	assert_null(address_space_find(&space, 0));
	assert_null(address_space_find(&space, (uint64_t)&space));
	assert_null(address_space_find(&space, UINT64_MAX));
	address_space_release(&space);
	code_files_free(files);
}

static void test_a_file_is_opened_once(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 }, other = { 0 };
	uint64_t returns[CHAIN_RETURNS];
	pid_t pid = chain_start(CHAIN_O2, returns);
	size_t cnt;

	(void)state;
	own(&space, files, NULL);
	cnt = code_files_cnt(files);
	own(&space, files, NULL);
	assert_int_equal(code_files_cnt(files), cnt);
	/* The program itself is all that is new: it shares the libraries and the vDSO. */
	assert_int_equal(address_space_read(&other, files, pid), 0);
	assert_int_equal(code_files_cnt(files), cnt + 1);
	for (uint32_t i = 0; i < cnt; i++)
		assert_int_equal(code_files_at(files, i)->number, i);
	assert_null(code_files_at(files, (uint32_t)cnt + 1));
	chain_stop(pid);
	assert_int_equal(address_space_read(&other, files, pid), -ESRCH);
	assert_true(other.mapping_cnt > 0);
	address_space_release(&space);
	address_space_release(&other);
	code_files_free(files);
}

static void test_the_vdso_is_a_file(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 };
	const struct code_file *vdso = NULL;

	(void)state;
	own(&space, files, NULL);
	for (uint32_t i = 0; i < code_files_cnt(files); i++)
		if (!strcmp(code_files_at(files, i)->path, "[vdso]"))
			vdso = code_files_at(files, i);
	assert_non_null(vdso);
	assert_null(vdso->why);
	assert_int_equal(vdso->segment_cnt, 1);
	address_space_release(&space);
	code_files_free(files);
}

/* A file of ours with a page of code, mapped. */
static void *map_file(int fd, const char *from)
{
	char bytes[4096];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t size;
	void *memory;

	while ((size = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(fd, bytes, (size_t)size), size);
	close(in);
	memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static void test_a_deleted_file_can_be_read(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 };
	char path[] = "/tmp/classify-code-XXXXXX";
	int fd = mkstemp(path);
	void *memory = map_file(fd, CHAIN_O2);
	const struct code_mapping *mapping;

	(void)state;
	unlink(path);
	close(fd);
	mapping = own(&space, files, memory);
	assert_non_null(mapping->file);
	assert_string_equal(mapping->file->path, path);
	assert_null(mapping->file->why);
	assert_true(mapping->file->segment_cnt > 0);
	munmap(memory, 4096);
	address_space_release(&space);
	code_files_free(files);
}

static void test_a_file_that_is_written_to_is_another(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 };
	char path[] = "/tmp/classify-code-XXXXXX";
	int fd = mkstemp(path);
	void *memory = map_file(fd, CHAIN_O2);
	const struct code_file *before = own(&space, files, memory)->file, *after;

	(void)state;
	assert_null(before->why);
	assert_int_equal(write(fd, "x", 1), 1);
	after = own(&space, files, memory)->file;
	assert_ptr_not_equal(before, after);
	assert_non_null(before->why);
	assert_null(after->why);
	unlink(path);
	close(fd);
	munmap(memory, 4096);
	address_space_release(&space);
	code_files_free(files);
}

static void test_what_is_no_program_says_so(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 };
	char path[] = "/tmp/classify-code-XXXXXX";
	int fd = mkstemp(path);
	void *memory = map_file(fd, __FILE__);
	const struct code_mapping *mapping = own(&space, files, memory);
	uint64_t address;

	(void)state;
	assert_non_null(mapping->file->why);
	assert_false(code_mapping_address(mapping, mapping->start, &address));
	unlink(path);
	close(fd);
	munmap(memory, 4096);
	address_space_release(&space);
	code_files_free(files);
}

static void test_memory_has_no_file(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 };
	int fd = memfd_create("jit", MFD_CLOEXEC);
	void *shared = map_file(fd, CHAIN_O2);
	void *own_memory =
		mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_non_null(own(&space, files, shared));
	assert_null(address_space_find(&space, (uint64_t)shared)->file);
	assert_null(address_space_find(&space, (uint64_t)own_memory)->file);
	close(fd);
	munmap(shared, 4096);
	munmap(own_memory, 4096);
	address_space_release(&space);
	code_files_free(files);
}

/* A program's file and where it is mapped: what there is to put away. */
struct stored {
	struct code_files *files;
	char path[64];
	struct code_file *file;
	void *memory;
};

/* In @directory, with @size bytes. */
static void store(struct stored *stored, const char *directory, off_t size)
{
	struct address_space space = { 0 };
	int fd;

	*stored = (struct stored){ .files = code_files_new() };
	snprintf(stored->path, sizeof(stored->path), "%s/classify-code-XXXXXX", directory);
	fd = mkstemp(stored->path);
	assert_true(fd >= 0);
	stored->memory = map_file(fd, CHAIN_O2);
	if (size)
		assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	stored->file = own(&space, stored->files, stored->memory)->file;
	assert_non_null(stored->file);
	assert_null(stored->file->why);
	stored->file->is_met = true;
	address_space_release(&space);
}

/* The file of what is mapped now, which may be mapped anew. */
static struct code_file *stored_again(const struct stored *stored)
{
	struct address_space space = { 0 };
	struct code_file *file = own(&space, stored->files, stored->memory)->file;

	address_space_release(&space);
	return file;
}

static void stored_release(struct stored *stored)
{
	munmap(stored->memory, 4096);
	unlink(stored->path);
	code_files_free(stored->files);
}

static bool is_copy(int fd)
{
	char link[64], path[256] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, path, sizeof(path) - 1) > 0 && !strncmp(path, "/memfd:", 7);
}

static void assert_same_bytes(int fd, const char *path)
{
	char bytes[4096], expected[4096];
	int in = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;
	off_t at = 0;

	while ((size = read(in, expected, sizeof(expected))) > 0) {
		assert_int_equal(pread(fd, bytes, (size_t)size, at), size);
		assert_memory_equal(bytes, expected, (size_t)size);
		at += size;
	}
	close(in);
}

static void test_a_deleted_file_is_put_away_as_a_copy(void **state)
{
	struct stored stored;

	(void)state;
	store(&stored, "/tmp", 0);
	unlink(stored.path);
	assert_true(code_file_put_away(stored.files, stored.file));
	assert_null(stored.file->why);
	assert_true(is_copy(stored.file->fd));
	assert_same_bytes(stored.file->fd, CHAIN_O2);
	assert_false(code_file_put_away(stored.files, stored.file));
	/* It is the same still when it is seen again. */
	assert_ptr_equal(stored_again(&stored), stored.file);
	code_files_take_out(stored.files);
	assert_true(is_copy(stored.file->fd));
	stored_release(&stored);
}

static void test_what_is_in_no_stack_is_not_copied(void **state)
{
	struct stored stored;

	(void)state;
	store(&stored, "/tmp", 0);
	stored.file->is_met = false;
	unlink(stored.path);
	assert_true(code_file_put_away(stored.files, stored.file));
	assert_int_equal(stored.file->fd, -1);
	code_files_take_out(stored.files);
	assert_null(stored.file->why);
	/* It is mapped still. */
	assert_ptr_equal(stored_again(&stored), stored.file);
	assert_same_bytes(stored.file->fd, CHAIN_O2);
	stored_release(&stored);
}

static bool is_on_root_device(const char *path)
{
	struct stat root, status;

	assert_int_equal(stat("/", &root), 0);
	return stat(path, &status) == 0 && root.st_dev == status.st_dev;
}

static void test_a_file_beside_our_root_stays_open(void **state)
{
	struct stored stored;

	(void)state;
	if (!is_on_root_device("/tmp"))
		skip();
	store(&stored, "/tmp", 0);
	assert_false(code_file_put_away(stored.files, stored.file));
	assert_false(is_copy(stored.file->fd));
	stored_release(&stored);
}

#define OTHER_MOUNT "/dev/shm"
#define LARGE_BYTES (CODE_FILE_COPY_BYTES + 1)

/* Stores a file that is too large to be copied, and puts it away. */
static void put_away_large(struct stored *stored)
{
	if (access(OTHER_MOUNT, W_OK) != 0 || is_on_root_device(OTHER_MOUNT))
		skip();
	store(stored, OTHER_MOUNT, LARGE_BYTES);
	assert_true(code_file_put_away(stored->files, stored->file));
	assert_int_equal(stored->file->fd, -1);
	assert_null(stored->file->why);
	assert_false(code_file_put_away(stored->files, stored->file));
}

static void test_a_large_file_is_closed_and_opened_again(void **state)
{
	struct stored stored;

	(void)state;
	put_away_large(&stored);
	code_files_take_out(stored.files);
	assert_true(stored.file->fd >= 0);
	assert_null(stored.file->why);
	assert_true(code_file_put_away(stored.files, stored.file));
	assert_ptr_equal(stored_again(&stored), stored.file);
	assert_true(stored.file->fd >= 0);
	assert_same_bytes(stored.file->fd, CHAIN_O2);
	stored_release(&stored);
}

static void test_a_replaced_file_is_not_taken_for_it(void **state)
{
	struct stored stored;
	int fd;

	(void)state;
	put_away_large(&stored);
	unlink(stored.path);
	fd = open(stored.path, O_RDWR | O_CREAT | O_CLOEXEC, 0700);
	munmap(stored.memory, 4096);
	stored.memory = map_file(fd, CHAIN_O2);
	assert_int_equal(ftruncate(fd, LARGE_BYTES), 0);
	close(fd);
	code_files_take_out(stored.files);
	assert_int_equal(stored.file->fd, -1);
	assert_non_null(stored.file->why);
	assert_ptr_not_equal(stored_again(&stored), stored.file);
	stored_release(&stored);
}

static void test_a_file_written_to_meanwhile_is_another(void **state)
{
	struct stored stored;
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	const struct code_file *again;

	(void)state;
	put_away_large(&stored);
	assert_int_equal(utimensat(AT_FDCWD, stored.path, times, 0), 0);
	again = stored_again(&stored);
	assert_ptr_not_equal(again, stored.file);
	assert_true(again->fd >= 0);
	code_files_take_out(stored.files);
	assert_int_equal(stored.file->fd, -1);
	assert_non_null(stored.file->why);
	stored_release(&stored);
}

/* With no descriptor left the addresses are known still, and why nothing else is. */
static void test_descriptors_may_run_out(void **state)
{
	struct code_files *files = code_files_new();
	struct address_space space = { 0 };
	uint64_t returns[CHAIN_RETURNS];
	pid_t pid = chain_start(CHAIN_O2, returns);
	FILE *in = fopen("/proc/self/maps", "r"); /* its descriptor is free again below */
	struct rlimit limit, few;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	few = (struct rlimit){ .rlim_cur = (rlim_t)fileno(in) + 1, .rlim_max = limit.rlim_max };
	fclose(in);
	setrlimit(RLIMIT_NOFILE, &few);
	assert_int_equal(address_space_read(&space, files, pid), 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	for (uint32_t i = 0; i < code_files_cnt(files); i++) {
		assert_int_equal(code_files_at(files, i)->fd, -1);
		assert_non_null(code_files_at(files, i)->why);
	}
	assert_non_null(address_space_find(&space, returns[0]));
	chain_stop(pid);
	address_space_release(&space);
	code_files_free(files);
}

/* Files that can't be opened count, too. */
static void test_files_beyond_the_limit_are_one(void **state)
{
	struct code_files *files = code_files_new();
	char path[] = "/nowhere/file";
	struct map_line line = {
		.start = 0x1000, .end = 0x2000, .device = 1, .is_executable = true, .path = path
	};
	struct code_file *others;

	(void)state;
	assert_non_null(files);
	for (line.inode = 1; line.inode < CODE_FILES_MAX; line.inode++)
		assert_string_equal(code_files_get(files, getpid(), &line)->path, path);
	others = code_files_get(files, getpid(), &line);
	assert_string_equal(others->path, "(other files)");
	assert_non_null(others->why);
	assert_int_equal(others->fd, -1);
	line.inode++;
	assert_ptr_equal(code_files_get(files, getpid(), &line), others);
	assert_int_equal(code_files_cnt(files), CODE_FILES_MAX);
	code_files_free(files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_is_taken_apart),
		cmocka_unit_test(test_what_is_no_line_is_refused),
		cmocka_unit_test(test_an_address_is_found_in_its_file),
		cmocka_unit_test(test_a_file_is_opened_once),
		cmocka_unit_test(test_the_vdso_is_a_file),
		cmocka_unit_test(test_a_deleted_file_can_be_read),
		cmocka_unit_test(test_a_file_that_is_written_to_is_another),
		cmocka_unit_test(test_what_is_no_program_says_so),
		cmocka_unit_test(test_memory_has_no_file),
		cmocka_unit_test(test_descriptors_may_run_out),
		cmocka_unit_test(test_a_deleted_file_is_put_away_as_a_copy),
		cmocka_unit_test(test_what_is_in_no_stack_is_not_copied),
		cmocka_unit_test(test_a_file_beside_our_root_stays_open),
		cmocka_unit_test(test_a_large_file_is_closed_and_opened_again),
		cmocka_unit_test(test_a_replaced_file_is_not_taken_for_it),
		cmocka_unit_test(test_a_file_written_to_meanwhile_is_another),
		cmocka_unit_test(test_files_beyond_the_limit_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
