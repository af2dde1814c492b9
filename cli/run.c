/* The course of a run, from its preparation to the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "delivery.h"
#include "identity.h"
#include "members.h"
#include "message.h"
#include "observation/observation.h"
#include "observation/recording.h"
#include "options.h"
#include "pid_numbers.h"
#include "process.h"
#include "run.h"
#include "signals.h"
#include "source.h"
#include "until_settled.h"
#include "watch.h"

#define COMM_SIZE	 64
#define EXIT_SIGNAL_BASE 128

/* What wrapping and attaching have in common. */
struct run {
	const struct options *options;
	struct delivery delivery;
	struct signals signals;
	struct source source;
	struct watch watch;
	struct until_settled until_settled; /* of what is attached to without a duration */
	bool has_given_up;		    /* it never was */
	struct members members;		    /* of the cgroup that is watched */
	bool has_told_to_wait;
	char **argv; /* of the target; NULL for a cgroup */
	pid_t pid_in_container;
	int wait_status; /* of a wrapped command that was reaped; else -1 */
};

static void run_init(struct run *run, const struct options *options)
{
	*run = (struct run){ .options = options, .signals.fd = -1, .wait_status = -1 };
	run->delivery.report.fd = -1;
	run->delivery.recording.fd = -1;
}

static void run_release(struct run *run)
{
	source_release(&run->source);
	cgroup_members_release(&run->members.cgroup);
	signals_release(&run->signals);
	delivery_release(&run->delivery);
}

/* Whatever was observed with wrong numbers would be another process. */
static bool has_own_proc(void)
{
	if (pid_numbers_match_proc())
		return true;
	say("/proc is not that of this PID namespace: its process numbers are others (mount one "
	    "with 'mount -t proc proc /proc', or use 'unshare --mount-proc')");
	return false;
}

static int start_signals(struct run *run)
{
	int error = signals_init(&run->signals, run->options->mode == RUN_WRAP);

	if (error)
		say("cannot watch signals: %s (see 'ulimit -n')", strerror(-error));
	return error;
}

/* @cgroup: a directory, or NULL. */
static int open_source(struct run *run, const char *cgroup)
{
	char why[REASON_SIZE] = "";
	int error = source_open(&run->source, run->options, cgroup, why, sizeof(why));

	if (error)
		say("%s", why);
	return error;
}

/* @pidfd: of @target's process, -1 for a cgroup. */
static int start_observing(struct run *run, const struct source_target *target, int pidfd)
{
	char why[REASON_SIZE] = "";
	int error = source_track(&run->source, run->options, target, why, sizeof(why));

	if (error == -ESRCH && target->cgroup)
		return error;
	if (error) {
		say("%s", why);
		return error;
	}
	if (run->options->is_verbose && run->source.why_not_full[0])
		say("sampling /proc instead of using eBPF: %s", run->source.why_not_full);
	run->watch = (struct watch){
		.observer = run->source.observer,
		.signals = &run->signals,
		.pidfd = pidfd,
		.members = target->cgroup ? &run->members : NULL,
		.pid = run->source.pid,
		.is_wrap = run->options->mode == RUN_WRAP,
		.tells_newcomers = run->options->is_verbose && !run->options->is_quiet,
		.duration_ns = run->options->duration_ns,
	};
	if (!run->watch.is_wrap && !run->options->duration_ns) {
		until_settled_begin(&run->until_settled, run->source.observer, run->options);
		run->watch.until_settled = &run->until_settled;
	}
	return 0;
}

static int record_arguments(struct observation *obs, char **argv)
{
	size_t argc = 0;

	while (argv[argc])
		argc++;
	obs->target.argv = calloc(argc + 1, sizeof(*obs->target.argv));
	if (!obs->target.argv)
		return -ENOMEM;
	for (; obs->target.argc < argc; obs->target.argc++) {
		const char *argument = argv[obs->target.argc];
		const char *kept = observation_intern(obs, argument, strlen(argument));

		if (!kept)
			return -ENOMEM;
		obs->target.argv[obs->target.argc] = kept;
	}
	return 0;
}

