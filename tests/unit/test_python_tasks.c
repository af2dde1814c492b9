/*
 * Tasks of asyncio and names of threads as they are read from outside, against what Python itself
 * says of them, on each version of CPython that is installed. Needs leave to read memory.
 */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "python/python.h"

#define SCRIPT	     TEST_DATA "/unit/python_tasks/tasks.py"
#define LINE_BYTES   2048
#define TASKS_MAX    128
#define THREADS_MAX  32
#define FRAMES_MAX   16
#define CAPACITY     512
#define FIELDS_MAX   4
#define WAIT_SECONDS 20

/* What Python says. */
struct said_frame {
	unsigned line;
	char *function;
	char *file;
};

struct said_task {
	char *name;
	char *waits_for;
	struct said_frame frames[FRAMES_MAX];
	size_t frame_cnt;
};

struct said_thread {
	uint64_t number;
	char *name;
};

struct script {
	pid_t pid;
	int input;
	FILE *output;
	pid_t child;
	uint64_t child_thread;
	uint64_t lost_thread;
	uint64_t loop;
	struct said_thread threads[THREADS_MAX];
	size_t thread_cnt;
	struct said_task tasks[TASKS_MAX];
	size_t task_cnt;
};

static void run_script(const char *python, const int *input, const int *output)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(input[0], STDIN_FILENO);
	dup2(output[1], STDOUT_FILENO);
	for (int i = 0; i < 2; i++) {
		close(input[i]);
		close(output[i]);
	}
	execl(python, python, "-W", "ignore", SCRIPT, (char *)NULL);
	_exit(127);
}

static void take_frame(struct script *script, char **fields)
{
	struct said_task *task = &script->tasks[script->task_cnt - 1];

	assert_true(script->task_cnt > 0 && task->frame_cnt < FRAMES_MAX);
	task->frames[task->frame_cnt++] = (struct said_frame){
		.line = (unsigned)strtoul(fields[1], NULL, 10),
		.function = strdup(fields[2]),
		.file = strdup(fields[3]),
	};
}

static void take_child(struct script *script, char **fields)
{
	script->child = (pid_t)strtol(fields[1], NULL, 10);
	script->child_thread = strtoull(fields[2], NULL, 10);
	script->lost_thread = strtoull(fields[3], NULL, 10);
}

/* False once it has said all. */
static bool take_line(struct script *script, char *line)
{
	char *fields[FIELDS_MAX] = { NULL };

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < FIELDS_MAX; i++)
		fields[i] = line ? strsep(&line, "\t") : "";
	if (!strcmp(fields[0], "ready"))
		return false;
	if (!strcmp(fields[0], "child")) {
		take_child(script, fields);
	} else if (!strcmp(fields[0], "loop")) {
		script->loop = strtoull(fields[1], NULL, 10);
	} else if (!strcmp(fields[0], "thread")) {
		assert_true(script->thread_cnt < THREADS_MAX);
		script->threads[script->thread_cnt++] =
			(struct said_thread){ strtoull(fields[1], NULL, 10), strdup(fields[2]) };
	} else if (!strcmp(fields[0], "task")) {
		assert_true(script->task_cnt < TASKS_MAX);
		script->tasks[script->task_cnt++] =
			(struct said_task){ .waits_for = strdup(fields[1]),
					    .name = strdup(fields[2]) };
	} else if (!strcmp(fields[0], "frame")) {
		take_frame(script, fields);
	}
	return true;
}

static void start_script(struct script *script, const char *python)
{
	int input[2], output[2];
	char line[LINE_BYTES];
	bool is_ready = false;

	memset(script, 0, sizeof(*script));
	assert_int_equal(pipe(input) | pipe(output), 0);
	script->pid = fork();
	if (!script->pid)
		run_script(python, input, output);
	close(input[0]);
	close(output[1]);
	script->input = input[1];
	script->output = fdopen(output[0], "r");
	while (!is_ready && fgets(line, sizeof(line), script->output))
		is_ready = !take_line(script, line);
	assert_true(is_ready);
}

/* The child that it forked ends with its input. */
static void stop_script(struct script *script)
{
	kill(script->pid, SIGKILL);
	waitpid(script->pid, NULL, 0);
	close(script->input);
	fclose(script->output);
	for (size_t i = 0; i < script->thread_cnt; i++)
		free(script->threads[i].name);
	for (size_t i = 0; i < script->task_cnt; i++) {
		free(script->tasks[i].name);
		free(script->tasks[i].waits_for);
		for (size_t j = 0; j < script->tasks[i].frame_cnt; j++) {
			free(script->tasks[i].frames[j].function);
			free(script->tasks[i].frames[j].file);
		}
	}
}

