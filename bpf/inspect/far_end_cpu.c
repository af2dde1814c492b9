/* Accounts of the programs that serve the tree; see far_end_cpu.h. */
#include "far_end_cpu.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "observation/observation.h"
#include "proc_file.h"

#define LOOK_INTERVAL_NS 100000000ull
/* Looking at all of them may take this share of a CPU, as the inverse. */
#define COST_INVERSE 100
/* How far up the listening process's ancestors may lie that run the same file. */
#define ANCESTORS_MAX 8
/* A thread that ran: one that took this part of what the busiest one did, as the inverse; and more
 * than starting others takes. */
#define RAN_PART   10
#define RAN_MIN_NS 1000000ull
/* The listening process's main thread serves alone: its share of all. */
#define ALONE_SHARE 0.9

void servers_init(struct servers *servers, struct observation *obs)
{
	memset(servers, 0, sizeof(*servers));
	servers->obs = obs;
}

void servers_release(struct servers *servers)
{
	for (size_t i = 0; i < servers->cnt; i++) {
		free(servers->servers[i].processes);
		free(servers->servers[i].threads);
	}
	free(servers->servers);
	memset(servers, 0, sizeof(*servers));
}

/* --- who belongs to it --- */

static bool is_of_tree(const struct servers *servers, pid_t pid)
{
	return pid <= 1 || pid == getpid() || observation_find_process(servers->obs, pid);
}

static bool file_of(pid_t pid, uint64_t *device, uint64_t *inode)
{
	char path[48];
	struct stat file;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (stat(path, &file))
		return false;
	*device = file.st_dev;
	*inode = file.st_ino;
	return true;
}

static bool runs_its_file(const struct server *server, pid_t pid)
{
	uint64_t device, inode;

	return server->inode && file_of(pid, &device, &inode) && device == server->device &&
	       inode == server->inode;
}

/* "python3.11" is one of "python"; "node_exporter" is none of "node". */
static bool is_version_of(const char *name, const char *of)
{
	size_t len = strlen(of);

	return !strncmp(name, of, len) && (!name[len] || strchr("0123456789.-", name[len]));
}

/* Other processes of an interpreter, or of a shell, are other programs. */
static bool is_interpreter(pid_t pid)
{
	static const char *const names[] = { "python",	 "pypy",   "node", "java",
					     "ruby",	 "perl",   "php",  "lua",
					     "beam.smp", "dash",   "bash", "sh",
					     "busybox",	 "dotnet", "deno", "bun" };
	char path[256];
	const char *name;

	if (proc_file_readlink(pid, "exe", path, sizeof(path)) <= 0)
		return true;
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_version_of(name, names[i]))
			return true;
	return false;
}

/* The first of the processes that run the same file: its workers listen, too. */
static pid_t head_of(const struct servers *servers, const struct server *server)
{
	struct proc_stat stat;
	pid_t head = server->pid;

	for (int i = 0; i < ANCESTORS_MAX && !proc_stat_read(head, &stat); i++) {
		if (is_of_tree(servers, stat.ppid) || !runs_its_file(server, stat.ppid))
			break;
		head = stat.ppid;
	}
	return head;
}

static struct server_process *find_process(const struct server *server, pid_t pid)
{
	for (size_t i = 0; i < server->process_cnt; i++)
		if (server->processes[i].pid == pid && !server->processes[i].is_gone)
			return &server->processes[i];
	return NULL;
}

/* Those that are gone and whose account is closed make room. */
static struct server_process *new_process(struct server *server)
{
	if (server->process_cnt < SERVER_PROCESSES_MAX)
		return &server->processes[server->process_cnt++];
	for (size_t i = 0; i < server->process_cnt; i++)
		if (server->processes[i].is_gone &&
		    find_process(server, server->processes[i].parent))
			return &server->processes[i];
	return NULL;
}

static void add_process(struct server *server, pid_t pid)
{
	struct server_process *process;
	struct proc_stat stat;

	if (proc_stat_read(pid, &stat))
		return;
	process = new_process(server);
	if (!process)
		return;
	*process = (struct server_process){ .pid = pid,
					    .parent = stat.ppid,
					    .starttime_ticks = stat.starttime_ticks };
}

