/* When processes ended, and how many lived at once, from the lives of threads. Internal to this
 * directory. */
#ifndef CLASSIFY_FINISH_LIVES_H
#define CLASSIFY_FINISH_LIVES_H

struct observation;

/* When each process ended. Returns 0 or -ENOMEM. */
int lives_end_processes(struct observation *obs);

/* The most threads and processes at once. Returns 0 or -ENOMEM. */
int lives_count_peaks(struct observation *obs);

#endif
