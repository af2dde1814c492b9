/* Finds CPython in a process, and proves that its structures are where they are thought to be; see
 * python.h. */
#include "python/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebpf/wire.h"
#include "gil.h"
#include "maps.h"
#include "proc_file.h"
#include "python/code_cache.h"
#include "python/interpreter.h"

#define PATH_BYTES_MAX 4096
/* Frames change while they are looked at; what is no frame stays none. */
#define PROOF_TRIES   5
#define PROOF_THREADS 64
#define PROOF_FRAMES  8

static bool has_library(const struct mapped_files *maps)
{
	for (size_t i = 0; i < maps->file_cnt; i++)
		if (strstr(maps->files[i].path, "/libpython"))
			return true;
	return false;
}

/* As python_open() returns. */
static int find_runtime(pid_t pid, struct python_runtime *runtime, bool *library)
{
	char exe[PATH_BYTES_MAX];
	struct mapped_files maps;
	ssize_t len = proc_file_readlink(pid, "exe", exe, sizeof(exe));
	int error;

	if (len < 0)
		return (int)len;
	error = mapped_files_read(pid, &maps);
	if (!error) {
		python_runtime_find(pid, &maps, exe, runtime);
		*library = has_library(&maps);
	}
	mapped_files_release(&maps);
	if (error)
		return error;
	return runtime->hexversion ? 0 : -ENOENT;
}

/* Each version as a person writes it, and why its frames can't be read. */
static int refuse(uint32_t hexversion, const char *reason, char *why, size_t why_size)
{
	snprintf(why, why_size, "CPython %u.%u: %s", hexversion >> 24, hexversion >> 16 & 0xff,
		 reason);
	return -ENOTSUP;
}

static int check_build(const struct python_runtime *runtime, bool library, char *why,
		       size_t why_size)
{
	if (runtime->hexversion < 0x03080000)
		return refuse(runtime->hexversion, "frames are read from 3.8 on", why, why_size);
	if (runtime->is_free_threaded)
		return refuse(runtime->hexversion, "frames of free-threaded builds are not known",
			      why, why_size);
	if (!runtime->address && library)
		return refuse(runtime->hexversion, "its runtime is not among its symbols", why,
			      why_size);
	return runtime->address ? 0 : -EAGAIN;
}

enum proof {
	PROOF_NONE,	/* nothing to be seen yet */
	PROOF_THREAD,	/* a thread, which runs no Python code now */
	PROOF_FRAME,	/* a frame of a Python function */
	PROOF_CONTRARY, /* something is where a thread or a frame should be, and isn't one */
};

static enum proof prove_frames(struct python *python, uint64_t thread_pointer)
{
	struct python_frame frames[PROOF_FRAMES];
	struct python_place place;
	ssize_t cnt = python_walk(python, thread_pointer, frames, PROOF_FRAMES);

	if (!cnt)
		return PROOF_THREAD;
	for (ssize_t i = 0; i < cnt; i++)
		if (!python_place(python, &frames[i], &place))
			return PROOF_FRAME;
	return PROOF_CONTRARY;
}

/* The best that the threads say: a frame that is one can't be by chance. */
static enum proof prove(struct python *python)
{
	struct python_thread threads[PROOF_THREADS];
	ssize_t cnt = python_threads(python, threads, PROOF_THREADS);
	enum proof best = PROOF_NONE;

	for (ssize_t i = 0; i < cnt; i++) {
		uint64_t thread_pointer = threads[i].thread_pointer;
		enum proof proof = PROOF_CONTRARY;

		/* The C library keeps the thread pointer there too. */
		if (memory_word(&python->memory, thread_pointer) == thread_pointer)
			proof = prove_frames(python, thread_pointer);
		if (proof == PROOF_FRAME)
			return proof;
		best = proof > best ? proof : best;
	}
	return best;
}

static int check_layout(struct python *python, char *why, size_t why_size)
{
	enum proof proof = PROOF_NONE;

	for (int i = 0; i < PROOF_TRIES; i++) {
		proof = prove(python);
		if (proof != PROOF_CONTRARY)
			break;
	}
	if (proof == PROOF_CONTRARY)
		return refuse(python->hexversion, "its frames are not where this version has them",
			      why, why_size);
	return proof == PROOF_NONE ? -EAGAIN : 0;
}

static int open_found(struct python *python, const struct python_runtime *runtime, char *why,
		      size_t why_size)
{
	python->hexversion = runtime->hexversion;
	python->runtime = runtime->address;
	python->codes = code_cache_new();
	if (!python->codes)
		return -ENOMEM;
	if (!layout_find(&python->memory, python->runtime, python->hexversion, &python->layout))
		return refuse(python->hexversion, "this version's frames are not known", why,
			      why_size);
	return check_layout(python, why, why_size);
}

int python_open(pid_t pid, struct python **python, char *why, size_t why_size)
{
	struct python_runtime runtime;
	struct python *opened;
	bool library = false;
	int error = find_runtime(pid, &runtime, &library);

	*python = NULL;
	if (why_size)
		why[0] = '\0';
	if (!error)
		error = check_build(&runtime, library, why, why_size);
	if (error)
		return error;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return -ENOMEM;
	memory_of_process(&opened->memory, pid);
	error = open_found(opened, &runtime, why, why_size);
	if (error) {
		python_free(opened);
		return error;
	}
	*python = opened;
	return 0;
}

void python_free(struct python *python)
{
	if (python) {
		code_cache_free(python->codes);
		page_cache_release(&python->pages);
	}
	free(python);
}

uint32_t python_version(const struct python *python)
{
	return python->hexversion;
}

void python_describe(const struct python *python, struct wire_python *wire)
{
	const struct python_layout *layout = &python->layout;

	*wire = (struct wire_python){
		.version = layout->version,
		.has_cframe = layout->has_cframe,
		.has_owner = layout->has_owner,
		.has_is_entry = layout->has_is_entry,
		.position_is_int = !layout->code_instructions,
		.interpreters = python->runtime + layout->interpreters_head,
		.interpreter_next = layout->interpreter_next,
		.interpreter_threads = layout->interpreter_threads,
		.thread_prev = (uint16_t)layout->thread_prev,
		.thread_next = (uint16_t)layout->thread_next,
		.thread_interpreter = (uint16_t)layout->thread_interpreter,
		.thread_id = (uint16_t)layout->thread_id,
		.thread_frame = (uint16_t)layout->thread_frame,
		.cframe_frame = (uint16_t)layout->cframe_frame,
		.frame_code = (uint16_t)layout->frame_code,
		.frame_previous = (uint16_t)layout->frame_previous,
		.frame_position = (uint16_t)layout->frame_position,
		.frame_owner = (uint16_t)layout->frame_owner,
		.frame_is_entry = (uint16_t)layout->frame_is_entry,
		.frame_bytes = (uint16_t)layout->frame_bytes,
	};
}

struct python_frame python_frame_of_wire(const struct python *python,
					 const struct wire_python_frame *wire)
{
	uint64_t from = python->layout.code_instructions ? wire->code : 0;

	return (struct python_frame){ .code = wire->code,
				      .position = from + wire->position,
				      .is_entry = wire->is_entry };
}
