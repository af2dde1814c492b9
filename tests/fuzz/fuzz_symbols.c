/*
 * ELF files and their debug information, as programs bring them. libelf and libdw are not built
 * with sanitizers here: what is wrong in them shows only if it ends the process.
 */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "code/code_file.h"
#include "fuzz_harness.h"
#include "symbols/symbols.h"

static void check(const struct symbol *found, size_t cnt)
{
	assert(cnt >= 1 && cnt <= SYMBOL_INLINED_MAX);
	for (size_t i = 0; i < cnt; i++) {
		assert(found[i].function && found[i].file);
		assert(found[i].is_inlined == (i + 1 < cnt));
		assert(strlen(found[i].function) < 1024);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	struct code_file file = { .path = "/nonexistent/program", .pid = 1 };
	struct symbols *symbols = symbols_new();
	struct symbol found[SYMBOL_INLINED_MAX];

	file.fd = memfd_create("program", MFD_CLOEXEC);
	if (symbols && file.fd >= 0 && write(file.fd, bytes, byte_cnt) == (ssize_t)byte_cnt) {
		/* The programs of the corpus have their code here. */
		for (uint64_t address = 0x1000; address < 0x1400; address += 29)
			check(found, symbols_find(symbols, &file, address, found));
		check(found, symbols_find(symbols, &file, UINT64_MAX, found));
	}
	symbols_free(symbols);
	close(file.fd);
	return 0;
}
