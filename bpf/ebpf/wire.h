/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The wire: what crosses between the probes and their user side. Fixed-width fields, no pointers,
 * sizes asserted. Instants are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns).
 */
#ifndef CLASSIFY_WIRE_H
#define CLASSIFY_WIRE_H

#ifndef __bpf__
#include <stdint.h>
#define WIRE_U8	 uint8_t
#define WIRE_U16 uint16_t
#define WIRE_U32 uint32_t
#define WIRE_U64 uint64_t
#else
#define WIRE_U8	 __u8
#define WIRE_U16 __u16
#define WIRE_U32 __u32
#define WIRE_U64 __u64
#endif

#define WIRE_COMM_BYTES	    16
#define WIRE_REASON_CNT	    15
#define WIRE_SYSCALL_CNT    512
#define WIRE_PATH_PARTS	    12
#define WIRE_PART_BYTES	    80 /* a digest in hexadecimal has 64 characters */
#define WIRE_FILENAME_BYTES 256

/* Numbers of enum wait_reason (analyzer/observation/observation.h); wait_convert.c asserts it. */
enum wire_reason {
	WIRE_NETWORK = 0,
	WIRE_DISK = 1,
	WIRE_IPC = 2,
	WIRE_LOCK = 3,
	WIRE_GIL = 4,
	WIRE_SYNC = 5,
	WIRE_CHILD = 6,
	WIRE_TIMER = 7,
	WIRE_ACCEPT = 8,
	WIRE_POLL = 9,
	WIRE_TTY = 10,
	WIRE_DEVICE = 11,
	WIRE_PAGING = 12,
	WIRE_STOPPED = 13,
	WIRE_OTHER = 14,
};

/* Numbers of enum object_kind; likewise. */
enum wire_kind {
	WIRE_KIND_NONE = 0,
	WIRE_KIND_TCP = 1,
	WIRE_KIND_UDP = 2,
	WIRE_KIND_UNIX = 3,
	WIRE_KIND_SOCKET = 4,
	WIRE_KIND_PIPE = 5,
	WIRE_KIND_FILE = 6,
	WIRE_KIND_DIRECTORY = 7,
	WIRE_KIND_BLOCK = 8,
	WIRE_KIND_TTY = 9,
	WIRE_KIND_DEVICE = 10,
	WIRE_KIND_ANON = 11,
	WIRE_KIND_FUTEX = 12,
	WIRE_KIND_CHILD = 13,
	WIRE_KIND_EPOLL = 14,
	WIRE_KIND_SYSCALL = 15,
	WIRE_KIND_MUTEX = 16,
	WIRE_KIND_CONDITION = 17,
	WIRE_KIND_SEMAPHORE = 18,
	WIRE_KIND_RWLOCK = 19,
	WIRE_KIND_JOIN = 20,
};

enum wire_direction {
	WIRE_DIRECTION_NONE = 0,
	WIRE_LISTENING = 1,
	WIRE_INBOUND = 2,
	WIRE_OUTBOUND = 3,
};

/* How a system call waits: the kernel side's table, filled by syscalls.c. */
enum wire_syscall {
	SYSCALL_UNKNOWN = 0,
	SYSCALL_FD,	   /* on the descriptor in its first argument */
	SYSCALL_FD_WRITE,  /* the same, sending */
	SYSCALL_FILE_LOCK, /* flock, fcntl: a lock on that descriptor */
	SYSCALL_FUTEX,
	SYSCALL_FUTEX_WAITV,
	SYSCALL_SLEEP,
	SYSCALL_CHILD,
	SYSCALL_CLONE,	    /* waits for the child only with CLONE_VFORK in its first argument */
	SYSCALL_POLL,	    /* (pollfd *, count) */
	SYSCALL_SELECT,	    /* (count, sets) */
	SYSCALL_EVENT_LOOP, /* epoll_wait, io_uring_enter */
	SYSCALL_IPC,	    /* on the System V queue or semaphores in its first argument */
	SYSCALL_SIGNAL,	    /* pause, sigsuspend, sigtimedwait */
	SYSCALL_PATH,	 /* looks up or changes names: metadata; the path is its first argument */
	SYSCALL_MEMORY,	 /* mmap and friends */
	SYSCALL_RESTART, /* restart_syscall: goes on with what was interrupted */
	SYSCALL_PATH_AT, /* the same with (directory, path) */
	SYSCALL_STORAGE, /* waits for storage, and no argument says for what */
	SYSCALL_QUEUE,	 /* on the POSIX queue whose descriptor is its first argument */
};

