/* What surrounds the tree: the memory of its processes, the CPU time of its servers and of others,
 * with programs of the test's own that take a known amount. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "cpu_others.h"
#include "far_end_cpu.h"
#include "memory_watch.h"
#include "observation/observation.h"

#define MS_NS  1000000ull
#define BIG    (100ull << 20)
#define TICKS2 (20 * MS_NS)

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void burn(uint64_t cpu_ns)
{
	uint64_t until_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < until_ns)
		;
}

/* --- programs that take orders, one byte each, and answer when they are done --- */

struct program {
	pid_t pid;
	int order[2], answer[2];
};

static void *burn_as_thread(void *cpu_ns)
{
	burn(*(uint64_t *)cpu_ns);
	return NULL;
}

static void burn_in_threads(uint64_t cpu_ns, int cnt)
{
	pthread_t threads[8];

	for (int i = 0; i < cnt; i++)
		pthread_create(&threads[i], NULL, burn_as_thread, &cpu_ns);
	for (int i = 0; i < cnt; i++)
		pthread_join(threads[i], NULL);
}

static pid_t fork_burner(uint64_t cpu_ns, bool stays)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it was too late to ask for that */
		_exit(0);
	burn(cpu_ns);
	if (stays)
		pause();
	_exit(0);
}

static char *big;

static void take_memory(void)
{
	big = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(big, 1, BIG);
}

static void obey(char order)
{
	switch (order) {
	case 'b': /* burn 100 ms */
		burn(100 * MS_NS);
		break;
	case 't': /* 60 ms in each of three threads */
		burn_in_threads(60 * MS_NS, 3);
		break;
	case 'c': /* 100 ms in a child that is waited for */
		waitpid(fork_burner(100 * MS_NS, false), NULL, 0);
		break;
	case 'i': /* 100 ms in a child that nobody waits for */
		signal(SIGCHLD, SIG_IGN);
		fork_burner(100 * MS_NS, false);
		break;
	case 's': /* 100 ms in a child that stays */
		fork_burner(100 * MS_NS, true);
		break;
	case 'w': /* for any child */
		waitpid(-1, NULL, 0);
		break;
	case 'm':
		take_memory();
		break;
	}
}

static struct program program_start(void)
{
	struct program program;
	char order;

	assert_int_equal(pipe(program.order), 0);
	assert_int_equal(pipe(program.answer), 0);
	program.pid = fork();
	if (program.pid)
		return program;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(program.order[1]);
	while (read(program.order[0], &order, 1) == 1) {
		obey(order);
		if (write(program.answer[1], "", 1) != 1)
			break;
	}
	_exit(0);
}

static void program_order(const struct program *program, char order)
{
	char done;

	assert_int_equal(write(program->order[1], &order, 1), 1);
	assert_int_equal(read(program->answer[0], &done, 1), 1);
}

static void program_stop(struct program *program)
{
	kill(program->pid, SIGKILL);
	waitpid(program->pid, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(program->order[i]);
		close(program->answer[i]);
	}
}

/* --- servers --- */

struct fixture {
	struct observation obs;
	struct servers servers;
	struct program program;
};

static int setup(void **state)
{
	static struct fixture fixture;

	observation_init(&fixture.obs);
	servers_init(&fixture.servers, &fixture.obs);
	fixture.program = program_start();
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	servers_release(&fixture->servers);
	observation_release(&fixture->obs);
	program_stop(&fixture->program);
	return 0;
}

static const struct obs_far_end *account(struct fixture *fixture)
{
	servers_look(&fixture->servers, 1000 * MS_NS, true);
	assert_int_equal(servers_book(&fixture->servers, &fixture->obs), 0);
	return fixture->obs.far_end_cnt ? &fixture->obs.far_ends[0] : NULL;
}

static void assert_took(const struct obs_far_end *row, uint64_t cpu_ns)
{
	uint64_t slack_ns = cpu_ns / 10 > TICKS2 ? cpu_ns / 10 : TICKS2;

	assert_non_null(row);
	assert_in_range(row->cpu_ns + slack_ns, cpu_ns, cpu_ns + 2 * slack_ns);
}

