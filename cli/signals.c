/* Watching signals through a signalfd, and restoring what a child must inherit. */
#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "signals.h"

/* What tells a program something. Left out: faults, job control (stopping and continuing are for
 * classify itself), SIGCHLD and SIGPIPE. */
static const int forwarded[] = { SIGHUP,  SIGINT, SIGQUIT,  SIGTERM, SIGUSR1, SIGUSR2,
				 SIGALRM, SIGIO,  SIGWINCH, SIGURG,  SIGPWR };
static const int ending[] = { SIGHUP, SIGINT, SIGTERM };

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void collect_forwarded(sigset_t *set)
{
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		if (!is_ignored(forwarded[i]))
			sigaddset(set, forwarded[i]);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		if (!is_ignored(number))
			sigaddset(set, number);
}

/* SIGINT counts even when ignored, as it is in the background of a script: to end the attachment
 * is the only thing it can mean. SIGHUP does not: nohup means to go on. */
static void collect_ending(sigset_t *set)
{
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (ending[i] != SIGHUP || !is_ignored(SIGHUP))
			sigaddset(set, ending[i]);
}

int signals_init(struct signals *signals, bool wrap)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t watched;

	sigemptyset(&watched);
	if (wrap)
		collect_forwarded(&watched);
	else
		collect_ending(&watched);
	/* With SIGCHLD ignored, the kernel would reap the command and keep its exit code. */
	sigaction(SIGCHLD, &by_default, &signals->inherited_child);
	/* A reader that left is an error to report, not a reason to die. */
	sigaction(SIGPIPE, &ignore, &signals->inherited_pipe);
	sigprocmask(SIG_BLOCK, &watched, &signals->inherited_mask);
	signals->fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

void signals_restore(const struct signals *signals)
{
	sigaction(SIGCHLD, &signals->inherited_child, NULL);
	sigaction(SIGPIPE, &signals->inherited_pipe, NULL);
	sigprocmask(SIG_SETMASK, &signals->inherited_mask, NULL);
}

void signals_release(struct signals *signals)
{
	struct taken_signal taken;

	if (signals->fd < 0)
		return;
	while (signals_take(signals, &taken))
		;
	close(signals->fd);
	signals->fd = -1;
	sigprocmask(SIG_SETMASK, &signals->inherited_mask, NULL);
}

/* Only the kernel speaks for a terminal; what else it sends (an alarm that outlived an exec) is for
 * classify alone. */
static bool is_from_terminal(const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGHUP:
	case SIGINT:
	case SIGQUIT:
	case SIGWINCH:
		return info->ssi_code == SI_KERNEL;
	default:
		return false;
	}
}

bool signals_take(const struct signals *signals, struct taken_signal *taken)
{
	struct signalfd_siginfo info;

	if (read(signals->fd, &info, sizeof(info)) != sizeof(info))
		return false;
	taken->number = (int)info.ssi_signo;
	taken->sender = info.ssi_code == SI_KERNEL ? 0 : (pid_t)info.ssi_pid;
	taken->from_terminal = is_from_terminal(&info);
	return true;
}