/* How a call can ask for something without waiting for it. */
enum wire_asking {
	ASKING_NOT = 0,
	ASKING_READ,	/* a descriptor that doesn't block */
	ASKING_RECVMSG, /* likewise, or the third argument says not to */
	ASKING_RECV,	/* likewise, or the fourth does */
	ASKING_SET,	/* a set of descriptors */
	ASKING_RING,	/* io_uring_enter */
	ASKING_YIELD,
};

enum wire_wait_flag {
	WIRE_WAIT_EVENT_LOOP = 1, /* through epoll or io_uring */
	WIRE_WAIT_TIMED_OUT = 2,
	WIRE_WAIT_ON_LOOP = 4,	  /* by a thread that drives an event loop, not through it */
	WIRE_WAIT_DIRECT = 8,	  /* on a file opened with O_DIRECT */
	WIRE_WAIT_THROTTLED = 16, /* a writer held back until dirty pages are written */
	WIRE_WAIT_SWAP = 32,	  /* for a page that was swapped out */
	WIRE_WAIT_SYNC = 64,	  /* on a file opened with O_SYNC or O_DSYNC */
};

/* In wire_wait_key.syscall: not in a system call, which is a page fault. */
#define WIRE_NO_SYSCALL 0xffff

/* One kind of wait of one process; the key that waits are summed by. */
struct wire_wait_key {
	WIRE_U32 tgid;
	WIRE_U32 tid; /* 0, or the thread while its process's GIL is not known to the probes */
	WIRE_U8 reason;
	WIRE_U8 kind;
	WIRE_U8 direction;
	WIRE_U8 flags;
	WIRE_U16 port;	  /* host byte order */
	WIRE_U16 syscall; /* the call it waits in, or WIRE_NO_SYSCALL */
	/*
	 * TCP, UDP: an IPv6 or IPv4-mapped address. File, directory: device with the inode's
	 * generation above it (numbers of inodes are used again), inode. Pipe, tty, device, block:
	 * device, inode. Unix: an opaque identity. Futex and its kinds: address; a join's
	 * [1]: the thread. Child: command. Anonymous: name; or 0 and the number of
	 * a System V object, whose kind the call tells.
	 */
	WIRE_U64 id[2];
};
_Static_assert(sizeof(struct wire_wait_key) == 32, "wire_wait_key");

/* Whether a wait is for work to come. Both sides charge by it: wake.bpf.h, finish_quiet.c. */
static inline int wire_is_for_work(const struct wire_wait_key *key)
{
	return key->reason == WIRE_ACCEPT || key->reason == WIRE_TTY;
}

struct wire_wait_sum {
	WIRE_U64 wait_ns;
	WIRE_U64 wait_cnt;
	WIRE_U64 max_ns;
	WIRE_U64 quiet_ns;  /* ended by these waits, or claimed by them: see tick.bpf.h */
	WIRE_U64 ticked_ns; /* ended by these waits, and left for others to claim */
	WIRE_U64 woken_by_tree_cnt;
	WIRE_U64 woken_by_other_cnt;
	WIRE_U64 woken_by_interrupt_cnt;
};
_Static_assert(sizeof(struct wire_wait_sum) == 64, "wire_wait_sum");

/* Who let a process's threads in that waited for a lock: the thread that released it. */
struct wire_holder_key {
	WIRE_U32 tgid; /* of those who waited */
	WIRE_U32 tid;  /* of who released it */
	WIRE_U8 reason;
	WIRE_U8 kind;
	WIRE_U16 pad;
	WIRE_U32 pad2;
	WIRE_U64 id[2]; /* the lock's, as in its wire_wait_key; 0 for the GIL */
};
_Static_assert(sizeof(struct wire_holder_key) == 32, "wire_holder_key");

