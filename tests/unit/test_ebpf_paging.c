/* Waits for memory, seen live: pages of files, inside system calls too, and the address space. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_files.h"
#include "ebpf_live.h"

static int touch_mapping(void *unused)
{
	char *map = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, files.fd, 0);
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

	files_cold("mapped", 0);
	files_run(*state, touch_mapping);
	files_need_probe(*state, "mm_filemap_add_to_page_cache");
	row = files_row(*state, WAIT_PAGING, OPERATION_FAULT, files.path);
	assert_int_equal(row->kind, OBJECT_FILE);
	assert_string_equal(row->call, "");
}

static int write_from_mapping(void *unused)
{
	char *map = mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, files.fd, 0);
	char byte;
	int ends[2];

	(void)unused;
	if (map == MAP_FAILED || madvise(map, FILE_BYTES, MADV_RANDOM) || pipe(ends))
		return 1;
	for (size_t at = 0; at < FILE_BYTES; at += STEP_BYTES)
		if (write(ends[1], map + at, 1) != 1 || read(ends[0], &byte, 1) != 1)
			return 1;
	return 0;
}

static void a_fault_inside_a_call_is_a_fault(void **state)
{
	struct live *live = *state;

	files_cold("copied", 0);
	files_run(live, write_from_mapping);
	files_need_probe(live, "mm_filemap_fault");
	assert_string_equal(files_row(live, WAIT_PAGING, OPERATION_FAULT, files.path)->call,
			    "write");
}

static int send_through_pipe(void *unused)
{
	char byte;
	int ends[2];

	(void)unused;
	posix_fadvise(files.fd, 0, 0, POSIX_FADV_RANDOM);
	if (pipe(ends))
		return 1;
	for (off_t at = 0; at < (off_t)FILE_BYTES; at += STEP_BYTES) {
		off_t from = at;

		if (sendfile(ends[1], files.fd, &from, 1) != 1 || read(ends[0], &byte, 1) != 1)
			return 1;
	}
	return 0;
}

static void sendfile_waits_for_the_file_that_it_sends(void **state)
{
	struct live *live = *state;

	files_cold("sent", 0);
	files_run(live, send_through_pipe);
	files_need_probe(live, "mm_filemap_add_to_page_cache");
	assert_string_equal(files_row(live, WAIT_DISK, OPERATION_READ, files.path)->call,
			    "sendfile");
}

#define POPULATED_CNT 20
#define POPULATED_MAP (32 * MB)

static atomic_int populated_cnt;

static void *populate(void *unused)
{
	for (int i = 0; i < POPULATED_CNT; i++) {
		void *map = mmap(NULL, POPULATED_MAP, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (map != MAP_FAILED)
			munmap(map, POPULATED_MAP);
		atomic_fetch_add(&populated_cnt, 1);
	}
	return unused;
}

static int map_while_another_thread_does(void *unused)
{
	pthread_t thread;

	(void)unused;
	if (pthread_create(&thread, NULL, populate, NULL))
		return 1;
	while (atomic_load(&populated_cnt) < POPULATED_CNT) {
		void *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (map == MAP_FAILED || munmap(map, 4096))
			return 1;
	}
	return pthread_join(thread, NULL);
}

static void a_locked_address_space_is_a_lock(void **state)
{
	struct live *live = *state;

	live_begin(live, map_while_another_thread_does, NULL);
	live_end(live);
	files_need_probe(live, "contention_begin");
	live_row(live, WAIT_LOCK, OBJECT_RWLOCK, DIRECTION_NONE, "address space");
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(a_fault_of_a_cold_mapping_names_the_file),
		LIVE_TEST(a_fault_inside_a_call_is_a_fault),
		LIVE_TEST(sendfile_waits_for_the_file_that_it_sends),
		LIVE_TEST(a_locked_address_space_is_a_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
