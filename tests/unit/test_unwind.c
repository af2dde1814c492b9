/* Stacks against a truth that was told by the program whose stack it is. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "chain.h"
#include "code/address_space.h"
#include "code/code_file.h"
#include "traced_stack.h"
#include "unwind/call_site.h"
#include "unwind/unwind.h"

/* All that a test needs to unwind one process. */
struct world {
	struct code_files *files;
	struct unwinder *unwinder;
	struct address_space space;
	uint64_t addresses[UNWIND_FRAMES_MAX];
	size_t cnt;
	enum unwind_end end;
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->files = code_files_new();
	world->unwinder = unwinder_new(world->files);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	address_space_release(&world->space);
	unwinder_free(world->unwinder);
	code_files_free(world->files);
	free(world);
	return 0;
}

static void unwind_copy(struct world *world, pid_t pid, const struct stack_copy *copy)
{
	if (!world->space.mapping_cnt)
		assert_int_equal(address_space_read(&world->space, world->files, pid), 0);
	world->cnt = unwind(world->unwinder, &world->space, copy, world->addresses,
			    UNWIND_FRAMES_MAX, &world->end);
}

static void take(pid_t pid, struct traced_stack *stack)
{
	int error = traced_stack_take(pid, pid, stack);

	if (error == -EPERM) {
		print_message("SKIPPED: ptrace is not allowed here\n");
		skip();
	}
	assert_int_equal(error, 0);
}

/* Where among the callers the one is that @return_address leads to, or cnt. */
static size_t find(const struct world *world, uint64_t return_address)
{
	size_t i = 1;

	while (i < world->cnt && world->addresses[i] + 1 != return_address)
		i++;
	return i;
}

static void unwind_chain(struct world *world, const char *path, uint64_t returns[CHAIN_RETURNS])
{
	static struct traced_stack stack;
	pid_t pid = chain_start(path, returns);

	take(pid, &stack);
	unwind_copy(world, pid, &stack.copy);
	chain_stop(pid);
}

static void check_chain(struct world *world, const char *path)
{
	uint64_t returns[CHAIN_RETURNS];
	size_t first;

	unwind_chain(world, path, returns);
	first = find(world, returns[0]);
	assert_true(first + CHAIN_RETURNS < world->cnt);
	/* pause() of the C library, perhaps one more, and the innermost function itself. */
	assert_in_range(first, 2, 3);
	for (size_t i = 0; i < CHAIN_RETURNS; i++)
		assert_int_equal(world->addresses[first + i] + 1, returns[i]);
	assert_int_equal(world->end, UNWIND_COMPLETE);
}

static void test_plain(void **state)
{
	check_chain(*state, CHAIN_O0);
}

static void test_optimized(void **state)
{
	check_chain(*state, CHAIN_O2);
}

static void test_fixed_address(void **state)
{
	check_chain(*state, CHAIN_FIXED);
}

static void test_stripped(void **state)
{
	check_chain(*state, CHAIN_STRIPPED);
}

static void test_static(void **state)
{
	check_chain(*state, CHAIN_STATIC);
}

static void test_compressed_debug_frame(void **state)
{
	check_chain(*state, CHAIN_DEBUG);
}

static void test_frame_pointers(void **state)
{
	check_chain(*state, CHAIN_POINTERS);
}

/* Neither tables nor frame pointers: what can't be known isn't made up. */
static void test_nothing_to_go_by(void **state)
{
	struct world *world = *state;
	uint64_t returns[CHAIN_RETURNS];

	unwind_chain(world, CHAIN_NOTHING, returns);
	assert_int_not_equal(world->end, UNWIND_COMPLETE);
	/* Every caller that it names is one; it may miss some. */
	for (size_t i = 3; i < world->cnt; i++) {
		bool is_true = false;

		for (size_t j = 0; j < CHAIN_RETURNS; j++)
			is_true = is_true || world->addresses[i] + 1 == returns[j];
		assert_true(is_true);
	}
}

static void test_deleted_program(void **state)
{
	struct world *world = *state;
	static struct traced_stack stack;
	uint64_t returns[CHAIN_RETURNS];
	char path[] = "/tmp/classify-unwind-XXXXXX", command[8192];
	int fd = mkstemp(path);
	pid_t pid;

	close(fd);
	snprintf(command, sizeof(command), "cp %s %s && chmod +x %s", CHAIN_O2, path, path);
	assert_int_equal(system(command), 0);
	pid = chain_start(path, returns);
	unlink(path);
	take(pid, &stack);
	unwind_copy(world, pid, &stack.copy);
	chain_stop(pid);
	assert_true(find(world, returns[CHAIN_RETURNS - 1]) < world->cnt);
	assert_int_equal(world->end, UNWIND_COMPLETE);
}

