/*
 * Threads that wait for each other. The thread that makes the main thread wait computes meanwhile,
 * so that nearly all waiting is the main thread's.
 */
#include "situation.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct lock {
	void (*lock)(void *);
	void (*unlock)(void *);
	void (*other_lock)(void *); /* how the main thread takes it; NULL: the same way */
	void *object;
	atomic_int held_cnt, taken_cnt;
};

static pthread_t start(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	must(-pthread_create(&thread, NULL, run, argument), "pthread_create");
	return thread;
}

static void join(pthread_t thread)
{
	must(-pthread_join(thread, NULL), "pthread_join");
}

static void *hold_and_compute(void *argument)
{
	struct lock *lock = argument;

	for (int i = 1; i <= WAITS; i++) {
		lock->lock(lock->object);
		atomic_store(&lock->held_cnt, i);
		burn_ms(WAIT_MS);
		lock->unlock(lock->object);
		while (atomic_load(&lock->taken_cnt) < i)
			sched_yield();
	}
	return NULL;
}

/* The main thread asks for @lock WAITS times, each time just after another one has taken it. */
static void contend(struct lock *lock)
{
	pthread_t holder = start(hold_and_compute, lock);

	for (int i = 1; i <= WAITS; i++) {
		while (atomic_load(&lock->held_cnt) < i)
			sched_yield();
		(lock->other_lock ? lock->other_lock : lock->lock)(lock->object);
		lock->unlock(lock->object);
		atomic_store(&lock->taken_cnt, i);
	}
	join(holder);
}

static void mutex_lock(void *mutex)
{
	must(-pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

static void mutex_unlock(void *mutex)
{
	must(-pthread_mutex_unlock(mutex), "pthread_mutex_unlock");
}

static void mutex_timedlock(void *mutex)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 10;
	must(-pthread_mutex_timedlock(mutex, &deadline), "pthread_mutex_timedlock");
}

static pthread_mutex_t the_mutex = PTHREAD_MUTEX_INITIALIZER;

static void mutex(const struct place *place)
{
	(void)place;
	contend(&(struct lock){ mutex_lock, mutex_unlock, NULL, &the_mutex, 0, 0 });
}

static void timed_mutex(const struct place *place)
{
	(void)place;
	contend(&(struct lock){ mutex_lock, mutex_unlock, mutex_timedlock, &the_mutex, 0, 0 });
}

static void recursive_mutex(const struct place *place)
{
	static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

	(void)place;
	contend(&(struct lock){ mutex_lock, mutex_unlock, NULL, &recursive, 0, 0 });
}

static void priority_mutex(const struct place *place)
{
	static pthread_mutex_t inheriting;
	pthread_mutexattr_t attributes;

	(void)place;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	must(-pthread_mutex_init(&inheriting, &attributes), "pthread_mutex_init");
	contend(&(struct lock){ mutex_lock, mutex_unlock, NULL, &inheriting, 0, 0 });
}

static void rwlock_read(void *rwlock)
{
	must(-pthread_rwlock_rdlock(rwlock), "pthread_rwlock_rdlock");
}

static void rwlock_write(void *rwlock)
{
	must(-pthread_rwlock_wrlock(rwlock), "pthread_rwlock_wrlock");
}

static void rwlock_unlock(void *rwlock)
{
	must(-pthread_rwlock_unlock(rwlock), "pthread_rwlock_unlock");
}

static pthread_rwlock_t the_rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void wait_to_read(const struct place *place)
{
	(void)place;
	contend(&(struct lock){ rwlock_write, rwlock_unlock, rwlock_read, &the_rwlock, 0, 0 });
}

static void wait_to_write(const struct place *place)
{
	(void)place;
	contend(&(struct lock){ rwlock_read, rwlock_unlock, rwlock_write, &the_rwlock, 0, 0 });
}

/* --- without a holder --- */

static sem_t the_semaphore;

static void *compute_and_post(void *unused)
{
	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		must(sem_post(&the_semaphore), "sem_post");
	}
	return unused;
}

static void semaphore(const struct place *place)
{
	pthread_t poster;

	(void)place;
	must(sem_init(&the_semaphore, 0, 0), "sem_init");
	poster = start(compute_and_post, NULL);
	for (int i = 0; i < WAITS; i++)
		must(sem_wait(&the_semaphore), "sem_wait");
	join(poster);
}

