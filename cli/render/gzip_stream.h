/* A place for libprotobuf-c to write to: what is appended goes to a stream, compressed as gzip. */
#ifndef CLASSIFY_GZIP_STREAM_H
#define CLASSIFY_GZIP_STREAM_H

#include <protobuf-c/protobuf-c.h>
#include <stdio.h>
#include <zlib.h>

struct gzip_stream {
	ProtobufCBuffer buffer; /* append to this one; errors are remembered */
	z_stream z;
	FILE *out;
	int error; /* the first one, -errno */
};

/* Returns 0 or -ENOMEM. To be ended after success. */
int gzip_stream_begin(struct gzip_stream *stream, FILE *out);

/* Writes what is left and frees all but @out. Returns 0, or the first error. */
int gzip_stream_end(struct gzip_stream *stream);

#endif