/* --- our own stack, as it is at a call --- */

struct own_stack {
	struct world *world;
	uint64_t registers[UNWIND_REGISTER_CNT];
	uint8_t bytes[TRACED_STACK_BYTES];
	struct stack_copy copy;
	uint64_t return_address; /* of the function that the copy was made in */
	uint64_t interrupted;	 /* by a signal */
	size_t byte_cnt_max;
};

static void number_registers(const greg_t *from, uint64_t *to)
{
	static const int order[UNWIND_REGISTER_CNT] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};

	for (size_t i = 0; i < UNWIND_REGISTER_CNT; i++)
		to[i] = (uint64_t)from[order[i]];
}

/* A thread's stack ends where its mapping does. */
static size_t bytes_above(uint64_t address, size_t limit)
{
	unsigned long start, end;
	char line[512];
	size_t cnt = 0;
	FILE *in = fopen("/proc/self/maps", "r");

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && address >= start && address < end)
			cnt = end - address;
	if (in)
		fclose(in);
	return cnt < limit ? cnt : limit;
}

/* Everything below here is still as it was when the registers were. */
static void copy_stack(struct own_stack *own, const greg_t *registers)
{
	number_registers(registers, own->registers);
	own->copy = (struct stack_copy){ .registers = own->registers,
					 .bytes = own->bytes,
					 .byte_cnt = bytes_above(own->registers[7],
								 own->byte_cnt_max) };

	struct iovec here = { .iov_base = own->bytes, .iov_len = own->copy.byte_cnt };
	struct iovec there = { .iov_base = (void *)own->registers[7],
			       .iov_len = own->copy.byte_cnt };

	/* By the kernel: a sanitizer would not let us read what lies between variables. */
	assert_int_equal(process_vm_readv(getpid(), &here, 1, &there, 1, 0), own->copy.byte_cnt);
}

__attribute__((noinline)) static void copy_own(struct own_stack *own)
{
	ucontext_t context;

	own->return_address = (uint64_t)__builtin_return_address(0);
	getcontext(&context);
	copy_stack(own, context.uc_mcontext.gregs);
	unwind_copy(own->world, getpid(), &own->copy);
}

static struct own_stack own;

static void prepare_own(void **state)
{
	own = (struct own_stack){ .world = *state, .byte_cnt_max = TRACED_STACK_BYTES };
}

static void test_own_stack(void **state)
{
	prepare_own(state);
	copy_own(&own);
	assert_int_equal(own.world->end, UNWIND_COMPLETE);
	assert_int_equal(find(own.world, own.return_address), 1);
}

static void *in_thread(void *argument)
{
	copy_own(argument);
	return NULL;
}

static void test_thread(void **state)
{
	pthread_t thread;

	prepare_own(state);
	assert_int_equal(pthread_create(&thread, NULL, in_thread, &own), 0);
	pthread_join(thread, NULL);
	assert_int_equal(own.world->end, UNWIND_COMPLETE);
	/* copy_own, in_thread, the C library's start of threads */
	assert_in_range(own.world->cnt, 3, 5);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	own.interrupted = (uint64_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	copy_own(&own);
}

static void interrupt(int flags)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags };

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
}

/* Through the signal's frame to where it came: there no call is under way. */
static void test_signal(void **state)
{
	size_t i = 0;

	prepare_own(state);
	interrupt(0);
	while (i < own.world->cnt && own.world->addresses[i] != own.interrupted)
		i++;
	assert_true(i < own.world->cnt);
	assert_int_equal(own.world->end, UNWIND_COMPLETE);
}

/* The interrupted function is told; the rest lies on a stack that was not copied. */
static void test_signal_on_its_own_stack(void **state)
{
	stack_t stack = { .ss_sp = malloc(256 << 10), .ss_size = 256 << 10 }, off;

	prepare_own(state);
	assert_int_equal(sigaltstack(&stack, NULL), 0);
	interrupt(SA_ONSTACK);
	off = (stack_t){ .ss_flags = SS_DISABLE };
	sigaltstack(&off, NULL);
	free(stack.ss_sp);
	assert_true(own.world->cnt >= 3);
	assert_int_equal(own.world->addresses[own.world->cnt - 1], own.interrupted);
	assert_int_equal(own.world->end, UNWIND_CUT);
}

