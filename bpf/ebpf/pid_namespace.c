/* Asks the kernel for the level of this PID namespace; see pid_namespace.h. */
#include "pid_namespace.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "namespace.skel.h"

/* The inode of the initial PID namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h). */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCu

static int find_level(struct namespace_bpf *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int error = namespace_bpf__load(program);

	if (!error)
		error = bpf_prog_test_run_opts(bpf_program__fd(program->progs.find_level), &run);
	return error;
}

int pid_namespace_level(uint32_t *level, char *why, size_t why_size)
{
	struct namespace_bpf *program;
	struct stat status;
	int error;

	*level = 0;
	if (stat("/proc/self/ns/pid", &status) || status.st_ino == INITIAL_PID_NAMESPACE)
		return 0;
	program = namespace_bpf__open();
	if (!program)
		return -errno;
	error = find_level(program);
	*level = program->bss->level;
	if (!error && program->bss->inode != status.st_ino) {
		snprintf(why, why_size,
			 "this PID namespace (a container) is not the one of /proc: mount its own "
			 "with 'mount -t proc proc /proc', or run classify on the host");
		error = -ENOTSUP;
	}
	namespace_bpf__destroy(program);
	return error;
}

bool pid_namespace_program_loads(void)
{
	struct namespace_bpf *program = namespace_bpf__open_and_load();

	namespace_bpf__destroy(program);
	return program;
}
