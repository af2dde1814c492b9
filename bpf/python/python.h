/*
 * CPython 3.8 and later in a process: which Python functions its threads are in, at which lines,
 * and which tasks its event loops have. Everything is read from outside, while the process runs;
 * all of it is untrusted and may change as it is being read: what isn't plausible is not known.
 */
#ifndef CLASSIFY_PYTHON_H
#define CLASSIFY_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct python;

/* Bytes of a name, NUL included; longer ones are cut. */
#define PYTHON_NAME_BYTES 256
#define PYTHON_PATH_BYTES 1024
#define PYTHON_FRAMES_MAX 128

/* A frame as it lies in memory. */
struct python_frame {
	uint64_t code;
	uint64_t position; /* an address in the code (3.11 and later), or f_lasti */
	uint64_t frame;	   /* itself; 0: not known */
	bool is_entry;
};

/* A place in Python code. */
struct python_place {
	char function[PYTHON_NAME_BYTES]; /* its qualified name where there is one */
	char file[PYTHON_PATH_BYTES];
	uint32_t line;	     /* 0: not known */
	uint32_t first_line; /* of the function */
};

/*
 * Looks for CPython in @pid. Returns 0 and @python (release it with python_free()); -ENOENT: there
 * is none; -EAGAIN: it has not initialised itself yet; -ENOTSUP: a version or build whose frames
 * can't be read, with one line of why in @why; or another -errno.
 */
int python_open(pid_t pid, struct python **python, char *why, size_t why_size);
void python_free(struct python *python);

/* 0x030b0000-like. */
uint32_t python_version(const struct python *python);

/* What the probes need to walk its frames, for their map of interpreters (wire.h). */
struct wire_python;
void python_describe(const struct python *python, struct wire_python *wire);

/* A frame as the probes told of it. */
struct wire_python_frame;
struct python_frame python_frame_of_wire(const struct python *python,
					 const struct wire_python_frame *wire);

/* A thread that has a state in the interpreter. */
struct python_thread {
	uint64_t thread_pointer; /* of the C library: fsbase on x86-64 */
	uint64_t state;
};

/* Reads up to @capacity of its threads, all interpreters'. Returns how many, or -errno. */
ssize_t python_threads(struct python *python, struct python_thread *threads, size_t capacity);

/* Walks the frames of the thread with @thread_pointer, which waits, from outside. Returns how many,
 * 0 if it runs no Python code, or -errno. */
ssize_t python_walk(struct python *python, uint64_t thread_pointer, struct python_frame *frames,
		    size_t capacity);

/* Reads what the code object of @frame is and at which line the frame is. Returns 0, or -errno when
 * it can't be read or is no code object (any more). */
int python_place(struct python *python, const struct python_frame *frame,
		 struct python_place *place);

/* The name that threading gave the thread with @thread_pointer: "MainThread", "worker_3". Returns
 * 0, -ENOENT when it has none, or -errno. */
int python_thread_name(struct python *python, uint64_t thread_pointer, char *name, size_t size);

/* What a task waits for, as far as it can be seen. */
enum python_task_wait {
	PYTHON_TASK_WAITS,	  /* for what may come from outside its loop: a socket, a thread */
	PYTHON_TASK_WAITS_TIME,	  /* asyncio.sleep() */
	PYTHON_TASK_WAITS_INSIDE, /* a lock or queue of asyncio, as a rule for another task */
	PYTHON_TASK_WAITS_TASK,	  /* for another task, or for several of them (gather, wait) */
};

/* A task of an event loop that waits. */
struct python_task {
	char name[PYTHON_NAME_BYTES];
	bool is_named; /* by the program, not "Task-12" by asyncio */
	/* Its coroutine's frames: the innermost, which awaits something else than a coroutine,
	 * first.
	 */
	struct python_frame frames[16];
	size_t frame_cnt;
	enum python_task_wait wait;
};

/*
 * Reads up to @capacity tasks that wait for something, of the loop that the thread with
 * @thread_pointer runs, in no order. Where there are more, another call reads others. Returns how
 * many; 0 when it runs no loop; -ENOTSUP for a version that isn't known, or -ENOMEM.
 */
ssize_t python_tasks(struct python *python, uint64_t thread_pointer, struct python_task *tasks,
		     size_t capacity);

/* About how many such tasks there are in all, as the last call of python_tasks() saw it. */
size_t python_task_total(const struct python *python);

/*
 * The name of the task that the loop of the thread with @thread_pointer runs now, which holds up
 * the others while the thread waits. Returns 0, -ENOENT when it runs no loop or no task, or -errno.
 */
int python_current_task(struct python *python, uint64_t thread_pointer, char *name, size_t size);

/* Whether a C function of this name is the interpreter's loop, which Python frames stand for; or a
 * part of it that the compiler has put elsewhere. */
bool python_is_eval(const char *function);

#endif
