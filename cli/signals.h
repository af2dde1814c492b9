/*
 * Signals that reach classify, as a descriptor to poll. Until signals_release() they are blocked,
 * so none of them ends classify before it has reported.
 */
#ifndef CLASSIFY_SIGNALS_H
#define CLASSIFY_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct signals {
	int fd;
	sigset_t inherited_mask;
	struct sigaction inherited_child;
	struct sigaction inherited_pipe;
};

/*
 * Starts to watch. @wrap: every signal that a command could want passed on, but not those that
 * classify was started to ignore (nohup, a background job of a script): the command ignores them
 * too. Else: the ones that end an attachment. Returns 0 or -errno.
 */
int signals_init(struct signals *signals, bool wrap);

/* Puts mask and dispositions back to what classify was started with. */
void signals_restore(const struct signals *signals);

/* Stops watching and drops what is pending. Accepts one whose init failed. */
void signals_release(struct signals *signals);

struct taken_signal {
	int number;
	pid_t sender;	    /* 0: the kernel */
	bool from_terminal; /* Ctrl-C and the like: the whole foreground group has got it */
};

/* Takes one pending signal. Returns false when none is. */
bool signals_take(const struct signals *signals, struct taken_signal *taken);

#endif
