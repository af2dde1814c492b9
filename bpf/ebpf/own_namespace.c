/* Asks the kernel about this process's namespaces; see own_namespace.h. */
#include "own_namespace.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "clock.h"
#include "session.h"
#include "namespace.skel.h"

/* Inodes of the host's namespaces (PROC_PID_INIT_INO, PROC_TIME_INIT_INO: linux/proc_ns.h). */
#define INITIAL_PID_NAMESPACE  0xEFFFFFFCu
#define INITIAL_TIME_NAMESPACE 0xEFFFFFFAu
/* Between the two readings of one clock classify may be preempted. */
#define CLOCKS_APART_MAX_NS 500000000ll

/* 0 where there is no such kind of namespace. */
static uint32_t own_inode(const char *path)
{
	struct stat status;

	return stat(path, &status) ? 0 : (uint32_t)status.st_ino;
}

static int check_time(const struct namespace_bpf *program, char *why, size_t why_size)
{
	long long apart_ns = (long long)(clock_ns(CLOCK_MONOTONIC) - program->bss->now_ns);

	if (llabs(apart_ns) < CLOCKS_APART_MAX_NS)
		return 0;
	snprintf(why, why_size,
		 "in a time namespace, whose clock is not the probes': run classify outside of it");
	return -ENOTSUP;
}

static int check_pid(const struct namespace_bpf *program, uint32_t inode, char *why,
		     size_t why_size)
{
	if (program->bss->inode == inode)
		return 0;
	snprintf(why, why_size,
		 "this PID namespace (a container) is not the one of /proc: mount its own with "
		 "'mount -t proc proc /proc', or run classify on the host");
	return -ENOTSUP;
}

static int run_program(struct namespace_bpf *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int error = namespace_bpf__load(program);

	if (!error)
		error = bpf_prog_test_run_opts(bpf_program__fd(program->progs.find_namespaces),
					       &run);
	return error;
}

int own_namespace_find(uint32_t *pid_level, char *why, size_t why_size)
{
	uint32_t pid = own_inode("/proc/self/ns/pid"), time = own_inode("/proc/self/ns/time");
	struct namespace_bpf *program;
	int error;

	*pid_level = 0;
	if ((!pid || pid == INITIAL_PID_NAMESPACE) && (!time || time == INITIAL_TIME_NAMESPACE))
		return 0;
	program = namespace_bpf__open();
	if (!program)
		return -errno;
	error = run_program(program);
	if (!error)
		error = check_time(program, why, why_size);
	if (!error && pid)
		error = check_pid(program, pid, why, why_size);
	*pid_level = program->bss->level;
	namespace_bpf__destroy(program);
	return error;
}

bool own_namespace_program_loads(void)
{
	struct namespace_bpf *program = namespace_bpf__open_and_load();

	namespace_bpf__destroy(program);
	return program;
}
