/* What kind of lock a thread waits for, which one, and who lets it in, seen live. In each test the
 * program's first thread, or the test, has what its other thread waits for. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"
#include "ebpf_world.h"

#define MODULE "test_ebpf_locks"

static struct {
	int fd;
} world;

static pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t the_condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t the_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t the_semaphore;
static struct {
	long before;
	pthread_mutex_t mutex;
} the_struct = { 0, PTHREAD_MUTEX_INITIALIZER };

static struct timespec in_a_minute(clockid_t clock)
{
	struct timespec until;

	clock_gettime(clock, &until);
	until.tv_sec += 60;
	return until;
}

/* --- a worker waits until the main thread, at a byte from the test, lets it in --- */

struct situation {
	void (*hold)(void);
	void *(*wait)(void *);
	void (*let_in)(void);
	enum wait_reason reason;
	enum object_kind kind;
	const char *name;
};

static int run_situation(void *arg)
{
	const struct situation *situation = arg;
	pthread_t worker;
	char byte;

	if (situation->hold)
		situation->hold();
	if (pthread_create(&worker, NULL, situation->wait, NULL) || read(world.fd, &byte, 1) != 1)
		return 1;
	if (situation->let_in)
		situation->let_in();
	return pthread_join(worker, NULL);
}

/* Runs it; the caller looks at live->obs. */
static void live_situation(struct live *live, const struct situation *situation)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, run_situation, (void *)situation);
	live_until_blocked(live, live->pid, SYS_futex, LIVE_ANY, 1);
	/* Names are found while the program lives. */
	assert_int_equal(live->observer->ops->drain(live->observer), 0);
	world_send(ends[1]);
	live_end(live);
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
	close(ends[0]);
	close(ends[1]);
}

static void assert_told(void **state, const struct situation *situation)
{
	live_situation(*state, situation);
	live_row(*state, situation->reason, situation->kind, DIRECTION_NONE, situation->name);
}

static void hold_mutex(void)
{
	pthread_mutex_lock(&the_mutex);
}

static void release_mutex(void)
{
	pthread_mutex_unlock(&the_mutex);
}

static void *lock_mutex(void *unused)
{
	pthread_setname_np(pthread_self(), "waiter");
	pthread_mutex_lock(&the_mutex);
	return unused;
}

static const struct situation mutex_situation = {
	hold_mutex, lock_mutex, release_mutex, WAIT_LOCK, OBJECT_MUTEX, "the_mutex (" MODULE ")"
};

static void mutex_is_named_by_its_symbol(void **state)
{
	assert_told(state, &mutex_situation);
}

static void *lock_mutex_for_a_minute(void *unused)
{
	struct timespec until = in_a_minute(CLOCK_REALTIME);

	pthread_mutex_timedlock(&the_mutex, &until);
	return unused;
}

static void timed_mutex_is_a_mutex(void **state)
{
	static const struct situation situation = { hold_mutex,	   lock_mutex_for_a_minute,
						    release_mutex, WAIT_LOCK,
						    OBJECT_MUTEX,  "the_mutex (" MODULE ")" };

	assert_told(state, &situation);
}

static void hold_member(void)
{
	pthread_mutex_lock(&the_struct.mutex);
}

static void *lock_member(void *unused)
{
	pthread_mutex_lock(&the_struct.mutex);
	return unused;
}

static void release_member(void)
{
	pthread_mutex_unlock(&the_struct.mutex);
}

static void member_is_named_by_its_struct(void **state)
{
	static const struct situation situation = { hold_member,    lock_member,
						    release_member, WAIT_LOCK,
						    OBJECT_MUTEX,   "the_struct+0x8 (" MODULE ")" };

	assert_told(state, &situation);
}

/* Robust and priority-inheriting mutexes of a kind of their own; shared ones lie in a mapping. */
static pthread_mutex_t *special;

static void hold_special(void)
{
	pthread_mutex_lock(special);
}

static void *lock_special(void *unused)
{
	pthread_mutex_lock(special);
	return unused;
}

static void release_special(void)
{
	pthread_mutex_unlock(special);
}

static void assert_special(void **state, const pthread_mutexattr_t *kind, const char *name)
{
	const struct situation situation = { hold_special, lock_special, release_special,
					     WAIT_LOCK,	   OBJECT_MUTEX, name };

	assert_int_equal(pthread_mutex_init(special, kind), 0);
	assert_told(state, &situation);
	pthread_mutex_destroy(special);
}

