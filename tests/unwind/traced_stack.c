/* Takes stacks of threads by stopping them; see traced_stack.h. */
#include "traced_stack.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

void traced_stack_number(const struct user_regs_struct *user, uint64_t *registers)
{
	const uint64_t numbered[UNWIND_REGISTER_CNT] = {
		user->rax, user->rdx, user->rcx, user->rbx, user->rsi, user->rdi,
		user->rbp, user->rsp, user->r8,	 user->r9,  user->r10, user->r11,
		user->r12, user->r13, user->r14, user->r15, user->rip,
	};

	for (size_t i = 0; i < UNWIND_REGISTER_CNT; i++)
		registers[i] = numbered[i];
}

/* Up to the end of the stack's mapping, page by page: a read across it fails as a whole. */
static size_t read_stack(pid_t pid, uint64_t start, uint8_t *bytes)
{
	size_t cnt = 0;

	while (cnt < TRACED_STACK_BYTES) {
		size_t size = 4096 - (start + cnt) % 4096;

		if (size > TRACED_STACK_BYTES - cnt)
			size = TRACED_STACK_BYTES - cnt;

		struct iovec here = { .iov_base = bytes + cnt, .iov_len = size };
		struct iovec there = { .iov_base = (void *)(start + cnt), .iov_len = size };

		if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)size)
			break;
		cnt += size;
	}
	return cnt;
}

int traced_stack_take(pid_t pid, pid_t tid, struct traced_stack *stack)
{
	struct user_regs_struct user;
	int status, error = 0;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
		return -errno;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0 ||
	    waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status)) {
		ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return -ESRCH;
	}
	if (ptrace(PTRACE_GETREGS, tid, NULL, &user) != 0) {
		error = -errno;
	} else {
		traced_stack_number(&user, stack->registers);
		stack->copy = (struct stack_copy){
			.registers = stack->registers,
			.bytes = stack->bytes,
			.byte_cnt = read_stack(pid, user.rsp, stack->bytes),
		};
	}
	/* A signal that stopped it has to reach it. */
	ptrace(PTRACE_DETACH, tid, NULL,
	       (void *)(long)(status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status)));
	return error;
}
