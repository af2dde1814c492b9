/* What the open descriptors of a process say about it: event loops and listening sockets. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect.h"
#include "net_listeners.h"
#include "observation/observation.h"

/* A process may hold a million descriptors; an event loop and its listeners come early. */
#define DESCRIPTORS_MAX 16384

struct listener_search {
	uint64_t *inodes; /* of the process's sockets */
	size_t inode_cnt;
	bool is_wanted[NET_TABLE_CNT]; /* tables that may list one of them */
};

static void note_table(struct listener_search *search, const char *directory, const char *fd)
{
	char protocol[NET_PROTOCOL_MAX];
	enum net_table table = net_table_of(directory, fd, protocol);

	if (table < NET_TABLE_CNT)
		search->is_wanted[table] = true;
	else if (!*protocol)
		search->is_wanted[NET_TCP] = search->is_wanted[NET_TCP6] =
			search->is_wanted[NET_UNIX] = true;
}

static void note_descriptor(struct obs_process *process, struct listener_search *search,
			    const char *directory, const char *fd, const char *link)
{
	if (!strcmp(link, "anon_inode:[eventpoll]") || !strcmp(link, "anon_inode:[io_uring]"))
		process->has_event_loop = true;
	if (sscanf(link, "socket:[%lu]", &search->inodes[search->inode_cnt]) != 1)
		return;
	search->inode_cnt++;
	note_table(search, directory, fd);
}

static int read_descriptors(struct obs_process *process, struct listener_search *search)
{
	char path[64], link[64];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)process->pid);
	DIR *dir = opendir(path);

	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	for (int seen = 0; seen < DESCRIPTORS_MAX && (entry = readdir(dir)); seen++) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (len <= 0)
			continue;
		link[len] = '\0';
		note_descriptor(process, search, path, entry->d_name, link);
	}
	closedir(dir);
	return 0;
}

/* TCP's tables are looked at for a process without sockets too: it may be handed a connection that
 * somebody else accepts. */
static uint32_t count_listening(const struct listener_search *search, pid_t pid,
				struct net_listeners *listeners)
{
	uint32_t cnt = 0;

	net_listeners_look(listeners, pid, NET_TCP);
	net_listeners_look(listeners, pid, NET_TCP6);
	if (search->is_wanted[NET_UNIX])
		net_listeners_look(listeners, pid, NET_UNIX);
	for (size_t i = 0; i < search->inode_cnt; i++)
		cnt += net_listeners_know(listeners, search->inodes[i]);
	return cnt;
}

int inspect_descriptors(struct obs_process *process, struct net_listeners *listeners)
{
	struct listener_search search = { 0 };
	int error;

	search.inodes = calloc(DESCRIPTORS_MAX, sizeof(*search.inodes));
	if (!search.inodes)
		return -ENOMEM;
	error = read_descriptors(process, &search);
	if (!error)
		process->listening_cnt = count_listening(&search, process->pid, listeners);
	free(search.inodes);
	return error;
}
