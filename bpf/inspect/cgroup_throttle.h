/*
 * Time that the CPU quotas of a process's cgroups held their threads back, from cpu.stat (of either
 * version). The files stay open: a program's end takes its membership away, not its cgroups.
 */
#ifndef CLASSIFY_CGROUP_THROTTLE_H
#define CLASSIFY_CGROUP_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct observation;

/* Nested quotas beyond these are not looked at. */
#define CGROUP_THROTTLE_MAX 8

struct cgroup_throttle {
	int cnt; /* cgroups with a quota */
	struct cgroup_throttle_account {
		int fd; /* of its cpu.stat */
		int version;
		uint64_t begin_ns;
		uint64_t last_ns;
	} accounts[CGROUP_THROTTLE_MAX];
};

/* Opens the accounts of all cgroups with a quota that @pid is in (or the cgroup @directory, as for
 * cgroup_cpu_quota), and begins to count; none when there is no quota. To be closed. */
void cgroup_throttle_open(struct cgroup_throttle *throttle, pid_t pid, const char *directory);

/*
 * The nanoseconds that the cgroups were throttled since they were opened, over all their CPUs. Of
 * nested quotas it is the one that held back longest: their times overlap. An account that is gone
 * counts as last read.
 */
uint64_t cgroup_throttle_read_ns(struct cgroup_throttle *throttle);

void cgroup_throttle_close(struct cgroup_throttle *throttle);

/* The throttled time in the text of a cpu.stat of @version; 0 when there is none. */
uint64_t cgroup_parse_throttled_ns(const char *text, int version);

/*
 * Books @throttled_ns as such. The scheduler shows a throttled thread as runnable, so it is taken
 * from preempted and run-queue time, in proportion: which thread it was isn't known. The account is
 * the whole cgroup's, of processes outside the tree too, so no more than the tree was runnable is
 * booked.
 */
void cgroup_throttle_book(struct observation *obs, uint64_t throttled_ns);

/* The same for the threads of those processes that @belongs(@context, ...) says. */
void cgroup_throttle_book_part(struct observation *obs, uint64_t throttled_ns,
			       bool (*belongs)(const void *context, pid_t pid),
			       const void *context);

#endif
