/*
 * Keeps the picture of the tree in step with /proc. Looking costs time, so it is only done when the
 * machine has given out a new pid since the last look: no thread is born without one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "clock.h"
#include "proc_file.h"
#include "sampler.h"

struct obs_thread *thread_row(const struct sampler *sampler, const struct tracked_thread *thread)
{
	return &sampler->obs.threads[thread->row];
}

struct obs_process *process_row(const struct sampler *sampler,
				const struct tracked_process *process)
{
	return &sampler->obs.processes[process->row];
}

/* Makes room for one more pointer in @array. */
static int reserve(void **array, size_t *room, size_t cnt)
{
	size_t wanted = *room ? 2 * *room : 8;
	void *grown;

	if (cnt < *room)
		return 0;
	grown = realloc(*array, wanted * sizeof(void *));
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = wanted;
	return 0;
}

/* When a thread or process that was not there at the last look was born, as well as is known. */
static uint64_t birth_ns(const struct sampler *sampler, uint64_t starttime_ticks, uint64_t now_ns)
{
	uint64_t age_ns = clock_ns(CLOCK_BOOTTIME) - starttime_ticks * sampler->ns_per_tick;

	if (age_ns > now_ns || now_ns - age_ns < sampler->last_look_ns)
		return sampler->last_look_ns;
	return now_ns - age_ns;
}

static size_t thread_position(const struct tracked_process *process, pid_t tid)
{
	size_t low = 0, high = process->thread_cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (process->threads[middle]->tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int add_thread(struct sampler *sampler, struct tracked_process *process, pid_t tid,
		      size_t position, uint64_t start_ns)
{
	struct tracked_thread *thread = calloc(1, sizeof(*thread));
	struct obs_thread *row;

	if (!thread ||
	    reserve((void **)&process->threads, &process->thread_room, process->thread_cnt)) {
		free(thread);
		return -ENOMEM;
	}
	row = observation_add_thread(&sampler->obs);
	if (!row) {
		free(thread);
		return -ENOMEM;
	}
	row->tid = tid;
	row->pid = process->pid;
	row->comm = "";
	row->start_ns = start_ns;
	thread->tid = tid;
	thread->row = sampler->obs.thread_cnt - 1;
	task_files_init(&thread->files, process->pid, tid);
	memmove(&process->threads[position + 1], &process->threads[position],
		(process->thread_cnt - position) * sizeof(*process->threads));
	process->threads[position] = thread;
	process->thread_cnt++;
	process->was_threaded |= process->thread_cnt > 1;
	return 0;
}

static uint64_t thread_birth_ns(const struct sampler *sampler,
				const struct tracked_process *process, pid_t tid, uint64_t now_ns)
{
	char name[32], text[1024];
	struct proc_stat stat;

	snprintf(name, sizeof(name), "task/%d/stat", (int)tid);
	if (proc_file_read(process->pid, name, text, sizeof(text)) < 0 ||
	    proc_stat_parse(text, &stat))
		return sampler->last_look_ns;
	return birth_ns(sampler, stat.starttime_ticks, now_ns);
}

static int refresh_threads(struct sampler *sampler, struct tracked_process *process,
			   uint64_t now_ns)
{
	char path[64];
	struct dirent *entry;
	int error = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)process->pid);
	DIR *dir = opendir(path);

	if (!dir)
		return 0; /* gone: the next sample notices */
	while (!error && (entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);
		size_t position = thread_position(process, tid);

		if (tid <= 0 ||
		    (position < process->thread_cnt && process->threads[position]->tid == tid))
			continue;
		error = add_thread(sampler, process, tid, position,
				   now_ns ? thread_birth_ns(sampler, process, tid, now_ns) : 0);
	}
	closedir(dir);
	return error;
}

static struct tracked_process *find_alive(const struct sampler *sampler, pid_t pid)
{
	for (size_t i = 0; i < sampler->process_cnt; i++)
		if (sampler->processes[i]->pid == pid && !sampler->processes[i]->is_gone)
			return sampler->processes[i];
	return NULL;
}

/* Of a cgroup's processes those that live already are adopted by name. */
static bool is_adopted_by_name(const struct sampler *sampler, const struct tracked_process *parent,
			       const struct proc_stat *stat)
{
	uint64_t age_ns = clock_ns(CLOCK_BOOTTIME) - stat->starttime_ticks * sampler->ns_per_tick;

	return sampler->cgroup && parent && age_ns > sampler_now_ns(sampler) + sampler->ns_per_tick;
}

static int add_process(struct sampler *sampler, pid_t pid, struct tracked_process *parent,
		       uint64_t now_ns)
{
	struct proc_stat stat;
	struct tracked_process *process;
	struct obs_process *row;

	/* Of one that has died unseen, its parent's account will tell. */
	if (proc_stat_read(pid, &stat) || stat.state == 'Z' || stat.state == 'X' ||
	    is_adopted_by_name(sampler, parent, &stat))
		return 0;
	process = calloc(1, sizeof(*process));
	if (!process ||
	    reserve((void **)&sampler->processes, &sampler->process_room, sampler->process_cnt)) {
		free(process);
		return -ENOMEM;
	}
	row = observation_add_process(&sampler->obs);
	if (!row) {
		free(process);
		return -ENOMEM;
	}
	row->pid = pid;
	row->parent_pid = stat.ppid;
	row->comm = row->exe = row->command = "";
	row->start_ns = now_ns ? birth_ns(sampler, stat.starttime_ticks, now_ns) : 0;
	process->pid = pid;
	process->parent = parent;
	process->starttime_ticks = stat.starttime_ticks;
	process->row = sampler->obs.process_cnt - 1;
	process->was_alive_at_start = now_ns == 0;
	sampler->processes[sampler->process_cnt++] = process;
	return refresh_threads(sampler, process, now_ns);
}