struct wire_holder_sum {
	WIRE_U64 wait_ns;
	WIRE_U64 handover_cnt;
	char comm[WIRE_COMM_BYTES]; /* of who released it */
};
_Static_assert(sizeof(struct wire_holder_sum) == 32, "wire_holder_sum");

/* The exact totals of one thread. */
struct wire_thread {
	WIRE_U32 tgid;
	WIRE_U32 tid;
	WIRE_U64 start_ns;
	WIRE_U64 end_ns;
	WIRE_U64 on_cpu_ns;
	WIRE_U64 run_queue_ns;
	WIRE_U64 preempted_ns;
	WIRE_U64 wait_ns[WIRE_REASON_CNT];
	WIRE_U32 wait_cnt[WIRE_REASON_CNT];
	WIRE_U32 switch_cnt;
	WIRE_U32 preempt_cnt;
	WIRE_U32 event_loop_wait_cnt;
	WIRE_U64 event_loop_wait_ns;
	WIRE_U64 loop_late_ns; /* as in struct obs_thread */
	WIRE_U64 loop_late_cnt;
	WIRE_U64 loop_late_max_ns;
	/* Waits not yet written back to the table of waits. */
	struct wire_wait_key pending_key;
	struct wire_wait_sum pending;
	/* In a snapshot, the wait it is in or has just been woken from, included in wait_ns and
	 * wait_cnt above but in no table; reason WIRE_REASON_CNT when there is none. */
	struct wire_wait_key open_key;
	WIRE_U64 open_ns;
	WIRE_U64 open_quiet_ns;	 /* 0 unless it has just been woken */
	WIRE_U64 open_ticked_ns; /* of ticks since it began; 0 unless it is blocked */
	WIRE_U64 open_asks;	 /* 1: it is for a connection on which a request is out */
	WIRE_U64 ticked_ns;	 /* all that it left for others to claim */
	/* Samples of it on a CPU; of these, in calls that ask in vain, and in loops that spin. */
	WIRE_U32 sample_cnt;
	WIRE_U32 poll_sample_cnt;
	WIRE_U32 spin_sample_cnt;
	WIRE_U16 poll_call; /* the call that most of poll_sample_cnt were in */
	WIRE_U16 poll_votes;
	/* Runs of samples in which the thread of an event loop computed, and the longest one. */
	WIRE_U32 loop_run_cnt;
	WIRE_U32 loop_run_samples;
	WIRE_U32 loop_run_max_samples;
	WIRE_U32 io_sample_cnt; /* in other calls of input and output */
	/* Samples of which it is known whether it held the GIL, and in which it did. */
	WIRE_U32 gil_sample_cnt;
	WIRE_U32 gil_held_sample_cnt;
	char comm[WIRE_COMM_BYTES];
};
_Static_assert(sizeof(struct wire_thread) == 496, "wire_thread");

/* Who had the CPUs that the tree's threads waited for, by name, and for how long in all. */
struct wire_neighbour {
	char comm[WIRE_COMM_BYTES];
};

struct wire_queue_sum {
	WIRE_U64 queue_ns;
	WIRE_U64 cnt;
};

enum wire_event_type {
	WIRE_EVENT_FORK = 1, /* a thread or process of the tree was born */
	WIRE_EVENT_EXEC = 2,
	WIRE_EVENT_EXIT = 3,	 /* a thread of the tree died: wire_event_exit */
	WIRE_EVENT_NAME = 4,	 /* the name of an object: wire_event_name */
	WIRE_EVENT_FUTEX = 5,	 /* a process waits at an address for the first time */
	WIRE_EVENT_ENDPOINT = 6, /* a connection to an endpoint of this host: the first */
	WIRE_EVENT_SEGMENT = 7,	 /* what a thread's totals have grown to */
};

struct wire_event {
	WIRE_U32 type;
	WIRE_U32 tgid;
	WIRE_U32 tid;
	WIRE_U32 parent_tgid;
	WIRE_U64 time_ns;
};
_Static_assert(sizeof(struct wire_event) == 24, "wire_event");

