/* Scripts that say where they are; see python_script.h. */
#include "python_script.h"

#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "python/python.h"

#define LINE_BYTES   8192
#define FIELD_CNT    4
#define WAIT_SECONDS 20
#define MINOR_FIRST  8
/* Longer names are cut, at a whole character of up to 4 bytes. */
#define CUT_BYTES 4

static bool is_supported(const char *path)
{
	const char *minor = strstr(path, "python3.");

	return minor && strtoul(strrchr(path, '.') + 1, NULL, 10) >= MINOR_FIRST;
}

static void each_that(bool supported, void (*test)(const char *python))
{
	const char *home = getenv("HOME");
	char pattern[512];
	glob_t paths;
	int cnt = 0;

	snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/*/bin/python[23].*[0-9]",
		 home ? home : "");
	glob("/usr/bin/python[23].*[0-9]", 0, NULL, &paths);
	glob(pattern, GLOB_APPEND, NULL, &paths);
	for (size_t i = 0; i < paths.gl_pathc; i++) {
		if (is_supported(paths.gl_pathv[i]) != supported)
			continue;
		print_message("%s\n", paths.gl_pathv[i]);
		test(paths.gl_pathv[i]);
		cnt++;
	}
	globfree(&paths);
	if (!cnt) {
		print_message("skipped: there is no such CPython\n");
		skip();
	}
}

void each_python(void (*test)(const char *python))
{
	each_that(true, test);
}

void each_old_python(void (*test)(const char *python))
{
	each_that(false, test);
}

static void run(const char *python, const char *path, const char *argument, const int *in,
		const int *out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
	execl(python, python, path, argument, (char *)NULL);
	_exit(127);
}

void script_start(struct script *script, const char *python, const char *name, const char *argument)
{
	char path[512];
	int in[2], out[2];

	snprintf(path, sizeof(path), "%s/unit/python_scripts/%s", TEST_DATA, name);
	assert_int_equal(pipe(in) | pipe(out), 0);
	script->pid = fork();
	if (script->pid == 0)
		run(python, path, argument, in, out);
	close(in[0]);
	close(out[1]);
	script->input = in[1];
	script->output = fdopen(out[0], "r");
	assert_non_null(script->output);
}

int script_end(struct script *script)
{
	int status = 0;

	close(script->input);
	fclose(script->output);
	waitpid(script->pid, &status, 0);
	return status;
}

void script_kill(struct script *script)
{
	kill(script->pid, SIGKILL);
	script_end(script);
}

void script_go_on(struct script *script)
{
	assert_int_equal(write(script->input, "x", 1), 1);
}

void script_until_reading(const struct script *script)
{
	static const struct timespec moment = { .tv_nsec = 1000000 };
	time_t until = time(NULL) + WAIT_SECONDS;
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)script->pid);
	do {
		FILE *file = fopen(path, "r");
		bool is_reading = file && fgets(text, sizeof(text), file) &&
				  !strncmp(text, "0 0x0 ", 6); /* read() of descriptor 0 */

		if (file)
			fclose(file);
		if (is_reading)
			return;
		nanosleep(&moment, NULL);
	} while (time(NULL) < until);
	fail_msg("the script does not read");
}

static void take_frame(struct said_frames *said, char *line)
{
	char *fields[FIELD_CNT];

	for (int i = 0; i < FIELD_CNT; i++) {
		fields[i] = strsep(&line, "\t");
		assert_non_null(fields[i]);
	}
	assert_true(said->cnt < SAID_FRAMES_MAX);
	said->frames[said->cnt++] = (struct said_frame){
		.function = strdup(fields[0]),
		.file = strdup(fields[1]),
		.line = (uint32_t)strtoul(fields[2], NULL, 10),
		.first_line = (uint32_t)strtoul(fields[3], NULL, 10),
	};
}

bool script_read_frames(struct script *script, struct said_frames *said, bool *is_end)
{
	char line[LINE_BYTES];

	memset(said, 0, sizeof(*said));
	while (fgets(line, sizeof(line), script->output)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || !strcmp(line, "."))
			return !line[0];
		if (!strncmp(line, "thread ", 7))
			said->thread_pointer = strtoull(line + 7, NULL, 10);
		else
			take_frame(said, line);
	}
	*is_end = true;
	return false;
}

void said_release(struct said_frames *said)
{
	for (size_t i = 0; i < said->cnt; i++) {
		free(said->frames[i].function);
		free(said->frames[i].file);
	}
	said->cnt = 0;
}

static bool is_same_text(const char *said, const char *found, size_t size)
{
	size_t len = strlen(found);

	if (strlen(said) < size)
		return !strcmp(said, found);
	return !strncmp(said, found, len) && len >= size - CUT_BYTES;
}

bool said_is_at(const struct said_frame *said, struct python *python,
		const struct python_frame *frame, bool with_line)
{
	struct python_place place;
	int error = python_place(python, frame, &place);

	if (error) {
		print_message("%s: error %d\n", said->function, error);
		return false;
	}
	if (is_same_text(said->function, place.function, sizeof(place.function)) &&
	    is_same_text(said->file, place.file, sizeof(place.file)) &&
	    said->first_line == place.first_line && (!with_line || said->line == place.line))
		return true;
	print_message("said %s %s:%u (%u)\nread %s %s:%u (%u)\n", said->function, said->file,
		      said->line, said->first_line, place.function, place.file, place.line,
		      place.first_line);
	return false;
}
