/* Waiting for a lock that a process outside the tree holds; it lets go once, after a while. */
#include "situation.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct flock whole_file = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

static int lock_file(const struct place *place)
{
	char path[PATH_MAX];

	path_in(place, "lock", path);
	return (int)must(open(path, O_RDWR | O_CREAT, 0600), path);
}

/* Announces that the lock is held, and ends, which releases it, when the program has waited. */
static void hold(const struct place *place)
{
	announce("-");
	await_begin(place);
	pause_ms(ALL_WAITS_MS);
}

static void hold_flock(const struct place *place)
{
	must(flock(lock_file(place), LOCK_EX), "flock");
	hold(place);
}

static void hold_record(const struct place *place)
{
	must(fcntl(lock_file(place), F_SETLK, &whole_file), "F_SETLK");
	hold(place);
}

static void take_flock(const struct place *place)
{
	int fd = lock_file(place);

	begin(place);
	must(flock(fd, LOCK_EX), "flock");
}

static void take_record(const struct place *place)
{
	int fd = lock_file(place);

	begin(place);
	must(fcntl(fd, F_SETLKW, &whole_file), "F_SETLKW");
}

static void take_open_file_lock(const struct place *place)
{
	int fd = lock_file(place);

	begin(place);
	must(fcntl(fd, F_OFD_SETLKW, &whole_file), "F_OFD_SETLKW");
}

static void take_by_lockf(const struct place *place)
{
	int fd = lock_file(place);

	begin(place);
	must(lockf(fd, F_LOCK, 0), "lockf");
}

/* A mutex in a file that both map. */
static pthread_mutex_t *map_mutex(const struct place *place)
{
	int fd = lock_file(place);
	void *at;

	must(ftruncate(fd, PAGE_BYTES), "ftruncate");
	at = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(at == MAP_FAILED ? -1 : 0, "mmap");
	return at;
}

static void hold_mutex(const struct place *place)
{
	pthread_mutex_t *mutex = map_mutex(place);
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	must(-pthread_mutex_init(mutex, &attributes), "pthread_mutex_init");
	must(-pthread_mutex_lock(mutex), "pthread_mutex_lock");
	hold(place);
	must(-pthread_mutex_unlock(mutex), "pthread_mutex_unlock");
}

static void take_mutex(const struct place *place)
{
	pthread_mutex_t *mutex = map_mutex(place);

	begin(place);
	must(-pthread_mutex_lock(mutex), "pthread_mutex_lock");
}

const struct situation held_situations[] = {
	{ "flock", take_flock, hold_flock },
	{ "fcntl_lock", take_record, hold_record },
	{ "ofd_lock", take_open_file_lock, hold_record },
	{ "lockf", take_by_lockf, hold_record },
	{ "mutex_shared", take_mutex, hold_mutex },
	{ NULL, NULL, NULL },
};
