/* A library for test_memory_place: stripped, so that only what it exports has a name. */
#include "lock_library.h"

extern long exported_lock[4];
long exported_lock[4];
static long hidden_lock[4];

void *lock_library_exported(void)
{
	return exported_lock;
}

void *lock_library_hidden(void)
{
	return hidden_lock;
}
