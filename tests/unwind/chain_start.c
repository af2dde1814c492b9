/* Starts and ends known programs; see chain.h. */
#include "chain.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t chain_start(const char *path, uint64_t returns[CHAIN_RETURNS])
{
	int ends[2];
	pid_t pid;
	size_t size = CHAIN_RETURNS * sizeof(*returns);

	if (pipe(ends) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execl(path, path, NULL);
		_exit(127);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], returns, size) != (ssize_t)size) {
		fprintf(stderr, "%s doesn't run\n", path);
		abort();
	}
	close(ends[0]);
	return pid;
}

void chain_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
