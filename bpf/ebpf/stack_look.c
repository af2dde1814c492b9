/* See stack_look.h. */
#include "stack_look.h"
#include "stack_chains.h"
#include "stack_intake.h"
#include "wire.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

/* Looks may take this part of a CPU. */
#define COST_INVERSE	100
#define RECORDS_AT_ONCE 64
/* A thread is looked at when it has been blocked for so long: what is shorter would often be over
 * before its stack is read. */
#define BLOCKED_MIN_NS 200000ull
/* In one pass. */
#define LOOKS_MAX 128
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

/* Who is found more often than there may be looks is looked at by chance, the next time. */
static void set_chance(struct stack_look *look, struct stack_intake *intake)
{
	struct wire_look *order = look->order;
	uint32_t found_cnt = order->found_cnt;

	intake->looking.chance = found_cnt > LOOKS_MAX ? (double)LOOKS_MAX / found_cnt : 1;
	order->chance = found_cnt > LOOKS_MAX ? UINT32_MAX / found_cnt * LOOKS_MAX : UINT32_MAX;
	order->left_cnt = 2 * LOOKS_MAX;
	order->found_cnt = 0;
}

/* The mean distance of looks of late. */
static void note_distance(struct stack_look *look, struct stack_intake *intake, uint64_t now_ns)
{
	struct stack_looking *looking = &intake->looking;
	uint64_t distance_ns = now_ns - look->looked_ns;

	if (look->looked_ns)
		looking->every_ns = looking->every_ns ? looking->every_ns - looking->every_ns / 16 +
								distance_ns / 16
						      : distance_ns;
	look->looked_ns = now_ns;
}

void stack_look(struct stack_look *look, struct stack_intake *intake, uint64_t now_ns)
{
	uint64_t took_ns;

	if (now_ns < look->due_ns)
		return;
	set_chance(look, intake);
	look->order->blocked_ns = BLOCKED_MIN_NS;
	intake->looking.blocked_ns = BLOCKED_MIN_NS;
	for_each(look->link_fd, intake, look_at, 0);
	note_distance(look, intake, now_ns);
	took_ns = stack_now_ns() - now_ns;
	look->due_ns = now_ns + (took_ns * COST_INVERSE > STACK_LOOK_NS ? took_ns * COST_INVERSE
									: STACK_LOOK_NS);
}

static void close_one(struct stack_intake *intake, const struct wire_waiting *waiting,
		      uint64_t until_ns)
{
	look_at(intake, waiting, until_ns);
	stack_intake_close(intake, waiting, until_ns);
}

void stack_look_last(struct stack_look *look, struct stack_intake *intake, uint64_t until_ns)
{
	look->order->is_last = 1;
	for_each(look->link_fd, intake, close_one, until_ns);
}
