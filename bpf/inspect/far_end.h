/*
 * Who serves a connection's far end on this host: from the address to the listening socket in the
 * tables of its network namespace, and from that to the process that has it open. Asked for when
 * an endpoint is first seen, because both may be gone at the end.
 */
#ifndef CLASSIFY_FAR_END_H
#define CLASSIFY_FAR_END_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "far_end_cpu.h"
#include "net_table.h"
#include "observation/observation.h"

/* Endpoints asked for beyond so many stay unknown. */
#define FAR_ENDS_MAX 256
/* Listeners of one endpoint: SO_REUSEPORT gives each worker its own. */
#define FAR_END_LISTENERS_MAX 4

/* Nanoseconds of CPU time that one far_ends_look() may take, about; and the last one. */
#define FAR_ENDS_LOOK_NS      2000000ull
#define FAR_ENDS_LOOK_LAST_NS 50000000ull

struct far_end {
	enum object_kind kind; /* OBJECT_TCP, OBJECT_UDP or OBJECT_UNIX */
	const char *name;      /* as in its obs_wait: for a unix socket its path */
	struct net_endpoint remote;
	uint32_t netns; /* the namespace: inode of /proc/PID/ns/net */
	pid_t asker;
	uint64_t listeners[FAR_END_LISTENERS_MAX]; /* inodes */
	size_t listener_cnt;
	bool is_exact; /* they listen on the very address, not on any */
	bool is_listed;
	bool is_ambiguous; /* the same address in two namespaces */
	pid_t owner;
	const char *owner_name;
};

struct far_ends {
	struct observation *obs; /* where names are interned */
	struct far_end *ends;
	size_t cnt;
	size_t done_cnt;    /* the first so many are decided */
	size_t scanned_cnt; /* those before it take part in the scan that is under way */
	DIR *processes;	    /* the scan: where it got to in /proc; NULL: none is under way */
	uint64_t next_scan_ns;
	uint64_t spent_ns;
	struct servers servers; /* the CPU time of those found */
	uint64_t now_ns;	/* of the last look but the very last */
	bool is_over;		/* the last look: who is found now has no account any more */
};

void far_ends_init(struct far_ends *ends, struct observation *obs);
void far_ends_release(struct far_ends *ends);

/*
 * Asks who serves the endpoint @name (interned in the observation) of @kind, as @asker sees it in
 * the network namespace @netns (0: the one that @asker is in). @remote is its address; unused
 * for unix sockets. What was asked before is not asked again; but what @netns tells to be two
 * endpoints of one name is not known then. Returns 0 or -ENOMEM.
 */
int far_ends_ask(struct far_ends *ends, enum object_kind kind, const char *name,
		 const struct net_endpoint *remote, uint32_t netns, pid_t asker);

/*
 * Goes on looking for those that were asked for, at instant @now_ns, for about @budget_ns of CPU
 * time; a search through all of /proc begins once a second at most, and altogether they may take
 * half a second. With @is_last it doesn't wait for its turn, and looks again for those that nobody
 * was found for.
 */
void far_ends_look(struct far_ends *ends, uint64_t now_ns, uint64_t budget_ns, bool is_last);

/* Appends what those found took to @obs, which the observation has become or is about to. 0 or
 * -ENOMEM. */
int far_ends_book(const struct far_ends *ends, struct observation *obs);

/* Returns "postgres[812]", or "" where it isn't known. Lives as long as the observation. */
const char *far_ends_find(const struct far_ends *ends, enum object_kind kind, const char *name);

/* Whether a connection from @local to @remote stays on its host, as far as addresses tell. */
bool far_end_is_here(const struct net_endpoint *local, const struct net_endpoint *remote);

#endif
