/*
 * The observation: what an observer saw of a process tree, as plain values.
 *
 * It is the only thing that crosses from the observers (bpf/) to the analyzer, and the thing that
 * --save-recording writes. Nothing here knows where a number came from.
 *
 * Units: every *_ns is nanoseconds. Instants (start_ns, end_ns) count from the beginning of the
 * observation; durations are durations. Strings are NUL-terminated, UNTRUSTED bytes of the target
 * (comm, paths, addresses): whoever prints them escapes them.
 *
 * Ownership: every string and array hangs off the observation and is freed by
 * observation_release(). Strings come from observation_intern() and are never freed singly; arrays
 * are malloc'd (the count alone tells the capacity: append through the functions below).
 */
#ifndef CLASSIFY_OBSERVATION_H
#define CLASSIFY_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Why a thread was off the CPU. Stored in recordings by name; shared with the kernel side by
 * number (bpf/ebpf/wire.h asserts that the two agree): append only. */
enum wait_reason {
	WAIT_NETWORK = 0,  /* a socket whose far end is another host or process */
	WAIT_DISK = 1,	   /* file data, metadata, fsync, block devices */
	WAIT_IPC = 2,	   /* pipe, unix socket, message queue, signal: another process */
	WAIT_LOCK = 3,	   /* mutex, rwlock, file lock: somebody holds it */
	WAIT_GIL = 4,	   /* a runtime's global interpreter lock */
	WAIT_SYNC = 5,	   /* condition variable, semaphore, join, queue: somebody will signal */
	WAIT_CHILD = 6,	   /* wait4 and friends */
	WAIT_TIMER = 7,	   /* sleep, or a timeout that ran out */
	WAIT_ACCEPT = 8,   /* for new work: a listening socket, or an inbound connection at rest */
	WAIT_POLL = 9,	   /* an event loop with nothing better known */
	WAIT_TTY = 10,	   /* a terminal */
	WAIT_DEVICE = 11,  /* a character device, GPU, FUSE, ... */
	WAIT_PAGING = 12,  /* a page fault that had to sleep */
	WAIT_STOPPED = 13, /* SIGSTOP, job control, a debugger */
	WAIT_OTHER = 14,
	WAIT_REASON_CNT,
};

/* What kind of thing was waited on. Stored by name. */
enum object_kind {
	OBJECT_NONE = 0,
	OBJECT_TCP = 1,
	OBJECT_UDP = 2,
	OBJECT_UNIX = 3,
	OBJECT_SOCKET = 4, /* any other family */
	OBJECT_PIPE = 5,
	OBJECT_FILE = 6,
	OBJECT_DIRECTORY = 7,
	OBJECT_BLOCK = 8,
	OBJECT_TTY = 9,
	OBJECT_DEVICE = 10,
	OBJECT_ANON = 11,  /* eventfd, timerfd, inotify, ...: name says which */
	OBJECT_FUTEX = 12, /* name is its address */
	OBJECT_CHILD = 13,
	OBJECT_EPOLL = 14,   /* an event loop whose ready file is not known */
	OBJECT_SYSCALL = 15, /* nothing but the system call's name is known */
	/* What kind of synchronisation a futex is, where its words tell; name as of OBJECT_FUTEX.
	 */
	OBJECT_MUTEX = 16,
	OBJECT_CONDITION = 17,
	OBJECT_SEMAPHORE = 18,
	OBJECT_RWLOCK = 19,
	OBJECT_JOIN = 20, /* the end of a thread; name is that thread */
	OBJECT_KIND_CNT,
};

/* What a wait on a file or on memory was for. Stored by name. */
enum wait_operation {
	OPERATION_NONE = 0,
	OPERATION_READ = 1,	 /* data that was not in the page cache */
	OPERATION_WRITE = 2,	 /* into the page cache */
	OPERATION_DIRECT = 3,	 /* past the page cache (O_DIRECT) */
	OPERATION_SYNC = 4,	 /* fsync and its like: the device, the journal */
	OPERATION_METADATA = 5,	 /* names and directories */
	OPERATION_THROTTLED = 6, /* a writer held back until dirty pages are written */
	OPERATION_FAULT = 7,	 /* a mapped file's page that was not in memory */
	OPERATION_SWAP = 8,	 /* a page that was swapped out */
	OPERATION_CNT,
};

enum wait_direction {
	DIRECTION_NONE = 0,
	DIRECTION_LISTENING = 1,
	DIRECTION_INBOUND = 2,	/* accepted by the tree: its far end asks us */
	DIRECTION_OUTBOUND = 3, /* connected by the tree: we ask its far end */
	DIRECTION_CNT,
};

