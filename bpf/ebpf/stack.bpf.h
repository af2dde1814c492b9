/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Stacks: copies of the user's registers and of the top of its stack, taken of samples and of some
 * of the waits (stack_chance.h says which), and unwound by the user side. Nothing is unwound here
 * but the kernel's own frames, and those of CPython, which are a list.
 */
#ifndef CLASSIFY_STACK_BPF_H
#define CLASSIFY_STACK_BPF_H

#include "task.bpf.h"
#include "python.bpf.h"
#include "ready.bpf.h"
#include "stack_chance.h"

/* Off: all that is for stacks only falls away when the probes are loaded. */
const volatile bool takes_stacks = false;

/* What the user side asks for. */
struct wire_look look = {};
/* When the user side was woken last for the files of a new program. */
__u64 stack_woken_ns = 0;

#define STACK_GAP_NS 10000000ull
/*
 * Of the waits of one CPU's threads that are chosen in a window of time, this many are taken, of as
 * many again every second one, of the next every fourth...: less than twice the budget, whatever
 * happens. Where it is exceeded, all threads of that CPU choose more seldom.
 */
#define STACK_WINDOW_NS	   50000000ull
#define STACK_BUDGET	   25
#define STACK_DOUBLING_MAX 10
/* A thread of which none was chosen for so many gaps is slower than it was. */
#define STACK_SLOW_GAPS	 4
#define STACK_GAP_MAX_NS 10000000000ull
/* Waking the user side for the first stack of a process, at most so often. */
#define STACK_WAKE_GAP_NS 1000000ull
/* Of a thread that is being switched out, the kernel's frames begin with ours: stack_send, what
 * called it, on_sched_switch and what calls that, before those of the scheduler. */
#define STACK_AT_SWITCH	 0x100 /* with the type: it is such a stack */
#define STACK_OWN_FRAMES 5
#define STACK_PAGE_BYTES 4096
/* What is further away from the stack pointer is another stack's. */
#define STACK_THREAD_MAX_BYTES (64ull << 20)
#define STACK_FIRST_MAX_BYTES  (1ull << 30)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} stacks SEC(".maps");

/* By CPU: too large for a per-CPU map. Interrupts are off in the scheduler and in a sample, which
 * therefore never meet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* probes.c sets it */
	__type(key, u32);
	__type(value, struct wire_stack);
} stack_scratch SEC(".maps");

/* What the waits of a CPU's threads may cost. */
struct stack_budget {
	u64 window_ns;	/* when it began */
	u64 chosen_cnt; /* in it */
	u64 gap_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct stack_budget);
} stack_budgets SEC(".maps");

/* A process keeps its memory until it runs exec, or dies and its number is used again. */
static __always_inline u64 address_space_of(struct task_struct *task)
{
	return task->group_leader->start_time + task->self_exec_id * 0x9e3779b97f4a7c15ull;
}

static __always_inline void stack_own(struct wire_stack_owner *owner, struct task_struct *task,
				      struct thread_ctx *thread, u32 type, u64 now)
{
	owner->tgid = thread_tgid(thread, task);
	owner->tid = thread_tid(thread, task);
	owner->address_space = address_space_of(task);
	owner->start_stack = task->mm->start_stack;
	owner->wait_number = thread->total.switch_cnt;
	owner->type = type;
	owner->time_ns = now;
}

static __always_inline void stack_registers(u64 *to, struct task_struct *task)
{
	struct pt_regs *from = (struct pt_regs *)bpf_task_pt_regs(task);

	to[0] = from->ax;
	to[1] = from->dx;
	to[2] = from->cx;
	to[3] = from->bx;
	to[4] = from->si;
	to[5] = from->di;
	to[6] = from->bp;
	to[7] = from->sp;
	to[8] = from->r8;
	to[9] = from->r9;
	to[10] = from->r10;
	to[11] = from->r11;
	to[12] = from->r12;
	to[13] = from->r13;
	to[14] = from->r14;
	to[15] = from->r15;
	to[16] = from->ip;
}

