/*
 * A tool for developers: samples the threads of running processes and tells which part of their
 * stacks the unwinder follows to the end, and what it costs.
 *
 * sample_stacks [-v] [-n SAMPLES] PID...
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "code/address_space.h"
#include "code/code_file.h"
#include "traced_stack.h"
#include "unwind/unwind.h"

#define SIZE_STEP (16 << 10)

static const char *const end_names[] = { "complete", "cut", "no rule", "unmapped" };

struct tally {
	unsigned long complete_by_size[TRACED_STACK_BYTES / SIZE_STEP];
	unsigned long ends[4], frame_cnt, stack_cnt;
	double unwinding_us, first_us;
};

/* How much of a stack has to be copied. */
static void count_sizes(struct unwinder *unwinder, const struct address_space *space,
			const struct traced_stack *stack, struct tally *tally)
{
	uint64_t addresses[UNWIND_FRAMES_MAX];
	struct stack_copy copy = stack->copy;
	enum unwind_end end;

	for (size_t i = 0; i < TRACED_STACK_BYTES / SIZE_STEP; i++) {
		size_t size = (i + 1) * SIZE_STEP;

		copy.byte_cnt = size < stack->copy.byte_cnt ? size : stack->copy.byte_cnt;
		unwind(unwinder, space, &copy, addresses, UNWIND_FRAMES_MAX, &end);
		tally->complete_by_size[i] += end == UNWIND_COMPLETE;
	}
}

static void print_sizes(const struct tally *tally)
{
	for (size_t i = 0; i < TRACED_STACK_BYTES / SIZE_STEP; i++)
		printf("  with %3d KiB: %.1f%%\n", (int)((i + 1) * SIZE_STEP >> 10),
		       100.0 * (double)tally->complete_by_size[i] / (double)tally->stack_cnt);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void print_stack(const struct address_space *space, const uint64_t *addresses, size_t cnt,
			enum unwind_end end)
{
	printf("  %s\n", end_names[end]);
	for (size_t i = 0; i < cnt; i++) {
		const struct code_mapping *mapping = address_space_find(space, addresses[i]);
		uint64_t at = addresses[i];

		if (mapping)
			code_mapping_address(mapping, addresses[i], &at);
		printf("    %2zu %#lx %s\n", i, at,
		       mapping && mapping->file ? mapping->file->path : "?");
	}
}

static void unwind_one(struct unwinder *unwinder, struct code_files *files,
		       struct address_space *space, const struct traced_stack *stack,
		       struct tally *tally, bool verbose)
{
	uint64_t addresses[UNWIND_FRAMES_MAX];
	enum unwind_end end;
	double start = now_us();
	size_t cnt = unwind(unwinder, space, &stack->copy, addresses, UNWIND_FRAMES_MAX, &end);

	if (!tally->stack_cnt)
		tally->first_us = now_us() - start;
	if (end == UNWIND_UNMAPPED && address_space_read(space, files, space->pid) == 0)
		unwind(unwinder, space, &stack->copy, addresses, UNWIND_FRAMES_MAX, &end);
	/* Now all rules are known. */
	start = now_us();
	cnt = unwind(unwinder, space, &stack->copy, addresses, UNWIND_FRAMES_MAX, &end);
	tally->unwinding_us += now_us() - start;
	tally->frame_cnt += cnt;
	tally->stack_cnt++;
	tally->ends[end]++;
	count_sizes(unwinder, space, stack, tally);
	if (verbose && end != UNWIND_COMPLETE)
		print_stack(space, addresses, cnt, end);
}

static void sample_threads(struct unwinder *unwinder, struct code_files *files,
			   struct address_space *space, struct tally *tally, bool verbose)
{
	static struct traced_stack stack;
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", space->pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		pid_t tid = (pid_t)atoi(entry->d_name);

		if (tid > 0 && traced_stack_take(space->pid, tid, &stack) == 0)
			unwind_one(unwinder, files, space, &stack, tally, verbose);
	}
	if (tasks)
		closedir(tasks);
}

static void sample_process(struct unwinder *unwinder, struct code_files *files, pid_t pid,
			   unsigned long samples, bool verbose)
{
	struct address_space space = { 0 };
	struct tally tally = { 0 };
	double start = now_us();
	int error = address_space_read(&space, files, pid);
	double maps_us = now_us() - start;

	if (error) {
		printf("%d: %s\n", pid, strerror(-error));
		return;
	}
	for (unsigned long i = 0; i < samples; i++) {
		sample_threads(unwinder, files, &space, &tally, verbose);
		usleep(3000 + (unsigned int)random() % 4000);
	}
	address_space_release(&space);
	if (!tally.stack_cnt)
		return;
	printf("%d: %lu stacks, %.1f%% complete, %lu cut, %lu no rule, %lu unmapped; "
	       "%.1f frames, %.2f us a stack, %.0f ns a frame; first %.0f us, maps %.0f us\n",
	       pid, tally.stack_cnt, 100.0 * (double)tally.ends[0] / (double)tally.stack_cnt,
	       tally.ends[1], tally.ends[2], tally.ends[3],
	       (double)tally.frame_cnt / (double)tally.stack_cnt,
	       tally.unwinding_us / (double)tally.stack_cnt,
	       tally.unwinding_us * 1e3 / (double)tally.frame_cnt, tally.first_us, maps_us);
	if (verbose)
		print_sizes(&tally);
}

int main(int argc, char **argv)
{
	struct code_files *files = code_files_new();
	struct unwinder *unwinder = files ? unwinder_new(files) : NULL;
	unsigned long samples = 200;
	bool verbose = false;
	int option;

	while ((option = getopt(argc, argv, "vn:")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'n')
			samples = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (!unwinder)
		return 1;
	for (int i = optind; i < argc; i++)
		sample_process(unwinder, files, (pid_t)atoi(argv[i]), samples, verbose);
	for (uint32_t i = 0; verbose && i < code_files_cnt(files); i++) {
		const struct code_file *file = code_files_at(files, i);

		if (file->why)
			printf("%s: %s\n", file->path, file->why);
	}
	unwinder_free(unwinder);
	code_files_free(files);
	return 0;
}