/* What a frame of a stack is written in; it decides what its names mean. Stored by name. */
enum frame_language {
	LANGUAGE_UNKNOWN = 0, /* machine code of which no more is known */
	LANGUAGE_C = 1,
	LANGUAGE_CPP = 2,
	LANGUAGE_RUST = 3,
	LANGUAGE_GO = 4,
	LANGUAGE_PYTHON = 5,
	LANGUAGE_JIT = 6, /* named by a perf map: JavaScript, Java ... */
	LANGUAGE_KERNEL = 7,
	LANGUAGE_CNT,
};

enum observation_source { SOURCE_EBPF = 0, SOURCE_PROCFS = 1 };
enum target_mode { TARGET_WRAP = 0, TARGET_ATTACH = 1 };

/* One row per (process, reason, object, call, operation, loop, timed_out). Rows of a process sum to
 * its threads' wait_ns by reason; what could not be kept apart is a row with OBJECT_NONE. */
struct obs_wait {
	pid_t pid;
	enum wait_reason reason;
	enum object_kind kind;
	enum wait_direction direction;
	const char *name;    /* "10.0.0.5:443", "/var/x", "0x7f..", "pipe:[123]"; "" if unknown */
	const char *call;    /* the system call it waited in; "" for a page fault or if unknown */
	const char *device;  /* of a file: the block device that holds it, "sda1"; "" if unknown */
	const char *far_end; /* of a socket: who serves it on this host, "postgres[812]"; or "" */
	enum wait_operation operation;
	bool via_event_loop; /* waited for through epoll or io_uring, not by a call of its own */
	bool on_loop;	/* not through it, but by a thread that drives one: the loop stood still */
	bool timed_out; /* ended because its timeout ran out, nothing came */
	uint64_t wait_ns;
	uint64_t wait_cnt;
	uint64_t max_ns;
	uint64_t quiet_ns; /* program time: the quiet stretches that the end of this wait ended */
	uint64_t woken_by_tree_cnt;
	uint64_t woken_by_other_cnt;	 /* another process was current when it was woken */
	uint64_t woken_by_interrupt_cnt; /* nobody: timer, device, or the idle task */
};

struct obs_thread {
	pid_t tid;
	pid_t pid;
	const char *comm;
	uint64_t start_ns; /* when the observation of it began */
	uint64_t end_ns;   /* its death, or the end of the observation */
	bool exited;
	uint64_t on_cpu_ns;
	uint64_t run_queue_ns; /* runnable after a wakeup */
	uint64_t preempted_ns; /* runnable after being preempted */
	uint64_t throttled_ns; /* held off by a cgroup quota; not in preempted_ns */
	uint64_t wait_ns[WAIT_REASON_CNT];
	uint64_t wait_cnt[WAIT_REASON_CNT];
	uint64_t event_loop_wait_ns; /* of all waits, those in epoll_wait or io_uring_enter */
	uint64_t event_loop_wait_cnt;
	uint64_t switch_cnt;  /* times it left a CPU */
	uint64_t preempt_cnt; /* of these, involuntarily */
	/* Of a thread that drives an event loop: how long descriptors of the loop were ready while
	 * it was blocked in another call (from the first one ready to the end of that call). */
	uint64_t loop_late_ns;
	uint64_t loop_late_cnt;
	uint64_t loop_late_max_ns;
	/* The same thread's long runs of computing without a look at the loop: told by samples, so
	 * only runs of several samples count. */
	uint64_t loop_run_ns;
	uint64_t loop_run_cnt;
	uint64_t loop_run_max_ns;
	/* Samples of it on a CPU; of these, inside a call that only looks whether something is
	 * ready (poll, epoll_wait, recv on a non-blocking socket, sched_yield ...), and in a loop
	 * that spins for another thread. */
	uint64_t sample_cnt;
	uint64_t poll_sample_cnt;
	uint64_t spin_sample_cnt;
	uint64_t io_sample_cnt; /* in other calls of input and output */
	const char *poll_call;	/* the call that most of poll_sample_cnt were in; "" if none */
	/* Of a thread of an interpreter with a GIL: samples of which it is known whether the thread
	 * held it, and those in which it did. The rest computed in native code that lets go of it.
	 */
	uint64_t gil_sample_cnt;
	uint64_t gil_held_sample_cnt;
};

