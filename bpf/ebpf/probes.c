/* Opening the probes: which ones this kernel has, and what to say when it refuses them. */
#include "own_namespace.h"
#include "session.h"
#include "syscalls.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "probe.skel.h"

static int quiet_print(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int verbose_print(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, args);
}

/* Tracepoints that some kernels lack, and what is lost without them. */
static const struct {
	const char *tracepoint;
	const char *program;
	const char *loss;
} optional_probes[] = {
	{ "sk_data_ready", "on_sk_data_ready",
	  "sk_data_ready: this kernel has no such tracepoint (6.3+): waits through poll, select "
	  "and "
	  "io_uring are reported as poll, without their socket, and of what waits while a loop is "
	  "blocked only what was there before is told" },
	{ "inet_sock_set_state", "on_inet_sock_set_state",
	  "inet_sock_set_state: this kernel has no such tracepoint: inbound connections may be "
	  "reported as outbound" },
	{ "inet_sock_set_state", "on_connection_state",
	  "inet_sock_set_state: this kernel has no such tracepoint: of operations in flight only "
	  "those on connections that were there at the beginning are counted" },
	{ "block_rq_complete", "on_block_rq_complete",
	  "block_rq_complete: this kernel has no such tracepoint: disk waits through io_uring may "
	  "be reported as poll" },
	{ "timer_expire_entry", "on_timer_expire_entry",
	  "timer_expire_entry: this kernel has no such tracepoint: timeouts of sockets are "
	  "reported "
	  "as what they waited for" },
	{ "hrtimer_expire_entry", "on_hrtimer_expire_entry",
	  "hrtimer_expire_entry: this kernel has no such tracepoint: timeouts are reported as "
	  "what they waited for" },
	{ "mm_filemap_add_to_page_cache", "on_page_added",
	  "mm_filemap_add_to_page_cache: this kernel has no such tracepoint: page faults are "
	  "reported without their file" },
	{ "mm_filemap_fault", "on_file_fault",
	  "mm_filemap_fault: this kernel has no such tracepoint (6.12+): page faults that wait for "
	  "what another thread reads lack their file, and swap isn't told apart" },
	{ "contention_begin", "on_contention_begin",
	  "contention_begin: this kernel has no such tracepoint (5.19+): page faults that wait for "
	  "the lock of their address space are reported as paging" },
	{ "balance_dirty_pages", "on_balance_dirty_pages",
	  "balance_dirty_pages: this kernel has no such tracepoint: writers held back until pages "
	  "are written are reported as writing" },
};

/* Setting a program's target looks for it in the kernel's types, which libbpf reads once for all.
 */
static void choose_optional_probes(struct ebpf_observer *self)
{
	for (size_t i = 0; i < sizeof(optional_probes) / sizeof(optional_probes[0]); i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(
			self->probes->obj, optional_probes[i].program);

		if (!bpf_program__set_attach_target(program, 0, optional_probes[i].tracepoint))
			continue;
		bpf_program__set_autoload(program, false);
		if (!strcmp(optional_probes[i].program, "on_file_fault"))
			self->probes->rodata->sees_file_faults = false;
		observation_add_missing_probe(&self->obs, optional_probes[i].loss);
	}
}

/* The verifier says EACCES too: rights are missing only if nothing at all may be loaded. */
static int load_error(int error, char *why, size_t why_size)
{
	if (error == -EACCES && own_namespace_program_loads())
		error = -EINVAL;
	switch (error) {
	case -EPERM:
		snprintf(why, why_size, "no rights to load BPF programs: run %s",
			 geteuid() == 0 ? "outside this container or sandbox, whose root lacks "
					  "them, or grant it CAP_BPF and CAP_PERFMON"
					: "as root (sudo), or with CAP_BPF and CAP_PERFMON");
		return -EPERM;
	case -ENOMEM:
		snprintf(why, why_size, "out of memory for BPF maps: raise 'ulimit -l'");
		return error;
	default:
		if (why[0])
			return error;
		snprintf(why, why_size,
			 "the kernel refused the probes (%s): it may be older than 5.15; -v shows "
			 "its words",
			 strerror(-error));
		return error;
	}
}

