/* Finds CPython's GIL in a live process; see gil.h. */
#include "gil.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "elf_symbol.h"
#include "maps.h"
#include "target_memory.h"

/* struct _gil_runtime_state, the same from 3.7 to 3.13. The words that threads wait on are inside
 * its two condition variables and mutexes, so any futex in the structure is the GIL's. */
#define GIL_BYTES	    208
#define GIL_INTERVAL_OFFSET 0
#define GIL_LOCKED_OFFSET   16
/* sys.setswitchinterval() takes more, nobody uses it; 0 is a GIL not yet initialised. */
#define GIL_INTERVAL_MAX_US 1000000000UL

/* Where _PyRuntime keeps the GIL (in_runtime) or leads to it (main interpreter, then a pointer).
 * Offsets by offsetof() in the internal headers of each version, on 64-bit Linux. */
struct gil_layout {
	uint32_t version; /* major and minor of the hexversion */
	uint64_t in_runtime;
	uint64_t main_interpreter;
	uint64_t pointer_in_interpreter;
	uint32_t thread_id; /* in PyThreadState */
};

static const struct gil_layout gil_layouts[] = {
	{ 0x0307, 1264, 0, 0, 176 }, { 0x0308, 1152, 0, 0, 176 }, { 0x0309, 352, 0, 0, 176 },
	{ 0x030a, 352, 0, 0, 176 },  { 0x030b, 360, 0, 0, 152 },  { 0x030c, 0, 48, 384, 136 },
};

/* _Py_DebugOffsets, at the start of _PyRuntime from 3.13: eight bytes of cookie, then words. What
 * follows the version word moves between minor versions. */
#define DEBUG_COOKIE		    "xdebugpy"
#define DEBUG_OFFSET_WORDS	    25
#define DEBUG_VERSION_WORD	    1
#define DEBUG_FREE_THREADED_WORD    2
#define DEBUG_INTERPRETER_HEAD_WORD 5
#define DEBUG_CEVAL_GIL_WORD	    14
#define DEBUG_THREAD_ID_WORD	    24
#define DEBUG_STATE_BYTES_MAX	    4096