static struct python *open_python(pid_t pid)
{
	struct python *python;
	char why[256];
	int error = python_open(pid, &python, why, sizeof(why));

	if (error)
		fail_msg("python_open: %s: %s", strerror(-error), why);
	return python;
}

/* Cut as names are. */
static bool is_name(const char *read, const char *said)
{
	size_t len = strlen(said);

	return !strncmp(read, said, PYTHON_NAME_BYTES - 1) &&
	       strlen(read) == (len < PYTHON_NAME_BYTES ? len : PYTHON_NAME_BYTES - 1);
}

static const struct said_task *said_of(const struct script *script, const struct python_task *task)
{
	for (size_t i = 0; i < script->task_cnt; i++)
		if (is_name(task->name, script->tasks[i].name))
			return &script->tasks[i];
	return NULL;
}

static void check_frame(struct python *python, const char *task, const struct python_frame *frame,
			const struct said_frame *said)
{
	struct python_place place;
	int error = python_place(python, frame, &place);

	if (error)
		fail_msg("task %s, %s: %s", task, said->function, strerror(-error));
	if (place.line != said->line || strcmp(place.function, said->function) != 0 ||
	    strcmp(place.file, said->file) != 0)
		fail_msg("task %s: %s at %s:%u, but Python says %s at %s:%u", task, place.function,
			 place.file, place.line, said->function, said->file, said->line);
}

static const char *const waits_for[] = { "something", "time", "inside", "task" };

static void check_task(struct python *python, const struct script *script,
		       const struct python_task *task)
{
	const struct said_task *said = said_of(script, task);

	if (!said)
		fail_msg("Python says nothing of a task %s", task->name);
	if (task->frame_cnt != said->frame_cnt)
		fail_msg("task %s has %zu frames, but Python says %zu", task->name, task->frame_cnt,
			 said->frame_cnt);
	for (size_t i = 0; i < task->frame_cnt; i++)
		check_frame(python, task->name, &task->frames[i], &said->frames[i]);
	if (task->is_named == !strncmp(said->name, "Task-", 5))
		fail_msg("task %s %s a name", task->name, task->is_named ? "has" : "hasn't");
	if (strcmp(waits_for[task->wait], said->waits_for) != 0)
		fail_msg("task %s waits for %s and not for %s", task->name, said->waits_for,
			 waits_for[task->wait]);
}

/* Reads them once the one that told of all others waits, too: the loop is in its poll. */
static size_t read_tasks(struct python *python, uint64_t loop, struct python_task *tasks)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	time_t begin = time(NULL);

	while (time(NULL) - begin < WAIT_SECONDS) {
		ssize_t cnt = python_tasks(python, loop, tasks, CAPACITY);

		assert_true(cnt >= 0);
		for (ssize_t i = 0; i < cnt; i++) {
			if (strcmp(tasks[i].name, "main") != 0)
				continue;
			tasks[i] = tasks[cnt - 1];
			return (size_t)cnt - 1;
		}
		nanosleep(&pause, NULL);
	}
	fail_msg("the main task is not among those that wait");
	return 0;
}

static bool has_task(const struct python_task *tasks, size_t cnt, const char *said)
{
	for (size_t i = 0; i < cnt; i++)
		if (is_name(tasks[i].name, said))
			return true;
	return false;
}

static void check_tasks(struct python *python, const struct script *script)
{
	struct python_task *tasks = calloc(CAPACITY, sizeof(*tasks));
	size_t cnt = read_tasks(python, script->loop, tasks);

	for (size_t i = 0; i < cnt; i++)
		check_task(python, script, &tasks[i]);
	for (size_t i = 0; i < script->task_cnt; i++)
		if (!has_task(tasks, cnt, script->tasks[i].name))
			fail_msg("task %s isn't read", script->tasks[i].name);
	assert_int_equal(cnt, script->task_cnt);
	assert_int_equal(python_task_total(python), cnt + 1);
	free(tasks);
}

/* With little room: as many as fit, and a word of how many there are; in turn, all of them. */
static void check_few_tasks(struct python *python, const struct script *script)
{
	bool is_seen[TASKS_MAX] = { false };
	struct python_task tasks[4];
	size_t seen_cnt = 0;

	for (int i = 0; i < 10000 && seen_cnt < script->task_cnt; i++) {
		assert_int_equal(python_tasks(python, script->loop, tasks, 4), 4);
		assert_in_range(python_task_total(python), 4, 8 * script->task_cnt);
		for (int j = 0; j < 4; j++) {
			const struct said_task *said = said_of(script, &tasks[j]);

			if (!said || is_seen[said - script->tasks])
				continue;
			is_seen[said - script->tasks] = true;
			seen_cnt++;
		}
	}
	assert_int_equal(seen_cnt, script->task_cnt);
}