static void test_short_copy(void **state)
{
	size_t whole_cnt;

	prepare_own(state);
	copy_own(&own);
	whole_cnt = own.world->cnt;
	for (own.byte_cnt_max = 0; own.byte_cnt_max < 1024; own.byte_cnt_max += 8) {
		copy_own(&own);
		assert_true(own.world->cnt >= 1 && own.world->cnt <= whole_cnt);
		if (own.copy.byte_cnt < 256)
			assert_int_equal(own.world->end, UNWIND_CUT);
	}
}

static void test_small_capacity(void **state)
{
	struct world *world = *state;
	enum unwind_end end;

	prepare_own(state);
	copy_own(&own);
	for (size_t capacity = 0; capacity < world->cnt; capacity++) {
		uint64_t addresses[UNWIND_FRAMES_MAX];

		assert_int_equal(unwind(world->unwinder, &world->space, &own.copy, addresses,
					capacity, &end),
				 capacity);
		assert_int_equal(end, UNWIND_CUT);
		assert_memory_equal(addresses, world->addresses, capacity * sizeof(*addresses));
	}
}

static volatile int recursion_sum;

__attribute__((noinline)) static void recurse(int depth)
{
	if (depth)
		recurse(depth - 1);
	else
		copy_own(&own);
	recursion_sum += depth;
}

static void test_deep_recursion(void **state)
{
	prepare_own(state);
	recurse(400);
	assert_int_equal(own.world->cnt, UNWIND_FRAMES_MAX);
	assert_int_equal(own.world->end, UNWIND_CUT);
}

/* Code that was compiled as it ran: no file, no tables, a frame pointer. */
static void test_code_in_memory(void **state)
{
	static const uint8_t code[] = { 0x55,		  /* push %rbp */
					0x48, 0x89, 0xe5, /* mov %rsp,%rbp */
					0xff, 0xd6,	  /* call *%rsi */
					0x5d,		  /* pop %rbp */
					0xc3 };		  /* ret */
	uint8_t *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*call)(struct own_stack *, void (*)(struct own_stack *)) = (void *)memory;

	prepare_own(state);
	memcpy(memory, code, sizeof(code));
	call(&own, copy_own);
	munmap(memory, 4096);
	assert_int_equal(own.world->addresses[1], (uint64_t)memory + 5);
	assert_true(own.world->cnt >= 4);
	assert_int_equal(own.world->end, UNWIND_COMPLETE);
}