struct wire_event_fork {
	struct wire_event event;
	char comm[WIRE_COMM_BYTES];
};

struct wire_event_exec {
	struct wire_event event;
	char comm[WIRE_COMM_BYTES];
	char filename[WIRE_FILENAME_BYTES];
};

struct wire_event_exit {
	struct wire_event event;
	WIRE_U32 exit_code; /* of its process, as wait() has it: signal, or code << 8 */
	WIRE_U32 pad;
	struct wire_thread thread;
};

/* A path comes as its components, last first: the probe can't join strings. A unix address is
 * part[0] and, beyond WIRE_PART_BYTES, part[1]; abstract ones begin with a NUL. */
struct wire_event_name {
	struct wire_event event;
	WIRE_U64 id[2];
	WIRE_U32 kind;
	WIRE_U32 part_cnt;
	WIRE_U32 is_truncated; /* there is more before the first of them */
	WIRE_U32 name_bytes;   /* unix addresses: their length */
	WIRE_U32 cut_parts;    /* a bit for each that was too long, and is only begun */
	WIRE_U32 is_deleted;
	char part[WIRE_PATH_PARTS][WIRE_PART_BYTES];
};

struct wire_event_futex {
	struct wire_event event;
	WIRE_U64 address;
	WIRE_U64 stack;		 /* the waiting thread's stack pointer, */
	WIRE_U64 thread_pointer; /* which its stack ends before */
	char comm[WIRE_COMM_BYTES];
	WIRE_U32 op; /* of futex(), and the value that is expected */
	WIRE_U32 value;
	WIRE_U32 is_timed;
	WIRE_U32 is_told; /* 0: its memory could not be read yet */
};
_Static_assert(sizeof(struct wire_event_futex) == 80, "wire_event_futex");

/* kind, id and port as in wire_wait_key. */
struct wire_event_endpoint {
	struct wire_event event;
	WIRE_U64 id[2];
	WIRE_U32 kind;
	WIRE_U32 port;
	WIRE_U32 netns; /* its namespace: inode of /proc/PID/ns/net */
	WIRE_U32 pad;
};
_Static_assert(sizeof(struct wire_event_endpoint) == 56, "wire_event_endpoint");

/* A thread's totals at `event.time_ns`, to which they sum since its start. It is the thread of its
 * process that started then, whatever number it has got by an exec. */
struct wire_event_segment {
	struct wire_event event;
	WIRE_U64 start_ns;
	WIRE_U64 on_cpu_ns;
	WIRE_U64 queue_ns; /* after wakeups and preemptions */
	WIRE_U64 wait_ns[WIRE_REASON_CNT];
	WIRE_U32 wait_cnt[WIRE_REASON_CNT];
	WIRE_U32 pad;
};
_Static_assert(sizeof(struct wire_event_segment) == 232, "wire_event_segment");

enum wire_program_state {
	WIRE_QUIET = 0,
	WIRE_STARVED = 1,
	WIRE_COMPUTING = 2,
	WIRE_PROGRAM_STATE_CNT = 3,
};

/* Every way the probes can lose something, counted. */
enum wire_loss {
	WIRE_LOST_EVENT = 0,	/* no room in the ring buffer */
	WIRE_LOST_THREAD = 1,	/* no context could be made: the thread is not followed */
	WIRE_LOST_TOTALS = 2,	/* a thread's record was dropped; its totals are in `orphans` */
	WIRE_LOST_WAIT_ROW = 3, /* the table of waits was full; totals by reason are exact still */
	WIRE_LOST_LOOP = 4,	/* the table of event loops was full: this one isn't known */
	WIRE_LOST_CONNECTION = 5, /* the table of connections was full */
	WIRE_LOST_HOLDER = 6, /* the table of who released locks was full: hand-overs are missing */
	WIRE_LOST_PORT = 7,   /* the table of ports that are listened on was full */
	WIRE_LOST_STACK =
		8, /* no room for a stack, or for the end of a wait whose stack was told */
	WIRE_LOSS_CNT = 9,
};

