/* The worker process: takes in stacks as the program runs, and names them in the end. */
#include "stack_labour.h"
#include "clock.h"
#include "code/code_file.h"
#include "observation/observation.h"
#include "stack_intake.h"
#include "stack_look.h"
#include "stack_names.h"
#include "stack_result.h"
#include "symbols/symbols.h"
#include "wire.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS 20
/* Of a turn, so that looks and what else is due get theirs; and in the end, when little comes. */
#define DRAIN_MAX_NS	  (20 * NS_PER_S / 1000)
#define DRAIN_LAST_MAX_NS (NS_PER_S / 2)
/* Of the distance of waits that are chosen, where it has to be more than the probes' own. */
#define GAP_MIN_NS (20 * NS_PER_S / 1000)
#define GAP_MAX_NS (5 * NS_PER_S)
/* Files that crash whoever reads them are left out one by one. */
#define NAMING_TRIES_MAX 8
/* Without progress for so long, reading a file is taken to never end. */
#define FILE_STILL_MAX_NS (8 * NS_PER_S)
/* Debug information may unpack to anything. */
#define NAMING_MEMORY_BYTES (8ull << 30)

struct worker {
	const struct stack_labour *labour;
	struct code_files *files;
	struct symbols *symbols;
	struct stack_intake intake;
	struct stack_look look;
	struct ring_buffer *ring;
	uint64_t drain_until_ns;
	uint32_t checked_cnt; /* files that are known to be no culprits */
};

/* --- its surroundings --- */

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Others' pipes and files are not to be held open by us. */
static void close_others(const struct stack_labour *labour)
{
	const struct stack_probes *probes = &labour->probes;
	int kept[] = {
		labour->socket,		 probes->ring_fd,	    probes->waiting_fd,
		probes->pythons_fd,	 probes->python_threads_fd, labour->result->observation_fd,
		labour->result->waits_fd
	};
	const size_t cnt = sizeof(kept) / sizeof(kept[0]);
	unsigned int from = 3;

	qsort(kept, cnt, sizeof(kept[0]), compare_fds);
	for (size_t i = 0; i < cnt; i++) {
		if (kept[i] < (int)from)
			continue;
		if (kept[i] > (int)from)
			syscall(SYS_close_range, from, kept[i] - 1, 0);
		from = (unsigned int)kept[i] + 1;
	}
	syscall(SYS_close_range, from, ~0u, 0);
}

/* Each file that is mapped is kept open. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Nobody but classify ends it: a Ctrl-C is for the target and for classify. */
static void settle_in(const struct stack_labour *labour)
{
	static const int ignored[] = { SIGINT,	SIGTERM, SIGHUP,  SIGQUIT, SIGTSTP,
				       SIGTTIN, SIGTTOU, SIGPIPE, SIGUSR1, SIGUSR2 };
	sigset_t none;
	int null;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != labour->parent)
		_exit(1);
	prctl(PR_SET_NAME, "classify-stacks");
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	close_others(labour);
	raise_file_limit();
}

static void account_cpu(const struct worker *worker)
{
	__atomic_store_n(&worker->labour->shared->cpu_ns, clock_ns(CLOCK_PROCESS_CPUTIME_ID),
			 __ATOMIC_RELAXED);
}

/* --- files that end whoever reads them --- */

/* Of the process, as a crash is. */
static const struct worker *crashing;

/* Leaves behind which file it was. */
static void on_crash(int number)
{
	const struct stack_labour *labour = crashing->labour;
	struct stack_shared *shared = labour->shared;
	uint32_t file = shared->file, cnt = shared->culprit_cnt;

	(void)number;
	if (file && file <= code_files_cnt(crashing->files) && cnt < STACK_CULPRITS_MAX) {
		const char *path = code_files_at(crashing->files, file - 1)->path;

		for (size_t i = 0; i + 1 < sizeof(shared->culprits[0]) && path[i]; i++)
			shared->culprits[cnt][i] = path[i];
		shared->culprit_cnt = cnt + 1;
	}
	_exit(1);
}

static void catch_crashes(const struct worker *worker)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static char room[16384];
	const stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };

	crashing = worker;
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

static void leave_out(struct code_file *file)
{
	close(file->fd);
	file->fd = -1;
	file->why = "left out: it is corrupt, reading it crashed or took too long";
}

