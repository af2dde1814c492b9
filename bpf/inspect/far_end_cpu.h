/*
 * The CPU time of the programs of this host that serve the tree: they compute on the tree's CPUs,
 * however long the tree waits. From the moment that such a program was found its processes are
 * looked at ten times a second, because those that serve one connection are gone when it is closed.
 *
 * A program is the process that listens and, going by parents and children, those that run the same
 * file: PostgreSQL's backends, nginx's workers. Of interpreters only the process and its
 * descendants count, since others run other scripts. What belongs to the tree is left out.
 */
#ifndef CLASSIFY_FAR_END_CPU_H
#define CLASSIFY_FAR_END_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct observation;

/* Beyond these, programs have no account, processes only in their parents', and threads don't
 * count. */
#define SERVERS_MAX	     32
#define SERVER_PROCESSES_MAX 512
#define SERVER_THREADS_MAX   2048

struct server_process {
	pid_t pid;
	pid_t parent;
	uint64_t starttime_ticks;
	bool is_gone;
	uint64_t cpu_base_ns; /* when it was found; 0: born since */
	uint64_t cpu_ns;
	uint64_t children_base_ns; /* of children that were waited for; likewise */
	uint64_t children_ns;
	uint64_t dead_children_ns; /* by our own account */
};

struct server_thread {
	pid_t tid;
	uint64_t base_ns;
	uint64_t cpu_ns;
	uint32_t look; /* the last in which it was alive */
};

struct server {
	const char *name;	/* as far_ends_find() has it; interned */
	pid_t pid;		/* the process that listens */
	uint64_t device, inode; /* the file that it runs; 0, 0: not known */
	uint64_t since_ns;
	uint64_t next_ns;
	uint32_t look_cnt;
	uint32_t thread_peak;
	struct server_process *processes;
	size_t process_cnt;
	struct server_thread *threads;
	size_t thread_cnt;
	size_t thread_at; /* where the thread after the last one that was met is expected */
};

struct servers {
	struct observation *obs;
	struct server *servers;
	size_t cnt;
};

void servers_init(struct servers *servers, struct observation *obs);
void servers_release(struct servers *servers);

/* Begins an account of the program that @pid is, found at @now_ns. What has one already, or belongs
 * to the tree, has none. @name is kept. */
void servers_add(struct servers *servers, pid_t pid, const char *name, uint64_t now_ns);

/* Looks at those whose turn it is at @now_ns since the beginning, for about 1% of a CPU; in the end
 * (@is_last) at all. */
void servers_look(struct servers *servers, uint64_t now_ns, bool is_last);

/* Appends the accounts to the observation. 0 or -ENOMEM. */
int servers_book(const struct servers *servers, struct observation *obs);

#endif
