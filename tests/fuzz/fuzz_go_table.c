/* The table of functions of a Go program, which any program may claim to be. */
#include <assert.h>
#include <string.h>

#include "fuzz_harness.h"
#include "symbols/go_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	struct go_table table = { .bytes = bytes, .byte_cnt = byte_cnt };
	struct go_place place;

	go_table_read_bytes(&table);
	for (uint64_t offset = 0; offset < 256; offset += 7) {
		bool is_found = go_table_find(&table, table.text + offset, &place);

		assert(is_found == (*place.function != 0));
		assert(strlen(place.function) <= byte_cnt && strlen(place.file) <= byte_cnt);
	}
	return 0;
}
