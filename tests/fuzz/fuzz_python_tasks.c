/* Tasks and names of threads in an interpreter's memory that says anything: cycles, lying lengths,
 * pointers to nowhere. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_harness.h"
#include "python/page_cache.h"
#include "python_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	static struct page_cache pages;
	static char text[IMAGE_TEXT_BYTES];
	struct image image;

	if (byte_cnt < sizeof(image.head))
		return 0;
	memcpy(&image.head, bytes, sizeof(image.head));
	bytes += sizeof(image.head);
	image.piece_cnt = (byte_cnt - sizeof(image.head)) / sizeof(*image.pieces);
	image.pieces = malloc(image.piece_cnt * sizeof(*image.pieces) + 1);
	if (!image.pieces)
		return 0;
	memcpy(image.pieces, bytes, image.piece_cnt * sizeof(*image.pieces));
	image_look(&image, &pages, text);
	free(image.pieces);
	return 0;
}