/*
 * What one thread did from one instant to another. A thread's segments follow each other without a
 * gap from its start to its end, and sum to its totals to the nanosecond, counts too.
 *
 * One ends when the thread has a CPU again after a wait, a millisecond or more after the one
 * before: a longer wait ends one of its own (with the time in the run queue that came after it),
 * and shorter ones share one; while the thread computes, one may end at any sample. There are about
 * a thousand at most. In a long run neighbours are merged, first where nothing outside was waited
 * for, so that one may hold many operations then (wait_cnt tells how many waits).
 *
 * With more than 512 threads some have none: those that computed least, and those that lived
 * for less than two. Their totals are all that is known: a single segment from start to end. So it
 * is for any thread in a recording that has none, and for one whose totals stand for others'
 * (they don't sum to its life).
 */
struct obs_segment {
	uint32_t thread; /* index in observation.threads */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t on_cpu_ns;
	uint64_t queue_ns; /* run queue, after wakeups and preemptions; and throttled */
	uint64_t wait_ns[WAIT_REASON_CNT];
	uint64_t wait_cnt[WAIT_REASON_CNT];
};

/* Program time from one instant to the next; the slices follow each other without a gap and sum to
 * obs_program. Quiet is what is left. */
struct obs_slice {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t computing_ns;
	uint64_t starved_ns;
};

/* Programs of this host that served the tree over sockets (obs_wait.far_end), and the CPU time that
 * they took meanwhile: on the same CPUs as the tree's, however long it waits. */
struct obs_far_end {
	const char *name;    /* as in obs_wait.far_end */
	uint64_t cpu_ns;     /* of all processes of that program, from since_ns on */
	uint64_t since_ns;   /* when it was found */
	bool is_one_thread;  /* the one that listens took nearly all of it: it serves one at a
			      * time, whoever asks. Others may start another for each who asks */
	uint32_t thread_cnt; /* of these processes, that took a tenth of the busiest one's time or
			      * more; the most that were alive at once */
};

/* Who made others wait for a lock: one row per (process, lock, thread that released it), of the
 * locks and threads with most; tid 0 stands for a lock's other threads together. */
struct obs_lock_holder {
	pid_t pid;
	enum object_kind kind;
	const char *name; /* the lock's, as in its obs_wait */
	pid_t tid;
	const char *comm;
	uint64_t wait_ns; /* of all threads for this lock, while it held it: until it let one in,
			   * since one was let in before */
	uint64_t handover_cnt;
};

/* Who had the CPU that the tree's threads were ready for, for 100 us or longer at a time: programs
 * outside the tree. */
struct obs_neighbour {
	const char *comm; /* "": names that there was no room for */
	uint64_t queue_ns;
	uint64_t cnt;
};

/* Operations in flight: connections to others on which a request is out and no reply has come,
 * counted now and then. */
struct obs_flight {
	uint64_t sample_cnt; /* 0: not counted */
	double mean;	     /* over the whole observation */
	double active_share; /* of the observation, in which any was in flight */
	uint32_t peak;
	uint32_t connection_cnt; /* that were seen with a request out at some time */
	/* Samples of a connection that had brought something since the one before; of these,
	 * without a word sent to it meanwhile: more of the same answer. */
	uint64_t received_cnt;
	uint64_t unasked_cnt;
};

/* A place in a program. Each once. */
struct obs_frame {
	const char *function; /* demangled; "" if unknown */
	const char *file;     /* of the source; "" if unknown */
	uint32_t line;	      /* that was executed, 1 and up; 0: unknown */
	uint32_t first_line;  /* where the function begins; 0: unknown */
	const char *module;   /* path of the mapped file; "[kernel]", "[vdso]", "[jit]" or "" */
	uint64_t address;     /* in the module, as the file numbers them; 0: none */
	enum frame_language language;
	bool is_inlined; /* into the next frame outwards */
};

/* No caller: the outermost of its stack. */
#define NO_CALLER UINT32_MAX

/*
 * A frame and who called it: a node of the tree of calls. A stack is a call, its caller, that one's
 * caller and so on outwards; stacks that begin alike share those calls. Each once.
 */
struct obs_call {
	uint32_t frame;	  /* index in observation.frames */
	uint32_t caller;  /* index in observation.calls, lower than its own; or NO_CALLER */
	bool is_complete; /* without caller: it is where the program or the thread begins. Else the
			   * stack could not be followed further */
};

/*
 * Time of one thread with one stack, on a CPU or waiting for one thing; estimated from samples.
 * Together they don't sum to the thread's exact times: account for that by scaling (analyzer).
 */
