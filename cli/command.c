/* Forking, holding back, starting and reaping the wrapped command. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "identity.h"
#include "message.h"
#include "signals.h"

enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* All that happens in the child. @start_fd and @error_fd close by themselves at exec. */
static void run_child(char **argv, const struct identity *identity, const struct signals *signals,
		      int start_fd, int error_fd)
{
	char go;

	signals_restore(signals);
	if (read(start_fd, &go, sizeof(go)) != sizeof(go))
		_exit(EXIT_CLASSIFY_FAILED);
	int error = -identity_assume(identity);

	if (!error) {
		execvp(argv[0], argv);
		error = errno;
	}
	/* A pipe that nobody reads any more means classify is dead: nobody is left to tell. */
	if (write(error_fd, &error, sizeof(error)) < 0)
		_exit(EXIT_CLASSIFY_FAILED);
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int open_pipes(int start_pipe[2], int error_pipe[2])
{
	if (pipe2(start_pipe, O_CLOEXEC))
		return -errno;
	if (pipe2(error_pipe, O_CLOEXEC)) {
		int error = -errno;

		close(start_pipe[0]);
		close(start_pipe[1]);
		return error;
	}
	return 0;
}

static int open_child(struct command *command)
{
	command->pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0);
	if (command->pidfd >= 0)
		return 0;
	int error = -errno;

	command_release(command);
	command_reap(command);
	return error;
}

int command_spawn(struct command *command, char **argv, const struct identity *identity,
		  const struct signals *signals)
{
	int start_pipe[2], error_pipe[2];
	int error = open_pipes(start_pipe, error_pipe);

	*command = (struct command){ .pidfd = -1, .start_fd = -1, .exec_error_fd = -1 };
	if (error)
		return error;
	command->pid = fork();
	if (command->pid == 0) {
		close(start_pipe[1]); /* or the end of classify would not be seen */
		run_child(argv, identity, signals, start_pipe[0], error_pipe[1]);
	}
	error = -errno;
	close(start_pipe[0]);
	close(error_pipe[1]);
	command->start_fd = start_pipe[1];
	command->exec_error_fd = error_pipe[0];
	if (command->pid < 0) {
		command_release(command);
		return error;
	}
	return open_child(command);
}

void command_start(struct command *command)
{
	/* Fails only when the child has died meanwhile, which its pidfd tells. */
	ssize_t written = write(command->start_fd, "", 1);

	(void)written;
	close_if_open(&command->start_fd);
}

int command_exec_error(const struct command *command)
{
	int error;

	if (read(command->exec_error_fd, &error, sizeof(error)) != sizeof(error))
		return 0;
	return error;
}

int command_reap(struct command *command)
{
	int status;

	while (waitpid(command->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

void command_release(struct command *command)
{
	close_if_open(&command->start_fd);
	close_if_open(&command->exec_error_fd);
	close_if_open(&command->pidfd);
}

/* Distinguishes, as shells do, a missing program from one whose interpreter is missing. */
static int explain_missing(const char *name)
{
	if (!strchr(name, '/')) {
		say("%s: command not found (check its spelling and PATH)", name);
		return EXIT_NOT_FOUND;
	}
	if (access(name, F_OK)) {
		say("%s: No such file or directory (check the path)", name);
		return EXIT_NOT_FOUND;
	}
	say("%s: its interpreter was not found (check its first line, or the ELF loader)", name);
	return EXIT_NOT_EXECUTABLE;
}

int command_explain_exec_error(const char *name, int error)
{
	switch (error) {
	case ENOENT:
		return explain_missing(name);
	case EACCES:
		say("%s: Permission denied (is it a file, and executable? try chmod +x)", name);
		return EXIT_NOT_EXECUTABLE;
	case ENOEXEC:
		say("%s: Exec format error (was it built for this machine?)", name);
		return EXIT_NOT_EXECUTABLE;
	default:
		say("%s: %s (the command could not be executed)", name, strerror(error));
		return EXIT_NOT_EXECUTABLE;
	}
}
