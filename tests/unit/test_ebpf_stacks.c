/* The copies of stacks that the probes send, seen live: of samples, of waits chosen by chance, and
 * of threads that are told of while they wait. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/futex.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf/session.h"
#include "ebpf/stacks.h"
#include "ebpf_live.h"
#include "probe.skel.h"

#define SAMPLE_HZ 997
#define NS_PER_MS 1000000ull
#define CROWD_CNT 200

/* What a function of the program puts on its stack, so that a copy can be known by it. */
#define MARK_COMPUTING 0x636f6d7075746531ull
#define MARK_SHORT     0x73686f7274207731ull
#define MARK_LONG      0x6c6f6e6720776131ull

/* Everything that came through the ring buffer, in order. */
struct heard {
	struct wire_stack **stacks;
	size_t stack_cnt;
	struct wire_stack_wait_end *ends;
	size_t end_cnt;
};

static void *grow(void *array, size_t cnt, size_t item_bytes)
{
	void *grown = realloc(array, (cnt + 1) * item_bytes);

	assert_non_null(grown);
	return grown;
}

static int on_stack(void *context, void *data, size_t size)
{
	struct heard *heard = context;
	const struct wire_stack *stack = data;

	if (stack->owner.type == WIRE_STACK_WAIT_END) {
		assert_int_equal(size, sizeof(struct wire_stack_wait_end));
		heard->ends = grow(heard->ends, heard->end_cnt, sizeof(*heard->ends));
		memcpy(&heard->ends[heard->end_cnt++], data, size);
		return 0;
	}
	/* The kernel rounds sizes up to a multiple of 8, but keeps them as they were. */
	assert_int_equal(size, offsetof(struct wire_stack, stack) + stack->stack_bytes);
	heard->stacks = grow(heard->stacks, heard->stack_cnt, sizeof(*heard->stacks));
	heard->stacks[heard->stack_cnt] = malloc(size);
	assert_non_null(heard->stacks[heard->stack_cnt]);
	memcpy(heard->stacks[heard->stack_cnt++], data, size);
	return 0;
}

static struct probe_bpf *probes_of(const struct live *live)
{
	return from_observer(live->observer)->probes;
}

/* Takes in what is in the ring buffer now. */
static void hear(const struct live *live, struct heard *heard)
{
	struct ring_buffer *ring =
		ring_buffer__new(bpf_map__fd(probes_of(live)->maps.stacks), on_stack, heard, NULL);

	assert_non_null(ring);
	assert_true(ring_buffer__consume(ring) >= 0);
	ring_buffer__free(ring);
	assert_int_equal(probes_of(live)->bss->losses[WIRE_LOST_STACK], 0);
}

static void heard_release(struct heard *heard)
{
	for (size_t i = 0; i < heard->stack_cnt; i++)
		free(heard->stacks[i]);
	free(heard->stacks);
	free(heard->ends);
}

static void watch(struct live *live, int (*program)(void *), void *arg)
{
	static const struct observer_options options = { .follow_children = true,
							 .sample_hz = SAMPLE_HZ,
							 .takes_stacks = true };

	live_prepare(live, &options, program, arg);
	stacks_end(from_observer(live->observer)); /* the test reads them instead */
	live_release(live);
}

/* Runs @program to its end, and hears what came of it. */
static void watch_all(struct live *live, int (*program)(void *), void *arg, struct heard *heard)
{
	watch(live, program, arg);
	live_wait(live);
	hear(live, heard);
	live_finish(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

static bool stack_has(const struct wire_stack *stack, uint64_t mark)
{
	for (size_t i = 0; i + sizeof(mark) <= stack->stack_bytes; i += sizeof(mark))
		if (!memcmp(stack->stack + i, &mark, sizeof(mark)))
			return true;
	return false;
}

/* The end of the wait that @stack was taken of; NULL if it has none. */
static const struct wire_stack_wait_end *end_of(const struct heard *heard,
						const struct wire_stack *stack)
{
	for (size_t i = 0; i < heard->end_cnt; i++)
		if (heard->ends[i].owner.tid == stack->owner.tid &&
		    heard->ends[i].owner.wait_number == stack->owner.wait_number)
			return &heard->ends[i];
	return NULL;
}

/* Whether our child @pid has yet to end. */
static bool is_running(pid_t pid)
{
	siginfo_t ended = { 0 };

	assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
	return !ended.si_pid;
}

/* --- programs --- */

static uint64_t cpu_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

__attribute__((noinline)) static void compute_marked(uint64_t for_ns)
{
	volatile uint64_t mark = MARK_COMPUTING;
	uint64_t until_ns = cpu_now_ns() + for_ns;
	volatile uint64_t sum = 0;

	while (cpu_now_ns() < until_ns)
		for (int i = 0; i < 10000; i++)
			sum += mark;
	(void)sum;
}

static int compute(void *arg)
{
	compute_marked(*(const uint64_t *)arg);
	return 0;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u),
			       .tv_nsec = (long)(ns % 1000000000u) };

	nanosleep(&ts, NULL);
}