enum wire_connection_state {
	WIRE_CONNECTION_AT_REST = 1,
	WIRE_CONNECTION_ASKS = 2,   /* it is being made, or nothing has come to its last request */
	WIRE_CONNECTION_CLOSED = 3, /* by the tree; told of once */
	WIRE_CONNECTION_LEFT = 4,   /* by the far end; likewise */
};

/* A TCP connection that the tree opened. */
struct wire_connection {
	WIRE_U64 socket;   /* its identity */
	WIRE_U32 written;  /* bytes, from an arbitrary start */
	WIRE_U32 received; /* likewise */
	WIRE_U32 state;
	WIRE_U32 pad;
};
_Static_assert(sizeof(struct wire_connection) == 24, "wire_connection");

/* How a thread's context begins. The user side makes the root's, with is_followed 1 and the rest
 * zero, which the seeding iterator takes from there. */
struct wire_followed {
	WIRE_U32 state;
	WIRE_U32 is_followed;
};

/* A TCP port in a network namespace, whose number is that of /proc/PID/ns/net. */
struct wire_port {
	WIRE_U32 netns;
	WIRE_U32 port; /* host byte order */
};

/* Futex words of a process's GIL; 0, 0: it has none. Absent: not known yet. */
struct wire_gil {
	WIRE_U64 start;
	WIRE_U64 end;
	WIRE_U64 thread_id_offset; /* in a thread's state, as in struct gil_range */
};

/* --- stacks: a ring buffer of their own, see stack.bpf.h --- */

#define WIRE_REGISTER_CNT  17 /* in DWARF's order for x86-64: 0 to 15, and 16 is the ip */
#define WIRE_REGISTER_SP   7
#define WIRE_REGISTER_IP   16
#define WIRE_KERNEL_FRAMES 24
#define WIRE_PYTHON_FRAMES 128
#define WIRE_STACK_BYTES   (32 << 10)

enum wire_stack_type {
	WIRE_STACK_SAMPLE = 1,	 /* of a thread on a CPU: wire_stack */
	WIRE_STACK_WAIT = 2,	 /* of a thread that is about to wait: wire_stack */
	WIRE_STACK_WAIT_END = 3, /* a wait whose stack was told of has ended: wire_stack_wait_end */
	WIRE_STACK_WAITING = 4,	 /* of one that waits, told by an iterator: wire_waiting */
};

enum wire_gil_state {
	WIRE_GIL_UNKNOWN = 0,
	WIRE_GIL_FREE = 1, /* the thread doesn't hold it */
	WIRE_GIL_HELD = 2,
};

/* Whose stack: what an address in it means. */
struct wire_stack_owner {
	WIRE_U32 tgid;
	WIRE_U32 tid;
	/* Changes when the process runs exec: numbers of processes and their memory are used again.
	 */
	WIRE_U64 address_space;
	/* Where the stack of its first thread began, which /proc tells too: whether what that has
	 * is of the same program. */
	WIRE_U64 start_stack;
	/* The thread's switch_cnt when it left the CPU for this wait: it names the wait. */
	WIRE_U32 wait_number;
	WIRE_U32 type; /* enum wire_stack_type */
	WIRE_U64 time_ns;
};
_Static_assert(sizeof(struct wire_stack_owner) == 40, "wire_stack_owner");

struct wire_python_frame {
	WIRE_U64 code;	   /* the code object */
	WIRE_U32 position; /* bytes from its beginning (3.11 and later), or the frame's f_lasti */
	WIRE_U32 is_entry; /* the interpreter was entered by C for it: the frames inside this one
			    * down to it share a C frame (3.11 and later; before it is always 1) */
};
_Static_assert(sizeof(struct wire_python_frame) == 16, "wire_python_frame");

