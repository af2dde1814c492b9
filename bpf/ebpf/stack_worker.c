/* Classify's side of the worker process; see stack_worker.h. */
#include "stack_worker.h"
#include "clock.h"
#include "observation/observation.h"
#include "stack_labour.h"
#include "stack_result.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRESS_EVERY_MS 100
/* Without any progress for so long, what is being read is taken to never end. The worker itself
 * gives up sooner on a single file. */
#define STILL_MAX_NS (20 * NS_PER_S)
/* The same while the program runs, when it takes in what came in some milliseconds. */
#define TURN_MAX_NS  (3 * NS_PER_S)
#define RESTARTS_MAX 4

struct stack_worker {
	pid_t pid; /* 0: it has ended */
	int status;
	int socket;
	struct stack_shared *shared;
	struct stack_result result;
	bool is_concluding;
	struct stack_probes probes; /* for the next one */
	uint32_t restart_cnt;
	uint32_t steps; /* when it was last seen to make some */
	uint64_t moved_ns;
	bool is_aborted;
};

static struct stack_shared *share(void)
{
	void *page = mmap(NULL, sizeof(struct stack_shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* Returns 0 or -errno. */
static int start(struct stack_worker *worker)
{
	struct stack_labour labour = { .probes = worker->probes, .result = &worker->result };
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	labour.shared = worker->shared;
	labour.socket = sockets[1];
	labour.parent = getpid();
	worker->pid = fork();
	if (!worker->pid)
		stack_labour_run(&labour);
	close(sockets[1]);
	worker->socket = sockets[0];
	if (worker->pid < 0) {
		worker->pid = 0;
		return -errno;
	}
	return 0;
}

struct stack_worker *stack_worker_start(const struct stack_probes *probes, int *error)
{
	struct stack_worker *worker = calloc(1, sizeof(*worker));

	*error = -ENOMEM;
	if (!worker)
		return NULL;
	worker->socket = -1;
	worker->probes = *probes;
	worker->moved_ns = clock_ns(CLOCK_MONOTONIC);
	worker->shared = share();
	*error = worker->shared ? stack_result_open(&worker->result) : -ENOMEM;
	if (*error)
		worker->result = (struct stack_result){ -1, -1 };
	else
		*error = start(worker);
	if (!*error)
		return worker;
	stack_worker_free(worker);
	return NULL;
}

/* Whether it runs and goes on. One that doesn't is made to leave behind what it was reading. */
static bool is_well(struct stack_worker *worker)
{
	uint32_t steps = __atomic_load_n(&worker->shared->steps, __ATOMIC_RELAXED);

	if (waitpid(worker->pid, &worker->status, WNOHANG) == worker->pid) {
		worker->pid = 0;
		return false;
	}
	if (steps != worker->steps)
		worker->moved_ns = clock_ns(CLOCK_MONOTONIC);
	worker->steps = steps;
	if (clock_ns(CLOCK_MONOTONIC) - worker->moved_ns > TURN_MAX_NS) {
		kill(worker->pid, worker->is_aborted ? SIGKILL : SIGABRT);
		worker->is_aborted = true;
		worker->moved_ns = clock_ns(CLOCK_MONOTONIC);
	}
	return true;
}

void stack_worker_look(struct stack_worker *worker)
{
	if (!worker->pid || is_well(worker))
		return;
	close(worker->socket);
	worker->socket = -1;
	worker->is_aborted = false;
	if (worker->restart_cnt++ < RESTARTS_MAX)
		start(worker);
}

void stack_worker_conclude(struct stack_worker *worker, uint64_t until_ns)
{
	worker->shared->until_ns = until_ns;
	worker->is_concluding = send(worker->socket, &until_ns, sizeof(until_ns),
				     MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(until_ns);
}

uint64_t stack_worker_cpu_ns(const struct stack_worker *worker)
{
	return __atomic_load_n(&worker->shared->cpu_ns, __ATOMIC_RELAXED);
}

/* Waits for the worker's word. False: it died, or goes on for ever. */
static bool await(struct stack_worker *worker, void (*progress)(void *, const char *),
		  void *context)
{
	struct pollfd answer = { .fd = worker->socket, .events = POLLIN };
	char doing[sizeof(worker->shared->doing)], word = 0;
	uint64_t moved_ns = clock_ns(CLOCK_MONOTONIC);
	uint32_t steps = 0;

	while (poll(&answer, 1, PROGRESS_EVERY_MS) <= 0) {
		uint32_t now_steps = __atomic_load_n(&worker->shared->steps, __ATOMIC_RELAXED);

		if (now_steps != steps)
			moved_ns = clock_ns(CLOCK_MONOTONIC);
		steps = now_steps;
		if (clock_ns(CLOCK_MONOTONIC) - moved_ns > STILL_MAX_NS)
			return false;
		memcpy(doing, worker->shared->doing, sizeof(doing));
		doing[sizeof(doing) - 1] = '\0';
		if (progress && doing[0])
			progress(context, doing);
	}
	return recv(worker->socket, &word, 1, MSG_DONTWAIT) == 1 && word == STACK_LABOUR_DONE;
}

/* Each culprit, and what that cost. */
static int note_culprits(const struct stack_worker *worker, struct observation *obs)
{
	uint32_t cnt = worker->shared->culprit_cnt;
	char path[sizeof(worker->shared->culprits[0])], text[sizeof(path) + 96];
	int error = 0;

	for (uint32_t i = 0; i < cnt && i < STACK_CULPRITS_MAX && !error; i++) {
		memcpy(path, worker->shared->culprits[i], sizeof(path));
		path[sizeof(path) - 1] = '\0';
		snprintf(text, sizeof(text),
			 "%s: reading it crashed or took too long: stacks until then are lost",
			 path);
		error = observation_add_stack_note(obs, text);
	}
	if (!error && worker->restart_cnt > cnt)
		error = observation_add_stack_note(
			obs, "what reads stacks crashed: stacks until then are lost");
	return error;
}

int stack_worker_collect(struct stack_worker *worker, struct observation *obs,
			 long (*find_wait)(void *context, const struct wire_wait_key *key),
			 void *context, void (*progress)(void *context, const char *what),
			 void *progress_context)
{
	int error = -EPIPE;

	if (worker->is_concluding && await(worker, progress, progress_context))
		error = stack_result_read(&worker->result, obs, find_wait, context);
	if (error && error != -ENOMEM)
		error = observation_add_stack_note(
			obs, "stacks are lost: what reads them failed in the end");
	return error ? error : note_culprits(worker, obs);
}

void stack_worker_free(struct stack_worker *worker)
{
	if (!worker)
		return;
	if (worker->pid) {
		kill(worker->pid, SIGKILL);
		while (waitpid(worker->pid, &worker->status, 0) < 0 && errno == EINTR)
			;
	}
	if (worker->socket >= 0)
		close(worker->socket);
	stack_result_close(&worker->result);
	if (worker->shared)
		munmap(worker->shared, sizeof(*worker->shared));
	free(worker);
}