__attribute__((noinline)) static void sleep_marked(uint64_t ns)
{
	volatile uint64_t mark = MARK_SHORT;

	sleep_ns(ns);
	assert_true(mark);
}

/* Waits too, but on a futex. */
__attribute__((noinline)) static void wait_marked(uint64_t ns)
{
	volatile uint64_t mark = MARK_LONG;
	struct timespec ts = { .tv_nsec = (long)ns };
	uint32_t word = 0;

	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0);
	assert_true(mark);
}

static int sleep_again_and_again(void *arg)
{
	(void)arg;
	for (int i = 0; i < 30; i++)
		sleep_ns(20 * NS_PER_MS);
	return 0;
}

static int alternate(void *arg)
{
	uint64_t until_ns = live_now_ns() + *(const uint64_t *)arg;

	while (live_now_ns() < until_ns) {
		sleep_marked(NS_PER_MS);
		wait_marked(9 * NS_PER_MS);
	}
	return 0;
}

static void *sleep_until(void *until_ns)
{
	while (live_now_ns() < *(const uint64_t *)until_ns)
		sleep_ns(NS_PER_MS);
	return NULL;
}

/* So many that, each choosing at its leisure, they would choose twenty times what is taken. */
static int crowd(void *arg)
{
	uint64_t until_ns = live_now_ns() + *(const uint64_t *)arg;
	pthread_t threads[CROWD_CNT];

	for (int i = 0; i < CROWD_CNT; i++)
		if (pthread_create(&threads[i], NULL, sleep_until, &until_ns))
			return 1;
	for (int i = 0; i < CROWD_CNT; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static int sleep_and_exec(void *arg)
{
	(void)arg;
	sleep_ns(NS_PER_MS);
	execl("/bin/sleep", "sleep", "0.01", NULL);
	return 1;
}

/* --- samples --- */

static void samples_are_of_the_code_that_runs(void **state)
{
	struct live *live = *state;
	struct heard heard = { 0 };
	uint64_t cpu_ns = 200 * NS_PER_MS;
	size_t marked_cnt = 0, sample_cnt = 0;

	watch_all(live, compute, &cpu_ns, &heard);
	for (size_t i = 0; i < heard.stack_cnt; i++) {
		const struct wire_stack *stack = heard.stacks[i];

		if (stack->owner.type != WIRE_STACK_SAMPLE)
			continue;
		sample_cnt++;
		marked_cnt += stack_has(stack, MARK_COMPUTING);
		assert_int_equal(stack->owner.address_space, heard.stacks[0]->owner.address_space);
		assert_in_range(stack->owner.time_ns, heard.stacks[0]->owner.time_ns,
				live_now_ns());
		assert_int_equal(stack->gil_state, WIRE_GIL_UNKNOWN);
		assert_int_equal(stack->thread_pointer, heard.stacks[0]->thread_pointer);
	}
	print_message("%zu samples, %zu of them with the mark\n", sample_cnt, marked_cnt);
	assert_true(sample_cnt >= 50);
	assert_true(marked_cnt * 100 >= sample_cnt * 95);
	heard_release(&heard);
}

/* --- waits --- */

/* Where the kernel's function @name begins and the next one does; both 0 if it isn't told. */
static void find_kernel_function(const char *name, uint64_t *begin, uint64_t *end)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long address;
	char found[128];

	*begin = *end = 0;
	assert_non_null(file);
	while (fscanf(file, "%llx %*c %127s%*[^\n]", &address, found) == 2) {
		if (!strcmp(found, name))
			*begin = address;
		else if (*begin && address > *begin && (!*end || address < *end))
			*end = address;
	}
	fclose(file);
}

static void the_kernel_s_frames_begin_in_the_scheduler(void **state)
{
	struct live *live = *state;
	struct heard heard = { 0 };
	uint64_t begin, end;

	find_kernel_function("schedule", &begin, &end);
	if (!begin)
		skip();
	watch_all(live, sleep_again_and_again, NULL, &heard);
	for (size_t i = 0; i < heard.stack_cnt; i++) {
		const uint64_t *frames = heard.stacks[i]->kernel;

		if (heard.stacks[i]->owner.type != WIRE_STACK_WAIT)
			continue;
		assert_true(heard.stacks[i]->kernel_cnt > 3);
		assert_true((frames[0] >= begin && frames[0] < end) ||
			    (frames[1] >= begin && frames[1] < end));
	}
	heard_release(&heard);
}

static void each_of_few_waits_is_told_with_its_end(void **state)
{
	struct live *live = *state;
	struct heard heard = { 0 };
	uint32_t last_number = 0;
	size_t wait_cnt = 0;

	watch_all(live, sleep_again_and_again, NULL, &heard);
	for (size_t i = 0; i < heard.stack_cnt; i++) {
		const struct wire_stack *stack = heard.stacks[i];
		const struct wire_stack_wait_end *end = end_of(&heard, stack);

		if (stack->owner.type != WIRE_STACK_WAIT)
			continue;
		assert_non_null(end);
		if (end->key.reason != WIRE_TIMER)
			continue;
		wait_cnt++;
		assert_true(stack->owner.wait_number > last_number);
		last_number = stack->owner.wait_number;
		/* It may have been off the CPU for a moment before it slept. */
		assert_true(end->wait_ns >= 19 * NS_PER_MS);
		assert_in_range(end->owner.time_ns - stack->owner.time_ns, 10 * NS_PER_MS,
				end->wait_ns);
		assert_int_equal(end->stands_for, 1);
		assert_int_equal(end->was_chosen, 1);
		assert_int_equal(end->owner.address_space, stack->owner.address_space);
		assert_true(stack->kernel_cnt > 0);
	}
	assert_int_equal(wait_cnt, 30);
	heard_release(&heard);
}

/* A chooser that went by the clock would mostly take the wait that follows the long one. */
static void waits_are_chosen_whatever_their_length(void **state)
{
	struct live *live = *state;
	struct heard heard = { 0 };
	uint64_t for_ns = 3000 * NS_PER_MS, short_ns = 0, long_ns = 0, true_short_ns, true_long_ns;
	double share, true_share;

	watch_all(live, alternate, &for_ns, &heard);
	for (size_t i = 0; i < heard.stack_cnt; i++) {
		const struct wire_stack *stack = heard.stacks[i];
		const struct wire_stack_wait_end *end = end_of(&heard, stack);

		if (stack->owner.type != WIRE_STACK_WAIT)
			continue;
		assert_non_null(end);
		if (stack_has(stack, MARK_SHORT))
			short_ns += end->wait_ns * end->stands_for;
		else if (stack_has(stack, MARK_LONG))
			long_ns += end->wait_ns * end->stands_for;
	}
	true_short_ns = live_wait_ns(live, WAIT_TIMER);
	true_long_ns = live_wait_ns(live, WAIT_LOCK) + live_wait_ns(live, WAIT_SYNC);
	share = (double)short_ns / (double)(short_ns + long_ns);
	true_share = (double)true_short_ns / (double)(true_short_ns + true_long_ns);
	print_message("%.1f%% and %.1f s in all; in truth %.1f%% and %.1f s\n", 100 * share,
		      (double)(short_ns + long_ns) / 1e9, 100 * true_share,
		      (double)(true_short_ns + true_long_ns) / 1e9);
	assert_true(share > true_share - 0.06 && share < true_share + 0.06);
	heard_release(&heard);
}

/* A crowd's waits are thinned, and each that is taken stands for more. */
static void a_crowd_s_waits_are_taken_within_a_budget(void **state)
{
	struct live *live = *state;
	struct heard heard = { 0 };
	uint64_t for_ns = 1000 * NS_PER_MS, wait_ns = 0, true_ns = 0, copy_cnt = 0;
	long cpu_cnt = sysconf(_SC_NPROCESSORS_ONLN);

	watch(live, crowd, &for_ns);
	while (is_running(live->pid)) {
		live_run_for(live, 50 * NS_PER_MS);
		hear(live, &heard);
	}
	live_wait(live);
	hear(live, &heard);
	live_finish(live);
	for (size_t i = 0; i < heard.stack_cnt; i++)
		copy_cnt += heard.stacks[i]->owner.type == WIRE_STACK_WAIT;
	for (size_t i = 0; i < heard.end_cnt; i++)
		if (heard.ends[i].key.reason == WIRE_TIMER)
			wait_ns += heard.ends[i].wait_ns * heard.ends[i].stands_for;
	true_ns = live_wait_ns(live, WAIT_TIMER);
	print_message("%lu copies in %.1f s; %.1f s, in truth %.1f s\n", copy_cnt,
		      (double)live->obs.duration_ns / 1e9, (double)wait_ns / 1e9,
		      (double)true_ns / 1e9);
	/* Twice the budget, which is 500 a second on each CPU. */
	assert_true((double)copy_cnt <
		    1000.0 * (double)cpu_cnt * ((double)live->obs.duration_ns / 1e9 + 0.1));
	assert_true(fabs((double)wait_ns / (double)true_ns - 1) < 0.4);
	heard_release(&heard);
}

static void exec_makes_another_address_space(void **state)
{
	struct live *live = *state;
	struct heard heard = { 0 };
	uint64_t space;
	size_t changes = 0;

	watch_all(live, sleep_and_exec, NULL, &heard);
	assert_true(heard.stack_cnt > 0);
	space = heard.stacks[0]->owner.address_space;
	for (size_t i = 0; i < heard.stack_cnt; i++) {
		assert_int_equal(heard.stacks[i]->owner.tgid, heard.stacks[0]->owner.tgid);
		changes += heard.stacks[i]->owner.address_space != space;
		space = heard.stacks[i]->owner.address_space;
	}
	assert_int_equal(changes, 1);
	heard_release(&heard);
}

/* --- threads that wait --- */

/* Runs the iterator. Returns how many it told of, at most @capacity. */
static size_t look_at_waiting(const struct live *live, struct wire_waiting *waiting,
			      size_t capacity)
{
	int fd = bpf_iter_create(bpf_link__fd(probes_of(live)->links.tell_waiting));
	size_t used = 0;
	ssize_t got;

	assert_true(fd >= 0);
	do {
		got = read(fd, (char *)waiting + used, capacity * sizeof(*waiting) - used);
		used += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
	assert_int_equal(got, 0);
	close(fd);
	assert_int_equal(used % sizeof(*waiting), 0);
	return used / sizeof(*waiting);
}

static int read_once(void *arg)
{
	char byte;

	return read(((const int *)arg)[0], &byte, 1) != 1;
}

/* Its wait began before the observation, and couldn't be chosen. */
static void a_thread_that_waits_is_told_of_once(void **state)
{
	struct live *live = *state;
	struct wire_waiting waiting[8];
	struct wire_look *look;
	struct heard heard = { 0 };
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	live_attach_with(live, &(struct observer_options){ .takes_stacks = true }, read_once,
			 pipe_fds, SYS_read, 1);
	stacks_end(from_observer(live->observer));
	look = &probes_of(live)->bss->look;
	look->chance = UINT32_MAX;
	look->blocked_ns = 1000000 * NS_PER_MS;
	look->left_cnt = 8;
	assert_int_equal(look_at_waiting(live, waiting, 8), 0);
	look->blocked_ns = NS_PER_MS;
	live_run_for(live, 2 * NS_PER_MS);
	assert_int_equal(look_at_waiting(live, waiting, 8), 1);
	assert_int_equal(waiting[0].owner.tgid, live->pid);
	assert_int_equal(waiting[0].owner.type, WIRE_STACK_WAITING);
	assert_int_equal(waiting[0].key.reason, WIRE_IPC);
	assert_in_range(waiting[0].registers[WIRE_REGISTER_SP], 1, waiting[0].stack_end);
	assert_int_equal(look->left_cnt, 7);
	assert_int_equal(look->found_cnt, 1);
	assert_int_equal(look_at_waiting(live, waiting, 8), 0);
	look->is_last = 1;
	assert_int_equal(look_at_waiting(live, waiting, 8), 1);
	assert_int_equal(write(pipe_fds[1], "", 1), 1);
	live_wait(live);
	hear(live, &heard);
	assert_int_equal(heard.end_cnt, 1);
	assert_int_equal(heard.ends[0].owner.wait_number, waiting[0].owner.wait_number);
	assert_int_equal(heard.ends[0].owner.address_space, waiting[0].owner.address_space);
	assert_int_equal(heard.ends[0].wait_ns, heard.ends[0].owner.time_ns - waiting[0].since_ns);
	assert_int_equal(heard.ends[0].was_chosen, 0);
	assert_int_equal(heard.ends[0].stands_for, 0);
	heard_release(&heard);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	live_finish(live);
}

static void nothing_is_taken_unless_asked_for(void **state)
{
	static const struct observer_options options = { .sample_hz = SAMPLE_HZ };
	struct live *live = *state;
	struct heard heard = { 0 };
	uint64_t cpu_ns = 20 * NS_PER_MS;

	live_prepare(live, &options, compute, &cpu_ns);
	live_release(live);
	live_wait(live);
	hear(live, &heard);
	assert_int_equal(heard.stack_cnt + heard.end_cnt, 0);
	assert_null(probes_of(live)->links.tell_waiting);
	live_finish(live);
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(samples_are_of_the_code_that_runs),
		LIVE_TEST(each_of_few_waits_is_told_with_its_end),
		LIVE_TEST(the_kernel_s_frames_begin_in_the_scheduler),
		LIVE_TEST(waits_are_chosen_whatever_their_length),
		LIVE_TEST(a_crowd_s_waits_are_taken_within_a_budget),
		LIVE_TEST(exec_makes_another_address_space),
		LIVE_TEST(a_thread_that_waits_is_told_of_once),
		LIVE_TEST(nothing_is_taken_unless_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