static pthread_mutex_t special_mutex;

static void pi_mutex_is_a_mutex(void **state)
{
	pthread_mutexattr_t kind;

	special = &special_mutex;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
	assert_special(state, &kind, "special_mutex (" MODULE ")");
}

static void robust_mutex_is_a_mutex(void **state)
{
	pthread_mutexattr_t kind;

	special = &special_mutex;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	assert_special(state, &kind, "special_mutex (" MODULE ")");
}

static void shared_mutex_is_named_by_its_file(void **state)
{
	pthread_mutexattr_t kind;
	char path[64], name[128];
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/classify_test_%d", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_int_equal(ftruncate(fd, 4096), 0);
	special = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(special, MAP_FAILED);
	special++;
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
	snprintf(name, sizeof(name), "shared memory %s+0x%zx", path, sizeof(*special));
	assert_special(state, &kind, name);
	munmap(special - 1, 4096);
	close(fd);
	unlink(path);
}

static void mutex_on_the_heap_is_named_so(void **state)
{
	char name[64];

	special = calloc(1, sizeof(*special));
	snprintf(name, sizeof(name), "heap %p", (void *)special);
	assert_special(state, NULL, name);
	free(special);
}

static void mutex_on_a_stack_is_named_by_its_thread(void **state)
{
	pthread_mutex_t mutex;
	char name[64];

	special = &mutex;
	snprintf(name, sizeof(name), "stack of " MODULE " %p", (void *)special);
	assert_special(state, NULL, name);
}

static void *lock_libc(void *unused)
{
	flockfile(stdout);
	return unused;
}

static void hold_libc(void)
{
	flockfile(stdout);
}

static void release_libc(void)
{
	funlockfile(stdout);
}

/* Its .symtab is stripped; stdout's lock lies in its data all the same. */
static void lock_of_libc_is_named_by_its_module(void **state)
{
	static const struct situation situation = { hold_libc, lock_libc,    release_libc,
						    WAIT_LOCK, OBJECT_MUTEX, NULL };
	struct live *live = *state;
	const struct obs_wait *row;

	live_situation(live, &situation);
	row = live_row(live, WAIT_LOCK, OBJECT_MUTEX, DIRECTION_NONE, NULL);
	if (!strstr(row->name, "libc"))
		fail_msg("not in libc: %s", row->name);
}

static void *wait_for_condition(void *unused)
{
	pthread_mutex_lock(&the_mutex);
	pthread_cond_wait(&the_condition, &the_mutex);
	pthread_mutex_unlock(&the_mutex);
	return unused;
}

static void *wait_for_condition_for_a_minute(void *unused)
{
	struct timespec until = in_a_minute(CLOCK_REALTIME);

	pthread_mutex_lock(&the_mutex);
	pthread_cond_timedwait(&the_condition, &the_mutex, &until);
	pthread_mutex_unlock(&the_mutex);
	return unused;
}

static void signal_condition(void)
{
	pthread_mutex_lock(&the_mutex);
	pthread_cond_signal(&the_condition);
	pthread_mutex_unlock(&the_mutex);
}

static void condition_is_told(void **state)
{
	static const struct situation situation = {
		NULL,	   wait_for_condition, signal_condition,
		WAIT_SYNC, OBJECT_CONDITION,   "the_condition (" MODULE ")"
	};

	assert_told(state, &situation);
}

static void timed_condition_is_told(void **state)
{
	static const struct situation situation = { NULL,
						    wait_for_condition_for_a_minute,
						    signal_condition,
						    WAIT_SYNC,
						    OBJECT_CONDITION,
						    "the_condition (" MODULE ")" };

	assert_told(state, &situation);
}

static void *wait_for_semaphore(void *unused)
{
	sem_wait(&the_semaphore);
	return unused;
}

static void post(void)
{
	sem_post(&the_semaphore);
}

static void semaphore_is_told(void **state)
{
	static const struct situation situation = {
		NULL,	   wait_for_semaphore, post,
		WAIT_SYNC, OBJECT_SEMAPHORE,   "the_semaphore (" MODULE ")"
	};

	sem_init(&the_semaphore, 0, 0);
	assert_told(state, &situation);
}