static uint64_t read_pointer(pid_t pid, uint64_t address)
{
	uint64_t value = 0;

	return address && target_memory_read(pid, address, &value, sizeof(value)) ? value : 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

uint32_t python_version_of_name(const char *path)
{
	const char *name = base_name(path);
	char *end;

	if (!strncmp(name, "lib", 3))
		name += 3;
	if (strncmp(name, "python", 6) || !isdigit((unsigned char)name[6]))
		return 0;

	unsigned long major = strtoul(name + 6, &end, 10);

	if (*end != '.' || !isdigit((unsigned char)end[1]) || major < 2 || major > 9)
		return 0;

	unsigned long minor = strtoul(end + 1, &end, 10);

	return minor > 99 ? 0 : (uint32_t)(major << 24 | minor << 16);
}

static bool is_free_threaded_name(const char *path)
{
	const char *name = base_name(path);
	const char *dot = strchr(name, '.');

	return dot && dot[1 + strspn(dot + 1, "0123456789")] == 't';
}

/* Is there a living GIL at @address? */
static bool is_gil(pid_t pid, uint64_t address)
{
	unsigned char bytes[GIL_LOCKED_OFFSET + sizeof(int32_t)];
	uint64_t interval_us;
	int32_t locked;

	if (!address || !target_memory_read(pid, address, bytes, sizeof(bytes)))
		return false;
	memcpy(&interval_us, bytes + GIL_INTERVAL_OFFSET, sizeof(interval_us));
	memcpy(&locked, bytes + GIL_LOCKED_OFFSET, sizeof(locked));
	return interval_us > 0 && interval_us <= GIL_INTERVAL_MAX_US && locked >= -1 && locked <= 1;
}

static uint64_t gil_by_table(pid_t pid, uint64_t runtime, struct python_runtime *found)
{
	for (size_t i = 0; i < sizeof(gil_layouts) / sizeof(gil_layouts[0]); i++) {
		const struct gil_layout *layout = &gil_layouts[i];

		if (layout->version != found->hexversion >> 16)
			continue;
		found->gil.thread_id_offset = layout->thread_id;
		if (layout->in_runtime)
			return runtime + layout->in_runtime;

		uint64_t interpreter = read_pointer(pid, runtime + layout->main_interpreter);

		return interpreter ? read_pointer(pid, interpreter + layout->pointer_in_interpreter)
				   : 0;
	}
	return 0;
}

static uint64_t gil_by_debug_offsets(pid_t pid, uint64_t runtime, struct python_runtime *found)
{
	uint64_t words[DEBUG_OFFSET_WORDS];

	if (!target_memory_read(pid, runtime, words, sizeof(words)) ||
	    memcmp(words, DEBUG_COOKIE, sizeof(words[0])))
		return 0;

	found->is_free_threaded = words[DEBUG_FREE_THREADED_WORD] == 1;
	/* Where the words are was verified for 3.13 only, and they moved within 3.14 already. */
	if ((uint32_t)words[DEBUG_VERSION_WORD] >> 16 != 0x030d)
		return 0;

	/* A state is smaller than that; what isn't one is proved wrong where it is used. */
	if (words[DEBUG_THREAD_ID_WORD] < DEBUG_STATE_BYTES_MAX)
		found->gil.thread_id_offset = (uint32_t)words[DEBUG_THREAD_ID_WORD];

	uint64_t interpreter = read_pointer(pid, runtime + words[DEBUG_INTERPRETER_HEAD_WORD]);

	return interpreter ? read_pointer(pid, interpreter + words[DEBUG_CEVAL_GIL_WORD]) : 0;
}

static void find_gil(pid_t pid, uint64_t runtime, struct python_runtime *found)
{
	uint64_t gil = found->hexversion >= 0x030d0000 ? gil_by_debug_offsets(pid, runtime, found)
						       : gil_by_table(pid, runtime, found);

	if (found->is_free_threaded || !is_gil(pid, gil)) {
		found->gil.thread_id_offset = 0;
		return;
	}
	found->gil_is_known = true;
	found->gil.start = gil;
	found->gil.end = gil + GIL_BYTES;
}

/* Py_Version (3.11 and later) is exact and is there whatever the file is called. */
static uint32_t version_in_memory(pid_t pid, uint64_t address)
{
	uint64_t version = read_pointer(pid, address);

	return version >> 24 >= 2 && version >> 24 <= 9 ? (uint32_t)version : 0;
}

static bool find_in_file(pid_t pid, const struct mapped_file *file, struct python_runtime *runtime)
{
	struct elf_symbol symbols[] = { { "_PyRuntime", 0 }, { "Py_Version", 0 } };
	uint32_t version = python_version_of_name(file->path);

	elf_symbols_find(pid, file, symbols, 2, version != 0);
	if (symbols[1].address && version_in_memory(pid, symbols[1].address))
		version = version_in_memory(pid, symbols[1].address);
	/* The executable of a shared build has only the name (_PyRuntime came with 3.7). */
	if (!version || (!symbols[0].address && version >= 0x03070000)) {
		runtime->hexversion = version ? version : runtime->hexversion;
		return false;
	}
	runtime->hexversion = version;
	runtime->address = symbols[0].address;
	runtime->is_free_threaded = is_free_threaded_name(file->path);
	if (symbols[0].address)
		find_gil(pid, symbols[0].address, runtime);
	return true;
}

void python_runtime_find(pid_t pid, const struct mapped_files *maps, const char *exe_path,
			 struct python_runtime *runtime)
{
	memset(runtime, 0, sizeof(*runtime));
	for (size_t i = 0; i < maps->file_cnt; i++) {
		const struct mapped_file *file = &maps->files[i];
		/* A program that embeds Python statically may have any name. */
		bool is_candidate = !strncmp(base_name(file->path), "libpython", 9) ||
				    !strcmp(file->path, exe_path);

		if (is_candidate && find_in_file(pid, file, runtime))
			return;
	}
}