static pthread_cond_t the_condition = PTHREAD_COND_INITIALIZER;
static int made_cnt;

static void *compute_and_signal(void *unused)
{
	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		mutex_lock(&the_mutex);
		made_cnt++;
		mutex_unlock(&the_mutex);
		pthread_cond_signal(&the_condition);
	}
	return unused;
}

static void condition(const struct place *place)
{
	pthread_t maker = start(compute_and_signal, NULL);

	(void)place;
	for (int i = 1; i <= WAITS; i++) {
		mutex_lock(&the_mutex);
		while (made_cnt < i)
			pthread_cond_wait(&the_condition, &the_mutex);
		mutex_unlock(&the_mutex);
	}
	join(maker);
}

static void condition_until_timeout(const struct place *place)
{
	(void)place;
	mutex_lock(&the_mutex);
	for (int i = 0; i < WAITS; i++) {
		struct timespec deadline;

		clock_gettime(CLOCK_REALTIME, &deadline);
		deadline.tv_nsec += WAIT_MS * 1000000;
		deadline.tv_sec += deadline.tv_nsec / 1000000000;
		deadline.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&the_condition, &the_mutex, &deadline);
	}
	mutex_unlock(&the_mutex);
}

static pthread_barrier_t the_barrier;

static void *compute_and_arrive(void *unused)
{
	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		pthread_barrier_wait(&the_barrier);
	}
	return unused;
}

static void barrier(const struct place *place)
{
	pthread_t other;

	(void)place;
	must(-pthread_barrier_init(&the_barrier, NULL, 2), "pthread_barrier_init");
	other = start(compute_and_arrive, NULL);
	for (int i = 0; i < WAITS; i++)
		pthread_barrier_wait(&the_barrier);
	join(other);
}

static void *compute(void *unused)
{
	burn_ms(ALL_WAITS_MS);
	return unused;
}

static void join_thread(const struct place *place)
{
	(void)place;
	join(start(compute, NULL));
}

static pthread_once_t the_once = PTHREAD_ONCE_INIT;
static atomic_bool has_begun_once;

static void take_long_once(void)
{
	atomic_store(&has_begun_once, true);
	burn_ms(ALL_WAITS_MS);
}

static void *initialise(void *unused)
{
	pthread_once(&the_once, take_long_once);
	return unused;
}

static void once(const struct place *place)
{
	pthread_t first = start(initialise, NULL);

	(void)place;
	while (!atomic_load(&has_begun_once))
		sched_yield();
	pthread_once(&the_once, take_long_once);
	join(first);
}

/* --- a chain: the main thread waits for one that waits for a server --- */

static void *fetch(void *place)
{
	ask_bytes(tcp_connect(AF_INET, ((const struct place *)place)->address));
	return NULL;
}

static void join_fetching_thread(const struct place *place)
{
	join(start(fetch, (void *)place));
}

static void *fetch_and_post(void *place)
{
	int fd = tcp_connect(AF_INET, ((const struct place *)place)->address);

	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		take_byte(fd);
		must(sem_post(&the_semaphore), "sem_post");
	}
	return NULL;
}

static void await_fetching_thread(const struct place *place)
{
	pthread_t fetcher;

	must(sem_init(&the_semaphore, 0, 0), "sem_init");
	fetcher = start(fetch_and_post, (void *)place);
	for (int i = 0; i < WAITS; i++)
		must(sem_wait(&the_semaphore), "sem_wait");
	join(fetcher);
}

const struct situation lock_situations[] = {
	{ "mutex", mutex, NULL },
	{ "mutex_timed", timed_mutex, NULL },
	{ "mutex_recursive", recursive_mutex, NULL },
	{ "mutex_priority", priority_mutex, NULL },
	{ "rwlock_read", wait_to_read, NULL },
	{ "rwlock_write", wait_to_write, NULL },
	{ "semaphore", semaphore, NULL },
	{ "condition", condition, NULL },
	{ "condition_timeout", condition_until_timeout, NULL },
	{ "barrier", barrier, NULL },
	{ "join", join_thread, NULL },
	{ "once", once, NULL },
	{ "join_fetching", join_fetching_thread, answer_over_tcp },
	{ "semaphore_fetching", await_fetching_thread, answer_over_tcp },
	{ NULL, NULL, NULL },
};
