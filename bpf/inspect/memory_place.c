/* Says what lies at an address of a live process; see memory_place.h. */
#include "memory_place.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_symbol.h"
#include "maps.h"
#include "proc_file.h"

/* Two for each of 10,000 threads, and as many again. */
#define MAPPINGS_MAX 40000
/* Threads whose stack pointers are asked for. */
#define TASKS_MAX 256
/* Below the stack pointer a leaf function may use so much (System V ABI, x86-64). */
#define RED_ZONE_BYTES 128
/* glibc's malloc gives threads heaps that begin at multiples of this. */
#define HEAP_ALIGNMENT (64ull << 20)

struct mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	char permissions[5];
	char *path; /* NULL: anonymous */
};

static void forget(struct memory_map *map)
{
	for (size_t i = 0; i < map->cnt; i++)
		free(map->mappings[i].path);
	map->cnt = 0;
	map->pid = 0;
}

void memory_map_release(struct memory_map *map)
{
	forget(map);
	free(map->mappings);
	memset(map, 0, sizeof(*map));
}

static bool parse(char *line, struct mapping *mapping)
{
	int path_at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%lx-%lx %4s %lx %*s %*u %n", &mapping->start, &mapping->end,
		   mapping->permissions, &mapping->offset, &path_at) != 4)
		return false;
	mapping->path = path_at && line[path_at] ? strdup(line + path_at) : NULL;
	return true;
}

static bool append(struct memory_map *map, char *line)
{
	/* Doubled at each power of two. */
	if (!(map->cnt & (map->cnt - 1))) {
		size_t capacity = map->cnt ? 2 * map->cnt : 1;
		void *grown = reallocarray(map->mappings, capacity, sizeof(*map->mappings));

		if (!grown)
			return false;
		map->mappings = grown;
	}
	map->cnt += parse(line, &map->mappings[map->cnt]);
	return map->cnt < MAPPINGS_MAX;
}

static void read_mappings(struct memory_map *map, pid_t pid)
{
	FILE *in = proc_file_open(pid, "maps");
	char *line = NULL;
	size_t line_size = 0;

	forget(map);
	map->pid = pid;
	if (!in)
		return;
	while (getline(&line, &line_size, in) > 0)
		if (!append(map, line))
			break;
	free(line);
	fclose(in);
}

static const struct mapping *find(const struct memory_map *map, uint64_t address)
{
	size_t low = 0, high = map->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < map->cnt && map->mappings[low].start <= address ? &map->mappings[low] : NULL;
}