/* Only the first stack_bytes of `stack` are sent. */
struct wire_stack {
	struct wire_stack_owner owner;
	WIRE_U64 registers[WIRE_REGISTER_CNT]; /* of the user's code */
	WIRE_U64 thread_pointer;
	WIRE_U64 gil_state; /* enum wire_gil_state; of samples */
	WIRE_U32 kernel_cnt;
	WIRE_U32 python_cnt;
	WIRE_U32 python_is_cut;		     /* it went on further out than there was room for */
	WIRE_U32 stack_bytes;		     /* from the stack pointer up */
	WIRE_U64 kernel[WIRE_KERNEL_FRAMES]; /* innermost first */
	struct wire_python_frame python[WIRE_PYTHON_FRAMES]; /* likewise */
	WIRE_U8 stack[WIRE_STACK_BYTES];
};

/* Where the fields lie that a walk over the frames of CPython needs; see python.bpf.h. */
struct wire_python {
	WIRE_U32 version; /* major and minor of the hexversion; 0: its frames can't be walked */
	WIRE_U8 has_cframe;
	WIRE_U8 has_owner;
	WIRE_U8 has_is_entry;
	WIRE_U8 position_is_int;
	WIRE_U64 interpreters; /* address of the pointer to the first one */
	/* Offsets as in struct python_layout (bpf/python/layouts.h). */
	WIRE_U32 interpreter_next;
	WIRE_U32 interpreter_threads;
	WIRE_U16 thread_prev;
	WIRE_U16 thread_next;
	WIRE_U16 thread_interpreter;
	WIRE_U16 thread_id;
	WIRE_U16 thread_frame;
	WIRE_U16 cframe_frame;
	WIRE_U16 frame_code;
	WIRE_U16 frame_previous;
	WIRE_U16 frame_position;
	WIRE_U16 frame_owner;
	WIRE_U16 frame_is_entry;
	WIRE_U16 frame_bytes;
};
_Static_assert(sizeof(struct wire_python) == 48, "wire_python");

/* A thread of a process with CPython, by the C library's thread pointer. */
struct wire_python_thread {
	WIRE_U32 tgid;
	WIRE_U32 pad;
	WIRE_U64 thread_pointer;
};

/* The wait that owner.wait_number names is over, at owner.time_ns: one that was chosen at its
 * beginning, or that tell_waiting has told of. */
struct wire_stack_wait_end {
	struct wire_stack_owner owner;
	WIRE_U64 wait_ns;    /* 0: it turned out to be none */
	WIRE_U32 stands_for; /* one wait in so many was chosen then, by chance, and 1: each of
			      * them; 0: none could be, as it began before the observation */
	WIRE_U32 was_chosen; /* its WIRE_STACK_WAIT was sent, or lost for want of room */
	struct wire_wait_key key;
};
_Static_assert(sizeof(struct wire_stack_wait_end) == 88, "wire_stack_wait_end");

/* A thread that is waiting, as the iterator over waiting threads tells of it: its stack is read
 * from outside, and is good if the wait ends later than the reading. */
struct wire_waiting {
	struct wire_stack_owner owner;
	WIRE_U64 since_ns;
	WIRE_U64 registers[WIRE_REGISTER_CNT];
	WIRE_U64 thread_pointer;
	WIRE_U64 stack_end; /* where its stack ends, if known; or 0 */
	struct wire_wait_key key;
};
_Static_assert(sizeof(struct wire_waiting) == 232, "wire_waiting");

/*
 * What the iterator over waiting threads (tell_waiting) is asked for, set before it is run. It
 * tells of waits that have gone on for blocked_ns, have not been chosen at their beginning and have
 * not been told of before; each of them comes to its WIRE_STACK_WAIT_END.
 */
struct wire_look {
	WIRE_U64 blocked_ns;
	WIRE_U64 gap_ns;    /* how seldom waits of a thread are to be chosen, if that is less often
			     * than they are: where we can't keep up */
	WIRE_U32 chance;    /* by which it tells of each, in 1/2^32; UINT32_MAX: of all */
	WIRE_U32 left_cnt;  /* of how many at most; counts down */
	WIRE_U32 found_cnt; /* counts up: those that it could have told of */
	WIRE_U32 is_last;   /* to tell of every thread that waits instead, for the end */
};
_Static_assert(sizeof(struct wire_look) == 32, "wire_look");

#endif
