/*
 * An observer watches a process tree from observer_track() to observer_finish() and yields an
 * observation. Two of them: ebpf (exact, needs BPF rights) and procfs (a sampler, needs nothing).
 *
 * Life of one: X_observer_new -> observer_track (-> observer_adopt) -> observer_drain (repeatedly,
 * whenever observer_fd is readable or timeout_ms has passed; observer_peek at any time) ->
 * observer_finish -> observer_free.
 * Nothing of it remains in the kernel after observer_free, or when this process dies.
 */
#ifndef CLASSIFY_OBSERVER_H
#define CLASSIFY_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct observation;
struct observer;

struct observer_options {
	bool follow_children;
	bool begins_at_exec; /* wrap: the observation begins when the tracked process runs exec */
	const char *cgroup;  /* the directory of the cgroup that is observed as a whole, or NULL;
			      * kept. Then all that is in it already is named to track and adopt,
			      * and children that live already are not followed with parents. */
	uint32_t sample_hz;  /* how often to look what runs on each CPU; 0: never. ebpf only */
	bool takes_stacks;   /* of samples, and of waits chosen by chance. ebpf only */
	bool is_verbose;     /* let libbpf and the kernel's verifier talk on stderr */
	/*
	 * Told during finish what takes long: "reading debug information of /usr/bin/x", untrusted
	 * names and all; when that changes, and ten times a second or so while it lasts. It returns
	 * at once. NULL: nobody wants to know.
	 */
	void (*progress)(void *context, const char *what);
	void *progress_context;
};

struct observer_ops {
	/* Begin: follow @pid, its threads and (follow_children) all it has forked or will fork.
	 * Wrap: called while the child waits before its exec. 0 or -errno (-ESRCH: gone). */
	int (*track)(struct observer *observer, pid_t pid);
	/* Later: follow these too from now on, as they are; of what is gone or followed already
	 * nothing comes. 0 or -errno. */
	int (*adopt)(struct observer *observer, const pid_t *pids, size_t cnt);
	/* A descriptor that becomes readable when drain has work, or -1: then call drain every
	 * timeout_ms. */
	int (*poll_fd)(const struct observer *observer);
	int (*timeout_ms)(const struct observer *observer);
	/* Takes in what has gathered. Never blocks. 0 or -errno. */
	int (*drain)(struct observer *observer);
	/*
	 * Fills @obs with what was seen so far, as finish would, and goes on as if nobody had
	 * looked. Good for judging how things stand, not as an account: what changes while it is
	 * being read may be missing or be in it twice, and what only the end can settle is left
	 * out. Its names stay the observer's: the caller releases @obs, on error too, before
	 * finish and free. 0, -EAGAIN (it changes too fast; another time), or -errno.
	 */
	int (*peek)(struct observer *observer, struct observation *obs);
	/* Ends the observation and fills @obs but for obs->target, which the caller knows; of that
	 * only how the target ended, where the observer saw it end.
	 * 0 or -errno; @obs is released by the caller either way. */
	int (*finish)(struct observer *observer, struct observation *obs);
	void (*free)(struct observer *observer);
};

struct observer {
	const struct observer_ops *ops;
};

/*
 * Both return NULL on failure with -errno in @error and one line of cause and remedy in @why.
 * ebpf: -EPERM (no rights), -ENOTSUP (no BTF or too old a kernel), else what failed.
 */
struct observer *ebpf_observer_new(const struct observer_options *options, int *error, char *why,
				   size_t why_size);
struct observer *procfs_observer_new(const struct observer_options *options, int *error, char *why,
				     size_t why_size);

#endif
