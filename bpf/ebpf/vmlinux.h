/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The few kernel types that the probes read, written by hand: libbpf relocates each field access
 * to the running kernel (CO-RE), so only names matter here, not order or offsets. A host without
 * BTF can build this, and a reviewer can read it.
 */
#ifndef CLASSIFY_VMLINUX_H
#define CLASSIFY_VMLINUX_H

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef __u64 u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u16 __sum16;
typedef _Bool bool;
#define true 1
#define false 0

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, sp;
};

struct thread_info {
	u32 status;
};

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_bl_node {
	struct hlist_bl_node *next, **pprev;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	u16 i_mode;
	u32 i_rdev;
	u32 i_generation;
	unsigned long i_ino;
	struct super_block *i_sb;
	struct hlist_head i_dentry;
};

struct address_space {
	struct inode *host;
};

struct page {
	struct address_space *mapping;
};

/* Since 5.16. */
struct folio {
	struct address_space *mapping;
};

struct qstr {
	u32 len;
	const unsigned char *name;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct path root;
	struct path pwd;
};

/* A path being looked up. */
struct nameidata {
	struct path path;
};

struct file {
	struct inode *f_inode;
	unsigned int f_flags;
	struct path f_path;
	void *private_data;
	struct hlist_head *f_ep; /* 5.12+ */
};

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct eventpoll {
	struct list_head rdllist;
	struct rb_root_cached rbr;
};

struct epoll_filefd {
	struct file *file;
};

struct epoll_event {
	u32 events;
};

struct epitem {
	struct rb_node rbn;
	struct list_head rdllink;
	struct epoll_filefd ffd;
	struct eventpoll *ep;
	struct hlist_node fllink;
	struct epoll_event event;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	possible_net_t skc_net;
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sk_buff_head {
	u32 qlen;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	u8 sk_userlocks : 4;
	u16 sk_protocol;
	struct sk_buff_head sk_receive_queue;
	u32 sk_ack_backlog;
	u8 sk_shutdown;
	struct socket *sk_socket;
};

struct netlink_sock {
	u32 subscriptions;
};

struct inet_bind_bucket {
	signed char fastreuse;
	signed char fastreuseport;
};

struct inet_connection_sock {
	struct inet_bind_bucket *icsk_bind_hash;
	struct {
		u32 lrcvtime;
	} icsk_ack;
};

struct tcp_sock {
	u64 first_tx_mstamp; /* us */
	u32 snd_una;
	u32 snd_wl1;
	u32 write_seq;
	u32 rcv_nxt;
	u32 lsndtime;
	u32 copied_seq;
};

struct socket {
	short type;
	struct sock *sk;
	struct file *file;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct pipe_inode_info {
	unsigned int head;
	unsigned int tail;
};

struct task_struct;

struct timer_list {
	void *function;
};

struct process_timer {
	struct timer_list timer;
	struct task_struct *task;
};

struct block_device {
	u32 bd_dev;
};

struct request {
	struct block_device *part;
};

struct io_wq_work {
	int cancel_seq;
};

struct io_worker {
	struct io_wq_work *cur_work;
};

struct io_uring_task {
	struct task_struct *task;
};

struct io_kiocb {
	struct file *file;
	struct io_uring_task *tctx;
	struct io_wq_work work;
};

struct timerqueue_node {
	s64 expires;
};

struct hrtimer {
	struct timerqueue_node node;
	void *function;
};

struct hw_perf_event {
	struct hrtimer hrtimer;
	u64 sample_period;
};

struct perf_event {
	struct hw_perf_event hw;
};

/* What the context of a program of a perf event really is. */
struct bpf_perf_event_data_kern {
	struct perf_event *event;
};

struct io_timeout_data {
	struct io_kiocb *req;
	struct hrtimer timer;
};

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct signal_struct {
	int nr_threads;
	struct sigpending shared_pending;
	struct hrtimer real_timer;
};

struct k_itimer {
	struct signal_struct *it_signal;
	union {
		struct {
			struct hrtimer timer;
		} real;
	} it;
};

struct hrtimer_sleeper {
	struct hrtimer timer;
	struct task_struct *task;
};

struct percpu_counter {
	s64 count;
};

struct rw_semaphore {
	s64 count;
};

struct mm_struct {
	struct rw_semaphore mmap_lock;
	unsigned long start_stack;
	struct file *exe_file;
	struct percpu_counter rss_stat[4];
};

/* Until 6.1. */
typedef struct {
	s64 counter;
} atomic64_t;

struct mm_rss_stat {
	atomic64_t count[4];
};

struct mm_struct___before_6_2 {
	struct mm_rss_stat rss_stat;
};

struct linux_binprm {
	const char *filename;
};

struct sched_entity {
	u64 sum_exec_runtime;
	u64 prev_sum_exec_runtime;
};

struct thread_struct {
	unsigned long fsbase;
};

struct task_io_accounting {
	u64 syscr;
	u64 syscw;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct qspinlock {
	atomic_t val;
} arch_spinlock_t;

typedef struct raw_spinlock {
	arch_spinlock_t raw_lock;
} raw_spinlock_t;

struct task_struct {
	struct thread_info thread_info;
	struct thread_struct thread;
	struct sched_entity se;
	unsigned int __state;
	unsigned int flags;
	int on_cpu;
	int exit_code;
	int prio;
	raw_spinlock_t pi_lock;
	struct task_io_accounting ioac;
	int pid;
	int tgid;
	u64 start_time;
	u64 self_exec_id; /* counts its process's execs, and its ancestors' */
	char comm[16];
	unsigned in_iowait : 1;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct nameidata *nameidata;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct sigpending pending;
	sigset_t blocked;
	struct pid *thread_pid;
	void *worker_private;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key;
	void *value;
};

#pragma clang attribute pop

#endif