/* Room for stacks where they are taken; else their maps, which programs name, are the smallest that
 * there are. Returns 0 or -errno. */
static int prepare_stacks(struct probe_bpf *probes, bool are_taken)
{
	int cpu_cnt = libbpf_num_possible_cpus();
	int error;

	if (cpu_cnt < 0)
		return cpu_cnt;
	probes->rodata->takes_stacks = are_taken;
	bpf_program__set_autoload(probes->progs.tell_waiting, are_taken);
	if (are_taken)
		return bpf_map__set_max_entries(probes->maps.stack_scratch, (uint32_t)cpu_cnt);
	error = bpf_map__set_max_entries(probes->maps.stack_scratch, 1);
	if (!error)
		error = bpf_map__set_max_entries(probes->maps.stacks, (uint32_t)getpagesize());
	if (!error)
		error = bpf_map__set_max_entries(probes->maps.pythons, 1);
	return error ? error : bpf_map__set_max_entries(probes->maps.python_threads, 1);
}

static int load_probes(struct ebpf_observer *self, const struct observer_options *options,
		       uint32_t pid_ns_level, char *why, size_t why_size)
{
	int error;

	self->probes = probe_bpf__open();
	if (!self->probes)
		return -errno;
	/* Every kernel has this one, if it has types at all. */
	if (bpf_program__set_attach_target(self->probes->progs.on_sched_switch, 0,
					   "sched_switch")) {
		snprintf(why, why_size,
			 "this kernel has no type information (/sys/kernel/btf/vmlinux): run one "
			 "built with CONFIG_DEBUG_INFO_BTF, or observe with --source procfs");
		return -ENOTSUP;
	}
	choose_optional_probes(self);
	self->probes->rodata->follow_children = options->follow_children;
	self->probes->rodata->seed_children = options->follow_children && !options->cgroup;
	self->probes->rodata->self_tgid = (uint32_t)getpid();
	self->probes->rodata->pid_ns_level = pid_ns_level;
	self->probes->rodata->begins_at_exec = options->begins_at_exec;
	error = prepare_stacks(self->probes, options->takes_stacks);
	if (error)
		return error;
	/* It needs a map to iterate over: flight_watch.c attaches it. */
	bpf_program__set_autoattach(self->probes->progs.tell_connections, false);
	syscall_table_fill((uint8_t *)self->probes->rodata->syscall_table);
	asking_table_fill((uint8_t *)self->probes->rodata->asking_table);
	return probe_bpf__load(self->probes);
}

/* Without samples all times are exact still; what they would have told is named as missing. */
static void begin_sampling(struct ebpf_observer *self, uint32_t hz)
{
	char words[192];
	int error;

	if (!hz)
		return;
	error = sampling_begin(&self->sampling, self->probes->progs.on_sample, hz);
	if (!error)
		return;
	snprintf(words, sizeof(words),
		 "samples: the kernel refused a clock of %u Hz on each CPU (%s): busy polling, "
		 "spinning and long runs of computing can't be told",
		 hz, strerror(-error));
	observation_add_missing_probe(&self->obs, words);
}

int probes_open(struct ebpf_observer *self, const struct observer_options *options, char *why,
		size_t why_size)
{
	uint32_t level;
	int error;

	libbpf_set_print(options->is_verbose ? verbose_print : quiet_print);
	error = own_namespace_find(&level, why, why_size);
	if (!error)
		error = load_probes(self, options, level, why, why_size);
	if (!error)
		error = probe_bpf__attach(self->probes);
	if (!error)
		begin_sampling(self, options->sample_hz);
	return error ? load_error(error, why, why_size) : 0;
}
