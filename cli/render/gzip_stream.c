/* Compression by zlib; see gzip_stream.h. */
#include "render/gzip_stream.h"

#include <errno.h>

/* The largest window, and to it the wish for a gzip header: without name or time, so that equal
 * reports make equal files. */
#define WINDOW_BITS  (15 + 16)
#define MEMORY_LEVEL 8
#define CHUNK_BYTES  16384

static void compress_on(struct gzip_stream *stream, int flush)
{
	unsigned char chunk[CHUNK_BYTES];

	do {
		stream->z.next_out = chunk;
		stream->z.avail_out = sizeof(chunk);
		deflate(&stream->z, flush);
		size_t len = sizeof(chunk) - stream->z.avail_out;

		if (fwrite(chunk, 1, len, stream->out) != len && !stream->error)
			stream->error = -EIO;
	} while (!stream->z.avail_out);
}

static void append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
	struct gzip_stream *stream = (struct gzip_stream *)buffer;

	stream->z.next_in = (Bytef *)data; /* zlib only reads it */
	stream->z.avail_in = (uInt)len;
	compress_on(stream, Z_NO_FLUSH);
}

int gzip_stream_begin(struct gzip_stream *stream, FILE *out)
{
	*stream = (struct gzip_stream){ .buffer = { .append = append }, .out = out };
	return deflateInit2(&stream->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS,
			    MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK
		       ? 0
		       : -ENOMEM;
}

int gzip_stream_end(struct gzip_stream *stream)
{
	stream->z.avail_in = 0;
	compress_on(stream, Z_FINISH);
	deflateEnd(&stream->z);
	return stream->error;
}