static void write_lock(void)
{
	pthread_rwlock_wrlock(&the_rwlock);
}

static void read_lock(void)
{
	pthread_rwlock_rdlock(&the_rwlock);
}

static void rw_unlock(void)
{
	pthread_rwlock_unlock(&the_rwlock);
}

static void *write_locked(void *unused)
{
	write_lock();
	return unused;
}

static void *read_locked(void *unused)
{
	read_lock();
	return unused;
}

static void *write_locked_for_a_minute(void *unused)
{
	struct timespec until = in_a_minute(CLOCK_REALTIME);

	pthread_rwlock_timedwrlock(&the_rwlock, &until);
	return unused;
}

static void rwlock_is_told_to_readers_and_writers(void **state)
{
	static const struct {
		void (*hold)(void);
		void *(*wait)(void *);
	} ways[] = { { write_lock, read_locked },
		     { write_lock, write_locked },
		     { read_lock, write_locked },
		     { read_lock, write_locked_for_a_minute } };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct situation situation = { ways[i].hold,  ways[i].wait,
						     rw_unlock,	    WAIT_LOCK,
						     OBJECT_RWLOCK, "the_rwlock (" MODULE ")" };

		if (i) {
			live_teardown(state);
			live_setup(state);
		}
		assert_told(state, &situation);
	}
}

/* --- joins --- */

static void *read_one(void *unused)
{
	char byte;

	pthread_setname_np(pthread_self(), "reader");
	return read(world.fd, &byte, 1) == 1 ? NULL : unused;
}

static int join_reader(void *unused)
{
	pthread_t reader;

	(void)unused;
	return pthread_create(&reader, NULL, read_one, NULL) || pthread_join(reader, NULL);
}

static void join_is_named_by_its_thread(void **state)
{
	struct live *live = *state;
	char name[64] = "";
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, join_reader, NULL);
	live_until_blocked(live, live->pid, SYS_futex, LIVE_ANY, 1);
	live_until_blocked(live, live->pid, SYS_read, ends[0], 1);
	world_send(ends[1]);
	live_end(live);
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		if (live->obs.threads[i].tid != live->obs.processes[0].pid)
			snprintf(name, sizeof(name), "reader (tid %d)", live->obs.threads[i].tid);
	live_row(live, WAIT_SYNC, OBJECT_JOIN, DIRECTION_NONE, name);
	close(ends[0]);
	close(ends[1]);
}

/* --- threads that slept before anybody looked --- */

static int join_who_waits_for_condition(void *unused)
{
	pthread_t waiter;

	(void)unused;
	return pthread_create(&waiter, NULL, wait_for_condition, NULL) ||
	       pthread_join(waiter, NULL);
}

static void attach_tells_what_sleepers_wait_for(void **state)
{
	struct live *live = *state;

	live_attach(live, join_who_waits_for_condition, NULL, SYS_futex, 2);
	assert_int_equal(live->observer->ops->drain(live->observer), 0);
	live_cut(live);
	live_row(live, WAIT_SYNC, OBJECT_CONDITION, DIRECTION_NONE, "the_condition (" MODULE ")");
	assert_non_null(strstr(live_row(live, WAIT_SYNC, OBJECT_JOIN, DIRECTION_NONE, NULL)->name,
			       MODULE " (tid "));
}

/* --- a futex of the program's own --- */

static volatile unsigned int the_word;

static void *wait_for_word(void *unused)
{
	syscall(SYS_futex, &the_word, 128, 0, NULL, NULL, 0);
	return unused;
}

static void wake_word(void)
{
	the_word = 1;
	syscall(SYS_futex, &the_word, 129, 1, NULL, NULL, 0);
}

static void other_futex_has_no_kind(void **state)
{
	static const struct situation situation = { NULL,	  wait_for_word,
						    wake_word,	  WAIT_SYNC,
						    OBJECT_FUTEX, "the_word (" MODULE ")" };

	assert_told(state, &situation);
}

static void *wait_for_values(void *unused)
{
	static const unsigned int values[] = { 2, 3, 2 };

	for (int i = 0; i < 3; i++) {
		the_word = values[i];
		syscall(SYS_futex, &the_word, 128 | 9, values[i], NULL, NULL, -1);
	}
	return unused;
}

