/* See stack_spaces.h. */
#include "stack_spaces.h"
#include "clock.h"
#include "code/code_file.h"
#include "golang/golang.h"
#include "proc_file.h"
#include "symbols/symbols.h"
#include "unwind/unwind.h"
#include "wire.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_MS 1000000ull
/* Maps are read again for an unknown address no sooner than that. */
#define MAPS_AGAIN_NS (10 * NS_PER_MS)
/* Python is asked again until it has initialised itself, for some seconds. */
#define PYTHON_AGAIN_NS	 (5 * NS_PER_MS)
#define PYTHON_TRIES_MAX 1000
#define THREADS_AGAIN_NS (50 * NS_PER_MS)
/* And so many times what that took. */
#define THREADS_COST_INVERSE 100
#define PERF_MAP_AGAIN_NS    (500 * NS_PER_MS)
/* What the dead held is given back soon; where there is much to look at, it is less often. */
#define SWEEP_NS	 (100 * NS_PER_MS)
#define SWEEP_OF_EACH_NS (NS_PER_MS / 5)
/* Threads of a process that the probes are told of. */
#define THREADS_MAX 4096

/* --- the table --- */

/* Where the space of @tgid is, or would be. */
static size_t place_of(const struct stack_spaces *spaces, uint32_t tgid)
{
	size_t low = 0, high = spaces->cnt;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (spaces->all[middle]->tgid < tgid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void forget_threads(struct stack_spaces *spaces, struct stack_space *space)
{
	for (size_t i = 0; i < space->thread_cnt; i++) {
		struct wire_python_thread key = { .tgid = space->tgid,
						  .thread_pointer =
							  space->threads[i].thread_pointer };

		bpf_map_delete_elem(spaces->python_threads_fd, &key);
	}
	free(space->threads);
	space->threads = NULL;
	space->thread_cnt = 0;
}

/* Forgets what is known of the program. */
static void space_empty(struct stack_spaces *spaces, struct stack_space *space)
{
	forget_threads(spaces, space);
	if (space->is_described)
		bpf_map_delete_elem(spaces->pythons_fd, &space->tgid);
	python_free(space->python);
	free(space->golang);
	address_space_release(&space->maps);
	*space = (struct stack_space){ .tgid = space->tgid };
}

static struct stack_space *space_insert(struct stack_spaces *spaces, size_t at, uint32_t tgid)
{
	struct stack_space *space = calloc(1, sizeof(*space));

	if (space && spaces->cnt == spaces->capacity) {
		size_t capacity = spaces->capacity ? 2 * spaces->capacity : 16;
		struct stack_space **grown =
			reallocarray(spaces->all, capacity, sizeof(*spaces->all));

		if (!grown) {
			free(space);
			return NULL;
		}
		spaces->all = grown;
		spaces->capacity = capacity;
	}
	if (!space)
		return NULL;
	space->tgid = tgid;
	memmove(&spaces->all[at + 1], &spaces->all[at],
		(spaces->cnt - at) * sizeof(spaces->all[0]));
	spaces->all[at] = space;
	spaces->cnt++;
	return space;
}

/* --- Python --- */

static bool has_python(const struct stack_space *space)
{
	for (size_t i = 0; i < space->maps.mapping_cnt; i++) {
		const struct code_file *file = space->maps.mappings[i].file;
		const char *name = file ? strrchr(file->path, '/') : NULL;

		if (name && strstr(name, "python"))
			return true;
	}
	return false;
}

static void python_look(struct stack_spaces *spaces, struct stack_space *space, uint64_t now_ns)
{
	struct wire_python wire;
	char why[sizeof(spaces->python_why)] = "";
	int error;

	space->python_due_ns = 0;
	if (!has_python(space))
		return;
	error = python_open((pid_t)space->tgid, &space->python, why, sizeof(why));
	if ((error == -EAGAIN || error == -ENOENT) && space->python_try_cnt++ < PYTHON_TRIES_MAX)
		space->python_due_ns = now_ns + PYTHON_AGAIN_NS;
	else if (error == -ENOTSUP && !spaces->python_why[0])
		memcpy(spaces->python_why, why, sizeof(why));
	if (error)
		return;
	python_describe(space->python, &wire);
	space->is_described =
		!bpf_map_update_elem(spaces->pythons_fd, &space->tgid, &wire, BPF_ANY);
	space->threads_due_ns = now_ns;
}

/* Those that have gone are forgotten first: their thread pointers are used again. */
static void threads_tell(struct stack_spaces *spaces, struct stack_space *space, uint64_t now_ns)
{
	struct python_thread *threads = calloc(THREADS_MAX, sizeof(*threads));
	uint64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
	ssize_t cnt = threads ? python_threads(space->python, threads, THREADS_MAX) : -ENOMEM;

	space->threads_due_ns = now_ns + THREADS_AGAIN_NS +
				THREADS_COST_INVERSE * (clock_ns(CLOCK_MONOTONIC) - begin_ns);
	if (cnt > 0 && ((size_t)cnt != space->thread_cnt ||
			memcmp(threads, space->threads, (size_t)cnt * sizeof(*threads)))) {
		forget_threads(spaces, space);
		for (ssize_t i = 0; i < cnt; i++) {
			struct wire_python_thread key = { .tgid = space->tgid,
							  .thread_pointer =
								  threads[i].thread_pointer };

			bpf_map_update_elem(spaces->python_threads_fd, &key, &threads[i].state,
					    BPF_ANY);
		}
		space->threads = reallocarray(threads, (size_t)cnt + 1, sizeof(*threads));
		space->thread_cnt = space->threads ? (size_t)cnt : 0;
		return;
	}
	free(threads);
}

/* --- what is mapped --- */

/* Whether the process runs the program still that the stacks are of: it may be gone, and another
 * process have its number, or have run exec. */
static bool runs_still(const struct stack_space *space)
{
	struct proc_stat stat;

	if (proc_stat_read((pid_t)space->tgid, &stat))
		return false;
	return !stat.start_stack || stat.start_stack == space->start_stack;
}

static void read_maps(struct stack_spaces *spaces, struct stack_space *space, uint64_t now_ns)
{
	struct address_space fresh = { 0 };

	if (address_space_read(&fresh, spaces->files, (pid_t)space->tgid))
		return;
	if (spaces->files_added)
		spaces->files_added(spaces->context);
	if (!runs_still(space)) {
		address_space_release(&fresh);
		return;
	}
	address_space_release(&space->maps);
	space->maps = fresh;
	space->maps_read_ns = now_ns;
}

struct stack_space *stack_spaces_get(struct stack_spaces *spaces,
				     const struct wire_stack_owner *owner)
{
	size_t at = place_of(spaces, owner->tgid);
	struct stack_space *space = at < spaces->cnt ? spaces->all[at] : NULL;

	if (!space || space->tgid != owner->tgid)
		space = space_insert(spaces, at, owner->tgid);
	else if (space->identity != owner->address_space)
		space_empty(spaces, space);
	if (!space)
		return NULL;
	if (!space->maps_read_ns) {
		space->identity = owner->address_space;
		space->start_stack = owner->start_stack;
		read_maps(spaces, space, owner->time_ns);
		if (space->maps_read_ns)
			python_look(spaces, space, owner->time_ns);
	}
	return space;
}

bool stack_space_reread(struct stack_spaces *spaces, struct stack_space *space, uint64_t now_ns)
{
	if (now_ns < space->maps_read_ns + MAPS_AGAIN_NS)
		return false;
	read_maps(spaces, space, now_ns);
	if (space->maps_read_ns != now_ns)
		return false;
	if (!space->python && !space->python_due_ns)
		python_look(spaces, space, now_ns);
	return true;
}

void stack_space_has_jit(struct stack_spaces *spaces, struct stack_space *space, uint64_t now_ns)
{
	if (space->perf_map_due_ns)
		return;
	symbols_read_perf_map(spaces->symbols, (pid_t)space->tgid);
	space->perf_map_due_ns = now_ns + PERF_MAP_AGAIN_NS;
}

const struct golang *stack_space_golang(struct stack_space *space)
{
	if (!space->is_asked_for_go && space->maps_read_ns) {
		space->is_asked_for_go = true;
		golang_open(&space->maps, &space->golang);
	}
	return space->golang;
}

/* --- in the course of time --- */

/* A zombie is gone, too, unless threads of it go on. */
static bool is_gone(uint32_t tgid)
{
	char path[64], program[1];
	struct stat threads;

	if (kill((pid_t)tgid, 0))
		return errno == ESRCH;
	snprintf(path, sizeof(path), "/proc/%u/exe", tgid);
	if (readlink(path, program, sizeof(program)) >= 0 || errno != ENOENT)
		return false;
	snprintf(path, sizeof(path), "/proc/%u/task", tgid);
	return stat(path, &threads) == 0 && threads.st_nlink <= 3; /* two, and one for each */
}

static void space_drop(struct stack_spaces *spaces, struct stack_space *space)
{
	if (space->perf_map_due_ns)
		symbols_close_perf_map(spaces->symbols, (pid_t)space->tgid);
	space_empty(spaces, space);
	free(space);
}

/* Files that nobody maps any more would keep their file systems from being unmounted. */
static void put_away_files(const struct stack_spaces *spaces)
{
	bool is_mapped[CODE_FILES_MAX] = { false };

	for (size_t i = 0; i < spaces->cnt; i++) {
		const struct address_space *maps = &spaces->all[i]->maps;

		for (size_t k = 0; k < maps->mapping_cnt; k++)
			if (maps->mappings[k].file)
				is_mapped[maps->mappings[k].file->number] = true;
	}
	for (uint32_t i = 0; i < code_files_cnt(spaces->files); i++) {
		struct code_file *file = code_files_at(spaces->files, i);

		if (!is_mapped[i] && code_file_put_away(spaces->files, file))
			unwinder_forget(file);
	}
}

/* Stacks that came until now have been taken in: who was gone the last time has no more. */
static void sweep(struct stack_spaces *spaces, uint64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < spaces->cnt; i++) {
		struct stack_space *space = spaces->all[i];

		if (space->is_gone) {
			space_drop(spaces, space);
		} else {
			space->is_gone = is_gone(space->tgid);
			spaces->all[kept++] = space;
		}
	}
	spaces->cnt = kept;
	put_away_files(spaces);
	spaces->sweep_due_ns =
		now_ns + SWEEP_NS + (kept + code_files_cnt(spaces->files)) * SWEEP_OF_EACH_NS;
}

void stack_spaces_look(struct stack_spaces *spaces, uint64_t now_ns)
{
	for (size_t i = 0; i < spaces->cnt; i++) {
		struct stack_space *space = spaces->all[i];

		if (space->python_due_ns && now_ns >= space->python_due_ns) {
			/* Its library may have been mapped since. */
			read_maps(spaces, space, now_ns);
			python_look(spaces, space, now_ns);
		}
		if (space->python && now_ns >= space->threads_due_ns)
			threads_tell(spaces, space, now_ns);
		if (space->perf_map_due_ns && now_ns >= space->perf_map_due_ns) {
			symbols_read_perf_map(spaces->symbols, (pid_t)space->tgid);
			space->perf_map_due_ns = now_ns + PERF_MAP_AGAIN_NS;
		}
	}
	if (now_ns >= spaces->sweep_due_ns)
		sweep(spaces, now_ns);
}

void stack_spaces_release(struct stack_spaces *spaces)
{
	for (size_t i = 0; i < spaces->cnt; i++) {
		space_empty(spaces, spaces->all[i]);
		free(spaces->all[i]);
	}
	free(spaces->all);
	memset(spaces, 0, sizeof(*spaces));
}
