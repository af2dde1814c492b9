/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which file a page fault waits for, and when a writer is held back: what the registers of a
 * sleeping thread don't tell. Tracepoints on the way into such a sleep leave a mark in the thread's
 * context, which its switch-out believes if the thread has hardly computed since.
 */
#ifndef CLASSIFY_DISK_BPF_H
#define CLASSIFY_DISK_BPF_H

#include "task.bpf.h"
#include "wait_name.bpf.h"

#define S_IFMT	 0170000
#define S_IFSOCK 0140000
#define S_IFREG	 0100000
#define S_IFBLK	 0060000
#define S_IFDIR	 0040000
#define S_IFCHR	 0020000
#define S_IFIFO	 0010000

#define TASK_KILLABLE 0x102  /* TASK_WAKEKILL | TASK_UNINTERRUPTIBLE */
#define O_DSYNC	      0x1000 /* of x86; part of O_SYNC */
#define O_DIRECT      0x4000
#define MM_SWAPENTS   2

/* On-CPU time from a mark to the sleep that it explains: to get memory for a window of read-ahead
 * and to submit it; to find a page locked; to go to sleep. */
#define MISS_FRESH_NS	   200000
#define FAULT_FRESH_NS	   50000
#define THROTTLED_FRESH_NS 20000
#define LOCK_FRESH_NS	   20000

const volatile bool sees_file_faults = true; /* the kernel has mm_filemap_fault */

/* @thread's time on CPUs until now; 0: it isn't known to be on one. */
static __always_inline u64 thread_cpu_ns(const struct thread_ctx *thread)
{
	if (thread->head.state != TASK_ON_CPU)
		return 0;
	return thread->total.on_cpu_ns + bpf_ktime_get_ns() - thread->stamp_ns;
}

/* Whether a mark made at @cpu_ns explains why @thread, whose time on the CPU has just been booked,
 * goes to sleep. */
static __always_inline bool mark_is_fresh(const struct thread_ctx *thread, u64 cpu_ns, u64 fresh_ns)
{
	return cpu_ns && (s64)(thread->total.on_cpu_ns - cpu_ns) < (s64)fresh_ns;
}

static __always_inline struct thread_ctx *thread_to_mark(void)
{
	struct thread_ctx *thread = thread_find(bpf_get_current_task_btf());

	return thread && thread->head.is_followed && is_observing ? thread : 0;
}

static __always_inline struct pt_regs *current_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

static __always_inline void mark_file(struct thread_ctx *thread, struct inode *inode, bool is_miss)
{
	struct page_mark *page = &thread->page;
	struct pt_regs *regs = current_regs();

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return; /* blocks of metadata: the caller is known better by its call */
	page->is_fault = !is_miss || (page->is_fault && page->inode == (u64)inode);
	page->is_miss = is_miss;
	page->inode = (u64)inode;
	page->inode_number = BPF_CORE_READ(inode, i_ino);
	page->cpu_ns = thread_cpu_ns(thread);
	page->call = regs->orig_ax;
	page->argument = regs->di;
	page->ip = regs->ip;
	/* Its next wait may be for this page, inside a call that it often waits in. */
	thread->memo.is_valid = 0;
}

/* A page wasn't in memory and is about to be read; @page is a struct folio * since 5.16. */
SEC("tp_btf/mm_filemap_add_to_page_cache")
int BPF_PROG(on_page_added, void *page)
{
	struct thread_ctx *thread = thread_to_mark();
	struct address_space *mapping;

	if (!thread)
		return 0;
	if (bpf_core_type_exists(struct folio))
		mapping = BPF_CORE_READ((struct folio *)page, mapping);
	else
		mapping = BPF_CORE_READ((struct page *)page, mapping);
	mark_file(thread, BPF_CORE_READ(mapping, host), true);
	return 0;
}

/* A page of a mapped file is needed: it may be on its way already. */
SEC("tp_btf/mm_filemap_fault")
int BPF_PROG(on_file_fault, struct address_space *mapping)
{
	struct thread_ctx *thread = thread_to_mark();

	if (thread)
		mark_file(thread, BPF_CORE_READ(mapping, host), false);
	return 0;
}

/* A writer has made too many pages dirty, and mostly sleeps now. */
SEC("tp_btf/balance_dirty_pages")
int BPF_PROG(on_balance_dirty_pages)
{
	struct thread_ctx *thread = thread_to_mark();

	if (!thread)
		return 0;
	thread->throttled_cpu_ns = thread_cpu_ns(thread);
	thread->memo.is_valid = 0;
	return 0;
}

/* Consumes the mark of on_balance_dirty_pages: its sleep follows at once, or never. */
static __always_inline bool wait_is_throttled(struct thread_ctx *thread, u32 state, bool in_iowait)
{
	u64 cpu_ns = thread->throttled_cpu_ns;

	thread->throttled_cpu_ns = 0;
	return in_iowait && state == TASK_KILLABLE &&
	       mark_is_fresh(thread, cpu_ns, THROTTLED_FRESH_NS);
}

/* enum lock_contention flags of a reader and a writer of a sleeping lock. */
#define LCB_F_READ  2
#define LCB_F_WRITE 4

/* The lock of an address space: page faults take it as readers, mmap and its like as writers. */
SEC("tp_btf/contention_begin")
int BPF_PROG(on_contention_begin, void *lock, unsigned int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread_ctx *thread;
	struct mm_struct *mm;

	if (flags != LCB_F_READ && flags != LCB_F_WRITE)
		return 0;
	thread = thread_to_mark();
	if (!thread)
		return 0;
	mm = BPF_CORE_READ(task, mm);
	if (mm && (u64)lock == (u64)mm + bpf_core_field_offset(struct mm_struct, mmap_lock))
		thread->mmap_lock_cpu_ns = thread_cpu_ns(thread);
	return 0;
}

