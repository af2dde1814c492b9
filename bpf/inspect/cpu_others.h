/*
 * What everything but the tree and classify itself computed meanwhile, on the CPUs that the tree
 * may use: from /proc/stat, which knows how long each CPU was idle. And whether these CPUs share
 * cores.
 */
#ifndef CLASSIFY_CPU_OTHERS_H
#define CLASSIFY_CPU_OTHERS_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

struct observation;

/* The largest Linux builds allow 8192 CPUs; a set too small for the kernel's is an error. */
#define CPUS_MAX 8192

struct cpu_others {
	cpu_set_t *usable;    /* CPUS_MAX; NULL: not known */
	uint64_t *begin_busy; /* of each CPU, in ticks since boot; as many as there are */
	uint64_t *end_busy;
	size_t begin_cnt;
	size_t end_cnt;
	uint64_t own_begin_ns; /* of this process */
	uint64_t own_end_ns;
};

/* Reads the accounts. Each accepts that the one before failed, or found nothing. */
void cpu_others_begin(struct cpu_others *others);
void cpu_others_end(struct cpu_others *others);

/* Fills others_cpu_ns and threads_per_core of @obs->host, when all threads are in @obs. */
void cpu_others_book(const struct cpu_others *others, struct observation *obs);

void cpu_others_release(struct cpu_others *others);

/*
 * Busy ticks of each CPU from the text of /proc/stat: all that is neither idle nor waiting for a
 * disk nor taken by the hypervisor. @busy has room for CPUS_MAX and must be zero; CPUs that are not
 * listed keep 0. Returns one more than the last CPU listed.
 */
size_t cpu_others_parse(const char *text, uint64_t *busy);

#endif
