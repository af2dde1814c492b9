/* Inspect on live processes: this one, and every CPython that the machine has. */
#include <errno.h>
#include <glob.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "host_watch.h"
#include "inspect.h"
#include "net_listeners.h"
#include "observation/observation.h"

/* CPython releases whose GIL is found, and the first that may be built without one. */
#define FIRST_WITH_GIL 0x03070000U
#define LAST_WITH_GIL  0x030effffU

static void own_process(void **state)
{
	struct observation obs;
	struct obs_process *process;
	struct gil_range gil;
	char exe[512];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	(void)state;
	assert_true(len > 0);
	exe[len] = '\0';
	observation_init(&obs);
	process = observation_add_process(&obs);
	process->pid = getpid();
	assert_int_equal(inspect_process(&obs, process, &gil), 0);
	assert_string_equal(process->exe, exe);
	assert_int_equal(process->parent_pid, getppid());
	assert_non_null(strstr(process->command, "test_inspect_live"));
	assert_true(process->module_cnt >= 2); /* libc and the dynamic loader */
	for (size_t i = 0; i < process->module_cnt; i++)
		assert_string_not_equal(process->modules[i], exe);
	assert_int_equal(process->python_hexversion, 0);
	assert_false(process->gil_is_known);
	assert_int_equal(gil.end, 0);
	observation_release(&obs);
}

static void process_that_is_gone(void **state)
{
	struct observation obs;
	struct net_listeners listeners = { 0 };
	struct obs_process *process;
	struct gil_range gil;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	observation_init(&obs);
	process = observation_add_process(&obs);
	process->pid = pid;
	assert_int_equal(inspect_process(&obs, process, &gil), -ESRCH);
	assert_int_equal(inspect_descriptors(process, &listeners), -ESRCH);
	net_listeners_release(&listeners);
	observation_release(&obs);
}

struct told_port {
	uint16_t port;
	uint32_t netns;
	uint32_t times_told;
};

static void note_port(void *context, uint32_t netns, uint16_t port)
{
	struct told_port *told = context;

	if (port != told->port)
		return;
	told->netns = netns;
	told->times_told++;
}

