/* What lies at addresses of this very process, which is linked to run at fixed addresses. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "lock_library.h"
#include "memory_place.h"

#define MODULE	  "test_memory_place"
#define LIBRARY	  "liblock_library.so"
#define BIG_BYTES (1 << 20)

static long in_data[2] = { 1, 2 };
static long in_bss[2];
static struct {
	char before[BIG_BYTES];
	long member;
} big; /* beyond the last page that the file is mapped to */

static struct memory_map map;

static int teardown(void **state)
{
	(void)state;
	memory_map_release(&map);
	return 0;
}

static const char *place_for(const void *address, const struct memory_user *user)
{
	static char name[256];

	memory_place_name(&map, getpid(), (uintptr_t)address, user, name, sizeof(name));
	return name;
}

static const char *place(const void *address)
{
	static const struct memory_user nobody = { .comm = "" };

	return place_for(address, &nobody);
}

static void variables_have_their_names(void **state)
{
	char name[64];

	(void)state;
	assert_string_equal(place(&in_data[0]), "in_data (" MODULE ")");
	assert_string_equal(place(&in_data[1]), "in_data+0x8 (" MODULE ")");
	assert_string_equal(place(&in_bss[1]), "in_bss+0x8 (" MODULE ")");
	snprintf(name, sizeof(name), "big+0x%x (" MODULE ")", BIG_BYTES);
	assert_string_equal(place(&big.member), name);
}

static void a_stripped_library_names_what_it_exports(void **state)
{
	const char *hidden;
	unsigned long offset;

	(void)state;
	assert_string_equal(place((long *)lock_library_exported() + 1),
			    "exported_lock+0x8 (" LIBRARY ")");
	hidden = place(lock_library_hidden());
	assert_int_equal(sscanf(hidden, LIBRARY "+0x%lx", &offset), 1);
	assert_in_range(offset, 1, 1 << 20);
}

static void memory_of_no_file_is_heap_or_shared(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *shared = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long *heap = malloc(sizeof(*heap));
	char name[64];

	(void)state;
	assert_non_null(heap);
	snprintf(name, sizeof(name), "heap %p", (void *)heap);
	assert_string_equal(place(heap), name);
	free(heap);
	assert_ptr_not_equal(shared, MAP_FAILED);
	snprintf(name, sizeof(name), "shared memory %p", (void *)(shared + 64));
	assert_string_equal(place(shared + 64), name);
	munmap(shared, page);
}

static void shared_files_have_their_path(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char path[] = "memory_place_XXXXXX", name[4096 + 64], cwd[4096];
	int fd = mkstemp(path);
	char *mapped;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(2 * page)), 0);
	mapped = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)page);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(name, sizeof(name), "shared memory %s/%s+0x%zx", cwd, path, page + 16);
	name[255] = '\0'; /* as long as a name gets */
	assert_string_equal(place(mapped + 16), name);
	munmap(mapped, page);
	close(fd);
	unlink(path);
}

struct on_stack {
	long *word;
	int ready[2], done[2];
};

static void *show_stack(void *arg)
{
	struct on_stack *shown = arg;
	long word = 0;
	char byte;

	pthread_setname_np(pthread_self(), "stack-owner");
	shown->word = &word;
	if (write(shown->ready[1], "", 1) != 1 || read(shown->done[0], &byte, 1) != 1)
		return arg;
	return NULL;
}

static void stacks_belong_to_threads(void **state)
{
	struct memory_user user = { .comm = "asker" };
	struct on_stack shown;
	pthread_t owner;
	char name[64], byte;
	long own = 0;

	(void)state;
	snprintf(name, sizeof(name), "stack of " MODULE " %p", (void *)&own);
	name[strlen("stack of ") + 15] = '\0'; /* comm is cut */
	assert_int_equal(strncmp(place(&own), name, strlen(name)), 0);
	assert_int_equal(pipe(shown.ready) | pipe(shown.done), 0);
	assert_int_equal(pthread_create(&owner, NULL, show_stack, &shown), 0);
	assert_int_equal(read(shown.ready[0], &byte, 1), 1);
	snprintf(name, sizeof(name), "stack of stack-owner %p", (void *)shown.word);
	for (int i = 0; strcmp(place(shown.word), name); i++) {
		if (i == 10000)
			fail_msg("'%s', not '%s'", place(shown.word), name);
		usleep(1000); /* until it blocks, its stack pointer isn't known */
	}
	/* Of the thread that asks it is known without that. */
	user.stack = (uintptr_t)shown.word - 64;
	user.thread_pointer = (uintptr_t)shown.word + 64;
	snprintf(name, sizeof(name), "stack of asker %p", (void *)shown.word);
	assert_string_equal(place_for(shown.word, &user), name);
	assert_int_equal(write(shown.done[1], "", 1), 1);
	pthread_join(owner, NULL);
	for (int i = 0; i < 2; i++) {
		close(shown.ready[i]);
		close(shown.done[i]);
	}
}

static void nothing_known_is_an_address(void **state)
{
	static const struct memory_user nobody = { .comm = "" };
	char name[64];
	pid_t child;

	(void)state;
	assert_string_equal(place((void *)16), "0x10");
	child = fork();
	if (!child)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	memory_place_name(&map, child, 0x1234, &nobody, name, sizeof(name));
	assert_string_equal(name, "0x1234");
	/* Room for less than the name. */
	memory_place_name(&map, getpid(), (uintptr_t)&in_data[0], &nobody, name, 8);
	assert_string_equal(name, "in_data");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(variables_have_their_names, teardown),
		cmocka_unit_test_teardown(a_stripped_library_names_what_it_exports, teardown),
		cmocka_unit_test_teardown(memory_of_no_file_is_heap_or_shared, teardown),
		cmocka_unit_test_teardown(shared_files_have_their_path, teardown),
		cmocka_unit_test_teardown(stacks_belong_to_threads, teardown),
		cmocka_unit_test_teardown(nothing_known_is_an_address, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
