/* See stack_look.h. */
#include "stack_look.h"
#include "clock.h"
#include "stack_chains.h"
#include "stack_intake.h"
#include "wire.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* Looks may take this part of a CPU. */
#define COST_INVERSE 100
/* But they are not left out for longer, as after a first one that has read many files. */
#define PAUSE_MAX_NS	200000000ull
#define RECORDS_AT_ONCE 64
/* A thread is looked at when it has been blocked for so long: what is shorter would often be over
 * before its stack is read. */
#define BLOCKED_MIN_NS 200000ull
/* In one pass. */
#define LOOKS_MAX 128
/* Of the last pass, after the end of the observation. */
#define LAST_LOOK_MAX_NS 300000000ull
/* Where a thread's stack ends isn't known, the most that is read of it. */
#define STACK_BYTES_MAX WIRE_STACK_BYTES

typedef void on_waiting(struct stack_intake *intake, const struct wire_waiting *waiting,
			uint64_t until_ns);

/* Calls @call for each thread that the iterator tells of. */
static void for_each(int link_fd, struct stack_intake *intake, on_waiting *call, uint64_t until_ns)
{
	struct wire_waiting records[RECORDS_AT_ONCE];
	int fd = bpf_iter_create(link_fd);
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return;
	for (;;) {
		size_t cnt;

		got = read(fd, (char *)records + used, sizeof(records) - used);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
		cnt = used / sizeof(records[0]);
		for (size_t i = 0; i < cnt; i++)
			call(intake, &records[i], until_ns);
		used -= cnt * sizeof(records[0]);
		for (size_t i = 0; used && i < used; i++)
			((char *)records)[i] = ((char *)&records[cnt])[i];
	}
	close(fd);
}

static size_t read_stack(const struct wire_waiting *waiting, uint8_t bytes[STACK_BYTES_MAX])
{
	uint64_t from = waiting->registers[WIRE_REGISTER_SP];
	size_t len = STACK_BYTES_MAX;
	struct iovec local, remote;
	ssize_t got;

	if (waiting->stack_end > from && waiting->stack_end - from < len)
		len = waiting->stack_end - from;
	local = (struct iovec){ bytes, len };
	remote = (struct iovec){ (void *)(uintptr_t)from, len };
	got = process_vm_readv((pid_t)waiting->owner.tgid, &local, 1, &remote, 1, 0);
	return got > 0 ? (size_t)got : 0;
}

static void look_at(struct stack_intake *intake, const struct wire_waiting *waiting,
		    uint64_t until_ns)
{
	uint8_t bytes[STACK_BYTES_MAX];
	struct raw_stack raw = { .registers = waiting->registers, .bytes = bytes };

	(void)until_ns;
	if (stack_intake_knows(intake, waiting))
		return;
	raw.byte_cnt = read_stack(waiting, bytes);
	if (raw.byte_cnt)
		stack_intake_look(intake, waiting, &raw);
}

/* Who is found more often than there may be looks is looked at by chance, the next time. Returns
 * that. */
static double set_order(struct wire_look *order)
{
	uint32_t found_cnt = order->found_cnt;

	order->blocked_ns = BLOCKED_MIN_NS;
	order->chance = found_cnt > LOOKS_MAX ? UINT32_MAX / found_cnt * LOOKS_MAX : UINT32_MAX;
	order->left_cnt = 2 * LOOKS_MAX;
	order->found_cnt = 0;
	return found_cnt > LOOKS_MAX ? (double)LOOKS_MAX / found_cnt : 1;
}

/* Nobody was left out that could have been looked at, unless the order was used up. */
static double chance_had(const struct wire_look *order, double chance)
{
	double wanted = chance * order->found_cnt;

	return order->left_cnt || wanted <= 2 * LOOKS_MAX ? chance
							  : 2 * LOOKS_MAX / wanted * chance;
}

static uint64_t pause_after(uint64_t cpu_ns)
{
	uint64_t pause_ns = cpu_ns * COST_INVERSE;

	if (pause_ns < STACK_LOOK_NS)
		return STACK_LOOK_NS;
	return pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
}

void stack_look(struct stack_look *look, struct stack_intake *intake, uint64_t now_ns)
{
	struct stack_looking *looking = &intake->looking;
	struct stack_pass pass = { .begin_ns = now_ns };
	uint64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	double chance;

	if (now_ns < look->due_ns)
		return;
	chance = set_order(look->order);
	for_each(look->link_fd, intake, look_at, 0);
	pass.end_ns = clock_ns(CLOCK_MONOTONIC);
	pass.chance = chance_had(look->order, chance);
	looking->blocked_ns = BLOCKED_MIN_NS;
	looking->passes[looking->cnt++ % STACK_PASSES] = pass;
	look->due_ns = now_ns + pause_after(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns);
}

/* Somebody waits for the report: stacks that weren't known are read for a while only. */
static void close_one(struct stack_intake *intake, const struct wire_waiting *waiting,
		      uint64_t until_ns)
{
	if (clock_ns(CLOCK_MONOTONIC) < until_ns + LAST_LOOK_MAX_NS)
		look_at(intake, waiting, until_ns);
	stack_intake_close(intake, waiting, until_ns);
}

void stack_look_last(struct stack_look *look, struct stack_intake *intake, uint64_t until_ns)
{
	look->order->is_last = 1;
	for_each(look->link_fd, intake, close_one, until_ns);
}