static int wake_three_times(void *unused)
{
	pthread_t waiter;

	(void)unused;
	if (pthread_create(&waiter, NULL, wait_for_values, NULL))
		return 1;
	for (int i = 0; i < 3; i++)
		while (syscall(SYS_futex, &the_word, 129, 1, NULL, NULL, 0) != 1)
			usleep(1000);
	return pthread_join(waiter, NULL);
}

/* What is waited for with 2, as Rust's mutex is, and then with 3 is no mutex, and stays none. */
static void another_value_refutes_a_mutex(void **state)
{
	struct live *live = *state;

	live_begin(live, wake_three_times, NULL);
	live_end(live);
	assert_int_equal(live_row(live, WAIT_LOCK, OBJECT_MUTEX, DIRECTION_NONE, NULL)->wait_cnt,
			 1);
	assert_int_equal(live_row(live, WAIT_SYNC, OBJECT_FUTEX, DIRECTION_NONE, NULL)->wait_cnt,
			 2);
}

/* --- who held it --- */

/* Once it has ended. */
static pid_t main_thread(const struct live *live)
{
	return live->obs.processes[0].pid;
}

static uint64_t held_ns(const struct live *live, const char *name, pid_t tid,
			uint64_t *handover_cnt)
{
	for (size_t i = 0; i < live->obs.lock_holder_cnt; i++) {
		const struct obs_lock_holder *holder = &live->obs.lock_holders[i];

		if (strcmp(holder->name, name) || holder->tid != tid)
			continue;
		if (handover_cnt)
			*handover_cnt = holder->handover_cnt;
		return holder->wait_ns;
	}
	fail_msg("%d is not among the %zu holders of %s", tid, live->obs.lock_holder_cnt, name);
	return 0;
}

static void releaser_is_the_holder(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	uint64_t handover_cnt;

	live_situation(live, &mutex_situation);
	row = live_row(live, WAIT_LOCK, OBJECT_MUTEX, DIRECTION_NONE, mutex_situation.name);
	assert_in_range(held_ns(live, mutex_situation.name, main_thread(live), &handover_cnt),
			row->wait_ns * 9 / 10, row->wait_ns);
	assert_int_equal(handover_cnt, 1);
	assert_string_equal(live->obs.lock_holders[0].comm, MODULE);
}

#define QUEUE_CNT 4
#define HOLD_NS	  100000000ull

static void *pass_through(void *unused)
{
	pthread_mutex_lock(&the_mutex);
	pthread_mutex_unlock(&the_mutex);
	return unused;
}

static int hold_before_a_queue(void *unused)
{
	pthread_t queue[QUEUE_CNT];
	char byte;

	(void)unused;
	pthread_mutex_lock(&the_mutex);
	for (int i = 0; i < QUEUE_CNT; i++)
		if (pthread_create(&queue[i], NULL, pass_through, NULL))
			return 1;
	if (read(world.fd, &byte, 1) != 1)
		return 1;
	pthread_mutex_unlock(&the_mutex);
	for (int i = 0; i < QUEUE_CNT; i++)
		pthread_join(queue[i], NULL);
	return 0;
}

/* Each of the queue is let in by the one before it, but it is the first holder that all waited for.
 */
static void a_queue_waits_for_who_held_it_long(void **state)
{
	struct live *live = *state;
	uint64_t wait_ns;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, hold_before_a_queue, NULL);
	live_until_blocked(live, live->pid, SYS_futex, LIVE_ANY, QUEUE_CNT);
	live_run_for(live, HOLD_NS);
	world_send(ends[1]);
	live_end(live);
	wait_ns = live_wait_ns(live, WAIT_LOCK);
	assert_true(wait_ns > QUEUE_CNT * HOLD_NS);
	/* On a busy machine they wait for each other, too. */
	assert_in_range(held_ns(live, mutex_situation.name, main_thread(live), NULL),
			QUEUE_CNT * HOLD_NS, wait_ns);
	close(ends[0]);
	close(ends[1]);
}

/* More locks than the probes keep queues of. */
#define OTHER_LOCK_CNT 5000

static pthread_mutex_t other_locks[OTHER_LOCK_CNT];
static pthread_barrier_t two;

static void *pass_through_others(void *unused)
{
	for (int i = 0; i < OTHER_LOCK_CNT; i++) {
		pthread_barrier_wait(&two);
		pthread_mutex_lock(&other_locks[i]);
		pthread_mutex_unlock(&other_locks[i]);
	}
	return unused;
}

