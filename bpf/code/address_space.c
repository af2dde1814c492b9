/* Reads the maps of a process; see address_space.h. */
#include "code/address_space.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "code/code_file.h"
#include "code/map_line.h"
#include "proc_file.h"

static int append(struct address_space *space, size_t *capacity, const struct code_mapping *mapping)
{
	if (space->mapping_cnt == *capacity) {
		size_t wanted = *capacity ? *capacity * 2 : 64;
		void *grown = realloc(space->mappings, wanted * sizeof(*space->mappings));

		if (!grown)
			return -ENOMEM;
		space->mappings = grown;
		*capacity = wanted;
	}
	space->mappings[space->mapping_cnt++] = *mapping;
	return 0;
}

static bool is_in_order(const struct address_space *space, const struct map_line *line)
{
	return !space->mapping_cnt || line->start >= space->mappings[space->mapping_cnt - 1].end;
}

static int read_lines(struct address_space *space, struct code_files *files, FILE *in)
{
	struct map_line line;
	char *text = NULL;
	size_t text_size = 0, capacity = 0;
	int error = 0;

	while (!error && space->mapping_cnt < ADDRESS_SPACE_MAPPINGS_MAX &&
	       getline(&text, &text_size, in) > 0) {
		if (!map_line_parse(text, &line) || !line.is_executable ||
		    !is_in_order(space, &line))
			continue;

		struct code_mapping mapping = {
			.start = line.start,
			.end = line.end,
			.file_offset = line.offset,
			.file = code_files_get(files, space->pid, &line),
		};

		error = append(space, &capacity, &mapping);
	}
	free(text);
	return error;
}

int address_space_read(struct address_space *space, struct code_files *files, pid_t pid)
{
	struct address_space fresh = { .pid = pid };
	FILE *in = proc_file_open(pid, "maps");
	int error;

	if (!in)
		return errno == ENOENT ? -ESRCH : -errno;
	error = read_lines(&fresh, files, in);
	/* A process that has ended, or is about to, has maps without a line. */
	if (!error && !fresh.mapping_cnt)
		error = -ESRCH;
	fclose(in);
	if (error) {
		address_space_release(&fresh);
		return error;
	}
	address_space_release(space);
	*space = fresh;
	return 0;
}

const struct code_mapping *address_space_find(const struct address_space *space, uint64_t address)
{
	size_t low = 0, high = space->mapping_cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct code_mapping *mapping = &space->mappings[middle];

		if (address < mapping->start)
			high = middle;
		else if (address >= mapping->end)
			low = middle + 1;
		else
			return mapping;
	}
	return NULL;
}

bool code_mapping_address(const struct code_mapping *mapping, uint64_t address,
			  uint64_t *file_address)
{
	uint64_t offset = address - mapping->start + mapping->file_offset;

	for (size_t i = 0; mapping->file && i < mapping->file->segment_cnt; i++) {
		const struct code_segment *segment = &mapping->file->segments[i];

		if (offset < segment->offset || offset - segment->offset >= segment->size)
			continue;
		*file_address = offset - segment->offset + segment->address;
		return true;
	}
	return false;
}

size_t code_mapping_read(const struct code_mapping *mapping, uint64_t address, uint8_t *bytes,
			 size_t size)
{
	uint64_t offset = address - mapping->start + mapping->file_offset;
	ssize_t cnt;

	if (!mapping->file || mapping->file->fd < 0 || offset > INT64_MAX)
		return 0;
	if (size > mapping->end - address)
		size = mapping->end - address;
	cnt = pread(mapping->file->fd, bytes, size, (off_t)offset);
	return cnt > 0 ? (size_t)cnt : 0;
}

void address_space_release(struct address_space *space)
{
	free(space->mappings);
	*space = (struct address_space){ 0 };
}
