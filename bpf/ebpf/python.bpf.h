/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The frames of CPython that the current thread is in, walked in its memory. */
#ifndef CLASSIFY_PYTHON_BPF_H
#define CLASSIFY_PYTHON_BPF_H

#include "task.bpf.h"

/* Fills @stack's Python frames, of which there are none yet, with those of @task, the current one.
 */
static __always_inline void python_walk(struct task_struct *task, struct thread_ctx *thread,
					struct wire_stack *stack)
{
}

#endif
