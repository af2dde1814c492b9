/*
 * Scripts that say where they are, run by every CPython 3.8 and later of the machine: what is read
 * of them from outside is compared with what they say.
 */
#ifndef CLASSIFY_PYTHON_SCRIPT_H
#define CLASSIFY_PYTHON_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct python_frame;
struct python;

#define SAID_FRAMES_MAX 1100

struct script {
	pid_t pid;
	int input;
	FILE *output;
};

struct said_frame {
	char *function;
	char *file;
	uint32_t line;
	uint32_t first_line;
};

struct said_frames {
	uint64_t thread_pointer; /* 0: not said */
	struct said_frame frames[SAID_FRAMES_MAX];
	size_t cnt;
};

/* Calls @test with each interpreter; skips the test, saying why, when there is none. */
void each_python(void (*test)(const char *python));

/* The same with those before 3.8. */
void each_old_python(void (*test)(const char *python));

/* Runs tests/unit/python_scripts/@name with @argument (or NULL). */
void script_start(struct script *script, const char *python, const char *name,
		  const char *argument);

/* Closes its input and waits for its end; returns what waitpid() has of it. */
int script_end(struct script *script);

/* Ends it where it is. */
void script_kill(struct script *script);

/* Sends it a byte. */
void script_go_on(struct script *script);

/* Waits until its first thread is in read(). */
void script_until_reading(const struct script *script);

/* Reads what it says of the frames of one thread. False at a line ".", or at its end, which sets
 * @is_end. Release @said in any case. */
bool script_read_frames(struct script *script, struct said_frames *said, bool *is_end);
void said_release(struct said_frames *said);

/* Is @frame at the place that was @said? Of its line only with @with_line. */
bool said_is_at(const struct said_frame *said, struct python *python,
		const struct python_frame *frame, bool with_line);

#endif
