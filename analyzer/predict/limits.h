/* Every number that a prediction turns on. Sources and reasons: docs/rules.md, "Prediction". */
#ifndef CLASSIFY_LIMITS_H
#define CLASSIFY_LIMITS_H

/* Cutting the run into operations. */
#define COPYING_SHARE	0.75 /* of samples in calls of input and output: it copies */
#define SHORT_WAIT	0.25 /* of the typical wait: up to that it ends no operation */
#define CHUNKS		64   /* pieces that computing without a wait is thought to come in */
#define START_MAX_NS	500e6
#define START_MAX_SHARE 0.25 /* of a thread's life */

/* Workers that queue at a far end: how many there have to be, and waits of each; how alike their
 * waits are (standard deviation by mean: random ones have 1), and how much shorter the first are.
 */
#define QUEUEING_WORKERS   3
#define QUEUEING_WAITS	   3
#define QUEUEING_VARIATION 0.5
#define QUEUEING_PART	   0.5

/* Replaying them. */
#define LEAST_OPERATION_NS 500.0 /* a wait takes two switches */
#define OPERATIONS_MAX	   1000	 /* in a replay; a sample stands for more */
#define LARGE_OPERATION	   20	 /* times the mean: is cut short in a sample, not left out */
#define SWITCH_INTERVAL_NS 5e6	 /* CPython's default: sys.getswitchinterval() */
#define RUBY_INTERVAL_NS   100e6 /* its thread quantum: TIME_QUANTUM_MSEC of thread.c */
#define DISK_SLOTS	   2	 /* what a disk serves at once, */
#define NVME_SLOTS	   8
#define VIRTUAL_SLOTS	   1 /* and a virtual one */
#define ONE_FILE_NAMES	   3 /* a database, its journal, their directory */
#define ONE_FILE_SYNCS	   20
#define ONE_FILE_SHARE	   0.80
#define SLEEP_SHARE	   0.10 /* of the waits: more than that is worth a word */
#define OVERLAP_SHARE	   0.02 /* of own time: waits of less are not worth overlapping */

/* Low, expected, high: how fast a CPU is while all compute, of its speed alone; the same where they
 * are hardware threads of one core; the costs of a model; and waits for far ends that are asked
 * more at once. */
#define PARALLEL_PART 0.80, 0.92, 1.00
#define SIBLING_PART  0.50, 0.65, 0.80
#define COST_FACTOR   2.0, 1.0, 0.5
#define WAIT_FACTOR   1.10, 1.0, 1.0
#define DISK_FACTOR   1.15, 1.10, 1.0 /* its waits, when several ask it */
#define SLOT_FACTOR   1.0, 1.0, 4.0   /* of what a disk serves at once */
#define WARM_NS	      0, 100e3, 150e3

#define COLD_WAIT_NS 1e6  /* a CPU that waited for so long begins with cold caches */
#define WARM_PART    0.40 /* that is left of computing at least when it doesn't */
#define WARM_WORKERS 4	  /* from so many on it doesn't */

#define RESAMPLES      20 /* of the operations, for the interval */
#define RESAMPLE_TAILS 1  /* left out at either end: 90% are between */

#define SMALL_OPERATION_NS 1e6 /* handing out a single one takes some 40 us */

/* Choosing. */
#define MAX_IO_WORKERS	      16
#define MAX_DISK_WORKERS      8
#define MIN_DISK_WORKERS      4	   /* where it is the disk that limits */
#define KNEE_REACH	      0.97 /* of the best speedup: fewer workers that reach it are enough */
#define SIMPLER_REACH	      0.95 /* likewise, of what a simpler model gains */
#define AS_WELL_REACH	      0.90 /* of what processes do: fewer is not as well */
#define FULL_USE	      0.85 /* of what limits a model: from here on it does */
#define WORKERS_MAX	      1000 /* in a replay: more take too long, and do no better */
#define OPERATIONS_PER_WORKER 4	   /* at least, where so many workers are planned */
#define FIDELITY	      1.5  /* the run replayed as it is may differ from it by this factor */

#endif
