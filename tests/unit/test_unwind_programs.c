/*
 * Programs of the distribution, stripped and without frame pointers, while they work: nearly all
 * stacks of all their threads have to be followed to where the thread began.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "code/address_space.h"
#include "code/code_file.h"
#include "traced_stack.h"
#include "unwind/unwind.h"

#define STACKS	     300
#define DEADLINE_S   20
#define COMPLETE_PCT 95
/* The probes copy no more. */
#define COPIED_BYTES (32 << 10)

struct tally {
	unsigned int stack_cnt, complete_cnt, cut_cnt;
};

/* Programs run in a directory of their own. */
static char directory[] = "/tmp/classify-unwind-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory + sizeof(directory) - 1 - 6, "XXXXXX");
	/* nginx reads it as another user. */
	return mkdtemp(directory) && chmod(directory, 0755) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static pid_t start(const char *command)
{
	pid_t pid = fork();

	if (pid == 0) {
		int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		dup2(nowhere, STDIN_FILENO);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		if (chdir(directory) == 0)
			execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	setpgid(pid, pid);
	return pid;
}

/* Between two samples the program is to do something else. */
static void pause_ms(long ms)
{
	struct timespec time = { .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

static void stop(pid_t group)
{
	kill(-group, SIGKILL);
	while (waitpid(-group, NULL, __WALL) > 0)
		;
}

struct sampler {
	struct code_files *files;
	struct unwinder *unwinder;
	struct address_space space;
	struct traced_stack stack;
	struct tally tally;
	pid_t pid;
};

/* For whoever wants to know why a stack isn't complete. */
static void print_outermost(const struct sampler *sampler, uint64_t address, enum unwind_end end)
{
	const struct code_mapping *mapping = address_space_find(&sampler->space, address);
	uint64_t place = address;

	if (mapping)
		code_mapping_address(mapping, address, &place);
	print_message("  %d at %#lx of %s\n", end, place,
		      mapping && mapping->file ? mapping->file->path : "?");
}

static void sample_thread(struct sampler *sampler, pid_t tid)
{
	uint64_t addresses[UNWIND_FRAMES_MAX];
	enum unwind_end end = UNWIND_UNMAPPED;
	int error = traced_stack_take(sampler->pid, tid, &sampler->stack);

	if (error == -EPERM) {
		print_message("SKIPPED: ptrace is not allowed here\n");
		skip();
	}
	if (error)
		return;

	size_t cnt = 0;

	if (sampler->stack.copy.byte_cnt > COPIED_BYTES)
		sampler->stack.copy.byte_cnt = COPIED_BYTES;
	for (int i = 0; i < 2 && end == UNWIND_UNMAPPED; i++) {
		if (i || !sampler->space.mapping_cnt)
			address_space_read(&sampler->space, sampler->files, sampler->pid);
		cnt = unwind(sampler->unwinder, &sampler->space, &sampler->stack.copy, addresses,
			     UNWIND_FRAMES_MAX, &end);
	}
	if (end != UNWIND_COMPLETE)
		print_outermost(sampler, addresses[cnt - 1], end);
	sampler->tally.stack_cnt++;
	sampler->tally.complete_cnt += end == UNWIND_COMPLETE;
	sampler->tally.cut_cnt += end == UNWIND_CUT;
}

static void sample_threads(struct sampler *sampler)
{
	struct dirent *entry;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", sampler->pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			sample_thread(sampler, (pid_t)atoi(entry->d_name));
	if (tasks)
		closedir(tasks);
}

/* The process of @group that runs the program @name; 0: none (any more). */
static pid_t find_program(pid_t group, const char *name)
{
	struct dirent *entry;
	DIR *processes = opendir("/proc");
	pid_t found = 0;

	while (!found && processes && (entry = readdir(processes))) {
		pid_t pid = (pid_t)atoi(entry->d_name);
		char path[64], target[4096] = "";
		ssize_t size;

		snprintf(path, sizeof(path), "/proc/%d/exe", pid);
		if (pid <= 0 || getpgid(pid) != group)
			continue;
		size = readlink(path, target, sizeof(target) - 1);
		if (size > 0 && strstr(target, name))
			found = pid;
	}
	if (processes)
		closedir(processes);
	return found;
}

static void sample_for(struct sampler *sampler, pid_t group, const char *name)
{
	time_t deadline = time(NULL) + DEADLINE_S;

	while (sampler->tally.stack_cnt < STACKS && time(NULL) < deadline) {
		pid_t pid = find_program(group, name);

		if (pid != sampler->pid)
			address_space_release(&sampler->space);
		sampler->pid = pid;
		if (pid)
			sample_threads(sampler);
		pause_ms(1);
	}
}

static struct tally sample(const char *program, const char *name, const char *command)
{
	static struct sampler sampler;
	pid_t group;

	if (access(program, X_OK) != 0) {
		print_message("SKIPPED: there is no %s\n", program);
		skip();
	}
	sampler = (struct sampler){ .files = code_files_new() };
	sampler.unwinder = unwinder_new(sampler.files);
	group = start(command);
	sample_for(&sampler, group, name);
	stop(group);
	address_space_release(&sampler.space);
	unwinder_free(sampler.unwinder);
	code_files_free(sampler.files);
	print_message("%s: %u of %u stacks are complete\n", name, sampler.tally.complete_cnt,
		      sampler.tally.stack_cnt);
	assert_true(sampler.tally.stack_cnt >= STACKS / 2);
	return sampler.tally;
}

static void check(const char *program, const char *name, const char *command)
{
	struct tally tally = sample(program, name, command);

	assert_true(tally.complete_cnt * 100 >= tally.stack_cnt * COMPLETE_PCT);
}

static void test_python(void **state)
{
	(void)state;
	check("/usr/bin/python3", "/python3",
	      "exec /usr/bin/python3 -c 'import json, re, threading, time\n"
	      "threading.Thread(target=time.sleep, args=(100,)).start()\n"
	      "while 1: json.loads(json.dumps({\"a\": [1] * 99})); re.sub(\"a+\", \"b\", \"ab\" * "
	      "9)'");
}

static void test_redis(void **state)
{
	(void)state;
	check("/usr/bin/redis-server", "/redis-",
	      "redis-server --port 0 --save '' --unixsocket $PWD/socket &"
	      "while :; do redis-benchmark -s $PWD/socket -n 10000 -q || sleep 0.1; done");
}

static void test_nginx(void **state)
{
	(void)state;
	check("/usr/sbin/nginx", "/nginx",
	      "dir=$PWD; head -c 100000 /dev/zero >file;"
	      "echo \"daemon off; error_log /dev/null; pid $dir/pid; events { }"
	      " http { access_log off; client_body_temp_path $dir; proxy_temp_path $dir;"
	      " fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;"
	      " server { listen unix:$dir/socket; root $dir; } }\" >conf;"
	      "/usr/sbin/nginx -e /dev/null -c $dir/conf &"
	      "while :; do curl -s --unix-socket socket http://a/file http://a/none || sleep 0.1;"
	      " done");
}

static void test_gcc(void **state)
{
	(void)state;
	check("/usr/bin/gcc", "/cc1",
	      "while :; do for i in $(seq 200); do echo \"int f$i(const char *s, int n, int *t) {"
	      " int k = $i; for (int i = 0; i < n; i++) switch (s[i]) {"
	      " case 'a': k += t[i & 7]; break; case 'b': if (k > $i) k -= i; else k ^= n; break;"
	      " default: k = t[k & 3] ? k * 3 : g(k, s); } return k; }\"; done |"
	      " gcc -w -O1 -xc -c -o /dev/null -; done");
}

/* Go's runtime works on stacks of its own in the midst of a goroutine's: there the copy ends, and
 * what lies beyond is not to be taken for callers. */
static void test_go(void **state)
{
	struct tally tally;

	(void)state;
	tally = sample("/usr/bin/go", "/classify-hot-go",
		       "export GO111MODULE=off HOME=${HOME:-$PWD};"
		       "echo 'package main\nimport (\"fmt\"; \"sort\"; \"time\")\n"
		       "func work() { m := map[string]int{}; for i := 0; i < 999; i++ {"
		       " m[fmt.Sprint(i)] = i }; a := make([]int, 999); sort.Ints(a) }\n"
		       "func main() { for i := 0; i < 2; i++ { go func() { for { work();"
		       " time.Sleep(time.Millisecond) } }() }; for { work() } }' >hot.go;"
		       "go build -o classify-hot-go hot.go && ./classify-hot-go");
	assert_true((tally.complete_cnt + tally.cut_cnt) * 100 >= tally.stack_cnt * COMPLETE_PCT);
	assert_true(tally.complete_cnt * 2 >= tally.stack_cnt);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, make_directory, remove_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(python), TEST(redis), TEST(nginx), TEST(gcc), TEST(go),
	};

	/* What a shell started is ours to wait for when the shell is gone. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