static int hold_after_many_others(void *unused)
{
	pthread_t other;

	pthread_barrier_init(&two, NULL, 2);
	if (pthread_create(&other, NULL, pass_through_others, NULL))
		return 1;
	for (int i = 0; i < OTHER_LOCK_CNT; i++) {
		pthread_mutex_lock(&other_locks[i]);
		pthread_barrier_wait(&two);
		sched_yield();
		pthread_mutex_unlock(&other_locks[i]);
	}
	pthread_join(other, NULL);
	return hold_before_a_queue(unused);
}

static uint64_t longest(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

static void locks_of_the_past_take_nobody_s_place(void **state)
{
	struct live *live = *state;
	uint64_t longest_ns = 0;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, hold_after_many_others, NULL);
	live_until_blocked(live, live->pid, SYS_read, world.fd, 1);
	live_until_blocked(live, live->pid, SYS_futex, LIVE_ANY, QUEUE_CNT);
	live_run_for(live, HOLD_NS);
	world_send(ends[1]);
	live_end(live);
	/* Of so many locks not each is looked up by name. */
	for (size_t i = 0; i < live->obs.lock_holder_cnt; i++)
		if (live->obs.lock_holders[i].tid == main_thread(live))
			longest_ns = longest(longest_ns, live->obs.lock_holders[i].wait_ns);
	assert_true(longest_ns >= QUEUE_CNT * HOLD_NS);
	close(ends[0]);
	close(ends[1]);
}

static int exit_before_a_queue(void *unused)
{
	pthread_t waiter;
	char byte;

	(void)unused;
	pthread_mutex_lock(&the_mutex);
	if (pthread_create(&waiter, NULL, pass_through, NULL) || read(world.fd, &byte, 1) != 1)
		return 1;
	_exit(0);
}

/* exit() kills the waiter: that is no hand-over, and makes nobody a holder. */
static void who_exits_hands_no_lock_over(void **state)
{
	struct live *live = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, exit_before_a_queue, NULL);
	live_until_blocked(live, live->pid, SYS_futex, LIVE_ANY, 1);
	world_send(ends[1]);
	live_end(live);
	assert_true(live_wait_ns(live, WAIT_LOCK) > 0);
	assert_int_equal(live->obs.lock_holder_cnt, 0);
	close(ends[0]);
	close(ends[1]);
}

static int wait_for_file_lock(void *path)
{
	return flock(open(path, O_RDWR | O_CLOEXEC), LOCK_EX);
}

/* The holder is not in the tree. */
static void holder_of_a_file_lock_is_the_test(void **state)
{
	struct live *live = *state;
	char path[PATH_MAX];
	int fd = world_file("lock", O_RDWR, path);

	assert_int_equal(flock(fd, LOCK_EX), 0);
	live_begin(live, wait_for_file_lock, path);
	live_until_blocked(live, live->pid, SYS_flock, LIVE_ANY, 1);
	assert_int_equal(flock(fd, LOCK_UN), 0);
	live_end(live);
	assert_true(held_ns(live, path, getpid(), NULL) > 0);
	close(fd);
	unlink(path);
}

/* --- children --- */

static int run_named_children(void *unused)
{
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();
		char byte;

		if (!child) {
			prctl(PR_SET_NAME, "little-helper");
			_exit(read(world.fd, &byte, 1) != 1);
		}
		if (waitpid(child, NULL, 0) != child)
			return 1;
	}
	(void)unused;
	return 0;
}

static void children_are_named_by_their_command(void **state)
{
	struct live *live = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, run_named_children, NULL);
	for (int i = 0; i < 3; i++) {
		live_until_blocked(live, live->pid, SYS_wait4, LIVE_ANY, 1);
		world_send(ends[1]);
	}
	live_end(live);
	/* One row for all; a child that was quick is not waited for. */
	assert_in_range(
		live_row(live, WAIT_CHILD, OBJECT_CHILD, DIRECTION_NONE, "little-helper")->wait_cnt,
		1, 3);
	close(ends[0]);
	close(ends[1]);
}

/* --- Python --- */

#define PYTHON "/usr/bin/python3"

static int run_python(void *code)
{
	execl(PYTHON, PYTHON, "-c", (const char *)code, NULL);
	return 1;
}

