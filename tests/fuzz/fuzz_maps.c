/* Lines of /proc/PID/maps, in which programs choose names and addresses. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "code/map_line.h"
#include "fuzz_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	char *text = malloc(byte_cnt + 1);
	struct map_line line;

	if (!text)
		return 0;
	memcpy(text, bytes, byte_cnt);
	text[byte_cnt] = '\0';
	if (map_line_parse(text, &line)) {
		assert(line.start < line.end);
		assert(line.path >= text && line.path + strlen(line.path) <= text + byte_cnt);
	}
	free(text);
	return 0;
}