static int record_cgroup(const struct run *run, struct observation *obs)
{
	const char *directory = run->members.cgroup.directory;

	obs->target.cgroup = observation_intern(obs, directory, strlen(directory));
	return obs->target.cgroup ? 0 : -ENOMEM;
}

/* How an attached process exits is between it and its parent: only its observer may have seen it.
 */
static int record_target(const struct run *run, struct observation *obs)
{
	struct obs_target *target = &obs->target;
	int status = run->wait_status;

	target->mode = run->watch.is_wrap ? TARGET_WRAP : TARGET_ATTACH;
	target->pid = run->watch.pid;
	target->pid_in_container = run->pid_in_container;
	if (status >= 0) {
		target->has_exited = true;
		target->was_signaled = WIFSIGNALED(status);
		target->exit_code = target->was_signaled ? WTERMSIG(status) : WEXITSTATUS(status);
	}
	return run->argv ? record_arguments(obs, run->argv) : record_cgroup(run, obs);
}

static void mention_survivors(const struct observation *obs)
{
	size_t alive_cnt = 0;

	for (size_t i = 0; i < obs->process_cnt; i++)
		alive_cnt += !obs->processes[i].exited && obs->processes[i].pid != obs->target.pid;
	if (alive_cnt)
		say("%zu processes that it started still run, and are left alone", alive_cnt);
}

/* Ends the observation, however it came to its end, and hands over what it yields. */
static int conclude(struct run *run)
{
	struct observation obs;

	observation_init(&obs);
	if (run->watch.is_wrap && run->wait_status < 0)
		run->source.tells_progress = false; /* the terminal is the command's */
	int error = source_finish(&run->source, &obs);

	if (!error)
		error = record_target(run, &obs);
	if (!error && run->watch.until_settled)
		error = until_settled_note(&run->until_settled, run->has_given_up, &obs);
	source_release(&run->source);
	if (error) {
		say("cannot conclude the observation: %s (try --source procfs)", strerror(-error));
	} else {
		if (run->options->is_verbose && run->wait_status >= 0)
			mention_survivors(&obs);
		/* Whoever reads the report may never read it: without a command that it could be
		 * meant for, a signal now ends classify. */
		if (run->wait_status >= 0)
			signals_release(&run->signals);
		error = delivery_send(&run->delivery, run->options, &obs);
	}
	observation_release(&obs);
	return error;
}

static void explain_watch_error(int error)
{
	say("the observation failed: %s (try --source procfs)", strerror(-error));
}

/* Waits for the wrapped command's own end. Nothing of classify observes any more. */
static void wait_unobserved(struct run *run)
{
	source_release(&run->source);
	run->watch.observer = NULL;
	run->watch.duration_ns = 0;
	watch_run(&run->watch);
}