/*
 * Where the stack that @sp points into ends: the first one's where the program's arguments begin,
 * another thread's where the C library keeps what is the thread's own, which its thread pointer
 * points to. 0: not known, of stacks that a program made itself.
 */
static __always_inline u64 stack_end_of(struct task_struct *task, u64 sp)
{
	u64 first_end = task->mm->start_stack, own_end = task->thread.fsbase;

	if (own_end > sp && own_end - sp <= STACK_THREAD_MAX_BYTES)
		return own_end;
	if (first_end > sp && first_end - sp <= STACK_FIRST_MAX_BYTES)
		return first_end;
	return 0;
}

/*
 * Copies what the current thread's stack holds from @sp on, page by page. A page that isn't there
 * has never been written to, as within a large array: zeroes, if it is known that the stack goes
 * on. Returns the bytes copied.
 */
static __always_inline u32 stack_copy(struct wire_stack *stack, u64 sp, u64 end)
{
	u64 left = end ? end - sp : WIRE_STACK_BYTES;
	u64 copied = 0;

	for (u32 i = 0; i < WIRE_STACK_BYTES / STACK_PAGE_BYTES; i++) {
		u64 size = STACK_PAGE_BYTES - ((sp + copied) & (STACK_PAGE_BYTES - 1));

		if (size > left)
			size = left;
		/* The compiler knows that these hold, and kernels before 6.2 don't. */
		asm volatile("" : "+r"(size), "+r"(copied));
		if (!size || size > STACK_PAGE_BYTES ||
		    copied > WIRE_STACK_BYTES - STACK_PAGE_BYTES)
			break;
		/* A read that fails leaves zeroes. */
		if (bpf_probe_read_user(stack->stack + copied, size, (void *)(sp + copied)) && !end)
			break;
		copied += size;
		left -= size;
	}
	return copied;
}

/* Whether no stack of @task's process has been sent since it began or ran exec. */
static __always_inline bool stack_is_first(struct task_struct *task, struct thread_ctx *thread,
					   u64 address_space)
{
	struct thread_ctx *first;

	if (thread->stack_space == address_space)
		return false;
	thread->stack_space = address_space;
	if (task->pid == task->tgid)
		return true;
	first = thread_find(task->group_leader);
	if (!first || first->stack_space == address_space)
		return false;
	first->stack_space = address_space;
	return true;
}

/* A program that may be gone in a moment has to be looked at now. */
static __always_inline u64 stack_wakes(struct task_struct *task, struct thread_ctx *thread,
				       const struct wire_stack_owner *owner)
{
	if (!stack_is_first(task, thread, owner->address_space) ||
	    owner->time_ns - stack_woken_ns < STACK_WAKE_GAP_NS)
		return BPF_RB_NO_WAKEUP;
	stack_woken_ns = owner->time_ns;
	return BPF_RB_FORCE_WAKEUP;
}

/* The user's part of the current task's stack; workers of an io_uring have none. Global, as
 * socket_describe is. */
__noinline int stack_of_user(struct wire_stack *stack, struct thread_ctx *thread)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 sp;

	if (!stack || !thread)
		return 0;
	stack_registers(stack->registers, task);
	stack->thread_pointer = task->thread.fsbase;
	stack->python_cnt = stack->python_is_cut = stack->stack_bytes = 0;
	if (task->flags & PF_IO_WORKER)
		return 0;
	python_walk(task, thread, stack);
	sp = stack->registers[WIRE_REGISTER_SP];
	stack->stack_bytes = stack_copy(stack, sp, stack_end_of(task, sp));
	return 0;
}

