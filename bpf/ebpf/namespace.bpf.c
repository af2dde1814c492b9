// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Run once, on its own, in a container: how deep classify's PID namespace lies, and what the
 * probes' clock shows, is known to the kernel only. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

__u32 level = 0;
__u32 inode = 0; /* of that namespace, as /proc/self/ns/pid has it */
__u64 now_ns = 0;

SEC("syscall")
int find_namespaces(void *context)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct pid_namespace *namespace = 0;

	now_ns = bpf_ktime_get_ns();
	level = BPF_CORE_READ(pid, level);
	bpf_probe_read_kernel(&namespace, sizeof(namespace),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, ns));
	inode = BPF_CORE_READ(namespace, ns.inum);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