static bool is_file(const struct mapping *mapping)
{
	return mapping->path && mapping->path[0] == '/' && mapping->path[1] != '/';
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "symbol (module)" of data that belongs to the file behind @mapping; false if the address does
 * not. */
static bool name_data(pid_t pid, const struct mapping *mapping, uint64_t address, char *name,
		      size_t size)
{
	struct mapped_file file = { mapping->start, mapping->end, mapping->offset, mapping->path };
	const char *module = base_name(mapping->path);
	struct elf_place place;

	if (!elf_symbol_at(pid, &file, address, &place))
		return false;
	if (!place.symbol[0])
		snprintf(name, size, "%s+0x%lx", module, (unsigned long)place.in_file);
	else if (place.in_symbol)
		snprintf(name, size, "%s+0x%lx (%s)", place.symbol, (unsigned long)place.in_symbol,
			 module);
	else
		snprintf(name, size, "%s (%s)", place.symbol, module);
	return true;
}

/* The stack pointer of a blocked thread, from "number arguments sp pc"; 0 if it runs. */
static uint64_t stack_pointer(pid_t pid, const char *tid)
{
	unsigned long sp = 0;
	char path[64], text[256];

	snprintf(path, sizeof(path), "task/%.16s/syscall", tid);
	if (proc_file_read(pid, path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%*s %*s %*s %*s %*s %*s %*s %lx", &sp) != 1)
		return 0;
	return sp;
}

static void stack_of(pid_t pid, const char *tid, uint64_t address, char *name, size_t size)
{
	char path[64], comm[64] = "";

	snprintf(path, sizeof(path), "task/%.16s/comm", tid);
	proc_file_read(pid, path, comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(name, size, "stack of %s 0x%lx", comm, (unsigned long)address);
}

/* Whose stack pointer is in @mapping, below @address? */
static bool name_other_stack(pid_t pid, const struct mapping *mapping, uint64_t address, char *name,
			     size_t size)
{
	char path[64];
	struct dirent *entry;
	bool is_found = false;
	int cnt = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && !is_found && cnt++ < TASKS_MAX && (entry = readdir(tasks))) {
		uint64_t sp = entry->d_name[0] == '.' ? 0 : stack_pointer(pid, entry->d_name);

		is_found =
			sp >= mapping->start && sp < mapping->end && address >= sp - RED_ZONE_BYTES;
		if (is_found)
			stack_of(pid, entry->d_name, address, name, size);
	}
	if (tasks)
		closedir(tasks);
	return is_found;
}

static bool is_own_stack(const struct mapping *mapping, uint64_t address,
			 const struct memory_user *user)
{
	return user->stack >= mapping->start && user->stack < mapping->end &&
	       address >= user->stack - RED_ZONE_BYTES && address < user->thread_pointer;
}

/* Memory that belongs to no file. What lies behind a guard page may be a stack. */
static void name_anonymous(const struct memory_map *map, const struct mapping *mapping,
			   uint64_t address, const struct memory_user *user, char *name,
			   size_t size)
{
	const struct mapping *before = mapping > map->mappings ? mapping - 1 : NULL;
	char leader[16];
	bool is_guarded = before && before->end == mapping->start &&
			  before->permissions[0] == '-' && mapping->start % HEAP_ALIGNMENT;

	if (mapping->path && !strcmp(mapping->path, "[stack]")) {
		snprintf(leader, sizeof(leader), "%d", (int)map->pid);
		stack_of(map->pid, leader, address, name, size);
	} else if (is_own_stack(mapping, address, user)) {
		snprintf(name, size, "stack of %s 0x%lx", user->comm, (unsigned long)address);
	} else if (mapping->permissions[3] == 's') {
		snprintf(name, size, "shared memory 0x%lx", (unsigned long)address);
	} else if (!is_guarded || (mapping->path && !strcmp(mapping->path, "[heap]"))) {
		snprintf(name, size, "heap 0x%lx", (unsigned long)address);
	} else {
		name_other_stack(map->pid, mapping, address, name, size);
	}
}

/* A module's zeroed data goes on where the file's last mapping ends. */
static const struct mapping *file_before(const struct memory_map *map,
					 const struct mapping *mapping)
{
	if (mapping->path || mapping == map->mappings || mapping[-1].end != mapping->start ||
	    !is_file(&mapping[-1]))
		return NULL;
	return mapping - 1;
}

static bool is_shared_anonymous(const struct mapping *mapping)
{
	return !strncmp(mapping->path, "/dev/zero", 9);
}

static void name_mapped(const struct memory_map *map, const struct mapping *mapping,
			uint64_t address, const struct memory_user *user, char *name, size_t size)
{
	const struct mapping *file = is_file(mapping) ? mapping : file_before(map, mapping);

	if (file && mapping->permissions[3] != 's' &&
	    name_data(map->pid, file, address, name, size))
		return;
	if (!is_file(mapping) || is_shared_anonymous(mapping)) {
		name_anonymous(map, mapping, address, user, name, size);
		return;
	}
	snprintf(name, size, "%s%s+0x%lx", mapping->permissions[3] == 's' ? "shared memory " : "",
		 mapping->path, (unsigned long)(address - mapping->start + mapping->offset));
}

void memory_place_name(struct memory_map *map, pid_t pid, uint64_t address,
		       const struct memory_user *user, char *name, size_t size)
{
	const struct mapping *mapping;

	snprintf(name, size, "0x%lx", (unsigned long)address);
	mapping = map->pid == pid ? find(map, address) : NULL;
	if (!mapping) {
		read_mappings(map, pid);
		mapping = find(map, address);
	}
	if (mapping)
		name_mapped(map, mapping, address, user, name, size);
}
