/* Perf maps, which programs write for us, and the names in them. */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_harness.h"
#include "symbols/jit_name.h"
#include "symbols/perf_map.h"

static void write_all(int fd, const uint8_t *bytes, size_t byte_cnt)
{
	if (write(fd, bytes, byte_cnt) < 0)
		return;
}

static void find_some(struct perf_map *map)
{
	struct jit_name name;

	for (uint64_t address = 0x1000; address < 0x1100; address += 3) {
		const char *found = perf_map_find(map, address);

		if (!found)
			continue;
		jit_name_read(found, &name);
		assert(strlen(name.function) < sizeof(name.function));
		assert(strlen(name.file) < sizeof(name.file));
	}
}

/* Reads the map in two parts, as it grows. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	struct perf_map *map = perf_map_new();
	int fd = memfd_create("perf map", MFD_CLOEXEC);

	if (map && fd >= 0) {
		write_all(fd, bytes, byte_cnt / 2);
		perf_map_read_file(map, fd);
		find_some(map);
		write_all(fd, bytes + byte_cnt / 2, byte_cnt - byte_cnt / 2);
		perf_map_read_file(map, fd);
		find_some(map);
	}
	perf_map_free(map);
	close(fd);
	return 0;
}