/* Files that have been opened since the last time may be culprits of earlier workers. */
static void leave_out_culprits(void *context)
{
	struct worker *worker = context;
	const struct stack_shared *shared = worker->labour->shared;

	for (; worker->checked_cnt < code_files_cnt(worker->files); worker->checked_cnt++) {
		struct code_file *file = code_files_at(worker->files, worker->checked_cnt);

		for (uint32_t i = 0; i < shared->culprit_cnt && file->fd >= 0; i++)
			if (!strncmp(file->path, shared->culprits[i],
				     sizeof(shared->culprits[i]) - 1))
				leave_out(file);
	}
}

/* --- naming, in a process of its own again --- */

static void on_reading(void *context, const struct code_file *file)
{
	struct stack_shared *shared = context;

	__atomic_fetch_add(&shared->steps, 1, __ATOMIC_RELAXED);
	if (shared->file == file->number + 1)
		return;
	code_file_reading(file);
	snprintf(shared->doing, sizeof(shared->doing), "reading debug information of %s",
		 file->path);
}

static int note_files(struct observation *obs, const struct code_files *files)
{
	char text[512];
	int error = 0;

	for (uint32_t i = 0; i < code_files_cnt(files) && !error; i++) {
		const struct code_file *file = code_files_at(files, i);

		if (!file->why)
			continue;
		snprintf(text, sizeof(text), "%s: %s", file->path, file->why);
		error = observation_add_stack_note(obs, text);
	}
	return error;
}

static int name_all(const struct worker *worker)
{
	const struct stack_intake *intake = &worker->intake;
	const struct stack_naming naming = { .table = &intake->table,
					     .files = worker->files,
					     .symbols = worker->symbols,
					     .reading = on_reading,
					     .context = worker->labour->shared };
	struct observation part;
	int error;

	observation_init(&part);
	part.stack_quality =
		(struct obs_stack_quality){ .are_taken = true,
					    .sample_cnt = intake->sample_cnt,
					    .wait_cnt = intake->wait_cnt,
					    .lost_cnt = (uint64_t)intake->table.lost_cnt,
					    .unread_cnt = intake->unread_cnt };
	error = stack_names_give(&naming, &part);
	if (!error)
		error = note_files(&part, worker->files);
	if (!error && intake->spaces.python_why[0])
		error = observation_add_stack_note(&part, intake->spaces.python_why);
	if (!error)
		error = stack_result_write(worker->labour->result, &part, &intake->table.waits);
	observation_release(&part);
	return error;
}

/* Whether the child @pid has ended well; it is killed when it makes no progress. */
static bool await_child(const struct worker *worker, pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	struct stack_shared *shared = worker->labour->shared;
	uint64_t moved_ns = clock_ns(CLOCK_MONOTONIC);
	uint32_t steps = shared->steps;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (shared->steps != steps) {
			steps = shared->steps;
			moved_ns = clock_ns(CLOCK_MONOTONIC);
		} else if (clock_ns(CLOCK_MONOTONIC) - moved_ns > FILE_STILL_MAX_NS) {
			kill(pid, SIGKILL);
		}
		nanosleep(&pause, NULL);
	}
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool try_naming(const struct worker *worker)
{
	const struct rlimit memory = { NAMING_MEMORY_BYTES, NAMING_MEMORY_BYTES };
	const struct rlimit no_core = { 0, 0 };
	pid_t pid = fork();

	if (pid < 0)
		return !name_all(worker);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setrlimit(RLIMIT_AS, &memory);
		setrlimit(RLIMIT_CORE, &no_core);
		_exit(name_all(worker) ? 1 : 0);
	}
	return await_child(worker, pid);
}

/* The file that was being read is not read again. False: none was. */
static bool leave_out_culprit(const struct worker *worker)
{
	struct stack_shared *shared = worker->labour->shared;
	struct code_file *file;

	if (!shared->file || shared->file > code_files_cnt(worker->files))
		return false;
	file = code_files_at(worker->files, shared->file - 1);
	shared->file = 0;
	if (file->fd < 0)
		return false;
	leave_out(file);
	return true;
}

