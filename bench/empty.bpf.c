// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The least that a probe of the scheduler can cost: a program that does nothing. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tp_btf/sched_switch")
int on_sched_switch(void *context)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
