/* The ways to come by an observation: run a command, attach to a process or a cgroup, read a
 * recording. */
#ifndef CLASSIFY_RUN_H
#define CLASSIFY_RUN_H

struct options;

/* Each does the whole job, says on stderr what went wrong, and returns the exit code. */
int run_wrap(const struct options *options);
int run_attach(const struct options *options);
int run_cgroup(const struct options *options);
int run_replay(const struct options *options);

#endif
