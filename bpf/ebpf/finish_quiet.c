/* Program time at the end of an observation, and whom quiet is charged to that no wakeup was. */
#include "finish_quiet.h"
#include "session.h"
#include <string.h>
#include "probe.skel.h"

/* Stamps taken on two CPUs may be out of order by a little, and a state that lasted no time then
 * comes out below zero: it takes that from computing, and computing from quiet. */
static void level_program_time(uint64_t *total_ns)
{
	static const enum wire_program_state taken[] = { WIRE_QUIET, WIRE_STARVED, WIRE_COMPUTING };
	static const enum wire_program_state from[] = { WIRE_COMPUTING, WIRE_COMPUTING,
							WIRE_QUIET };

	for (int i = 0; i < WIRE_PROGRAM_STATE_CNT; i++) {
		if ((int64_t)total_ns[taken[i]] >= 0)
			continue;
		total_ns[from[i]] += total_ns[taken[i]];
		total_ns[taken[i]] = 0;
	}
}

/* Each transition adds an instant to one sum and takes it off another: what all begin with stays.
 */
bool quiet_read(const struct ebpf_observer *self, struct quiet_sums *sums)
{
	const volatile struct probe_bpf__bss *shared = self->probes->bss;
	uint64_t sum_ns = shared->observed_from_ns;

	for (int i = 0; i < WIRE_PROGRAM_STATE_CNT; i++) {
		sums->program_ns[i] = shared->program_ns[i];
		sum_ns += sums->program_ns[i];
	}
	sums->quiet_since_ns = shared->quiet_since_ns;
	sums->ticked_ns = shared->ticked_ns;
	sums->claimed_ns = shared->claimed_ns;
	sums->ticks_before_work_ns = shared->ticks_before_work_ns;
	return !sum_ns;
}

/* The state that has begun and not ended: its beginning has been taken off, which is far more than
 * what stamps of two CPUs may differ by. */
static int open_state(const uint64_t *total_ns)
{
	int open = 0;

	for (int i = 1; i < WIRE_PROGRAM_STATE_CNT; i++)
		if ((int64_t)total_ns[i] < (int64_t)total_ns[open])
			open = i;
	return open;
}

int quiet_total(const struct quiet_sums *sums, uint64_t until_ns, uint64_t *total_ns)
{
	int state = open_state(sums->program_ns);

	memcpy(total_ns, sums->program_ns, sizeof(sums->program_ns));
	total_ns[state] += until_ns;
	level_program_time(total_ns);
	return state;
}

void quiet_collect(struct ebpf_observer *self, const struct quiet_sums *sums, uint64_t until_ns)
{
	struct obs_program *program = &self->obs.program;
	uint64_t total_ns[WIRE_PROGRAM_STATE_CNT];
	int state = quiet_total(sums, until_ns, total_ns);

	program->computing_ns = total_ns[WIRE_COMPUTING];
	program->starved_ns = total_ns[WIRE_STARVED];
	program->quiet_ns = total_ns[WIRE_QUIET];
	if (state == WIRE_QUIET && until_ns > sums->quiet_since_ns)
		program->quiet_open_ns = until_ns - sums->quiet_since_ns;
}

/*
 * How telling an open wait is of what the tree as a whole waits for, when nothing has ended it yet:
 * the answer to a request that is out, then work to come (a server's loop that looks up now and
 * then is still at it), then others outside of whom nothing was asked that we know of, then clocks,
 * then signals, then each other, last what ticks.
 */
enum {
	RANK_NONE = -1,
	RANK_TICK,
	RANK_EACH_OTHER,
	RANK_SIGNAL,
	RANK_TIME,
	RANK_OTHERS,
	RANK_POLL,
	RANK_WORK,
	RANK_RESULT
};

int quiet_rank(const struct wire_thread *wire)
{
	const struct wire_wait_key *key = &wire->open_key;

	if (key->reason == WIRE_REASON_CNT)
		return RANK_NONE;
	if (wire->ticked_ns && key->reason != WIRE_ACCEPT && key->reason != WIRE_POLL)
		return RANK_TICK;
	switch (key->reason) {
	case WIRE_DISK:
	case WIRE_PAGING:
		return RANK_RESULT;
	case WIRE_NETWORK:
		return wire->open_asks ? RANK_RESULT : RANK_OTHERS;
	case WIRE_DEVICE:
		return RANK_OTHERS;
	case WIRE_IPC:
		/* For a notice, or for a signal: watchers and masters do so all their life. */
		if (key->kind == WIRE_KIND_ANON)
			return RANK_EACH_OTHER;
		return key->kind == WIRE_KIND_SYSCALL ? RANK_SIGNAL : RANK_OTHERS;
	case WIRE_ACCEPT:
	case WIRE_TTY:
		return RANK_WORK;
	case WIRE_POLL:
		return RANK_POLL;
	case WIRE_TIMER:
		return RANK_TIME;
	case WIRE_STOPPED:
		return RANK_SIGNAL;
	default:
		return RANK_EACH_OTHER;
	}
}

/* Where work arrives, what was put into the pool is its but for results. A sleep that hasn't ended,
 * and waits for each other, claim nothing. */