static void begin_account(struct fixture *fixture)
{
	servers_add(&fixture->servers, fixture->program.pid, "server[1]", 500 * MS_NS);
}

static void server_is_charged_from_its_discovery_on(void **state)
{
	struct fixture *fixture = *state;
	const struct obs_far_end *row;

	program_order(&fixture->program, 'b');
	begin_account(fixture);
	program_order(&fixture->program, 'b');
	row = account(fixture);
	assert_took(row, 100 * MS_NS);
	assert_string_equal(row->name, "server[1]");
	assert_int_equal(row->since_ns, 500 * MS_NS);
	assert_int_equal(row->thread_cnt, 1);
	assert_true(row->is_one_thread);
}

static void children_are_charged_dead_or_alive(void **state)
{
	struct fixture *fixture = *state;

	program_order(&fixture->program, 'c'); /* before: not to be counted */
	begin_account(fixture);
	program_order(&fixture->program, 'c');
	program_order(&fixture->program, 'c');
	assert_took(account(fixture), 200 * MS_NS);
	assert_false(fixture->obs.far_ends[0].is_one_thread);
}

static void wait_until_burnt(const struct fixture *fixture, uint64_t cpu_ns)
{
	uint64_t deadline_ns = clock_ns(CLOCK_MONOTONIC) + 20000 * MS_NS, took_ns = 0;
	struct observation obs;

	while (took_ns < cpu_ns && clock_ns(CLOCK_MONOTONIC) < deadline_ns) {
		observation_init(&obs);
		servers_look((struct servers *)&fixture->servers, 0, true);
		assert_int_equal(servers_book(&fixture->servers, &obs), 0);
		took_ns = obs.far_end_cnt ? obs.far_ends[0].cpu_ns : 0;
		observation_release(&obs);
		usleep(1000);
	}
	assert_true(took_ns >= cpu_ns);
}

static void a_child_that_stays_is_charged(void **state)
{
	struct fixture *fixture = *state;

	begin_account(fixture);
	program_order(&fixture->program, 's');
	wait_until_burnt(fixture, 99 * MS_NS);
	assert_took(account(fixture), 100 * MS_NS);
}

static void a_child_that_nobody_waits_for_is_charged(void **state)
{
	struct fixture *fixture = *state;

	begin_account(fixture);
	program_order(&fixture->program, 'i');
	wait_until_burnt(fixture, 80 * MS_NS);
	assert_took(account(fixture), 100 * MS_NS);
}