static void add_children(const struct servers *servers, struct server *server, pid_t parent)
{
	char name[48], text[8192], *at = text, *last, *end;
	ssize_t len;

	snprintf(name, sizeof(name), "task/%d/children", (int)parent);
	len = proc_file_read(parent, name, text, sizeof(text));
	last = len == sizeof(text) - 1 ? strrchr(text, ' ') : NULL;
	if (last)
		*last = '\0'; /* there are more: the last number may be cut */
	while (len > 0) {
		pid_t pid = (pid_t)strtol(at, &end, 10);

		if (end == at)
			return;
		at = end;
		if (!find_process(server, pid) && runs_its_file(server, pid) &&
		    !is_of_tree(servers, pid))
			add_process(server, pid);
	}
}

/* --- what they took --- */

static uint64_t process_share_ns(const struct server_process *process)
{
	uint64_t waited_ns = process->children_ns > process->children_base_ns
				     ? process->children_ns - process->children_base_ns
				     : 0;
	uint64_t own_ns =
		process->cpu_ns > process->cpu_base_ns ? process->cpu_ns - process->cpu_base_ns : 0;

	/* The kernel's account of children is late and in ticks, and empty where the parent doesn't
	 * wait for them. */
	return own_ns +
	       (waited_ns > process->dead_children_ns ? waited_ns : process->dead_children_ns);
}

/* Its parent's account takes it in, what it took before it was found too. */
static void close_process(const struct server *server, struct server_process *process)
{
	struct server_process *parent = find_process(server, process->parent);

	process->is_gone = true;
	if (!parent)
		return;
	parent->dead_children_ns += process_share_ns(process);
	parent->children_base_ns += process->cpu_base_ns + process->children_base_ns;
	process->cpu_ns = process->cpu_base_ns;
	process->children_ns = process->children_base_ns;
	process->dead_children_ns = 0;
}

static void read_process(struct server *server, struct server_process *process,
			 struct proc_stat *stat)
{
	uint64_t tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK), cpu_ns;
	clockid_t clock;

	if (proc_stat_read(process->pid, stat) ||
	    stat->starttime_ticks != process->starttime_ticks) {
		close_process(server, process);
		return;
	}
	cpu_ns = clock_getcpuclockid(process->pid, &clock) ? 0 : clock_ns(clock);
	if (cpu_ns > process->cpu_ns)
		process->cpu_ns = cpu_ns;
	process->children_ns = (stat->cutime_ticks + stat->cstime_ticks) * tick_ns;
}

static struct server_thread *find_thread(struct server *server, pid_t tid)
{
	/* They come in the same order each time. */
	for (size_t i = 0; i < server->thread_cnt; i++) {
		size_t at = (server->thread_at + i) % server->thread_cnt;

		if (server->threads[at].tid == tid) {
			server->thread_at = at + 1;
			return &server->threads[at];
		}
	}
	return NULL;
}

static struct server_thread *new_thread(struct server *server)
{
	if (server->thread_cnt < SERVER_THREADS_MAX)
		return &server->threads[server->thread_cnt++];
	for (size_t i = 0; i < server->thread_cnt; i++)
		if (server->threads[i].look + 1 < server->look_cnt)
			return &server->threads[i];
	return NULL;
}

static void note_thread(struct server *server, pid_t tid, uint64_t cpu_ns)
{
	struct server_thread *thread = find_thread(server, tid);

	if (!thread || cpu_ns < thread->cpu_ns) { /* or the number has come round */
		thread = thread ? thread : new_thread(server);
		if (!thread)
			return;
		*thread = (struct server_thread){ .tid = tid,
						  .base_ns = server->look_cnt ? 0 : cpu_ns };
	}
	thread->cpu_ns = cpu_ns;
	thread->look = server->look_cnt;
}

/* @name: the thread's own schedstat below /proc/@pid. */
static void read_thread(struct server *server, pid_t pid, pid_t tid, const char *name)
{
	uint64_t cpu_ns;
	char text[96];

	if (proc_file_read(pid, name, text, sizeof(text)) > 0 &&
	    sscanf(text, "%" SCNu64, &cpu_ns) == 1)
		note_thread(server, tid, cpu_ns);
}

static void read_threads(struct server *server, pid_t pid)
{
	char path[48], name[64];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		pid_t tid = (pid_t)atoi(entry->d_name);

		snprintf(name, sizeof(name), "task/%d/schedstat", (int)tid);
		if (tid > 0)
			read_thread(server, pid, tid, name);
	}
	if (dir)
		closedir(dir);
}