static int exit_code_of(int status)
{
	return WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Of a run in which nothing failed. */
static int success_code(const struct delivery *delivery)
{
	return delivery->is_unexpected ? EXIT_NOT_AS_EXPECTED : EXIT_SUCCESS;
}

/* Runs the started @command to its end and returns the exit code of it all. */
static int follow_command(struct run *run, struct command *command)
{
	int end = watch_run(&run->watch);
	int error = 0;

	if (end < 0) {
		error = end;
		explain_watch_error(error);
	} else if (end == WATCH_TIME_UP) {
		error = conclude(run);
	}
	if (end != WATCH_TARGET_ENDED)
		wait_unobserved(run);
	run->wait_status = command_reap(command);

	int exec_error = command_exec_error(command);

	if (exec_error)
		return command_explain_exec_error(run->argv[0], exec_error);
	if (end == WATCH_TARGET_ENDED)
		error = conclude(run);
	if (error || run->wait_status < 0)
		return EXIT_CLASSIFY_FAILED;
	/* A command that fails is a failure first. */
	return run->wait_status ? exit_code_of(run->wait_status) : success_code(&run->delivery);
}

/* Observes the waiting child and lets it go. */
static int run_command(struct run *run, struct command *command)
{
	const struct source_target target = { .pid = command->pid };

	if (open_source(run, NULL) || start_observing(run, &target, command->pidfd)) {
		command_release(command);
		command_reap(command);
		return EXIT_CLASSIFY_FAILED;
	}
	command_start(command);
	int code = follow_command(run, command);

	command_release(command);
	return code;
}

static int spawn_command(struct run *run)
{
	struct identity identity = { 0 };
	struct command command;
	char why[REASON_SIZE];
	int code = EXIT_CLASSIFY_FAILED;

	if (!run->options->as_root && identity_of_invoker(&identity, why, sizeof(why))) {
		say("%s", why);
	} else {
		int error = command_spawn(&command, run->argv, &identity, &run->signals);

		if (error)
			say("cannot start a process: %s (is a limit reached? see 'ulimit -a')",
			    strerror(-error));
		else
			code = run_command(run, &command);
	}
	identity_release(&identity);
	return code;
}

int run_wrap(const struct options *options)
{
	struct run run;
	int code = EXIT_CLASSIFY_FAILED;

	run_init(&run, options);
	run.argv = options->command;
	if (has_own_proc() && !delivery_prepare(&run.delivery, options) && !start_signals(&run))
		code = spawn_command(&run);
	run_release(&run);
	return code;
}

static void announce(const struct run *run)
{
	char comm[COMM_SIZE];

	if (run->options->is_quiet || (!run->options->is_verbose && !isatty(STDERR_FILENO)))
		return;
	const char *end = run->watch.until_settled ? " until the verdict is settled" : "";

	if (run->watch.members) {
		say("watching cgroup %s%s, Ctrl-C to report", run->members.cgroup.directory, end);
		return;
	}
	process_read_comm(run->watch.pid, comm, sizeof(comm));
	say("watching %d (%s)%s, Ctrl-C to report", run->watch.pid, comm, end);
}

static int follow_process(struct run *run)
{
	announce(run);
	int end = watch_run(&run->watch);

	erase_progress();
	if (end < 0) {
		explain_watch_error(end);
		return EXIT_CLASSIFY_FAILED;
	}
	run->has_given_up = end == WATCH_TIME_UP && run->watch.until_settled;
	/* From here on a second Ctrl-C ends classify. */
	signals_release(&run->signals);
	return conclude(run) ? EXIT_CLASSIFY_FAILED : success_code(&run->delivery);
}

int run_attach(const struct options *options)
{
	struct run run;
	char why[REASON_SIZE];
	int code = EXIT_CLASSIFY_FAILED;
	int pidfd;

	if (!has_own_proc())
		return code;
	pidfd = process_open(options->pid, why, sizeof(why));
	if (pidfd < 0) {
		say("%s", why);
		return code;
	}
	run_init(&run, options);
	run.argv = process_read_command(options->pid);
	run.pid_in_container = pid_number_in_container(options->pid);
	if (!run.argv)
		say("out of memory (free some)");
	else if (!delivery_prepare(&run.delivery, options) && !start_signals(&run) &&
		 !open_source(&run, NULL) &&
		 !start_observing(&run, &(struct source_target){ .pid = options->pid }, pidfd))
		code = follow_process(&run);
	run_release(&run);
	free(run.argv);
	close(pidfd);
	return code;
}

static const char *remedy_for_others(void)
{
	return geteuid() ? "run classify with sudo" : "leave the container or sandbox";
}

static int explain_no_members(const struct run *run, int error)
{
	const char *directory = run->members.cgroup.directory;

	if (error == -ENOENT)
		say("cgroup %s has been removed (start what belongs into it, and try again)",
		    directory);
	else if (error == -EOPNOTSUPP)
		say("cgroup %s may hold threads only, no processes (name one above it)", directory);
	else if (error == -ECANCELED && run->members.left_out_cnt)
		say("all processes of cgroup %s belong to others (%s)", directory,
		    remedy_for_others());
	else if (error == -ECANCELED)
		say("no process has come into cgroup %s (start what belongs into it)", directory);
	else
		say("cannot read cgroup %s: %s (check its permissions)", directory,
		    strerror(-error));
	return error;
}

/* Waits for the first process: a unit may be about to start. -ECANCELED: none came. */
static int await_member(struct run *run, uint64_t end_ns)
{
	struct pollfd signal = { .fd = run->signals.fd, .events = POLLIN };
	for (;;) {
		int error = members_look(&run->members);

		if (error || run->members.cgroup.newcomer_cnt)
			return error;
		if (run->members.left_out_cnt || clock_ns(CLOCK_MONOTONIC) >= end_ns)
			return -ECANCELED;
		if (!run->has_told_to_wait && !run->options->is_quiet)
			say("cgroup %s has no processes yet: waiting for the first (Ctrl-C gives "
			    "up)",
			    run->members.cgroup.directory);
		run->has_told_to_wait = true;
		if (poll(&signal, 1, run->members.look_ms) > 0)
			return -ECANCELED;
	}
}

/* All who came may be gone before they can be followed: then again. */
static int start_observing_members(struct run *run)
{
	const struct source_target target = { .cgroup = &run->members.cgroup };
	uint64_t duration_ns = run->options->duration_ns;
	uint64_t end_ns = duration_ns ? clock_ns(CLOCK_MONOTONIC) + duration_ns : UINT64_MAX;
	int error;

	/* Opened before anybody is there: those who come first may not stay for long. */
	do {
		error = open_source(run, target.cgroup->directory);
		if (error)
			return error;
		error = await_member(run, end_ns);
		if (error)
			return explain_no_members(run, error);
		error = start_observing(run, &target, -1);
		if (error)
			source_release(&run->source);
	} while (error == -ESRCH);
	run->pid_in_container = pid_number_in_container(run->watch.pid);
	return error;
}

int run_cgroup(const struct options *options)
{
	struct run run;
	char why[REASON_SIZE];
	int code = EXIT_CLASSIFY_FAILED;

	if (!has_own_proc())
		return code;
	run_init(&run, options);
	if (cgroup_members_find(&run.members.cgroup, options->cgroup, why, sizeof(why)))
		say("%s", why);
	else if (!delivery_prepare(&run.delivery, options) && !start_signals(&run) &&
		 !start_observing_members(&run))
		code = follow_process(&run);
	if (code != EXIT_CLASSIFY_FAILED && run.members.left_out_cnt && !options->is_quiet)
		say("processes of others that were left out: %zu (%s)", run.members.left_out_cnt,
		    remedy_for_others());
	run_release(&run);
	return code;
}

static int replay(const struct options *options, FILE *recording)
{
	struct delivery delivery = { 0 };
	struct observation obs;
	char why[REASON_SIZE];
	int error = recording_read(recording, &obs, why, sizeof(why));

	if (error) {
		say("cannot replay %s: %s (was it written by --save-recording?)",
		    options->replay_path, why);
	} else {
		error = delivery_prepare(&delivery, options);
		if (!error)
			error = delivery_send(&delivery, options, &obs);
		delivery_release(&delivery);
	}
	observation_release(&obs);
	return error ? EXIT_CLASSIFY_FAILED : success_code(&delivery);
}

int run_replay(const struct options *options)
{
	FILE *recording = fopen(options->replay_path, "re");

	if (!recording) {
		say("cannot read %s: %s (check its path and permissions)", options->replay_path,
		    strerror(errno));
		return EXIT_CLASSIFY_FAILED;
	}
	int code = replay(options, recording);

	fclose(recording);
	return code;
}
