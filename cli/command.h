/*
 * A wrapped command: forked at once, kept before its exec until it is observed, and otherwise as
 * its caller made it: same descriptors, terminal, process group, signals and environment.
 */
#ifndef CLASSIFY_COMMAND_H
#define CLASSIFY_COMMAND_H

#include <sys/types.h>

struct identity;
struct signals;

struct command {
	pid_t pid;
	int pidfd;	   /* readable once the process is dead */
	int start_fd;	   /* the child waits on its other end; closed without a word: it exits */
	int exec_error_fd; /* carries errno of a failed exec; empty after a good one */
};

/*
 * Forks a child that waits for command_start() to run @argv as @identity. Called before anything
 * else is opened, so that nothing of ours can be inherited. If classify dies before that, the child
 * exits; afterwards it goes on without it. Returns 0 or -errno.
 */
int command_spawn(struct command *command, char **argv, const struct identity *identity,
		  const struct signals *signals);

/* Lets the child run. */
void command_start(struct command *command);

/* Returns the positive errno of an exec that failed, or 0. Meaningful once the child is dead. */
int command_exec_error(const struct command *command);

/* Waits for the end of the child and reaps it. Returns its wait status, or -errno. */
int command_reap(struct command *command);

/* Closes the descriptors; a child that was never started exits. */
void command_release(struct command *command);

/* Says on stderr why @name could not be executed. Returns 127 when it was not found, else 126. */
int command_explain_exec_error(const char *name, int error);

#endif
