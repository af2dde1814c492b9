/* Reading /proc/PID for what the command line needs: refusing early, with a reason. */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc_file.h"
#include "process.h"

/* The kernel refuses longer argument lists than a few megabytes; what a report needs is less. */
#define COMMAND_MAX 65536
#define COMM_SIZE   64

struct process_status {
	pid_t tgid;
	pid_t parent_pid;
	uid_t uid;
	bool is_kernel_thread;
};

/* The value of a "Name:\tvalue" line; "" when there is none. The first line, the name of the
 * process, can't fake one: the kernel escapes newlines in it. */
static const char *find_field(const char *status, const char *name)
{
	const char *field = strstr(status, name);

	return field ? field + strlen(name) : "";
}

static int read_status(pid_t pid, struct process_status *status)
{
	char text[4096];
	ssize_t len = proc_file_read(pid, "status", text, sizeof(text));
	struct proc_stat stat = { .flags = 0 };
	int error;

	if (len < 0)
		return (int)len;
	memset(status, 0, sizeof(*status));
	status->tgid = atoi(find_field(text, "\nTgid:\t"));
	status->parent_pid = atoi(find_field(text, "\nPPid:\t"));
	status->uid = (uid_t)strtoul(find_field(text, "\nUid:\t"), NULL, 10);

	error = proc_stat_read(pid, &stat);
	status->is_kernel_thread = stat.flags & PF_KTHREAD;
	return error;
}

static void explain_other_user(pid_t pid, uid_t uid, char *why, size_t why_size)
{
	const struct passwd *entry = getpwuid(uid);

	if (geteuid() == 0)
		snprintf(why, why_size,
			 "process %d has rights that this root lacks (leave the container or "
			 "sandbox)",
			 pid);
	else if (uid == geteuid())
		snprintf(why, why_size,
			 "process %d guards itself, as setuid programs and agents do (use sudo)",
			 pid);
	else
		snprintf(why, why_size,
			 "process %d belongs to user %s (run classify as that user, or with sudo)",
			 pid, entry ? entry->pw_name : "without a name");
}

/* Whether we may read what observing needs; the kernel's ptrace rules, asked rather than copied. */
bool process_may_be_inspected(pid_t pid)
{
	char target[8];
	ssize_t len = proc_file_readlink(pid, "exe", target, sizeof(target));

	return len != -EACCES && len != -EPERM;
}

static int explain_absent(pid_t pid, char *why, size_t why_size)
{
	if (kill(pid, 0) && errno == EPERM) {
		snprintf(why, why_size, "process %d is hidden from this user (%s)", pid,
			 geteuid() == 0 ? "leave the container or sandbox"
					: "run classify as its user, or with sudo");
		return -EACCES;
	}
	snprintf(why, why_size, "no such process: %d ('ps -e' lists them)", pid);
	return -ESRCH;
}

static int check_kind(pid_t pid, const struct process_status *status, char *why, size_t why_size)
{
	if (pid == getpid())
		snprintf(why, why_size, "process %d is this classify (choose another)", pid);
	else if (status->tgid != pid)
		snprintf(why, why_size, "%d is a thread of process %d (use -p %d)", pid,
			 status->tgid, status->tgid);
	else if (status->is_kernel_thread)
		snprintf(why, why_size,
			 "process %d is a thread of the kernel (choose one that runs a program)",
			 pid);
	else
		return 0;
	return -EINVAL;
}

static int open_pidfd(pid_t pid, char *why, size_t why_size)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd >= 0)
		return pidfd;
	if (errno == ESRCH)
		return explain_absent(pid, why, why_size);
	int error = -errno;

	snprintf(why, why_size, "cannot watch process %d: %s (Linux 5.3 or later is needed)", pid,
		 strerror(-error));
	return error;
}

/* State "Z" would not do: a process lives on when its first thread has exited. */
static bool is_dead(int pidfd)
{
	struct pollfd death = { .fd = pidfd, .events = POLLIN };

	return poll(&death, 1, 0) > 0;
}

int process_open(pid_t pid, char *why, size_t why_size)
{
	struct process_status status;

	if (read_status(pid, &status))
		return explain_absent(pid, why, why_size);
	int error = check_kind(pid, &status, why, why_size);

	if (error)
		return error;
	int pidfd = open_pidfd(pid, why, why_size);

	if (pidfd < 0)
		return pidfd;
	if (is_dead(pidfd)) {
		snprintf(why, why_size,
			 "process %d is dead and waits for its parent %d (choose a living one)",
			 pid, status.parent_pid);
		error = -ESRCH;
	} else if (!process_may_be_inspected(pid)) {
		explain_other_user(pid, status.uid, why, why_size);
		error = -EACCES;
	}
	if (!error)
		return pidfd;
	close(pidfd);
	return error;
}

/* Turns @len bytes of NUL-terminated strings into a vector that holds them. */
static char **split_strings(const char *bytes, size_t len)
{
	size_t cnt = 0;

	for (size_t i = 0; i < len; i++)
		cnt += bytes[i] == '\0';
	char **vector = malloc((cnt + 1) * sizeof(*vector) + len);

	if (!vector)
		return NULL;
	char *copy = memcpy(&vector[cnt + 1], bytes, len);

	for (size_t i = 0; i < cnt; i++) {
		vector[i] = copy;
		copy += strlen(copy) + 1;
	}
	vector[cnt] = NULL;
	return vector;
}

char **process_read_command(pid_t pid)
{
	char text[COMMAND_MAX];
	ssize_t len = proc_file_read(pid, "cmdline", text, sizeof(text));
	char comm[COMM_SIZE];

	if (len <= 0) {
		process_read_comm(pid, comm, sizeof(comm));
		len = snprintf(text, sizeof(text), "[%s]", comm) + 1;
	} else if (text[len - 1] != '\0') {
		len++; /* a process that rewrote its title, or a cut one: proc_file_read() ends it
			*/
	}
	return split_strings(text, (size_t)len);
}

void process_read_comm(pid_t pid, char *comm, size_t comm_size)
{
	if (proc_file_read(pid, "comm", comm, comm_size) <= 0)
		snprintf(comm, comm_size, "?");
	comm[strcspn(comm, "\n")] = '\0';
}

bool process_descends_from(pid_t pid, pid_t ancestor)
{
	struct process_status status;

	while (pid > 1 && pid != ancestor) {
		if (read_status(pid, &status))
			return false;
		pid = status.parent_pid;
	}
	return pid == ancestor;
}
