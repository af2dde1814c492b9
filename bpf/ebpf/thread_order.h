/* The observation's threads in the order of their numbers, so that the rows of waits find theirs
 * without walking all of a large tree's. */
#ifndef CLASSIFY_THREAD_ORDER_H
#define CLASSIFY_THREAD_ORDER_H

#include <sys/types.h>

struct observation;
struct obs_thread;

/* Sorts the threads by process and number. */
void thread_order_sort(struct observation *obs);

/* Returns the thread @tid of @pid, or NULL; the threads have been sorted. */
struct obs_thread *thread_order_find(const struct observation *obs, pid_t pid, pid_t tid);

#endif
