/* Reads and searches the kernel's list of symbols; see kernel_symbols.h. */
#include "symbols/kernel_symbols.h"
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* About 10 MB on a kernel with many modules. */
#define TEXT_MAX_BYTES (64u << 20)
/* No function is this long: beyond it lies code that the list doesn't name (of BPF, of a module
 * that has gone). */
#define FUNCTION_MAX_BYTES (256u << 10)

struct kernel_symbol {
	uint64_t address;
	const char *name;
};

struct kernel_symbols {
	char *text; /* that names point into */
	struct kernel_symbol *items;
	size_t cnt, room_cnt;
};

static char *read_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, size = 1 << 20;
	char *text = NULL;

	while (fd >= 0 && size <= TEXT_MAX_BYTES) {
		char *larger = realloc(text, size);
		ssize_t cnt = 0;

		if (!larger)
			break;
		text = larger;
		while (len + 1 < size && (cnt = read(fd, text + len, size - len - 1)) > 0)
			len += cnt;
		if (cnt <= 0)
			break;
		size *= 2;
	}
	if (fd >= 0)
		close(fd);
	if (text)
		text[len] = '\0';
	return text;
}

static bool add(struct kernel_symbols *symbols, uint64_t address, const char *name)
{
	if (symbols->cnt == symbols->room_cnt) {
		size_t room_cnt = symbols->room_cnt ? 2 * symbols->room_cnt : 1 << 16;
		void *items = realloc(symbols->items, room_cnt * sizeof(*symbols->items));

		if (!items)
			return false;
		symbols->items = items;
		symbols->room_cnt = room_cnt;
	}
	symbols->items[symbols->cnt++] = (struct kernel_symbol){ address, name };
	return true;
}

/* ffffffff81000000 T _stext, and a tab and [module] after it. */
static bool add_line(struct kernel_symbols *symbols, char *line)
{
	char *end;
	uint64_t address = strtoull(line, &end, 16);

	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return true;
	if (!address || !strchr("tTwW", end[1]))
		return true;
	end[3 + strcspn(end + 3, " \t")] = '\0';
	return add(symbols, address, end + 3);
}

static int by_address(const void *left, const void *right)
{
	const struct kernel_symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return (a->name < b->name) -
	       (a->name > b->name); /* of aliases the first listed comes last */
}

struct kernel_symbols *kernel_symbols_read(const char *path)
{
	struct kernel_symbols *symbols = calloc(1, sizeof(*symbols));
	char *line, *save = NULL;

	if (!symbols)
		return NULL;
	symbols->text = read_text(path);
	if (!symbols->text)
		return symbols;
	for (line = strtok_r(symbols->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!add_line(symbols, line))
			break;
	if (symbols->cnt)
		qsort(symbols->items, symbols->cnt, sizeof(*symbols->items), by_address);
	return symbols;
}

void kernel_symbols_free(struct kernel_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->text);
	free(symbols->items);
	free(symbols);
}

const char *kernel_symbols_find(const struct kernel_symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->items[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - symbols->items[low - 1].address > FUNCTION_MAX_BYTES)
		return NULL;
	return symbols->items[low - 1].name;
}