struct obs_stack_time {
	uint32_t call; /* the innermost: index in observation.calls */
	pid_t pid;
	pid_t tid;
	const char *thread; /* its name as the runtime or the kernel has it */
	const char *task;   /* of an event loop: the task that waits or runs; "" if none is known */
	bool is_on_cpu;
	bool is_divided; /* its wait was among tasks: what ended it may have been for another */
	uint32_t wait;	 /* index in observation.waits of what it waits for; not with is_on_cpu */
	uint64_t time_ns;
	uint64_t sample_cnt;   /* that it was estimated from */
	uint64_t gil_held_ns;  /* on a CPU: of time_ns, with the GIL held */
	uint64_t gil_known_ns; /* on a CPU: of time_ns, where it is known whether it was */
};

/* How well stacks are known. */
struct obs_stack_quality {
	bool are_taken;	     /* stacks were asked for and could be had */
	uint64_t sample_cnt; /* of threads on a CPU */
	uint64_t wait_cnt;   /* waits whose stack was read */
	uint64_t lost_cnt;   /* of both, without room for them */
	uint64_t unread_cnt; /* the process was gone before its files could be read */
	const char **notes;  /* "path: why": what can't be named, and why */
	size_t note_cnt;
};

struct obs_process {
	pid_t pid;
	pid_t parent_pid;
	const char *comm;
	const char *exe;       /* path as the kernel gives it; "" when not readable */
	const char *command;   /* arguments joined with blanks; "" when not readable */
	const char *toolchain; /* what exe was built with: "go 1.19.8", "rust 1.93.1"; or "" */
	const char **modules;  /* paths of the files mapped executable, without exe */
	size_t module_cnt;
	uint64_t start_ns;
	uint64_t end_ns;
	bool exited;
	bool is_exec;		    /* has run exec while observed (a fork that did not: false) */
	bool has_event_loop;	    /* was seen to hold an epoll or io_uring descriptor */
	uint32_t listening_cnt;	    /* listening sockets seen among its descriptors */
	uint32_t python_hexversion; /* 0x030b0000-like, from the mapped runtime; 0: not CPython */
	bool gil_is_known;	    /* its address was found, so gil waits are told from others */
	bool is_free_threaded;	    /* CPython built without a GIL */
	/* Memory, the largest seen in a few looks; 0: not seen. */
	uint64_t pss_bytes;	/* its proportional share of what it shares with others */
	uint64_t private_bytes; /* what it shares with nobody */
};

/* Program time: each instant of the observation is exactly one of the three. */
struct obs_program {
	uint64_t computing_ns; /* at least one thread of the tree on a CPU */
	uint64_t starved_ns;   /* none on a CPU, at least one runnable */
	uint64_t quiet_ns;     /* every thread waits */
	/* Quiet that no wakeup ended: the stretch open when the observation ended. It is
	 * charged to a row already; this says how much of quiet_ns that is. */
	uint64_t quiet_open_ns;
};

struct obs_host {
	const char *kernel;
	uint32_t cpus_online;
	uint32_t cpus_usable;	   /* affinity of the target */
	double cpu_quota;	   /* CPUs that the cgroup grants; 0: no quota */
	uint32_t threads_per_core; /* hardware threads that share a core's units; 0: not known */
	uint64_t others_cpu_ns;	   /* what all other programs computed on the usable CPUs */
};

struct obs_target {
	enum target_mode mode;
	const char **argv; /* wrap: the command; attach: the cmdline of the pid */
	size_t argc;
	pid_t pid;
	pid_t pid_in_container; /* attach: its number in its own PID namespace; 0: the same */
	const char *cgroup; /* attach: the cgroup that is observed as a whole; "" if a process is */
	bool has_exited;
	bool was_signaled;
	int exit_code; /* or the signal's number; -1: not known */
};

/* How much the data can be trusted. */
struct obs_quality {
	uint64_t lost_events;	     /* every drop counter added up */
	uint64_t lost_threads;	     /* threads that could not be followed */
	const char **missing_probes; /* "name: why" */
	size_t missing_probe_cnt;
	const char *source_note;     /* why this source and what it can't see; "" for a full one */
	uint64_t sample_cnt;	     /* procfs: samples of the tree taken; 0 for ebpf */
	uint64_t sample_interval_ns; /* procfs: mean distance of two samples; 0 for ebpf */
	/* It was to end when its verdict settled; and that is how it ended. */
	bool is_until_settled;
	bool has_settled;
};

