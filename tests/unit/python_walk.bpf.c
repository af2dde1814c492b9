// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The walk over Python frames by itself: looks at the threads of one process as they run. */
#include "task.bpf.h"
#include "python.bpf.h"

const volatile int target_tgid = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64); /* more CPUs are not looked at */
	__type(key, u32);
	__type(value, struct wire_stack);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} walks SEC(".maps");

SEC("perf_event")
int on_walk(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 cpu = bpf_get_smp_processor_id();
	struct wire_stack *stack;

	if (task->tgid != target_tgid)
		return 0;
	stack = bpf_map_lookup_elem(&scratch, &cpu);
	if (!stack)
		return 0;
	stack->owner.tgid = task->tgid;
	stack->owner.tid = task->pid;
	stack->thread_pointer = task->thread.fsbase;
	stack->python_cnt = stack->python_is_cut = 0;
	python_walk(task, 0, stack);
	bpf_ringbuf_output(&walks, stack, __builtin_offsetof(struct wire_stack, stack), 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