int sampler_adopt(struct sampler *sampler, pid_t pid, uint64_t now_ns)
{
	size_t cnt = sampler->process_cnt;
	struct tracked_process *process;
	int error;

	if (find_alive(sampler, pid))
		return 0;
	error = add_process(sampler, pid, NULL, now_ns);
	if (error || sampler->process_cnt == cnt)
		return error;
	process = sampler->processes[cnt];
	process->was_alive_at_start = true;
	process->adopted_at_ns = now_ns;
	process_row(sampler, process)->start_ns = now_ns;
	for (size_t i = 0; i < process->thread_cnt; i++)
		thread_row(sampler, process->threads[i])->start_ns = now_ns;
	return 0;
}

static int add_children_of_thread(struct sampler *sampler, struct tracked_process *process,
				  pid_t tid, uint64_t now_ns)
{
	char name[48], text[16384];
	char *at = text, *end;
	int error = 0;

	snprintf(name, sizeof(name), "task/%d/children", (int)tid);
	if (proc_file_read(process->pid, name, text, sizeof(text)) < 0)
		return 0;
	while (!error) {
		pid_t pid = (pid_t)strtol(at, &end, 10);

		if (end == at)
			break;
		at = end;
		if (!find_alive(sampler, pid))
			error = add_process(sampler, pid, process, now_ns);
	}
	return error;
}

/* The list grows while it is walked: children of children come in the same pass. */
static int refresh_from_children_files(struct sampler *sampler, uint64_t now_ns)
{
	int error = 0;

	for (size_t i = 0; !error && i < sampler->process_cnt; i++) {
		struct tracked_process *process = sampler->processes[i];

		for (size_t t = 0; !error && !process->is_gone && t < process->thread_cnt; t++)
			error = add_children_of_thread(sampler, process, process->threads[t]->tid,
						       now_ns);
	}
	return error;
}

/* Without those files every process of the machine is asked for its parent. Returns how many were
 * found, or -errno. */
static int scan_all_processes(struct sampler *sampler, uint64_t now_ns)
{
	struct dirent *entry;
	int found = 0, error = 0;
	DIR *dir = opendir("/proc");

	if (!dir)
		return -errno;
	while (!error && (entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);
		struct proc_stat stat;
		struct tracked_process *parent;
		size_t cnt = sampler->process_cnt;

		if (pid <= 0 || find_alive(sampler, pid) || proc_stat_read(pid, &stat))
			continue;
		parent = find_alive(sampler, stat.ppid);
		if (!parent)
			continue;
		error = add_process(sampler, pid, parent, now_ns);
		found += sampler->process_cnt > cnt; /* dead ones are not */
	}
	closedir(dir);
	return error ? error : found;
}

static int refresh_children(struct sampler *sampler, uint64_t now_ns)
{
	int found;

	if (!sampler->follow_children)
		return 0;
	if (sampler->has_children_files)
		return refresh_from_children_files(sampler, now_ns);
	/* A child may have a smaller pid than its parent: again until nobody new is found. */
	do
		found = scan_all_processes(sampler, now_ns);
	while (found > 0);
	return found;
}

/* The newest pid, from the end of /proc/loadavg; -1 when a container fakes that file. */
static long newest_pid(void)
{
	char text[128];
	struct statfs status;
	const char *last;
	FILE *in = fopen("/proc/loadavg", "re");
	size_t len;

	if (!in)
		return -1;
	len = fread(text, 1, sizeof(text) - 1, in);
	if (fstatfs(fileno(in), &status) || status.f_type != PROC_SUPER_MAGIC)
		len = 0;
	fclose(in);
	text[len] = '\0';
	last = strrchr(text, ' ');
	return last ? atol(last) : -1;
}

int sampler_refresh(struct sampler *sampler, uint64_t now_ns)
{
	long newest = newest_pid();
	int error = 0;

	if (newest >= 0 && newest == sampler->last_pid)
		return 0;
	for (size_t i = 0; !error && i < sampler->process_cnt; i++)
		if (!sampler->processes[i]->is_gone)
			error = refresh_threads(sampler, sampler->processes[i], now_ns);
	if (!error)
		error = refresh_children(sampler, now_ns);
	sampler->last_pid = newest;
	sampler->last_look_ns = now_ns;
	return error;
}

int sampler_begin(struct sampler *sampler, pid_t pid)
{
	char path[64];
	int error;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	sampler->has_children_files = access(path, F_OK) == 0;
	sampler->last_pid = newest_pid();
	error = add_process(sampler, pid, NULL, 0);
	if (error)
		return error;
	return sampler->process_cnt ? refresh_children(sampler, 0) : -ESRCH;
}

void sampler_release(struct sampler *sampler)
{
	for (size_t i = 0; i < sampler->process_cnt; i++) {
		struct tracked_process *process = sampler->processes[i];

		for (size_t t = 0; t < process->thread_cnt; t++) {
			task_files_close(&process->threads[t]->files, &sampler->files_budget);
			free(process->threads[t]);
		}
		free(process->threads);
		free(process);
	}
	free(sampler->processes);
	sampler->processes = NULL;
	sampler->process_cnt = 0;
}
