/* Names from symbol tables and debug information, which may try to grow without end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_harness.h"
#include "symbols/jit_name.h"
#include "symbols/readable_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	char *raw = malloc(byte_cnt + 1), name[READABLE_NAME_BYTES];
	struct jit_name jit;

	if (!raw)
		return 0;
	memcpy(raw, bytes, byte_cnt);
	raw[byte_cnt] = '\0';
	readable_name(raw, LANGUAGE_UNKNOWN, name);
	assert(strlen(name) < READABLE_NAME_BYTES);
	jit_name_read(raw, &jit);
	assert(strlen(jit.function) < sizeof(jit.function) && strlen(jit.file) < sizeof(jit.file));
	free(raw);
	return 0;
}