static const struct said_thread *thread_named(const struct script *script, const char *name)
{
	for (size_t i = 0; i < script->thread_cnt; i++)
		if (!strcmp(script->threads[i].name, name))
			return &script->threads[i];
	fail_msg("there is no thread %s", name);
	return NULL;
}

/* Loops of other threads, and threads without one. */
static void check_other_threads(struct python *python, const struct script *script)
{
	uint64_t other = thread_named(script, "other loop")->number;
	uint64_t blocked = thread_named(script, "blocked loop")->number;
	uint64_t plain = thread_named(script, "plain")->number;
	char name[PYTHON_NAME_BYTES];
	struct python_task tasks[8];

	assert_int_equal(python_tasks(python, other, tasks, 8), 2);
	assert_int_equal(python_current_task(python, other, name, sizeof(name)), -ENOENT);
	assert_int_equal(python_tasks(python, blocked, tasks, 8), 0);
	assert_int_equal(python_current_task(python, blocked, name, sizeof(name)), 0);
	assert_string_equal(name, "holds up");
	assert_int_equal(python_tasks(python, plain, tasks, 8), 0);
	assert_int_equal(python_current_task(python, plain, name, sizeof(name)), -ENOENT);
	assert_int_equal(python_tasks(python, 4096, tasks, 8), 0);
}

static void check_thread_names(struct python *python, const struct script *script)
{
	char name[PYTHON_NAME_BYTES];

	assert_true(script->thread_cnt >= 8);
	for (size_t i = 0; i < script->thread_cnt; i++) {
		const struct said_thread *said = &script->threads[i];

		assert_int_equal(python_thread_name(python, said->number, name, sizeof(name)), 0);
		assert_string_equal(name, said->name);
	}
	assert_int_equal(python_thread_name(python, 4096, name, sizeof(name)), -ENOENT);
	assert_int_equal(python_thread_name(python, script->loop, name, 5), 0);
	assert_string_equal(name, "Main");
}

/* In a child that the main thread forked it has its name, and the others are gone; so is the loop,
 * though it lies in memory as it was. */
static void check_child(const struct script *script)
{
	struct python *python = open_python(script->child);
	char name[PYTHON_NAME_BYTES];
	struct python_task tasks[8];

	assert_int_equal(python_thread_name(python, script->child_thread, name, sizeof(name)), 0);
	assert_string_equal(name, "MainThread");
	assert_int_equal(python_thread_name(python, script->lost_thread, name, sizeof(name)),
			 -ENOENT);
	assert_int_equal(python_tasks(python, script->child_thread, tasks, 8), 0);
	assert_int_equal(python_current_task(python, script->child_thread, name, sizeof(name)),
			 -ENOENT);
	python_free(python);
}

static void check_version(const char *pattern)
{
	struct script script;
	struct python *python;
	glob_t found;

	if (glob(pattern, 0, NULL, &found)) {
		print_message("Skipped: there is no %s.\n", pattern);
		skip();
	}
	start_script(&script, found.gl_pathv[0]);
	globfree(&found);
	python = open_python(script.pid);
	check_tasks(python, &script);
	check_few_tasks(python, &script);
	check_other_threads(python, &script);
	check_thread_names(python, &script);
	check_child(&script);
	python_free(python);
	stop_script(&script);
}

#define VERSION_TEST(minor)                                                       \
	static void reads_3_##minor(void **state)                                 \
	{                                                                         \
		(void)state;                                                      \
		check_version("/root/.pyenv/versions/3." #minor ".*/bin/python"); \
	}

VERSION_TEST(8)
VERSION_TEST(9)
VERSION_TEST(10)
VERSION_TEST(11)
VERSION_TEST(12)
VERSION_TEST(13)

static void reads_that_of_the_system(void **state)
{
	(void)state;
	check_version("/usr/bin/python3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_3_8),
		cmocka_unit_test(reads_3_9),
		cmocka_unit_test(reads_3_10),
		cmocka_unit_test(reads_3_11),
		cmocka_unit_test(reads_3_12),
		cmocka_unit_test(reads_3_13),
		cmocka_unit_test(reads_that_of_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
