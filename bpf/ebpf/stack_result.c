/* See stack_result.h. */
#include "stack_result.h"
#include "key_set.h"
#include "observation/observation.h"
#include "observation/recording.h"
#include "wire.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int stack_result_open(struct stack_result *result)
{
	result->observation_fd = memfd_create("classify-stacks", MFD_CLOEXEC);
	result->waits_fd = memfd_create("classify-stack-waits", MFD_CLOEXEC);
	if (result->observation_fd >= 0 && result->waits_fd >= 0)
		return 0;

	int error = -errno;

	stack_result_close(result);
	return error;
}

void stack_result_close(struct stack_result *result)
{
	if (result->observation_fd >= 0)
		close(result->observation_fd);
	if (result->waits_fd >= 0)
		close(result->waits_fd);
	*result = (struct stack_result){ -1, -1 };
}

/* A stream of its own onto @fd, from its beginning. */
static FILE *stream_of(int fd, const char *mode)
{
	int copy = dup(fd);
	FILE *stream = copy < 0 || lseek(copy, 0, SEEK_SET) < 0 ? NULL : fdopen(copy, mode);

	if (!stream && copy >= 0)
		close(copy);
	return stream;
}

int stack_result_write(const struct stack_result *result, const struct observation *part,
		       const struct key_set *waits)
{
	FILE *out = ftruncate(result->observation_fd, 0) || ftruncate(result->waits_fd, 0)
			    ? NULL
			    : stream_of(result->observation_fd, "w");
	int error = out ? recording_write(part, out) : -errno;

	if (out && fclose(out) && !error)
		error = -errno;
	if (error)
		return error;
	out = stream_of(result->waits_fd, "w");
	if (!out)
		return -errno;
	if (fwrite(waits->keys, waits->key_bytes, waits->cnt, out) != waits->cnt)
		error = -EIO;
	if (fclose(out) && !error)
		error = -errno;
	return error;
}

/* --- reading --- */

/* What each wait of the part is in the whole. */
static long *map_waits(const struct stack_result *result, size_t cnt,
		       long (*find_wait)(void *context, const struct wire_wait_key *key),
		       void *context)
{
	long *indices = calloc(cnt + 1, sizeof(*indices));
	FILE *in = stream_of(result->waits_fd, "r");
	struct wire_wait_key key;

	for (size_t i = 0; indices && i < cnt; i++)
		indices[i] =
			in && fread(&key, sizeof(key), 1, in) == 1 ? find_wait(context, &key) : -1;
	if (in)
		fclose(in);
	return indices;
}

static const char *keep(struct observation *obs, const char *text)
{
	const char *kept = observation_intern(obs, text, strlen(text));

	return kept ? kept : "";
}

static int add_frames(struct observation *obs, const struct observation *part)
{
	for (size_t i = 0; i < part->frame_cnt; i++) {
		struct obs_frame *frame = observation_add_frame(obs);

		if (!frame)
			return -ENOMEM;
		*frame = part->frames[i];
		frame->function = keep(obs, frame->function);
		frame->file = keep(obs, frame->file);
		frame->module = keep(obs, frame->module);
	}
	for (size_t i = 0; i < part->call_cnt; i++) {
		struct obs_call *call = observation_add_call(obs);

		if (!call)
			return -ENOMEM;
		*call = part->calls[i];
	}
	return 0;
}

static int add_times(struct observation *obs, const struct observation *part, const long *waits)
{
	for (size_t i = 0; i < part->stack_time_cnt; i++) {
		const struct obs_stack_time *from = &part->stack_times[i];
		struct obs_stack_time *time;

		if (!from->is_on_cpu &&
		    (waits[from->wait] < 0 || (size_t)waits[from->wait] >= obs->wait_cnt))
			continue;
		time = observation_add_stack_time(obs);
		if (!time)
			return -ENOMEM;
		*time = *from;
		time->thread = keep(obs, from->thread);
		time->task = keep(obs, from->task);
		time->wait = from->is_on_cpu ? 0 : (uint32_t)waits[from->wait];
	}
	return 0;
}

static int add_quality(struct observation *obs, const struct obs_stack_quality *part)
{
	struct obs_stack_quality *quality = &obs->stack_quality;
	int error = 0;

	quality->are_taken = part->are_taken;
	quality->sample_cnt += part->sample_cnt;
	quality->wait_cnt += part->wait_cnt;
	quality->lost_cnt += part->lost_cnt;
	quality->unread_cnt += part->unread_cnt;
	for (size_t i = 0; i < part->note_cnt && !error; i++)
		error = observation_add_string(obs, &quality->notes, &quality->note_cnt,
					       part->notes[i]);
	return error;
}

int stack_result_read(const struct stack_result *result, struct observation *obs,
		      long (*find_wait)(void *context, const struct wire_wait_key *key),
		      void *context)
{
	FILE *in = stream_of(result->observation_fd, "r");
	struct observation part;
	char why[128];
	long *waits;
	int error;

	if (!in)
		return -errno;
	error = recording_read(in, &part, why, sizeof(why));
	fclose(in);
	waits = error ? NULL : map_waits(result, part.wait_cnt, find_wait, context);
	if (!error && !waits)
		error = -ENOMEM;
	if (!error)
		error = add_frames(obs, &part);
	if (!error)
		error = add_times(obs, &part, waits);
	if (!error)
		error = add_quality(obs, &part.stack_quality);
	free(waits);
	observation_release(&part);
	return error;
}
