/*
 * Every number that a decision turns on. Sources and reasons: docs/rules.md, by the names here.
 * Shares are 0..1.
 */
#ifndef CLASSIFY_THRESHOLDS_H
#define CLASSIFY_THRESHOLDS_H

/* Enough evidence for a verdict at all. */
#define MIN_BUSY_NS	  20000000ULL
#define MIN_SAMPLES	  30
#define MAX_LOSS_SHARE	  0.01
#define MAX_UNKNOWN_SHARE 0.50
#define HALVES_MIN_NS	  400000000ULL /* of a run: in a shorter one no phases could be told */

/* Classes, as shares of busy time (wall without idle; without starved time too below STARVED_SHARE)
 * unless said otherwise. */
#define IDLE_SHARE	0.90 /* of wall */
#define STARVED_SHARE	0.60
#define WAKING_NS	50000ULL /* what an idle CPU may take to wake up; 25 us were measured */
#define THROTTLED_SHARE 0.10	 /* of the threads' time on a CPU or wanting one */
#define LOCK_SHARE	0.30 /* of the threads' time on a CPU, waiting for results or for locks */
#define CPU_SHARE	0.75
#define IO_SHARE	0.65
#define TIMER_SHARE	0.65

/* Subclasses. */
#define GIL_WAIT_SHARE	  0.20 /* of on-CPU + GIL wait of the process */
#define GIL_OUTSIDE_MAX	  0.60 /* of the same: more is no computing beside the lock */
#define GIL_SAMPLES_MIN	  20   /* that tell whether the lock was held: 11 points of error */
#define GIL_MAX_CPUS	  1.25 /* a process held to one thread at a time can't use more */
#define GIL_PROCESS_SHARE 0.50 /* of the tree's on-CPU time */
#define PARALLEL_MIN	  1.50 /* threads on a CPU or wanting one, at once */
#define IO_SUBCLASS_SHARE 0.20 /* of the I/O: less is no name for the whole */

/* CPU time that isn't work, as shares of a thread's samples. */
#define POLL_SHARE		0.20 /* in calls that ask in vain */
#define POLL_SAMPLES_MIN	50
#define POLL_VAIN		0.75 /* of the samples in calls of input and output: those in vain */
#define SLOW_POLL_SHARE		0.04 /* likewise, where an interpreter makes the calls */
#define SLOW_POLL_SAMPLES_MIN	10   /* that are in vain */
#define SLOW_POLL_VAIN		0.90
#define SPIN_SHARE		0.30 /* in loops that spin */
#define SPIN_THREAD_SAMPLES_MIN 10
#define SPIN_SAMPLES_MIN	30   /* of all threads that spin */
#define VAIN_PART		0.20 /* of the tree's on-CPU time, in such threads: worth a finding */
#define VAIN_LEADS		0.50 /* the same: it is what the program does */

/* A lock serialises if the tree computes on this part of the CPUs it could use, or less. */
#define SERIALISED_PART	  0.75
#define LOCK_WAITER_SHARE 0.05 /* of a thread's active time: it really waits for the lock */

/* Current model. */
#define CONCURRENT_MIN	 1.30 /* mean workers active at once */
#define WORKER_PART	 0.25 /* active time relative to the most active worker */
#define TURNS_ACTIVE_MAX 1.50 /* mean threads active at once: handing over takes a moment */
#define TURNS_SHARE	 0.50 /* of the workers' life, in waits for each other */
#define LOOP_PART	 0.50 /* of its process's work, or of its waits: the loop drives it */
#define DOMINANT_PART	 0.60 /* of the tree's work: one process is the program */

/* A program that waits for work at times. */
#define MIN_ASKED_CNT	 5 /* waits for work that somebody ended: less may be its start-up */
#define BUSY_PARTS_NAMED 3
#define BUSY_PART_SHARE	 0.05 /* of busy time: less is not worth a word */
#define SERVING_PART	 0.50 /* of the work: they are the ones who serve */
#define NOTABLE_STARVING 0.10 /* of busy time: likewise, that it was starved */
#define NOTABLE_IDLE	 0.10 /* of wall: from here on the summary says how busy it was */

/* Phases. */
#define PHASES_MAX	  6
#define PHASE_MIN_NS	  100000000.0 /* what is busy for less is not worth a change either */
#define PHASE_MIN_SHARE	  0.10	      /* of the run: what could be gained there is less */
#define LEAST_UNSTARVED	  0.10	      /* of a window: else it doesn't show what the program does */
#define PHASE_OTHER_CLASS 0.15	      /* nearer than this two pieces do the same, */
#define PHASE_SAME_CLASS  0.35	      /* likewise of one class */
#define START_UP_SHARE	  0.25	      /* of the run, at most */
#define START_UP_MAX_NS	  5000000000ULL
#define START_UP_WORK	  0.60 /* of it, at least: computing or reading */
#define SHUT_DOWN_SHARE	  0.15

/* Scope. */
#define SCOPE_CLEAR_SHARE     0.75 /* of the run, in phases of clear classes; of work, in a role */
#define SCOPE_GUESSED_SPEEDUP 1.50 /* of what can't be predicted, beside what can */