/* Sends the stack of @task, the current one. @type: enum wire_stack_type, and STACK_AT_SWITCH. */
static __noinline int stack_send(void *ctx, struct task_struct *task, struct thread_ctx *thread,
				 u32 type, u32 gil_state)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct wire_stack *stack = bpf_map_lookup_elem(&stack_scratch, &cpu);
	u64 size;
	long got;

	if (!stack) {
		count_loss(WIRE_LOST_STACK);
		return 0;
	}
	stack_own(&stack->owner, task, thread, type & ~STACK_AT_SWITCH, bpf_ktime_get_ns());
	stack->gil_state = gil_state;
	got = bpf_get_stack(ctx, stack->kernel, sizeof(stack->kernel),
			    type & STACK_AT_SWITCH ? STACK_OWN_FRAMES : 0);
	stack->kernel_cnt = got > 0 ? got / sizeof(stack->kernel[0]) : 0;
	stack_of_user(stack, thread);
	size = __builtin_offsetof(struct wire_stack, stack) + stack->stack_bytes;
	if (size > sizeof(*stack))
		return 0;
	if (bpf_ringbuf_output(&stacks, stack, size, stack_wakes(task, thread, &stack->owner)))
		count_loss(WIRE_LOST_STACK);
	return 0;
}

/* @where: STACK_AT_SWITCH or 0. */
static __always_inline void stack_of_sample(void *ctx, struct task_struct *task,
					    struct thread_ctx *thread, u32 where, u32 gil_state)
{
	if (command_has_begun())
		stack_send(ctx, task, thread, WIRE_STACK_SAMPLE | where, gil_state);
}

/* One more wait of this CPU's is chosen. Returns one in how many of those is to be taken now. */
static __always_inline u32 budget_spend(struct stack_budget *budget, u64 now)
{
	u64 doublings;

	if (now - budget->window_ns >= STACK_WINDOW_NS) {
		u64 gap_ns = budget->gap_ns > STACK_GAP_NS ? budget->gap_ns : STACK_GAP_NS;

		if (budget->chosen_cnt > STACK_BUDGET)
			gap_ns = gap_ns *
				 (budget->chosen_cnt < 4 * STACK_BUDGET ? budget->chosen_cnt
									: 4 * STACK_BUDGET) /
				 STACK_BUDGET;
		else
			gap_ns -= gap_ns / 16;
		budget->gap_ns = gap_ns < STACK_GAP_MAX_NS ? gap_ns : STACK_GAP_MAX_NS;
		budget->window_ns = now;
		budget->chosen_cnt = 0;
	}
	doublings = budget->chosen_cnt++ / STACK_BUDGET;
	return 1u << (doublings < STACK_DOUBLING_MAX ? doublings : STACK_DOUBLING_MAX);
}

/* One in how many of those that are chosen @budget lets be taken at @now. */
static __always_inline u32 budget_one_in(const struct stack_budget *budget, u64 now)
{
	u64 doublings = budget->chosen_cnt / STACK_BUDGET;

	if (now - budget->window_ns >= STACK_WINDOW_NS)
		return 1;
	return 1u << (doublings < STACK_DOUBLING_MAX ? doublings : STACK_DOUBLING_MAX);
}

/* How seldom waits of one thread of this CPU are to be chosen. */
static __always_inline u64 budget_gap_ns(const struct stack_budget *budget)
{
	u64 gap_ns = budget->gap_ns > STACK_GAP_NS ? budget->gap_ns : STACK_GAP_NS;

	return look.gap_ns > gap_ns ? look.gap_ns : gap_ns;
}

/* @thread's wait, which begins at @now, has been chosen. Returns one in how many it stands for, or
 * 0: it is left out for want of budget. Draws the next one. Global, as socket_describe is. */
__noinline int stack_draw(struct thread_ctx *thread, u64 now)
{
	struct stack_budget *budget;
	u32 zero = 0, one_in, wait_cnt, mean;

	budget = bpf_map_lookup_elem(&stack_budgets, &zero);
	if (!thread || !budget)
		return 0;
	wait_cnt = thread->total.switch_cnt - thread->total.preempt_cnt;
	mean = thread->stack_mean ? thread->stack_mean : 1;
	one_in = budget_spend(budget, now);
	thread->stack_mean = chance_adapt(mean, wait_cnt - thread->stack_wait_cnt,
					  now - thread->stack_ns, budget_gap_ns(budget));
	thread->stack_left = chance_draw(thread->stack_mean, bpf_get_prandom_u32());
	thread->stack_wait_cnt = wait_cnt;
	thread->stack_ns = now;
	if (!(bpf_get_prandom_u32() & (one_in - 1)))
		return mean * one_in;
	thread->stack_missed = thread->total.switch_cnt;
	thread->stack_missed_for = mean * one_in;
	return 0;
}

