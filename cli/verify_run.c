/*
 * A run is what "classify --json -- COMMAND" does, in a forked process; its report comes back in a
 * memory file. So verify sees what a user's own report would say.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"
#include "run.h"
#include "verification/run_facts.h"
#include "verify_options.h"
#include "verify_run.h"

#define EXIT_SIGNAL_BASE 128

/* What the command is not to share with verify: a second run would find its stdin read. */
static int detach_streams(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0) {
		say("cannot open /dev/null: %s (see 'ulimit -n')", strerror(errno));
		return -1;
	}
	close(fd);
	return 0;
}

static int run_here(const struct verify_options *from, const struct verify_side *side,
		    int report_fd)
{
	static char shell[] = "/bin/sh", flag[] = "-c";
	char path[32], *line = side->line ? strdup(side->line) : NULL;
	char *words[] = { shell, flag, line, NULL };
	struct options options = {
		.mode = RUN_WRAP,
		.command = side->words ? side->words : words,
		.output_path = path,
		.concurrency = from->concurrency,
		.frequency_hz = DEFAULT_FREQUENCY_HZ,
		.format = FORMAT_JSON,
		.source = from->source,
		.as_root = from->as_root,
		.is_quiet = true,
	};

	snprintf(path, sizeof(path), "/dev/fd/%d", report_fd);
	int code = detach_streams() ? EXIT_CLASSIFY_FAILED : run_wrap(&options);

	free(line);
	return code;
}

/* Ctrl-C is for the command, as it is for one that is run by a shell. */
struct patience {
	struct sigaction interrupt, quit;
};

static void begin_patience(struct patience *patience)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &ignore, &patience->interrupt);
	sigaction(SIGQUIT, &ignore, &patience->quit);
}

static void end_patience(const struct patience *patience)
{
	sigaction(SIGINT, &patience->interrupt, NULL);
	sigaction(SIGQUIT, &patience->quit, NULL);
}

/* Returns the wait status of the run, or -errno. */
static int run_apart(const struct verify_options *options, const struct verify_side *side,
		     int report_fd)
{
	struct patience patience;
	pid_t parent = getpid(), child;
	int status;

	fflush(NULL);
	begin_patience(&patience);
	child = fork();
	if (child == 0) {
		end_patience(&patience);
		/* The command must not go on alone when verify is killed: it gets the signal. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		_exit(getppid() == parent ? run_here(options, side, report_fd)
					  : EXIT_CLASSIFY_FAILED);
	}
	status = child < 0 ? -errno : 0;
	while (child > 0 && waitpid(child, &status, 0) < 0) {
		if (errno != EINTR) {
			status = -errno;
			break;
		}
	}
	end_patience(&patience);
	return status;
}

static int read_facts(int report_fd, struct run_facts *facts)
{
	char why[REASON_SIZE] = "no report";
	int fd = fcntl(report_fd, F_DUPFD_CLOEXEC, 0);
	FILE *in = fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "r") : NULL;
	int error = in ? run_facts_read(facts, in, why, sizeof(why)) : -errno;

	if (error)
		say("cannot read the report of the run: %s (run it under classify by itself)", why);
	if (in)
		fclose(in);
	else if (fd >= 0)
		close(fd);
	return error;
}

static int explain_failure(const struct verify_side *side, int code)
{
	say("%s failed with exit code %d (try it by itself)",
	    side->words ? side->words[0] : side->line, code);
	return code;
}

static int run_into(const struct verify_options *options, const struct verify_side *side,
		    int report_fd, struct run_facts *facts)
{
	int status = run_apart(options, side, report_fd);

	if (status < 0 || WIFSIGNALED(status)) {
		say("the run was lost: %s (try again)",
		    status < 0 ? strerror(-status) : strsignal(WTERMSIG(status)));
		return status < 0 ? EXIT_CLASSIFY_FAILED : EXIT_SIGNAL_BASE + WTERMSIG(status);
	}
	if (WEXITSTATUS(status))
		return lseek(report_fd, 0, SEEK_END) > 0
			       ? explain_failure(side, WEXITSTATUS(status))
			       : WEXITSTATUS(status); /* it has said so itself */
	return read_facts(report_fd, facts) ? EXIT_CLASSIFY_FAILED : 0;
}

int verify_run(const struct verify_options *options, const struct verify_side *side,
	       struct run_facts *facts)
{
	int report_fd = memfd_create("classify-report", MFD_CLOEXEC);

	if (report_fd < 0) {
		say("cannot make a file in memory: %s (see 'ulimit -n')", strerror(errno));
		return EXIT_CLASSIFY_FAILED;
	}
	int code = run_into(options, side, report_fd, facts);

	close(report_fd);
	return code;
}