/* The only child of the fixture's program. */
static pid_t child_of(const struct fixture *fixture)
{
	pid_t pid = fixture->program.pid;
	char path[64], text[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *in = fopen(path, "r");

	if (!in)
		skip(); /* the kernel doesn't list children */
	assert_non_null(fgets(text, sizeof(text), in));
	fclose(in);
	return (pid_t)atoi(text);
}

/* What a child took before the server was found is in its parent's account once it is dead. */
static void a_child_from_before_is_not_charged_with_its_past(void **state)
{
	struct fixture *fixture = *state;
	uint64_t took_ns = 0;
	clockid_t clock;
	pid_t child;

	program_order(&fixture->program, 's');
	child = child_of(fixture);
	while (took_ns < 100 * MS_NS && !clock_getcpuclockid(child, &clock)) {
		took_ns = clock_ns(clock);
		usleep(1000);
	}
	begin_account(fixture);
	assert_took(account(fixture), 0);
	kill(child, SIGKILL);
	program_order(&fixture->program, 'w');
	servers_look(&fixture->servers, 2000 * MS_NS, true);
	observation_release(&fixture->obs);
	observation_init(&fixture->obs);
	assert_took(account(fixture), 0);
}

static void threads_that_ran_are_counted(void **state)
{
	struct fixture *fixture = *state;

	char done;

	begin_account(fixture);
	assert_int_equal(fixture->servers.servers[0].thread_peak, 0);
	assert_int_equal(write(fixture->program.order[1], "t", 1), 1);
	wait_until_burnt(fixture, 100 * MS_NS); /* while they run */
	assert_int_equal(read(fixture->program.answer[0], &done, 1), 1);
	assert_int_equal(fixture->servers.servers[0].thread_peak, 3);
	assert_took(account(fixture), 180 * MS_NS);
	assert_false(fixture->obs.far_ends[0].is_one_thread);
}

static void what_belongs_to_the_tree_has_no_account(void **state)
{
	struct fixture *fixture = *state;

	observation_add_process(&fixture->obs)->pid = fixture->program.pid;
	begin_account(fixture);
	assert_null(account(fixture));
	servers_add(&fixture->servers, 1, "systemd[1]", 0);
	assert_null(account(fixture));
}

static void a_server_that_has_ended_keeps_its_account(void **state)
{
	struct fixture *fixture = *state;

	begin_account(fixture);
	program_order(&fixture->program, 'b');
	servers_look(&fixture->servers, 700 * MS_NS, false);
	kill(fixture->program.pid, SIGKILL);
	waitpid(fixture->program.pid, NULL, 0);
	assert_took(account(fixture), 100 * MS_NS);
}

/* --- memory --- */

static struct obs_process *watched(struct fixture *fixture, pid_t pid)
{
	struct obs_process *process = observation_add_process(&fixture->obs);

	process->pid = pid;
	process->exe = "program";
	return process;
}

static void private_memory_is_seen(void **state)
{
	struct fixture *fixture = *state;
	struct obs_process *process = watched(fixture, fixture->program.pid);

	program_order(&fixture->program, 'm');
	assert_int_equal(memory_read_pages(process->pid, process), 0);
	assert_in_range(process->private_bytes, BIG, BIG + (8 << 20));
	assert_in_range(process->pss_bytes, process->private_bytes, BIG + (12 << 20));
}

static void memory_shared_by_a_fork_is_shared_out(void **state)
{
	struct fixture *fixture = *state;
	struct obs_process *process = watched(fixture, 0);

	program_order(&fixture->program, 'm');
	program_order(&fixture->program, 's');
	process->pid = child_of(fixture);
	assert_int_equal(memory_read_pages(process->pid, process), 0);
	assert_true(process->private_bytes < BIG / 10);
	assert_in_range(process->pss_bytes, BIG / 2, BIG / 2 + (8 << 20));
	/* What is told without looking at pages can't know that. */
	assert_int_equal(memory_read_estimate(process->pid, process), 0);
	assert_true(process->private_bytes >= BIG);
}

static void memory_is_looked_at_now_and_then(void **state)
{
	struct fixture *fixture = *state;
	struct obs_process *process = watched(fixture, fixture->program.pid);
	struct memory_watch watch;
	uint64_t small_bytes;

	memory_watch_init(&watch, &fixture->obs);
	memory_watch_look(&watch, 0);
	assert_int_equal(process->pss_bytes, 0);
	memory_watch_look(&watch, 50 * MS_NS);
	small_bytes = process->pss_bytes;
	assert_in_range(small_bytes, 1, 20 << 20);
	program_order(&fixture->program, 'm');
	memory_watch_look(&watch, 150 * MS_NS);
	assert_int_equal(process->pss_bytes, small_bytes);
	memory_watch_look(&watch, 200 * MS_NS);
	assert_true(process->pss_bytes > BIG);
	process->exe = "another";
	memory_watch_look(&watch, 300 * MS_NS);
	assert_int_equal(process->pss_bytes, 0);
	memory_watch_look(&watch, 350 * MS_NS);
	assert_true(process->pss_bytes > BIG);
	memory_watch_release(&watch);
}

/* Ten thousand processes: each has its turn, and a look remains a look. */
static void memory_of_many_is_looked_at_in_turns(void **state)
{
	struct fixture *fixture = *state;
	struct memory_watch watch;
	uint64_t now_ns = 50 * MS_NS, began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	size_t seen_cnt = 0;

	for (int i = 0; i < 10000; i++)
		watched(fixture, fixture->program.pid);
	memory_watch_init(&watch, &fixture->obs);
	for (; now_ns < 1000 * MS_NS; now_ns += 20 * MS_NS)
		memory_watch_look(&watch, now_ns);
	/* A hundredth of the time, its credit, and one look that goes over. */
	assert_in_range(watch.spent_ns, 1, 40 * MS_NS);
	assert_true(clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns >= watch.spent_ns);
	for (; now_ns < 600000 * MS_NS; now_ns += 20 * MS_NS)
		memory_watch_look(&watch, now_ns);
	for (size_t i = 0; i < fixture->obs.process_cnt; i++)
		seen_cnt += fixture->obs.processes[i].pss_bytes > 0;
	assert_int_equal(seen_cnt, 10000);
	memory_watch_release(&watch);
}

/* --- others --- */

static void busy_ticks_of_each_cpu(void **state)
{
	static uint64_t busy[CPUS_MAX];

	(void)state;
	assert_int_equal(cpu_others_parse("cpu  11 22 33 44 55 66 77 88 99 9\n"
					  "cpu0 1 2 3 4 5 6 7 8 9 0\n"
					  "cpu2 10 20 30 40 50 60 70 80 90 0\n"
					  "intr 5\n",
					  busy),
			 3);
	assert_int_equal(busy[0], 1 + 2 + 3 + 6 + 7);
	assert_int_equal(busy[1], 0);
	assert_int_equal(busy[2], 10 + 20 + 30 + 60 + 70);
	assert_int_equal(cpu_others_parse("", busy), 0);
	assert_int_equal(cpu_others_parse("cpu99999999 1 2 3 4 5 6 7\ncpu", busy), 0);
}

static void others_are_charged_and_the_tree_is_not(void **state)
{
	struct fixture *fixture = *state;
	struct cpu_others others = { 0 };
	uint64_t all_ns;

	cpu_others_begin(&others);
	assert_non_null(others.usable);
	sched_getaffinity(0, CPU_ALLOC_SIZE(CPUS_MAX), others.usable);
	program_order(&fixture->program, 'b');
	program_order(&fixture->program, 'b');
	program_order(&fixture->program, 'b');
	cpu_others_end(&others);
	cpu_others_book(&others, &fixture->obs);
	all_ns = fixture->obs.host.others_cpu_ns;
	assert_true(all_ns >= 300 * MS_NS - 2 * TICKS2);
	assert_in_range(fixture->obs.host.threads_per_core, 0, 8);
	observation_add_thread(&fixture->obs)->on_cpu_ns = 200 * MS_NS;
	cpu_others_book(&others, &fixture->obs);
	assert_int_equal(fixture->obs.host.others_cpu_ns, all_ns - 200 * MS_NS);
	fixture->obs.threads[0].on_cpu_ns = all_ns + 1;
	cpu_others_book(&others, &fixture->obs);
	assert_int_equal(fixture->obs.host.others_cpu_ns, 0);
	cpu_others_release(&others);
}

static void cpus_that_the_tree_may_not_use_do_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct cpu_others others = { 0 };

	cpu_others_begin(&others);
	program_order(&fixture->program, 'b');
	cpu_others_end(&others);
	cpu_others_book(&others, &fixture->obs);
	assert_int_equal(fixture->obs.host.others_cpu_ns, 0);
	cpu_others_release(&others);
}

int main(void)
{
#define WITH_PROGRAM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_PROGRAM(server_is_charged_from_its_discovery_on),
		WITH_PROGRAM(children_are_charged_dead_or_alive),
		WITH_PROGRAM(a_child_that_stays_is_charged),
		WITH_PROGRAM(a_child_that_nobody_waits_for_is_charged),
		WITH_PROGRAM(a_child_from_before_is_not_charged_with_its_past),
		WITH_PROGRAM(threads_that_ran_are_counted),
		WITH_PROGRAM(what_belongs_to_the_tree_has_no_account),
		WITH_PROGRAM(a_server_that_has_ended_keeps_its_account),
		WITH_PROGRAM(private_memory_is_seen),
		WITH_PROGRAM(memory_shared_by_a_fork_is_shared_out),
		WITH_PROGRAM(memory_is_looked_at_now_and_then),
		WITH_PROGRAM(memory_of_many_is_looked_at_in_turns),
		cmocka_unit_test(busy_ticks_of_each_cpu),
		WITH_PROGRAM(others_are_charged_and_the_tree_is_not),
		WITH_PROGRAM(cpus_that_the_tree_may_not_use_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
