/* Reads and searches maps of compiled code; see perf_map.h. */
#include "symbols/perf_map.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "pid_numbers.h"
#include "symbols/range_map.h"
#include "symbols/texts.h"

/* A large server compiles some 100,000 functions: about 10 MB. */
#define MAP_MAX_BYTES  (64u << 20)
#define CODES_MAX      (1u << 20)
#define NAME_MAX_BYTES 1024
#define READ_BYTES     65536

struct code {
	uint64_t start, end;
	const char *name;
};

struct perf_map {
	int fd; /* -1: none was found yet */
	uint64_t read_bytes;
	struct code *codes; /* in the order of the file */
	size_t cnt, room_cnt;
	struct range_map newest; /* disjoint; of codes, by their numbers */
	size_t newest_cnt;	 /* how many of the codes are in it */
	struct string_pool *names;
};

struct perf_map *perf_map_new(void)
{
	struct perf_map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->fd = -1;
	map->names = string_pool_new(TEXTS_MAX_BYTES);
	if (!map->names) {
		free(map);
		return NULL;
	}
	return map;
}

void perf_map_free(struct perf_map *map)
{
	if (!map)
		return;
	if (map->fd >= 0)
		close(map->fd);
	range_map_release(&map->newest);
	string_pool_free(map->names);
	free(map->codes);
	free(map);
}

/* Opens the map below the root of @pid, by the number that it has there. Links in it lead nowhere
 * else, and the file is none. */
static int open_map(pid_t pid)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	pid_t inside = pid_number_in_container(pid);
	char root[64], name[64];
	int root_fd, fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	snprintf(name, sizeof(name), "tmp/perf-%d.map", inside ? inside : pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, root_fd, name, &how, sizeof(how));
	fd = fd < 0 ? -errno : fd;
	close(root_fd);
	return fd;
}

/* May the file be believed? The process has its effective user's /proc/PID. */
static int check_owner(int fd, pid_t pid)
{
	struct stat file, process;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (fstat(fd, &file) < 0 || stat(path, &process) < 0)
		return -errno;
	if (!S_ISREG(file.st_mode) || (file.st_uid != 0 && file.st_uid != process.st_uid))
		return -EPERM;
	return 0;
}

/* A program that was started anew in a process writes its map anew, into the same file or another.
 */
static bool is_continued(const struct perf_map *map, int fd)
{
	struct stat now, before;

	return map->fd >= 0 && fstat(fd, &now) == 0 && fstat(map->fd, &before) == 0 &&
	       now.st_dev == before.st_dev && now.st_ino == before.st_ino &&
	       (uint64_t)now.st_size >= map->read_bytes;
}

static bool add_code(struct perf_map *map, uint64_t start, uint64_t size_bytes, const char *name,
		     size_t len)
{
	if (!size_bytes || start + size_bytes < start)
		return true;
	if (map->cnt == map->room_cnt) {
		size_t room_cnt = map->room_cnt ? 2 * map->room_cnt : 1024;
		void *codes = NULL;

		if (map->cnt < CODES_MAX)
			codes = realloc(map->codes, room_cnt * sizeof(*map->codes));
		if (!codes)
			return false;
		map->codes = codes;
		map->room_cnt = room_cnt;
	}
	map->codes[map->cnt++] =
		(struct code){ .start = start,
			       .end = start + size_bytes,
			       .name = text_keep(map->names, name,
						 len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES) };
	return true;
}