static void test_calls_are_told_from_other_code(void **state)
{
	static const struct {
		const char *bytes;
		size_t byte_cnt;
		bool is_call;
	} codes[] = {
		{ "\xe8\x01\x02\x03\x04", 5, true },
		{ "\xff\xd0", 2, true },		     /* *%rax */
		{ "\x41\xff\xd4", 3, true },		     /* *%r12 */
		{ "\xff\x10", 2, true },		     /* *(%rax) */
		{ "\xff\x14\xd0", 3, true },		     /* *(%rax,%rdx,8) */
		{ "\xff\x50\x08", 3, true },		     /* *8(%rax) */
		{ "\xff\x54\x24\x08", 4, true },	     /* *8(%rsp) */
		{ "\xff\x90\x01\x02\x03\x04", 6, true },     /* *N(%rax) */
		{ "\xff\x15\x01\x02\x03\x04", 6, true },     /* *N(%rip) */
		{ "\xff\x14\xc5\x01\x02\x03\x04", 7, true }, /* *N(,%rax,8) */
		{ "\xff\x94\x24\x01\x02\x03\x04", 7, true }, /* *N(%rsp) */
		{ "\xff\xe0", 2, false },		     /* jmp *%rax */
		{ "\xff\x25\x01\x02\x03\x04", 6, false },    /* jmp *N(%rip) */
		{ "\x90\x90\x90\x90\x90\x90\x90", 7, false },
		{ "\xe8", 1, false },
		{ "", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		assert_int_equal(
			call_site_is_call((const uint8_t *)codes[i].bytes, codes[i].byte_cnt),
			codes[i].is_call);
}

static void test_nowhere(void **state)
{
	struct world *world = *state;
	uint64_t registers[UNWIND_REGISTER_CNT] = { [16] = 0x10 };
	struct stack_copy copy = { .registers = registers };

	unwind_copy(world, getpid(), &copy);
	assert_int_equal(world->cnt, 1);
	assert_int_equal(world->addresses[0], 0x10);
	assert_int_equal(world->end, UNWIND_UNMAPPED);
}

/* Frame pointers that lead in a circle, backwards, or out. */
static void test_false_frame_pointers(void **state)
{
	struct world *world = *state;
	uint64_t words[64], registers[UNWIND_REGISTER_CNT] = { 0 }, start = 0x7fff00000000;
	uint8_t *memory =
		mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stack_copy copy = { .registers = registers,
				   .bytes = (const uint8_t *)words,
				   .byte_cnt = sizeof(words) };
	static const uint64_t saved[] = { 0, 8, 16, 4, 1 << 20, UINT64_MAX, 504, 496 };

	registers[7] = start;
	registers[16] = (uint64_t)memory;
	for (size_t i = 0; i < sizeof(saved) / sizeof(saved[0]); i++) {
		for (size_t j = 0; j < 64; j++)
			words[j] = j % 2 ? (uint64_t)memory + 1 : start + saved[i];
		registers[6] = start + 16;
		unwind_copy(world, getpid(), &copy);
		assert_in_range(world->cnt, 1, 32);
		assert_int_equal(world->end, UNWIND_NO_RULE);
	}
	munmap(memory, 4096);
}

/* Code is being added all the time: that a caller isn't mapped may no longer be true. */
static void test_callers_that_are_not_mapped_yet(void **state)
{
	struct world *world = *state;
	uint64_t words[4], registers[UNWIND_REGISTER_CNT] = { 0 }, start = 0x7fff00000000;
	uint8_t *memory =
		mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stack_copy copy = { .registers = registers,
				   .bytes = (const uint8_t *)words,
				   .byte_cnt = sizeof(words) };

	registers[6] = registers[7] = start;
	registers[16] = (uint64_t)memory;
	words[0] = start + 16;
	words[1] = 0x20;
	unwind_copy(world, getpid(), &copy);
	assert_int_equal(world->cnt, 1);
	assert_int_equal(world->end, UNWIND_UNMAPPED);
	words[1] = UINT64_MAX; /* which no program has */
	unwind_copy(world, getpid(), &copy);
	assert_int_equal(world->end, UNWIND_NO_RULE);
	munmap(memory, 4096);
}

static void *spin_for_clock(void *argument)
{
	volatile bool *is_over = argument;
	struct timespec now;

	while (!*is_over)
		clock_gettime(CLOCK_MONOTONIC, &now);
	return NULL;
}

/* The signal comes to a thread that asks for the time, until it comes inside the vDSO. */
static bool is_in_vdso(const struct world *world, uint64_t address)
{
	const struct code_mapping *mapping = address_space_find(&world->space, address);

	return mapping && mapping->file && !strcmp(mapping->file->path, "[vdso]");
}

static volatile int handled_cnt;

static void on_profile(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	copy_stack(&own, ((ucontext_t *)context)->uc_mcontext.gregs);
	handled_cnt++;
}

static void test_vdso(void **state)
{
	struct sigaction action = { .sa_sigaction = on_profile, .sa_flags = SA_SIGINFO };
	struct world *world = *state;
	volatile bool is_over = false;
	pthread_t thread;
	int try_cnt = 0;

	prepare_own(state);
	sigaction(SIGUSR2, &action, NULL);
	pthread_create(&thread, NULL, spin_for_clock, (void *)&is_over);
	do {
		int before = handled_cnt;

		pthread_kill(thread, SIGUSR2);
		while (handled_cnt == before)
			sched_yield();
		unwind_copy(world, getpid(), &own.copy);
		assert_int_equal(world->end, UNWIND_COMPLETE);
		assert_true(++try_cnt < 10000);
	} while (!is_in_vdso(world, own.registers[16]));
	is_over = true;
	pthread_join(thread, NULL);
	signal(SIGUSR2, SIG_DFL);
	assert_in_range(world->cnt, 3, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain),
		TEST(optimized),
		TEST(fixed_address),
		TEST(stripped),
		TEST(static),
		TEST(compressed_debug_frame),
		TEST(frame_pointers),
		TEST(nothing_to_go_by),
		TEST(deleted_program),
		TEST(own_stack),
		TEST(thread),
		TEST(signal),
		TEST(signal_on_its_own_stack),
		TEST(short_copy),
		TEST(small_capacity),
		TEST(deep_recursion),
		TEST(code_in_memory),
		TEST(calls_are_told_from_other_code),
		TEST(nowhere),
		TEST(false_frame_pointers),
		TEST(callers_that_are_not_mapped_yet),
		TEST(vdso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