struct string_pool;

struct observation {
	enum observation_source source;
	int64_t started_at_unix_ns;
	uint64_t duration_ns; /* program time sums to this */
	struct obs_host host;
	struct obs_target target;
	struct obs_program program;
	struct obs_quality quality;
	struct obs_process *processes; /* in order of start */
	size_t process_cnt;
	struct obs_thread *threads;
	size_t thread_cnt;
	struct obs_wait *waits;
	size_t wait_cnt;
	struct obs_lock_holder *lock_holders;
	size_t lock_holder_cnt;
	struct obs_neighbour *neighbours; /* those that took most; largest first */
	size_t neighbour_cnt;
	uint64_t own_queue_ns; /* the same, where another thread of the tree had it */
	struct obs_flight flight;
	struct obs_segment *segments; /* by thread, and of a thread in order of time */
	size_t segment_cnt;
	struct obs_slice *slices;
	size_t slice_cnt;
	struct obs_far_end *far_ends;
	size_t far_end_cnt;
	struct obs_frame *frames;
	size_t frame_cnt;
	struct obs_call *calls;
	size_t call_cnt;
	struct obs_stack_time *stack_times;
	size_t stack_time_cnt;
	struct obs_stack_quality stack_quality;
	uint32_t processes_peak;
	uint32_t threads_peak;
	struct string_pool *strings;
	bool has_borrowed_strings; /* they are another's: see observation_draft() */
};

/* Returns an empty observation; release it with observation_release(). */
void observation_init(struct observation *obs);

/* Frees everything that hangs off @obs; accepts a zeroed or half-built one. */
void observation_release(struct observation *obs);

/*
 * Makes @draft a copy of @from that can be completed and released on its own while @from goes on.
 * Only its strings, also those that are interned in it later, are @from's: it has to be released
 * before @from is. Returns 0 or -ENOMEM; @draft is to be released either way.
 */
int observation_draft(struct observation *draft, struct observation *from);

/*
 * Returns a copy of the @len bytes at @bytes (NUL added; cut at the first NUL) that lives as long
 * as @obs; equal strings are stored once. NULL when out of memory.
 */
const char *observation_intern(struct observation *obs, const char *bytes, size_t len);

/* Append one element (zeroes, its strings "") and return it, or NULL when out of memory. The
 * pointer is good until the next append to the same array. */
struct obs_process *observation_add_process(struct observation *obs);
struct obs_thread *observation_add_thread(struct observation *obs);
struct obs_wait *observation_add_wait(struct observation *obs);
struct obs_lock_holder *observation_add_lock_holder(struct observation *obs);
struct obs_neighbour *observation_add_neighbour(struct observation *obs);
struct obs_segment *observation_add_segment(struct observation *obs);
struct obs_slice *observation_add_slice(struct observation *obs);
struct obs_far_end *observation_add_far_end(struct observation *obs);
struct obs_frame *observation_add_frame(struct observation *obs);
struct obs_call *observation_add_call(struct observation *obs);
struct obs_stack_time *observation_add_stack_time(struct observation *obs);

/* Appends a copy of @text to an array of strings that hangs off @obs: the modules of a process, the
 * arguments of the target. Returns 0 or -ENOMEM. */
int observation_add_string(struct observation *obs, const char ***array, size_t *cnt,
			   const char *text);

/* Appends a "name: why" to quality.missing_probes. Returns 0 or -ENOMEM. */
int observation_add_missing_probe(struct observation *obs, const char *text);

/* Appends what the times by stack lack to stack_quality.notes. Returns 0 or -ENOMEM. */
int observation_add_stack_note(struct observation *obs, const char *text);

/* Returns the first process with @pid, or NULL. Walks them all: not for each of many. */
struct obs_process *observation_find_process(const struct observation *obs, pid_t pid);

/* Sum of wait_ns over all reasons. */
uint64_t obs_thread_wait_ns(const struct obs_thread *thread);

/* Stable names, as in the report and in recordings: "network", "gil", "tcp", "outbound", ...
 * The *_parse functions return -1 for an unknown name. */
const char *wait_reason_name(enum wait_reason reason);
int wait_reason_parse(const char *name);
const char *object_kind_name(enum object_kind kind);
int object_kind_parse(const char *name);
const char *wait_direction_name(enum wait_direction direction);
int wait_direction_parse(const char *name);
const char *wait_operation_name(enum wait_operation operation);
const char *frame_language_name(enum frame_language language); /* "c", "c++", "python", ... */

#endif
