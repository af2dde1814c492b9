/* What the worker process does, from its birth to its end. */
#ifndef CLASSIFY_STACK_LABOUR_H
#define CLASSIFY_STACK_LABOUR_H

#include <stdint.h>
#include <sys/types.h>
#include "stack_worker.h"

struct stack_result;

/* The worker's word that its result is written. */
#define STACK_LABOUR_DONE 'd'

#define STACK_CULPRITS_MAX 8

/* Memory that both processes see. The worker writes; what it writes is not trusted. */
struct stack_shared {
	uint64_t until_ns; /* written by classify before it says that the observation has ended */
	uint64_t cpu_ns;   /* of the worker */
	uint32_t steps;	   /* counts on while there is progress */
	uint32_t file;	   /* that is being read: its number + 1; 0: none */
	char doing[256];   /* "reading debug information of /usr/bin/x" */
	/* Files that ended a worker, which the next one leaves out. */
	uint32_t culprit_cnt;
	char culprits[STACK_CULPRITS_MAX][256];
};

struct stack_labour {
	struct stack_probes probes;
	struct stack_shared *shared;
	const struct stack_result *result;
	int socket;   /* to classify; end of file: it has died */
	pid_t parent; /* classify */
};

/* Runs in the child: does not return. */
_Noreturn void stack_labour_run(struct stack_labour *labour);

#endif