static bool name_stacks(const struct worker *worker)
{
	for (int try = 0; try < NAMING_TRIES_MAX; try++) {
		worker->labour->shared->file = 0;
		if (try_naming(worker))
			return true;
		if (!leave_out_culprit(worker))
			return false;
	}
	return false;
}

/* --- while the program runs --- */

/* A failure for libbpf, which then comes back; what was taken stays taken. */
static int on_message(void *context, void *data, size_t size)
{
	struct worker *worker = context;

	worker->labour->shared->file = 0;
	__atomic_fetch_add(&worker->labour->shared->steps, 1, __ATOMIC_RELAXED);
	stack_intake_take(&worker->intake, data, size);
	return clock_ns(CLOCK_MONOTONIC) < worker->drain_until_ns ? 0 : -EAGAIN;
}

/* Takes in what has come, for @max_ns at most: more may come all the time. Returns whether that was
 * all. */
static bool drain(struct worker *worker, uint64_t max_ns)
{
	worker->drain_until_ns = clock_ns(CLOCK_MONOTONIC) + max_ns;
	return ring_buffer__consume(worker->ring) >= 0;
}

/* Where we can't keep up, waits are to be chosen half as often; else somewhat more often again. */
static void keep_pace(const struct worker *worker, bool keeps_up)
{
	struct wire_look *look = worker->labour->probes.look;
	uint64_t gap = look->gap_ns;

	if (keeps_up)
		look->gap_ns = gap > GAP_MIN_NS ? gap - gap / 16 : 0;
	else
		look->gap_ns = gap < GAP_MIN_NS ? GAP_MIN_NS : gap < GAP_MAX_NS ? 2 * gap : gap;
}

static bool open_worker(struct worker *worker)
{
	const struct stack_probes *probes = &worker->labour->probes;

	worker->files = code_files_new();
	worker->symbols = symbols_new();
	worker->ring = ring_buffer__new(probes->ring_fd, on_message, worker, NULL);
	if (!worker->files || !worker->symbols || !worker->ring ||
	    stack_intake_init(&worker->intake, worker->files, worker->symbols))
		return false;
	worker->intake.period_ns = probes->period_ns;
	worker->intake.spaces.pythons_fd = probes->pythons_fd;
	worker->intake.spaces.python_threads_fd = probes->python_threads_fd;
	worker->intake.spaces.files_added = leave_out_culprits;
	worker->intake.spaces.context = worker;
	worker->look.link_fd = probes->waiting_fd;
	worker->look.order = probes->look;
	return true;
}

static void turn(struct worker *worker)
{
	keep_pace(worker, drain(worker, DRAIN_MAX_NS));
	stack_spaces_look(&worker->intake.spaces, clock_ns(CLOCK_MONOTONIC));
	stack_look(&worker->look, &worker->intake, clock_ns(CLOCK_MONOTONIC));
	account_cpu(worker);
	worker->labour->shared->file = 0;
	__atomic_fetch_add(&worker->labour->shared->steps, 1, __ATOMIC_RELAXED);
}

/* Takes in what comes until classify says that the observation has ended. False: classify is gone.
 */
static bool take_in(struct worker *worker)
{
	struct pollfd fds[] = { { .fd = worker->labour->socket, .events = POLLIN },
				{ .fd = ring_buffer__epoll_fd(worker->ring), .events = POLLIN } };
	uint64_t until_ns;

	do {
		turn(worker);
		poll(fds, 2, TURN_MS);
	} while (!fds[0].revents);
	return recv(worker->labour->socket, &until_ns, sizeof(until_ns), 0) == sizeof(until_ns);
}

_Noreturn void stack_labour_run(struct stack_labour *labour)
{
	struct worker worker = { .labour = labour };
	const char done = STACK_LABOUR_DONE;

	settle_in(labour);
	catch_crashes(&worker);
	code_files_watch(&labour->shared->file);
	if (!open_worker(&worker) || !take_in(&worker))
		_exit(1);
	drain(&worker, DRAIN_LAST_MAX_NS);
	stack_look_last(&worker.look, &worker.intake, labour->shared->until_ns);
	account_cpu(&worker);
	code_files_take_out(worker.files);
	if (name_stacks(&worker))
		send(labour->socket, &done, 1, MSG_NOSIGNAL);
	_exit(0);
}