/* It may be woken and find it locked again. */
static __always_inline bool wait_is_for_mmap_lock(struct thread_ctx *thread)
{
	if (!mark_is_fresh(thread, thread->mmap_lock_cpu_ns, LOCK_FRESH_NS))
		return false;
	thread->mmap_lock_cpu_ns = thread->total.on_cpu_ns;
	return true;
}

static __always_inline void wait_on_mmap_lock(struct wire_wait_key *key)
{
	key->reason = WIRE_LOCK;
	key->kind = WIRE_KIND_RWLOCK;
	key->id[0] = 0;
}

/* Of the current thread's process. */
static __always_inline bool has_swapped_pages(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct mm_struct___before_6_2 *old_mm = (void *)mm;

	if (!bpf_core_type_exists(struct mm_rss_stat))
		return (s64)BPF_CORE_READ(mm, rss_stat[MM_SWAPENTS].count) > 0;
	return (s64)BPF_CORE_READ(old_mm, rss_stat.count[MM_SWAPENTS].counter) > 0;
}

/* Regular files and directories are told by their generation from those that had the inode's number
 * before. */
static __always_inline void inode_identify(struct wire_wait_key *key, struct inode *inode, u32 mode)
{
	key->id[0] = BPF_CORE_READ(inode, i_sb, s_dev);
	key->id[1] = BPF_CORE_READ(inode, i_ino);
	if (mode == S_IFREG || mode == S_IFDIR)
		key->id[0] |= (u64)BPF_CORE_READ(inode, i_generation) << 32;
}

/* Of include/uapi/linux/magic.h. */
#define PIPEFS_MAGIC	    0x50495045
#define PID_FS_MAGIC	    0x50494446
#define PROC_SUPER_MAGIC    0x9fa0
#define CGROUP_SUPER_MAGIC  0x27e0eb
#define SYSFS_MAGIC	    0x62656572
#define CGROUP2_SUPER_MAGIC 0x63677270
#define DEBUGFS_MAGIC	    0x64626720
#define TRACEFS_MAGIC	    0x74726163

/* Of a file system whose files are the kernel's own doing. */
static __always_inline bool inode_is_of_kernel(struct inode *inode)
{
	switch (BPF_CORE_READ(inode, i_sb, s_magic)) {
	case PROC_SUPER_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
		return true;
	}
	return false;
}

static __always_inline u8 file_wait_flags(struct file *file)
{
	u32 flags = BPF_CORE_READ(file, f_flags);

	return (flags & O_DIRECT ? WIRE_WAIT_DIRECT : 0) | (flags & O_DSYNC ? WIRE_WAIT_SYNC : 0);
}

/* The wait is for a page of the file that was marked last. Global, see socket_describe. */
__noinline int wait_on_page(struct thread_ctx *thread)
{
	struct inode *inode;
	struct wire_wait_key *key;

	if (!thread)
		return 0;
	inode = (struct inode *)thread->page.inode;
	if (BPF_CORE_READ(inode, i_ino) != thread->page.inode_number)
		return 0; /* gone, and its memory is somebody else's */
	key = &thread->open;
	key->kind = WIRE_KIND_FILE;
	inode_identify(key, inode, S_IFREG);
	return name_inode(key, (u64)inode);
}

/* In this very call or fault: one before, a write perhaps, says nothing of it. */
static __always_inline bool page_is_marked(const struct thread_ctx *thread)
{
	const struct page_mark *page = &thread->page;
	struct pt_regs *regs = current_regs();

	if (page->call != regs->orig_ax || page->argument != regs->di || page->ip != regs->ip)
		return false;
	return mark_is_fresh(thread, thread->page.cpu_ns,
			     thread->page.is_miss ? MISS_FRESH_NS : FAULT_FRESH_NS);
}

/*
 * Completes @thread->open for a page fault that sleeps; marks are the current thread's. Others than
 * those that wait for I/O or for the address space wait for memory or a file system's own locks.
 */
static __always_inline void wait_on_fault(struct thread_ctx *thread, bool in_iowait,
					  bool is_current)
{
	struct wire_wait_key *key = &thread->open;
	bool is_marked = page_is_marked(thread);

	key->reason = WIRE_PAGING;
	if (!is_current)
		return;
	if (!in_iowait) {
		if (wait_is_for_mmap_lock(thread))
			wait_on_mmap_lock(key);
	} else if (is_marked && (thread->page.is_miss || !has_swapped_pages())) {
		wait_on_page(thread);
	} else if (!is_marked && sees_file_faults && has_swapped_pages()) {
		key->flags |= WIRE_WAIT_SWAP;
	}
}

/*
 * A call on one file may wait for a page of another: of a mapping that it copies from or to, or of
 * what sendfile sends. Returns whether it does, and says so in @thread->open.
 */
static __always_inline bool wait_is_on_other_page(struct thread_ctx *thread)
{
	struct wire_wait_key *key = &thread->open;
	struct page_mark *page = &thread->page;
	bool is_file = key->kind == WIRE_KIND_FILE || key->kind == WIRE_KIND_DIRECTORY ||
		       key->kind == WIRE_KIND_BLOCK;

	if (!page_is_marked(thread))
		return false;
	/* Reads, too, leave marks, and an overlay's of the file below it. */
	if (is_file && (!page->is_fault || page->inode_number == key->id[1]))
		return false;
	key->reason = page->is_fault ? WIRE_PAGING : WIRE_DISK;
	key->kind = WIRE_KIND_NONE;
	key->direction = key->flags = key->port = 0;
	key->id[0] = key->id[1] = 0;
	wait_on_page(thread);
	return true;
}

#endif
