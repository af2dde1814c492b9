/* Classify's side of the worker process; see stack_worker.h. */
#include "stack_worker.h"
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
#include <time.h>
#include <unistd.h>

#define NS_PER_S	  1000000000ull
#define PROGRESS_EVERY_MS 100
/* Without any progress for so long, what is being read is taken to never end. The worker itself
 * gives up sooner on a single file. */
#define STILL_MAX_NS (20 * NS_PER_S)

struct stack_worker {
	pid_t pid; /* 0: it has ended */
	int status;
	int socket;
	struct stack_shared *shared;
	struct stack_result result;
	bool is_concluding;
};

static struct stack_shared *share(void)
{
	void *page = mmap(NULL, sizeof(struct stack_shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? NULL : page;
}

/* Both ends of what is left to say. Returns 0 or -errno. */
static int start(struct stack_worker *worker, const struct stack_probes *probes)
{
	struct stack_labour labour = { .probes = *probes, .result = &worker->result };
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
	worker->shared = share();
	*error = worker->shared ? stack_result_open(&worker->result) : -ENOMEM;
	if (*error)
		worker->result = (struct stack_result){ -1, -1 };
	else
		*error = start(worker, probes);
	if (!*error)
		return worker;
	stack_worker_free(worker);
	return NULL;
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

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Waits for the worker's word. False: it died, or goes on for ever. */
static bool await(struct stack_worker *worker, void (*progress)(void *, const char *),
		  void *context)
{
	struct pollfd answer = { .fd = worker->socket, .events = POLLIN };
	char doing[sizeof(worker->shared->doing)], word = 0;
	uint64_t moved_ns = now_ns();
	uint32_t steps = 0;

	while (poll(&answer, 1, PROGRESS_EVERY_MS) <= 0) {
		uint32_t now_steps = __atomic_load_n(&worker->shared->steps, __ATOMIC_RELAXED);

		if (now_steps != steps)
			moved_ns = now_ns();
		steps = now_steps;
		if (now_ns() - moved_ns > STILL_MAX_NS)
			return false;
		memcpy(doing, worker->shared->doing, sizeof(doing));
		doing[sizeof(doing) - 1] = '\0';
		if (progress && doing[0])
			progress(context, doing);
	}
	return recv(worker->socket, &word, 1, MSG_DONTWAIT) == 1 && word == STACK_LABOUR_DONE;
}

static int note_failure(const struct stack_worker *worker, struct observation *obs)
{
	char text[sizeof(worker->shared->doing) + 96], doing[sizeof(worker->shared->doing)];

	memcpy(doing, worker->shared->doing, sizeof(doing));
	doing[sizeof(doing) - 1] = '\0';
	snprintf(text, sizeof(text), "stacks are lost: %s%sended what reads them%s", doing,
		 doing[0] ? " " : "something ", worker->is_concluding ? "" : " early");
	return observation_add_string(obs, &obs->stack_quality.notes, &obs->stack_quality.note_cnt,
				      text);
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
		error = note_failure(worker, obs);
	return error;
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