static bool may_claim(const struct ebpf_observer *self, int rank)
{
	if (rank == RANK_OTHERS)
		return !self->probes->bss->has_work;
	return rank >= RANK_POLL;
}

/* A quiet stretch that is still open has no wakeup to charge it to: the most telling of the open
 * waits stands for it, and claims the ticks since it began. */
int quiet_charge_open(struct ebpf_observer *self, const struct wire_thread *telling,
		      struct quiet_sums *sums)
{
	struct wire_wait_sum quiet = { .quiet_ns = self->obs.program.quiet_open_ns };
	int64_t left_ns = (int64_t)(sums->ticked_ns - sums->claimed_ns);
	uint64_t claim_ns = telling->open_ticked_ns;

	if (telling->open_key.reason == WIRE_REASON_CNT)
		return 0;
	if (left_ns <= 0 || telling->ticked_ns || !may_claim(self, quiet_rank(telling)))
		claim_ns = 0;
	else if (claim_ns > (uint64_t)left_ns)
		claim_ns = (uint64_t)left_ns;
	if (wire_is_for_work(&telling->open_key)) {
		quiet.ticked_ns = claim_ns;
		sums->ticks_before_work_ns += claim_ns;
	} else {
		quiet.quiet_ns += claim_ns;
		sums->claimed_ns += claim_ns;
	}
	return wait_table_add(&self->waits, &telling->open_key, &quiet);
}

/* A server's loop that looked up now and then, and found nothing. */
static bool is_serving_tick(const struct ebpf_observer *self, const struct wait_row *row)
{
	const uint8_t flags = WIRE_WAIT_EVENT_LOOP | WIRE_WAIT_TIMED_OUT;
	const struct obs_process *process;

	if (!row->sum.ticked_ns || (row->key.flags & flags) != flags)
		return false;
	process = process_tree_get(&self->tree, (pid_t)row->key.tgid);
	return process && process->listening_cnt;
}

/* What goes back to ticks goes to those of servers' loops, if there are any: beside a server at
 * rest helpers that nap mean nothing. Takes the others' from the rows; the sum stays. */
static void prefer_serving_ticks(struct ebpf_observer *self)
{
	double serving_ns = 0, helper_ns = 0;

	for (size_t i = 0; i < self->waits.cnt; i++) {
		const struct wait_row *row = &self->waits.rows[i];

		if (!wire_is_for_work(&row->key))
			*(is_serving_tick(self, row) ? &serving_ns : &helper_ns) +=
				(double)row->sum.ticked_ns;
	}
	for (size_t i = 0; serving_ns > 0 && i < self->waits.cnt; i++) {
		struct wait_row *row = &self->waits.rows[i];

		if (wire_is_for_work(&row->key))
			continue;
		if (is_serving_tick(self, row))
			row->sum.ticked_ns +=
				(uint64_t)(helper_ns * (double)row->sum.ticked_ns / serving_ns);
		else
			row->sum.ticked_ns = 0;
	}
}

/* Stamps of two CPUs may differ by a little, and quiet that a hidden thread turned out to have
 * computed through stays charged to the wakeup that ended it: the largest row gives what all are
 * charged with beyond what there was. */
static void level_rows(struct ebpf_observer *self)
{
	uint64_t sum_ns = 0, excess_ns;
	struct wait_row *largest = NULL;

	for (size_t i = 0; i < self->waits.cnt; i++) {
		struct wait_row *row = &self->waits.rows[i];

		sum_ns += row->sum.quiet_ns;
		if (!largest || row->sum.quiet_ns > largest->sum.quiet_ns)
			largest = row;
	}
	if (sum_ns <= self->obs.program.quiet_ns || !largest)
		return;
	excess_ns = sum_ns - self->obs.program.quiet_ns;
	largest->sum.quiet_ns -=
		excess_ns < largest->sum.quiet_ns ? excess_ns : largest->sum.quiet_ns;
}

/*
 * What nobody took from the pool goes back: to work that arrived, what it put there and the ticks
 * before it; to ticks, the rest of theirs; to each row its part.
 */
void quiet_return_pool(struct ebpf_observer *self, const struct quiet_sums *sums)
{
	double left_ns = (double)(int64_t)(sums->ticked_ns - sums->claimed_ns);
	double ticks_ns = 0, work_ns = 0, ticks_part;

	prefer_serving_ticks(self);
	for (size_t i = 0; i < self->waits.cnt; i++) {
		const struct wait_row *row = &self->waits.rows[i];

		*(wire_is_for_work(&row->key) ? &work_ns : &ticks_ns) += (double)row->sum.ticked_ns;
	}
	ticks_part = ticks_ns > 0 ? 1 - (double)sums->ticks_before_work_ns / ticks_ns : 0;
	if (ticks_part < 0)
		ticks_part = 0;
	if (left_ns < 0 || work_ns + ticks_part * ticks_ns <= 0)
		left_ns = 0;
	else
		left_ns /= work_ns + ticks_part * ticks_ns;
	for (size_t i = 0; i < self->waits.cnt; i++) {
		struct wait_row *row = &self->waits.rows[i];
		double part = wire_is_for_work(&row->key) ? left_ns : left_ns * ticks_part;

		row->sum.quiet_ns += (uint64_t)(part * (double)row->sum.ticked_ns);
	}
	level_rows(self);
}
