/* See golang.h. */
#include "golang/golang.h"
#include "code/address_space.h"
#include "code/code_file.h"
#include "golang/go_layout.h"
#include "target_memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a program with more, every second, third ... is looked at. */
#define LOOKED_AT_MAX  1024
#define GOROUTINES_MAX (1u << 24)
/* A goroutine's stack is 1 GB at most. */
#define STACK_BYTES_MAX (1ull << 30)

#define STATUS_SCAN    0x1000 /* while the collector looks at it */
#define STATUS_WAITING 4

struct golang {
	pid_t pid;
	uint64_t bias; /* from addresses of the file to those of the process */
	struct go_layout layout;
};

/* The executable comes first in memory, or it isn't a Go program's. */
static const struct code_mapping *executable_of(const struct address_space *space)
{
	for (size_t i = 0; i < space->mapping_cnt; i++)
		if (space->mappings[i].file && space->mappings[i].file->fd >= 0)
			return &space->mappings[i];
	return NULL;
}

int golang_open(const struct address_space *space, struct golang **golang)
{
	const struct code_mapping *mapping = executable_of(space);
	struct go_layout layout;
	uint64_t start;
	int error;

	*golang = NULL;
	if (!mapping || !code_mapping_address(mapping, mapping->start, &start))
		return -ENOENT;
	code_file_reading(mapping->file);
	error = go_layout_read(mapping->file->fd, &layout);
	if (error)
		return error;
	*golang = malloc(sizeof(**golang));
	if (!*golang)
		return -ENOMEM;
	**golang = (struct golang){ .pid = space->pid,
				    .bias = mapping->start - start,
				    .layout = layout };
	return 0;
}

static bool read_word(const struct golang *golang, uint64_t address, uint64_t *word)
{
	return target_memory_read(golang->pid, address, word, sizeof(*word));
}

static uint64_t word_at(const uint8_t *bytes, uint32_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static void read_reason(const struct golang *golang, uint8_t number, char reason[GO_REASON_BYTES])
{
	const struct go_layout *layout = &golang->layout;
	uint64_t string[2]; /* its bytes and their number */

	reason[0] = '\0';
	if (number >= layout->reason_cnt ||
	    !target_memory_read(golang->pid,
				golang->bias + layout->reasons + number * sizeof(string), string,
				sizeof(string)) ||
	    string[1] >= GO_REASON_BYTES ||
	    !target_memory_read(golang->pid, string[0], reason, string[1]))
		return;
	reason[string[1]] = '\0';
}

/* Fills @goroutine if what is at @address is one that waits. */
static bool read_goroutine(const struct golang *golang, uint64_t address,
			   struct goroutine *goroutine)
{
	const struct go_layout *layout = &golang->layout;
	uint8_t bytes[GO_STRUCTURE_BYTES];

	if (!target_memory_read(golang->pid, address, bytes, GO_STRUCTURE_BYTES / 2 + 128) ||
	    ((uint32_t)word_at(bytes, layout->status) & ~(uint32_t)STATUS_SCAN) != STATUS_WAITING)
		return false;
	goroutine->id = word_at(bytes, layout->id);
	goroutine->sp = word_at(bytes, layout->sp);
	goroutine->pc = word_at(bytes, layout->pc);
	goroutine->bp = word_at(bytes, layout->bp);
	goroutine->stack_end = word_at(bytes, layout->stack_high);
	if (goroutine->stack_end <= goroutine->sp ||
	    goroutine->stack_end - goroutine->sp > STACK_BYTES_MAX)
		return false;
	read_reason(golang, bytes[layout->reason], goroutine->reason);
	return true;
}

static bool begins_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Those of the collector and the like. */
static bool is_of_runtime(const struct goroutine *goroutine)
{
	static const char *const starts[] = { "GC ", "force gc", "finalizer", "trace", "cleanup" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (begins_with(goroutine->reason, starts[i]))
			return true;
	return false;
}

static bool waits_for_outside(const struct goroutine *goroutine)
{
	return !strcmp(goroutine->reason, "IO wait") || !strcmp(goroutine->reason, "sleep");
}

/* Keeps in @goroutines of @cnt what is worth more: who waits for the outside, if anybody does. */
static size_t keep_telling(struct goroutine *goroutines, size_t cnt)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++)
		if (waits_for_outside(&goroutines[i]))
			goroutines[kept++] = goroutines[i];
	return kept ? kept : cnt;
}

/* As many as there is room for, evenly from all. */
static size_t thin_out(struct goroutine *goroutines, size_t cnt, size_t capacity)
{
	if (cnt <= capacity)
		return cnt;
	for (size_t i = 0; i < capacity; i++)
		goroutines[i] = goroutines[i * cnt / capacity];
	return capacity;
}

static size_t read_all(const struct golang *golang, uint64_t array, uint64_t cnt,
		       struct goroutine *found)
{
	uint64_t step = (cnt + LOOKED_AT_MAX - 1) / LOOKED_AT_MAX, address;
	size_t found_cnt = 0;

	for (uint64_t i = 0; i < cnt; i += step)
		if (read_word(golang, array + i * sizeof(address), &address) &&
		    read_goroutine(golang, address, &found[found_cnt]) &&
		    !is_of_runtime(&found[found_cnt]))
			found_cnt++;
	return found_cnt;
}

ssize_t golang_waiting(const struct golang *golang, struct goroutine *goroutines, size_t capacity)
{
	struct goroutine *found;
	uint64_t array, cnt;
	size_t kept;

	if (!read_word(golang, golang->bias + golang->layout.goroutine_cnt, &cnt) ||
	    !read_word(golang, golang->bias + golang->layout.goroutines, &array))
		return -ESRCH;
	if (!array || !cnt || cnt > GOROUTINES_MAX)
		return 0;
	found = calloc(LOOKED_AT_MAX, sizeof(*found));
	if (!found)
		return -ENOMEM;
	kept = read_all(golang, array, cnt, found);
	kept = thin_out(found, keep_telling(found, kept), capacity);
	memcpy(goroutines, found, kept * sizeof(*found));
	free(found);
	return (ssize_t)kept;
}
