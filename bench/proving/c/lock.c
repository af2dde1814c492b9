/* Compute, most of the time under a lock that all workers share. */
#include <pthread.h>
#include <stdlib.h>
#include "forms.h"

static pthread_mutex_t *lock;
static double outside_ms, inside_ms;

static int operation(unsigned long item)
{
	(void)item;
	forms_compute(outside_ms);
	pthread_mutex_lock(lock);
	forms_compute(inside_ms);
	pthread_mutex_unlock(lock);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t shared;

	if (argc < 3)
		return 2;
	outside_ms = strtod(argv[1], NULL);
	inside_ms = strtod(argv[2], NULL);
	lock = forms_shared(sizeof(*lock));
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(lock, &shared);
	return forms_main(argc, argv, operation, NULL);
}