/* Roles. */
#define ROLE_PART	 0.50 /* of a life: it is what the thread does */
#define ROLE_WORKS	 0.25 /* of a life at work, beside waiting for others: more than a pool */
#define ROLE_APART	 0.50 /* threads of one name that differ by this do different things */
#define ROLE_SHORT_PART	 0.05 /* of the longest life of that name: too short to tell */
#define TICKS_MIN	 5
#define TICK_MAX_NS	 1000000000ULL
#define TICKER_CPU_SHARE 0.02

/* Confidence. */
#define BORDER_CONFIDENCE 0.55
#define FULL_CONFIDENCE	  0.98
#define FULL_MARGIN	  0.20
#define RUNNER_UP_REACH	  0.75 /* of the margin that is full */
#define UNMEASURED_MARGIN 0.25 /* of it: clear of a border where no interval is known */
#define FULL_EVIDENCE_NS  1000000000ULL
#define THIN_EVIDENCE	  0.70
#define PROCFS_FACTOR	  0.85

/* Settled: the verdict won't change as long as the program goes on as it does. */
#define SETTLED_SPAN_NS	 1000000000ULL /* so long looks have to agree, */
#define SETTLED_LOOK_CNT 4	       /* so many of them */
#define SETTLED_IDLE_NS	 5000000000ULL /* and for idle the program has to be seen so long */

/* Recommendation. */
#define SHORT_BUSY_NS	 100000000ULL
#define HIGH_CONCURRENCY 100
#define MIN_OPERATIONS	 2
#define SPARE_CPUS	 0.25 /* fewer left over are as good as none */
#define FEWER_SPEED_MIN	 0.95 /* of the speed, that fewer workers have to keep */
#define FEWER_WAIT_MAX	 0.10 /* where that isn't known: what they may wait for results */

/* Findings. */
#define STARVED_FINDING_SHARE 0.40 /* of busy time, as STARVED_SHARE */
#define BLOCKING_SHARE	      0.20 /* of busy time, the loop's thread in waits of its own */
#define LOOP_CPU_SHARE	      0.50
#define LOOP_RUN_NS	      50000000ULL /* a run of computing that others on the loop notice */
#define HOLDER_SHARE	      0.50 /* of the wait for a lock: one thread is to blame for it */
#define LOCK_FINDING_SHARE    0.10
#define GIL_FINDING_SHARE     0.10 /* of busy time, and of the threads' active time */
#define CONVOY_SHARE	      0.50 /* of what a thread is active: it mostly stands in line */
#define CONVOY_LIFE_SHARE     0.25 /* of its life: not only at its start */
#define BACKGROUND_LOCK	      0.10 /* of its life in line for the GIL: worth a word */
#define CONVOY_WAITS_MIN      20
#define CONVOY_CPU_PART	      0.33 /* of what the thread in its way computes */
#define BACKGROUND_MAIN_CPU   0.50 /* of its life: the main thread mostly waits */
#define BACKGROUND_MAIN_TREE  0.10 /* and hardly for other threads */
#define IDLE_WORKER_SHARE     0.95 /* of its life */
#define IDLE_WORKERS_MIN      4
#define SERIAL_WAITS_MIN      5
#define SERIAL_SHARE	      0.30
#define STREAM_SAMPLES_MIN    10
#define STREAM_SHARE	      0.75 /* of the samples in which something had come: nothing was sent */
#define SERIAL_IN_FLIGHT      1.50 /* mean while there are any */
#define IO_NAME_SHARE	      0.05 /* of what is waited for: less is not worth a name */
#define CPU_WORKER_SHARE      0.50 /* of its life on a CPU or wanting one */
#define RIVAL_SHARE	      0.10 /* of the time in run queues: less is not worth a name */
#define RIVALS_ARE_OWN	      0.80 /* of that for which somebody is known: its own threads */
#define QUEUE_SHARE	      0.10 /* of the workers' runnable time, spent in the run queue */

/* Lines and functions. Errors are standard errors. */
#define SCALED_SAMPLES_MIN   25	  /* of a thread: a share of 0.5 has an error of 10 points */
#define SCALE_MAX	     2.0  /* seconds for each second of samples */
#define SPOT_ERROR_MAX	     0.50 /* of a line's time: four samples */
#define SHARE_ERROR_MAX	     0.10 /* of the first line's share: with more it must surely be first */
#define FIRST_SAMPLES_MIN    10	  /* of a line that is: five that agree may be chance */
#define SPOT_SHARE_MIN	     0.005 /* of busy thread time */
#define SPOTS_MAX	     50
#define FUNCTION_SAMPLES_MIN 10	  /* if all agree, something else is 30% at most */
#define FUNCTION_ERROR_MAX   0.10 /* of its share on a CPU */
#define FUNCTION_SHARE_MIN   0.05 /* of busy thread time: less is not worth advice */
#define FUNCTIONS_MAX	     50
#define FUNCTIONS_NAMED	     3
#define LINE_SHARE_MIN	     0.50 /* of what a finding is about: the line that shows it */

#endif
