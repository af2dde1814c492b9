/*
 * Inspect: what a live process is, read from /proc and its ELF files. Shared by both observers.
 * It reads, never stops, traces or writes the target. Everything read is untrusted.
 */
#ifndef CLASSIFY_INSPECT_H
#define CLASSIFY_INSPECT_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct net_listeners;
struct observation;
struct obs_process;

/* The futex words that belong to a process's GIL: [start, end). {0, 0}: not known or none. */
struct gil_range {
	uint64_t start;
	uint64_t end;
	/* Where a thread's state, to which the GIL points that holds it, has pthread_self(); 0: not
	 * known. */
	uint32_t thread_id_offset;
};

/*
 * Fills exe, toolchain, command, comm, parent_pid, modules, python_hexversion, gil_is_known,
 * is_free_threaded of
 * @process (whose pid is set) with strings interned in @obs, and @gil when the runtime is CPython
 * 3.7 to 3.13. A runtime that is not mapped yet (just after exec) leaves python_hexversion 0: ask
 * again later. What can't be read is left as it was. Returns 0, -ESRCH when the process is gone,
 * or -EACCES.
 */
int inspect_process(struct observation *obs, struct obs_process *process, struct gil_range *gil);

/*
 * Sets has_event_loop (an epoll or io_uring descriptor is open) and listening_cnt of @process: of
 * its descriptors those that listen, inherited ones too. @listeners is kept from call to call.
 * Returns 0 or -errno.
 */
int inspect_descriptors(struct obs_process *process, struct net_listeners *listeners);

/* Fills @obs->host: kernel release, CPUs online, CPUs in the affinities of @pid, cgroup quota
 * (v1 and v2, the tightest of the ancestors); and @cpus, unless NULL, with those CPUs (CPUS_MAX of
 * cpu_others.h). May be asked again: what a @pid that is gone had last stays. */
void inspect_host(struct observation *obs, pid_t pid, cpu_set_t *cpus);

/* The same for the cgroup @directory, of whose processes @pids are some. */
void inspect_host_of_cgroup(struct observation *obs, const char *directory, const pid_t *pids,
			    size_t pid_cnt, cpu_set_t *cpus);

#endif
