/*
 * Waits for several descriptors at once: an epoll instance, a poll array, select's sets. One of
 * them stands for the wait. Private to procfs.
 */
#ifndef CLASSIFY_INTEREST_SET_H
#define CLASSIFY_INTEREST_SET_H

#include <stdbool.h>
#include <stdint.h>

struct wait_cause;
struct wait_context;

/* Larger sets are judged by their first members. */
#define INTEREST_MAX 1024

struct interest_set {
	int fd[INTEREST_MAX];
	bool is_write[INTEREST_MAX]; /* asked for room to write only */
	int cnt;
};

/* "tfd: 5 events: 19 ..." of /proc/PID/fdinfo/N -> descriptor; false for any other line. */
bool interest_parse_epoll(const char *line, int *fd, bool *is_write);

/* Each fills @set from the target; false when it can't be read. */
bool interest_of_epoll(const struct wait_context *context, int epoll_fd, struct interest_set *set);
bool interest_of_poll(const struct wait_context *context, uint64_t array, uint64_t cnt,
		      struct interest_set *set);
bool interest_of_select(const struct wait_context *context, uint64_t cnt, uint64_t read_set,
			uint64_t write_set, struct interest_set *set);
/* All descriptors that the thread has open: what an io_uring may be waiting for. */
bool interest_of_all(const struct wait_context *context, struct interest_set *set);

/*
 * Picks the member that the wait is most likely for: outbound sockets, then listening and inbound
 * ones, then other sources of data, then a timer if the wait has a timeout. Of equals, the object
 * with most members.
 */
void interest_cause(const struct wait_context *context, const struct interest_set *set,
		    bool has_timeout, struct wait_cause *cause);

#endif