static __noinline int stack_choose(void *ctx, struct task_struct *task, struct thread_ctx *thread,
				   u64 now)
{
	u32 stands_for;

	if (!command_has_begun())
		return 0;
	stands_for = stack_draw(thread, now);
	if (!stands_for || thread->head.state != TASK_BLOCKED)
		return 0;
	thread->stack_stands_for = stands_for;
	thread->stack_told = thread->total.switch_cnt + 1;
	return stack_send(ctx, task, thread, WIRE_STACK_WAIT | STACK_AT_SWITCH, WIRE_GIL_UNKNOWN);
}

/* Where @thread has slowed down since a wait was chosen, the next one would be long in coming. As
 * the draw has no memory, it may be made again. */
static __always_inline void stack_keep_pace(struct thread_ctx *thread, u64 now)
{
	u32 wait_cnt = thread->total.switch_cnt - thread->total.preempt_cnt;
	struct stack_budget *budget;
	u32 zero = 0, mean;
	u64 gap_ns;

	budget = bpf_map_lookup_elem(&stack_budgets, &zero);
	if (!budget || thread->stack_mean <= 1)
		return;
	gap_ns = budget_gap_ns(budget);
	if (now - thread->stack_ns < STACK_SLOW_GAPS * gap_ns)
		return;
	mean = chance_adapt(thread->stack_mean, wait_cnt - thread->stack_wait_cnt,
			    now - thread->stack_ns, gap_ns);
	if (mean >= thread->stack_mean)
		return;
	thread->stack_mean = mean;
	thread->stack_left = chance_draw(mean, bpf_get_prandom_u32());
}

/* @task, the current one, begins to wait at @now. */
static __always_inline void stack_of_wait(void *ctx, struct task_struct *task,
					  struct thread_ctx *thread, u64 now)
{
	if (thread->stack_left)
		thread->stack_left--;
	else
		stack_choose(ctx, task, thread, now);
}

/* Of @thread's wait, which was not taken as it began: one in how many like it was. As things stand
 * on this CPU now, where it wasn't drawn either. */
static __always_inline u32 stack_chance_had(struct thread_ctx *thread, u64 now)
{
	struct stack_budget *budget;
	u32 zero = 0;

	if (thread->stack_missed_for && thread->stack_missed == thread->total.switch_cnt)
		return thread->stack_missed_for;
	budget = bpf_map_lookup_elem(&stack_budgets, &zero);
	return budget ? thread->stack_mean * budget_one_in(budget, now) : thread->stack_mean;
}

/* The wait that was told of is over, since @thread was woken at @now. */
static __noinline int stack_wait_end(struct task_struct *task, struct thread_ctx *thread, u64 now)
{
	bool is_same = thread->stack_told == thread->total.switch_cnt + 1;
	struct wire_stack_wait_end *end;

	thread->stack_told = 0;
	if (!is_same)
		return 0;
	end = bpf_ringbuf_reserve(&stacks, sizeof(*end), 0);
	if (!end) {
		count_loss(WIRE_LOST_STACK);
		return 0;
	}
	stack_own(&end->owner, task, thread, WIRE_STACK_WAIT_END, now);
	end->wait_ns = thread->open.tgid ? now - thread->stamp_ns : 0;
	end->was_chosen = thread->stack_stands_for != 0;
	end->stands_for =
		end->was_chosen ? thread->stack_stands_for : stack_chance_had(thread, now);
	end->key = thread->open;
	bpf_ringbuf_submit(end, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