/* Makes a socket that listens on @port of 127.0.0.1, 0 for any, along with others. */
static int make_listener(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(*port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void own_descriptors(void **state)
{
	struct obs_process process = { .pid = getpid() };
	struct told_port told = { 0 };
	struct net_listeners before = { 0 };
	struct net_listeners after = { .port_found = note_port, .context = &told };
	struct stat status;

	(void)state;
	assert_int_equal(inspect_descriptors(&process, &before), 0);
	assert_false(process.has_event_loop);
	assert_int_equal(process.listening_cnt, 0);

	int loop = epoll_create1(EPOLL_CLOEXEC);
	int first = make_listener(&told.port);
	int second = make_listener(&told.port);

	assert_int_equal(inspect_descriptors(&process, &after), 0);
	assert_int_equal(process.listening_cnt, 2);
	assert_true(process.has_event_loop);
	assert_int_equal(told.times_told, 1);
	assert_int_equal(stat("/proc/self/ns/net", &status), 0);
	assert_int_equal(told.netns, status.st_ino);
	net_listeners_release(&before);
	net_listeners_release(&after);
	close(second);
	close(first);
	close(loop);
}

static void sockets_of_another_namespace(void **state)
{
	struct net_listeners listeners = { 0 };
	struct obs_process process = { 0 };
	uint16_t port = 0;
	int listener = make_listener(&port);
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if (!unshare(CLONE_NEWNET))
			byte = (char)write(ready[1], "", 1);
		close(ready[1]);
		pause();
	}
	close(ready[1]);
	process.pid = getpid();
	assert_int_equal(inspect_descriptors(&process, &listeners), 0);
	assert_int_equal(process.listening_cnt, 1);
	if (read(ready[0], &byte, 1) == 1) {
		process.pid = pid;
		assert_int_equal(inspect_descriptors(&process, &listeners), 0);
		assert_int_equal(listeners.cnt, 2);
		assert_int_equal(listeners.namespaces[1].tables[NET_TCP].cnt, 0);
		/* The listener that it has inherited serves our namespace, but it is there. */
		assert_int_equal(process.listening_cnt, 1);
	} else {
		print_message("no network namespaces here: not tested\n");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(listener);
	net_listeners_release(&listeners);
}

static void own_host(void **state)
{
	struct observation obs;

	(void)state;
	observation_init(&obs);
	inspect_host(&obs, getpid(), NULL);
	assert_true(obs.host.kernel && *obs.host.kernel);
	assert_in_range(obs.host.cpus_usable, 1, obs.host.cpus_online);
	assert_true(obs.host.cpu_quota >= 0);
	observation_release(&obs);
}

static int first_cpu(const cpu_set_t *cpus)
{
	int cpu = 0;

	while (!CPU_ISSET(cpu, cpus))
		cpu++;
	return cpu;
}

/* A child that takes what CPU it is left, and then ends; the host is as it was last. */
static void host_of_a_target_that_changes(void **state)
{
	const uint64_t second_ns = 1000000000;
	struct host_watch watch = { 0 };
	struct observation obs;
	cpu_set_t cpus;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	observation_init(&obs);
	host_watch_look(&watch, second_ns); /* before it begins: an observer may be drained early */
	host_watch_begin(&watch, &obs, pid, NULL);
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	assert_int_equal(obs.host.cpus_usable, CPU_COUNT(&cpus));
	int cpu = first_cpu(&cpus);

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	assert_int_equal(sched_setaffinity(pid, sizeof(cpus), &cpus), 0);
	host_watch_look(&watch, second_ns);
	assert_int_equal(obs.host.cpus_usable, 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	host_watch_look(&watch, 2 * second_ns);
	assert_int_equal(obs.host.cpus_usable, 1);
	host_watch_release(&watch);
	observation_release(&obs);
}

/* A Python that prints its version and then waits for its stdin to close. */
struct python {
	pid_t pid;
	int in;
	uint32_t hexversion;
};

static bool python_start(struct python *python, const char *path)
{
	int in[2], out[2];
	char text[32] = "";

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	python->pid = fork();
	if (python->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execl(path, path, "-c",
		      "import sys; sys.stdout.write('%d' % sys.hexversion); sys.stdout.flush(); "
		      "sys.stdout.close(); sys.stdin.read()",
		      NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	python->in = in[1];
	python->hexversion =
		read(out[0], text, sizeof(text) - 1) > 0 ? (uint32_t)strtoul(text, NULL, 10) : 0;
	close(out[0]);
	return python->hexversion != 0;
}

static void python_stop(struct python *python)
{
	close(python->in);
	waitpid(python->pid, NULL, 0);
}

/* The switch interval is the first word of the GIL: the default is 5000 us. */
static uint64_t first_word(pid_t pid, uint64_t address)
{
	uint64_t word = 0;
	struct iovec local = { &word, sizeof(word) };
	struct iovec remote = { (void *)(uintptr_t)address, sizeof(word) };

	process_vm_readv(pid, &local, 1, &remote, 1, 0);
	return word;
}

static void check_python(const struct python *python)
{
	struct observation obs;
	struct obs_process *process;
	struct gil_range gil;

	observation_init(&obs);
	process = observation_add_process(&obs);
	process->pid = python->pid;
	assert_int_equal(inspect_process(&obs, process, &gil), 0);
	assert_int_equal(process->python_hexversion >> 16, python->hexversion >> 16);
	if (python->hexversion >= FIRST_WITH_GIL && python->hexversion <= LAST_WITH_GIL &&
	    !process->is_free_threaded) {
		assert_true(process->gil_is_known);
		assert_int_equal(gil.end - gil.start, 208);
		assert_int_equal(first_word(python->pid, gil.start), 5000);
	} else {
		assert_false(process->gil_is_known);
		assert_int_equal(gil.end, 0);
	}
	observation_release(&obs);
}

static void every_python_of_the_machine(void **state)
{
	glob_t paths;
	char pattern[512];
	const char *home = getenv("HOME");
	int checked = 0;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/*/bin/python?.*[0-9]",
		 home ? home : "");
	glob("/usr/bin/python[23].*[0-9]", 0, NULL, &paths);
	glob(pattern, GLOB_APPEND, NULL, &paths);
	for (size_t i = 0; i < paths.gl_pathc; i++) {
		struct python python;

		if (python_start(&python, paths.gl_pathv[i])) {
			print_message("%s: %08x\n", paths.gl_pathv[i], python.hexversion);
			check_python(&python);
			checked++;
		}
		python_stop(&python);
	}
	globfree(&paths);
	if (!checked)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_process),
		cmocka_unit_test(process_that_is_gone),
		cmocka_unit_test(own_descriptors),
		cmocka_unit_test(sockets_of_another_namespace),
		cmocka_unit_test(own_host),
		cmocka_unit_test(host_of_a_target_that_changes),
		cmocka_unit_test(every_python_of_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