static void count_threads(struct server *server)
{
	uint64_t most_ns = 0;
	uint32_t cnt = 0;

	for (size_t i = 0; i < server->thread_cnt; i++) {
		const struct server_thread *thread = &server->threads[i];

		if (thread->cpu_ns - thread->base_ns > most_ns)
			most_ns = thread->cpu_ns - thread->base_ns;
	}
	for (size_t i = 0; i < server->thread_cnt; i++) {
		const struct server_thread *thread = &server->threads[i];
		uint64_t ran_ns = thread->cpu_ns - thread->base_ns;

		cnt += thread->look == server->look_cnt && ran_ns >= RAN_MIN_NS &&
		       ran_ns >= most_ns / RAN_PART;
	}
	if (cnt > server->thread_peak)
		server->thread_peak = cnt;
}

static void look_at_process(const struct servers *servers, struct server *server, size_t index)
{
	struct server_process *process = &server->processes[index];
	struct proc_stat stat;

	read_process(server, process, &stat);
	if (process->is_gone)
		return;
	if (!server->look_cnt) {
		process->cpu_base_ns = process->cpu_ns;
		process->children_base_ns = process->children_ns;
	}
	if (stat.thread_cnt > 1)
		read_threads(server, process->pid);
	else
		read_thread(server, process->pid, process->pid, "schedstat");
	add_children(servers, server, process->pid);
}

static void look(const struct servers *servers, struct server *server, uint64_t now_ns)
{
	uint64_t from_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID), pause_ns;

	/* Grows while children are added. */
	for (size_t i = 0; i < server->process_cnt; i++)
		if (!server->processes[i].is_gone)
			look_at_process(servers, server, i);
	count_threads(server);
	server->look_cnt++;
	pause_ns = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - from_ns) * COST_INVERSE * servers->cnt;
	server->next_ns = now_ns + (pause_ns > LOOK_INTERVAL_NS ? pause_ns : LOOK_INTERVAL_NS);
}

/* --- all of them --- */

static bool has_account(const struct servers *servers, pid_t pid)
{
	for (size_t i = 0; i < servers->cnt; i++)
		if (servers->servers[i].pid == pid || find_process(&servers->servers[i], pid))
			return true;
	return false;
}

void servers_add(struct servers *servers, pid_t pid, const char *name, uint64_t now_ns)
{
	struct server *server;

	if (is_of_tree(servers, pid) || has_account(servers, pid) || servers->cnt == SERVERS_MAX)
		return;
	if (!servers->servers)
		servers->servers = calloc(SERVERS_MAX, sizeof(*servers->servers));
	if (!servers->servers)
		return;
	server = &servers->servers[servers->cnt];
	*server = (struct server){ .name = name, .pid = pid, .since_ns = now_ns };
	server->processes = calloc(SERVER_PROCESSES_MAX, sizeof(*server->processes));
	server->threads = calloc(SERVER_THREADS_MAX, sizeof(*server->threads));
	if (!server->processes || !server->threads) {
		free(server->processes);
		free(server->threads);
		return;
	}
	servers->cnt++;
	file_of(pid, &server->device, &server->inode);
	add_process(server, is_interpreter(pid) ? pid : head_of(servers, server));
	look(servers, server, now_ns);
}

void servers_look(struct servers *servers, uint64_t now_ns, bool is_last)
{
	for (size_t i = 0; i < servers->cnt; i++)
		if (is_last || now_ns >= servers->servers[i].next_ns)
			look(servers, &servers->servers[i], now_ns);
}

static uint64_t main_thread_ns(const struct server *server)
{
	for (size_t i = 0; i < server->thread_cnt; i++)
		if (server->threads[i].tid == server->pid)
			return server->threads[i].cpu_ns - server->threads[i].base_ns;
	return 0;
}

int servers_book(const struct servers *servers, struct observation *obs)
{
	for (size_t i = 0; i < servers->cnt; i++) {
		const struct server *server = &servers->servers[i];
		struct obs_far_end *row;

		if (is_of_tree(servers, server->pid)) /* which became known later */
			continue;
		row = observation_add_far_end(obs);
		if (!row)
			return -ENOMEM;
		row->name = server->name;
		row->since_ns = server->since_ns;
		row->thread_cnt = server->thread_peak;
		for (size_t j = 0; j < server->process_cnt; j++)
			row->cpu_ns += process_share_ns(&server->processes[j]);
		row->is_one_thread =
			row->cpu_ns >= RAN_MIN_NS &&
			(double)main_thread_ns(server) >= ALONE_SHARE * (double)row->cpu_ns;
	}
	return 0;
}
