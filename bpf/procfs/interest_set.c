/* Judges waits for several descriptors; see interest_set.h. */
#include "interest_set.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "descriptor_cause.h"
#include "proc_file.h"
#include "target_memory.h"
#include "wait_cause.h"

static void add(struct interest_set *set, int fd, bool is_write)
{
	if (set->cnt >= INTEREST_MAX)
		return;
	set->fd[set->cnt] = fd;
	set->is_write[set->cnt++] = is_write;
}

static bool is_write_only(unsigned events)
{
	return (events & EPOLLOUT) && !(events & EPOLLIN);
}

bool interest_parse_epoll(const char *line, int *fd, bool *is_write)
{
	unsigned events;

	if (sscanf(line, "tfd: %d events: %x", fd, &events) != 2)
		return false;
	*is_write = is_write_only(events);
	return true;
}

bool interest_of_epoll(const struct wait_context *context, int epoll_fd, struct interest_set *set)
{
	char name[48], line[256];
	int fd;
	bool is_write;

	set->cnt = 0;
	snprintf(name, sizeof(name), "fdinfo/%d", epoll_fd);
	FILE *in = proc_file_open(context->tid, name);

	if (!in)
		return false;
	while (set->cnt < INTEREST_MAX && fgets(line, sizeof(line), in))
		if (interest_parse_epoll(line, &fd, &is_write))
			add(set, fd, is_write);
	fclose(in);
	return true;
}

bool interest_of_poll(const struct wait_context *context, uint64_t array, uint64_t cnt,
		      struct interest_set *set)
{
	struct pollfd polled[INTEREST_MAX];

	set->cnt = 0;
	if (cnt > INTEREST_MAX)
		cnt = INTEREST_MAX;
	if (!target_memory_read(context->tid, array, polled, cnt * sizeof(polled[0])))
		return false;
	for (uint64_t i = 0; i < cnt; i++)
		if (polled[i].fd >= 0)
			add(set, polled[i].fd, is_write_only((unsigned)polled[i].events));
	return true;
}

bool interest_of_select(const struct wait_context *context, uint64_t cnt, uint64_t read_set,
			uint64_t write_set, struct interest_set *set)
{
	fd_set for_read, for_write;
	size_t bytes = sizeof(fd_mask) * ((cnt + NFDBITS - 1) / NFDBITS);

	set->cnt = 0;
	FD_ZERO(&for_read);
	FD_ZERO(&for_write);
	if (cnt > FD_SETSIZE ||
	    (read_set && !target_memory_read(context->tid, read_set, &for_read, bytes)) ||
	    (write_set && !target_memory_read(context->tid, write_set, &for_write, bytes)))
		return false;
	for (int fd = 0; fd < (int)cnt; fd++)
		if (FD_ISSET(fd, &for_read) || FD_ISSET(fd, &for_write))
			add(set, fd, !FD_ISSET(fd, &for_read));
	return true;
}

bool interest_of_all(const struct wait_context *context, struct interest_set *set)
{
	char path[64];
	struct dirent *entry;

	set->cnt = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)context->tid);
	DIR *dir = opendir(path);

	if (!dir)
		return false;
	while (set->cnt < INTEREST_MAX && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			add(set, atoi(entry->d_name), false);
	closedir(dir);
	return true;
}

/* Wakeup channels of the loop itself are no cause: pipes, eventfds and unnamed socket pairs come
 * last, and count at all only where there is nothing else. */
static int member_rank(const struct wait_cause *cause)
{
	/* A connection of which nothing is known, not even by guess: rather any other member. */
	if (cause->is_provisional && cause->direction == DIRECTION_NONE)
		return 1;
	switch (cause->reason) {
	case WAIT_NETWORK:
		return cause->direction == DIRECTION_OUTBOUND ? 8 : 7;
	case WAIT_ACCEPT:
		return 6;
	case WAIT_DISK:
		return 5;
	case WAIT_TTY:
	case WAIT_DEVICE:
		return 4;
	case WAIT_CHILD:
		return 3;
	default:
		return 0;
	}
}

struct candidate {
	struct wait_cause cause;
	int rank;
	int cnt;
};

/* Few objects matter: members beyond these are of objects that are few. */
#define CANDIDATES_MAX 16

static void count_candidate(struct candidate *candidates, int *cnt, const struct wait_cause *cause)
{
	int rank = member_rank(cause);

	if (!rank)
		return;
	for (int i = 0; i < *cnt; i++)
		if (candidates[i].rank == rank && candidates[i].cause.name == cause->name) {
			candidates[i].cnt++;
			return;
		}
	if (*cnt < CANDIDATES_MAX)
		candidates[(*cnt)++] = (struct candidate){ *cause, rank, 1 };
}

static void loop_cause(bool has_timeout, struct wait_cause *cause)
{
	cause->reason = has_timeout ? WAIT_TIMER : WAIT_POLL;
	cause->kind = OBJECT_EPOLL;
	cause->timed_out = has_timeout;
}

void interest_cause(const struct wait_context *context, const struct interest_set *set,
		    bool has_timeout, struct wait_cause *cause)
{
	struct candidate candidates[CANDIDATES_MAX];
	const struct candidate *best = NULL;
	int cnt = 0;

	for (int i = 0; i < set->cnt; i++) {
		struct wait_cause member = { .name = "" };

		if (descriptor_cause(context, set->fd[i], set->is_write[i], &member))
			count_candidate(candidates, &cnt, &member);
	}
	for (int i = 0; i < cnt; i++)
		if (!best || candidates[i].rank > best->rank ||
		    (candidates[i].rank == best->rank && candidates[i].cnt > best->cnt))
			best = &candidates[i];
	if (best)
		*cause = best->cause;
	else
		loop_cause(has_timeout, cause);
}
