/* Reads how long CPU quotas held threads back; see cgroup_throttle.h. */
#include "cgroup_throttle.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_path.h"
#include "cgroup_quota.h"
#include "observation/observation.h"

#define NS_PER_US 1000ULL

uint64_t cgroup_parse_throttled_ns(const char *text, int version)
{
	const char *field = version == 2 ? "throttled_usec" : "throttled_time";
	const char *at = strstr(text, field);
	unsigned long long value;

	if (!at || sscanf(at + strlen(field), " %llu", &value) != 1)
		return 0;
	return version == 2 ? value * NS_PER_US : value;
}

static void update(struct cgroup_throttle_account *account)
{
	char text[1024];
	ssize_t len = pread(account->fd, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return;
	text[len] = '\0';
	account->last_ns = cgroup_parse_throttled_ns(text, account->version);
}

static void open_account(void *context, const char *directory, int version)
{
	struct cgroup_throttle *throttle = context;
	struct cgroup_throttle_account account = { .version = version };
	char path[CGROUP_PATH_BYTES_MAX + 16];

	if (throttle->cnt == CGROUP_THROTTLE_MAX || cgroup_quota_of(directory, version) <= 0)
		return;
	snprintf(path, sizeof(path), "%s/cpu.stat", directory);
	account.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (account.fd < 0)
		return;
	update(&account);
	account.begin_ns = account.last_ns;
	throttle->accounts[throttle->cnt++] = account;
}

void cgroup_throttle_open(struct cgroup_throttle *throttle, pid_t pid, const char *directory)
{
	const struct cgroup_visitor visitor = { open_account, throttle };

	throttle->cnt = 0;
	if (!directory || !cgroup_visit_directory(directory, &visitor))
		cgroup_visit(pid, &visitor);
}

uint64_t cgroup_throttle_read_ns(struct cgroup_throttle *throttle)
{
	uint64_t longest_ns = 0;

	for (int i = 0; i < throttle->cnt; i++) {
		struct cgroup_throttle_account *account = &throttle->accounts[i];

		update(account);
		if (account->last_ns > account->begin_ns + longest_ns)
			longest_ns = account->last_ns - account->begin_ns;
	}
	return longest_ns;
}

void cgroup_throttle_close(struct cgroup_throttle *throttle)
{
	while (throttle->cnt > 0)
		close(throttle->accounts[--throttle->cnt].fd);
}

static uint64_t take_share(uint64_t *from_ns, double share)
{
	uint64_t part_ns = (uint64_t)((double)*from_ns * share);

	*from_ns -= part_ns;
	return part_ns;
}

void cgroup_throttle_book_part(struct observation *obs, uint64_t throttled_ns,
			       bool (*belongs)(const void *context, pid_t pid), const void *context)
{
	uint64_t runnable_ns = 0;
	double share;

	for (size_t i = 0; i < obs->thread_cnt; i++)
		if (belongs(context, obs->threads[i].pid))
			runnable_ns += obs->threads[i].preempted_ns + obs->threads[i].run_queue_ns;
	if (!runnable_ns || !throttled_ns)
		return;
	share = throttled_ns < runnable_ns ? (double)throttled_ns / (double)runnable_ns : 1;
	for (size_t i = 0; i < obs->thread_cnt; i++) {
		struct obs_thread *thread = &obs->threads[i];

		if (!belongs(context, thread->pid))
			continue;
		thread->throttled_ns += take_share(&thread->preempted_ns, share);
		thread->throttled_ns += take_share(&thread->run_queue_ns, share);
	}
}

static bool is_any(const void *context, pid_t pid)
{
	(void)context;
	(void)pid;
	return true;
}

void cgroup_throttle_book(struct observation *obs, uint64_t throttled_ns)
{
	cgroup_throttle_book_part(obs, throttled_ns, is_any, NULL);
}
