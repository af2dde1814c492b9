/* Runs a command while an empty program hangs on sched_switch. usage: empty_probe COMMAND [ARGS] */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "empty.skel.h"

int main(int argc, char **argv)
{
	struct empty_bpf *probe;
	pid_t child;

	if (argc < 2)
		return 2;
	probe = empty_bpf__open_and_load();
	if (!probe || empty_bpf__attach(probe)) {
		perror("empty_probe");
		return 1;
	}
	child = fork();
	if (!child) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	waitpid(child, NULL, 0);
	empty_bpf__destroy(probe);
	return 0;
}
