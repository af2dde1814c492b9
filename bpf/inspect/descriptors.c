/* What the open descriptors of a process say about it: event loops and listening sockets. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect.h"
#include "net_table.h"
#include "observation/observation.h"

/* A process may hold a million descriptors; an event loop and its listeners come early. */
#define DESCRIPTORS_MAX 16384

struct listener_search {
	uint64_t *inodes; /* of the process's sockets, sorted */
	size_t inode_cnt;
	bool is_wanted[NET_TABLE_CNT]; /* tables that may list one of them */
	struct listening_socket *found;
	int found_max;
	int found_cnt;
	uint32_t listening_cnt;
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

static int compare_inodes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void note_socket(const struct net_socket *socket, void *context)
{
	struct listener_search *search = context;

	if (!socket->is_listening || !bsearch(&socket->inode, search->inodes, search->inode_cnt,
					      sizeof(*search->inodes), compare_inodes))
		return;
	search->listening_cnt++;
	if (search->found_cnt < search->found_max)
		search->found[search->found_cnt++] = (struct listening_socket){
			.inode = socket->inode,
			.port = socket->local.port,
			.is_unix = socket->table == NET_UNIX,
		};
}

static bool can_listen(enum net_table table)
{
	return table == NET_TCP || table == NET_TCP6 || table == NET_UNIX;
}

int inspect_descriptors(struct obs_process *process, struct listening_socket *sockets, int max)
{
	struct listener_search search = { .found = sockets, .found_max = max };

	search.inodes = calloc(DESCRIPTORS_MAX, sizeof(*search.inodes));
	if (!search.inodes)
		return -ENOMEM;

	int error = read_descriptors(process, &search);

	if (!error && search.inode_cnt > 0) {
		qsort(search.inodes, search.inode_cnt, sizeof(*search.inodes), compare_inodes);
		for (int table = 0; table < NET_TABLE_CNT; table++)
			if (search.is_wanted[table] && can_listen((enum net_table)table))
				net_table_read(process->pid, (enum net_table)table, note_socket,
					       &search);
	}
	free(search.inodes);
	if (error)
		return error;
	process->listening_cnt = search.listening_cnt;
	return search.found_cnt;
}
