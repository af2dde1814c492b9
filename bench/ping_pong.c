/*
 * Two processes on one CPU pass a byte to and fro through pipes: nothing but context switches.
 * Waits for a line on stdin before it starts, so that a tool can be attached first; then prints
 * the nanoseconds of wall time per switch.
 *
 * usage: ping_pong [ROUNDS [CPU]]
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_ROUNDS 1000

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void echo(int from, int to, long rounds)
{
	char byte;

	for (long i = 0; i < rounds; i++) {
		must(read(from, &byte, 1) == 1, "read");
		must(write(to, &byte, 1) == 1, "write");
	}
}

static void ask(int to, int from, long rounds)
{
	char byte = 0;

	for (long i = 0; i < rounds; i++) {
		must(write(to, &byte, 1) == 1, "write");
		must(read(from, &byte, 1) == 1, "read");
	}
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 200000;
	int there[2], back[2];
	double start_ns;
	cpu_set_t cpus;
	pid_t child;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)(argc > 2 ? atoi(argv[2]) : 1), &cpus);
	must(!sched_setaffinity(0, sizeof(cpus), &cpus), "sched_setaffinity");
	must(!pipe(there) && !pipe(back), "pipe");
	must(getchar() != EOF, "stdin");
	child = fork();
	must(child >= 0, "fork");
	if (!child) {
		echo(there[0], back[1], WARM_UP_ROUNDS + rounds);
		_exit(0);
	}
	ask(there[1], back[0], WARM_UP_ROUNDS);
	start_ns = now_ns();
	ask(there[1], back[0], rounds);
	printf("%.1f\n", (now_ns() - start_ns) / (2.0 * (double)rounds));
	waitpid(child, NULL, 0);
	return 0;
}