static void live_python(struct live *live, const char *code)
{
	if (access(PYTHON, X_OK)) {
		print_message("SKIPPED: there is no " PYTHON "\n");
		skip();
	}
	live_begin(live, run_python, (void *)code);
	live_wait(live);
	live_finish(live);
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

/* Its locks are semaphores to the kernel: what they are for can't be told. */
static void locks_of_python_are_semaphores(void **state)
{
	static const char code[] =
		"import threading, queue, time\n"
		"lock, items, event = threading.Lock(), queue.Queue(), threading.Event()\n"
		"condition = threading.Condition()\n"
		"def work():\n"
		"    for i in range(5):\n"
		"        with lock: time.sleep(0.01)\n"
		"        items.get()\n"
		"    event.wait()\n"
		"    with condition: condition.wait(0.05)\n"
		"threads = [threading.Thread(target=work) for i in range(3)]\n"
		"for thread in threads: thread.start()\n"
		"for i in range(15): items.put(i); time.sleep(0.005)\n"
		"event.set()\n"
		"for thread in threads: thread.join()\n";
	struct live *live = *state;

	live_python(live, code);
	live_row(live, WAIT_SYNC, OBJECT_SEMAPHORE, DIRECTION_NONE, NULL);
	for (size_t i = 0; i < live->obs.wait_cnt; i++)
		if (live->obs.waits[i].kind == OBJECT_MUTEX ||
		    live->obs.waits[i].kind == OBJECT_CONDITION)
			assert_true(live->obs.waits[i].wait_ns <
				    live_wait_ns(live, WAIT_SYNC) / 20);
}

static void holders_of_the_gil_are_its_threads(void **state)
{
	static const char code[] = "import threading, time\n"
				   "end = time.monotonic() + 0.3\n"
				   "def work():\n"
				   "    while time.monotonic() < end: pass\n"
				   "threads = [threading.Thread(target=work) for i in range(2)]\n"
				   "for thread in threads: thread.start()\n"
				   "for thread in threads: thread.join()\n";
	struct live *live = *state;
	uint64_t held_by_threads_ns = 0;

	live_python(live, code);
	live_row(live, WAIT_GIL, OBJECT_FUTEX, DIRECTION_NONE, "GIL");
	for (size_t i = 0; i < live->obs.lock_holder_cnt; i++)
		if (!strcmp(live->obs.lock_holders[i].name, "GIL") &&
		    live->obs.lock_holders[i].tid != main_thread(live))
			held_by_threads_ns += live->obs.lock_holders[i].wait_ns;
	assert_true(held_by_threads_ns > live_wait_ns(live, WAIT_GIL) / 2);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LIVE_TEST(mutex_is_named_by_its_symbol),
		LIVE_TEST(timed_mutex_is_a_mutex),
		LIVE_TEST(member_is_named_by_its_struct),
		LIVE_TEST(pi_mutex_is_a_mutex),
		LIVE_TEST(robust_mutex_is_a_mutex),
		LIVE_TEST(shared_mutex_is_named_by_its_file),
		LIVE_TEST(mutex_on_the_heap_is_named_so),
		LIVE_TEST(mutex_on_a_stack_is_named_by_its_thread),
		LIVE_TEST(lock_of_libc_is_named_by_its_module),
		LIVE_TEST(condition_is_told),
		LIVE_TEST(timed_condition_is_told),
		LIVE_TEST(semaphore_is_told),
		LIVE_TEST(rwlock_is_told_to_readers_and_writers),
		LIVE_TEST(join_is_named_by_its_thread),
		LIVE_TEST(attach_tells_what_sleepers_wait_for),
		LIVE_TEST(other_futex_has_no_kind),
		LIVE_TEST(another_value_refutes_a_mutex),
		LIVE_TEST(releaser_is_the_holder),
		LIVE_TEST(a_queue_waits_for_who_held_it_long),
		LIVE_TEST(locks_of_the_past_take_nobody_s_place),
		LIVE_TEST(who_exits_hands_no_lock_over),
		LIVE_TEST(holder_of_a_file_lock_is_the_test),
		LIVE_TEST(children_are_named_by_their_command),
		LIVE_TEST(locks_of_python_are_semaphores),
		LIVE_TEST(holders_of_the_gil_are_its_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