static int digit_of(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads a hexadecimal number of up to 16 digits and the space after it. */
static bool read_number(const char **at, const char *end, uint64_t *number)
{
	const char *first;

	if (end - *at > 2 && !strncmp(*at, "0x", 2))
		*at += 2;
	*number = 0;
	for (first = *at; *at < end && *at - first < 16 && digit_of(**at) >= 0; ++*at)
		*number = *number << 4 | (unsigned int)digit_of(**at);
	return *at > first && *at < end && *(*at)++ == ' ';
}

static bool add_line(struct perf_map *map, const char *line, const char *end)
{
	uint64_t start, size_bytes;

	if (!read_number(&line, end, &start) || !read_number(&line, end, &size_bytes))
		return true;
	return add_code(map, start, size_bytes, line, end - line);
}

/* Adds the whole lines of @text. Returns how many bytes they are: a line that is longer than all of
 * @len is passed over. */
static size_t add_lines(struct perf_map *map, const char *text, size_t len)
{
	const char *line = text, *end;

	while ((end = memchr(line, '\n', text + len - line)) != NULL) {
		if (!add_line(map, line, end))
			return 0;
		line = end + 1;
	}
	return line == text && len == READ_BYTES ? len : (size_t)(line - text);
}

int perf_map_read_file(struct perf_map *map, int fd)
{
	char *text = malloc(READ_BYTES);
	int error = text ? 0 : -ENOMEM;

	while (!error && map->read_bytes < MAP_MAX_BYTES) {
		ssize_t len = pread(fd, text, READ_BYTES, (off_t)map->read_bytes);
		size_t used_bytes = len > 0 ? add_lines(map, text, len) : 0;

		if (len < 0)
			error = -errno;
		if (!used_bytes)
			break;
		map->read_bytes += used_bytes;
	}
	free(text);
	return error;
}

int perf_map_read(struct perf_map *map, pid_t pid)
{
	int fd = open_map(pid);

	if (fd >= 0) {
		int error = check_owner(fd, pid);

		if (error) {
			close(fd);
			return error;
		}
		if (!is_continued(map, fd))
			map->read_bytes = 0;
		if (map->fd >= 0)
			close(map->fd);
		map->fd = fd;
	}
	if (map->fd < 0)
		return fd == -ESRCH ? -ENOENT : fd;
	return perf_map_read_file(map, map->fd);
}

void perf_map_close(struct perf_map *map)
{
	if (map->fd < 0)
		return;
	perf_map_read_file(map, map->fd);
	close(map->fd);
	map->fd = -1;
}

/* A heap with the newest code on top. */
struct heap {
	uint32_t *items;
	size_t cnt;
};

static void heap_push(struct heap *heap, uint32_t item)
{
	size_t i = heap->cnt++;

	for (; i > 0 && heap->items[(i - 1) / 2] < item; i = (i - 1) / 2)
		heap->items[i] = heap->items[(i - 1) / 2];
	heap->items[i] = item;
}

static void heap_pop(struct heap *heap)
{
	uint32_t last = heap->items[--heap->cnt];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < heap->cnt) {
		if (child + 1 < heap->cnt && heap->items[child + 1] > heap->items[child])
			child++;
		if (heap->items[child] <= last)
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = last;
}

static int by_start(const void *left, const void *right, void *context)
{
	const struct code *codes = context;
	uint64_t a = codes[*(const uint32_t *)left].start,
		 b = codes[*(const uint32_t *)right].start;

	return (a > b) - (a < b);
}

/* Goes over all addresses from low to high: at each one the newest code that is there counts. */
static void sweep(struct perf_map *map, const uint32_t *order, struct heap *heap)
{
	uint64_t at = 0, next;

	for (size_t i = 0; i < map->cnt || heap->cnt;) {
		while (heap->cnt && map->codes[heap->items[0]].end <= at)
			heap_pop(heap);
		if (!heap->cnt) {
			if (i == map->cnt)
				return;
			at = map->codes[order[i]].start;
		}
		while (i < map->cnt && map->codes[order[i]].start <= at)
			heap_push(heap, order[i++]);
		next = map->codes[heap->items[0]].end;
		if (i < map->cnt && map->codes[order[i]].start < next)
			next = map->codes[order[i]].start;
		if (!range_map_add(&map->newest, at, next, heap->items[0]))
			return;
		at = next;
	}
}

static void find_newest(struct perf_map *map)
{
	uint32_t *order = calloc(map->cnt, sizeof(*order));
	struct heap heap = { .items = calloc(map->cnt, sizeof(*heap.items)) };

	map->newest_cnt = map->cnt;
	range_map_release(&map->newest);
	if (order && heap.items) {
		for (size_t i = 0; i < map->cnt; i++)
			order[i] = (uint32_t)i;
		qsort_r(order, map->cnt, sizeof(*order), by_start, map->codes);
		sweep(map, order, &heap);
	}
	free(order);
	free(heap.items);
}

const char *perf_map_find(struct perf_map *map, uint64_t address)
{
	const struct range *range;

	if (map->newest_cnt != map->cnt)
		find_newest(map);
	range = range_map_find(&map->newest, address);
	return range ? map->codes[range->value].name : NULL;
}
