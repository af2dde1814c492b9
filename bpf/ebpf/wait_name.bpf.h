/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Names of waited-on objects: sent once each, when first met, because the target may be gone by
 * the time the user side could ask /proc. */
#ifndef CLASSIFY_WAIT_NAME_BPF_H
#define CLASSIFY_WAIT_NAME_BPF_H

#include "task.bpf.h"

struct name_key {
	u64 id[2];
	u32 kind;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct name_key);
	__type(value, u8);
} named SEC(".maps");

/* Reserves the event that names @key's object, unless it has been sent already. */
static __always_inline struct wire_event_name *name_event_begin(const struct wire_wait_key *key)
{
	struct name_key name = { .id = { key->id[0], key->id[1] }, .kind = key->kind };
	struct wire_event_name *event;
	u8 one = 1;

	if (bpf_map_lookup_elem(&named, &name))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count_loss(WIRE_LOST_EVENT);
		return 0;
	}
	bpf_map_update_elem(&named, &name, &one, BPF_ANY);
	__builtin_memset(&event->event, 0, sizeof(event->event));
	event->event.type = WIRE_EVENT_NAME;
	event->event.tgid = key->tgid;
	event->id[0] = key->id[0];
	event->id[1] = key->id[1];
	event->kind = key->kind;
	event->part_cnt = 0;
	event->is_truncated = 0;
	event->name_bytes = 0;
	event->cut_parts = 0;
	event->is_deleted = 0;
	return event;
}

/* A walk from a file up to its process's root, one name at a time. Kernel pointers as numbers: see
 * socket_describe. */
struct path_walk {
	u64 dentry;
	u64 mount; /* 0: not known, the walk ends at the file system's own root */
	u64 root_dentry;
	u64 root_mount;
	u64 name; /* of the dentry that the last step passed; 0: the root was reached */
	u32 name_bytes;
	u32 is_apart; /* it ended at a root that is mounted nowhere above */
};

#define MOUNTS_ABOVE_MAX 6

static __always_inline void path_pass(struct path_walk *walk, struct dentry *dentry)
{
	walk->name = (u64)BPF_CORE_READ(dentry, d_name.name);
	walk->name_bytes = BPF_CORE_READ(dentry, d_name.len);
}

/* Global, so that the verifier checks it once and not at each of a path's components. */
__noinline int path_step(struct path_walk *walk)
{
	struct dentry *dentry;
	struct mount *mount;

	if (!walk)
		return 0;
	dentry = (struct dentry *)walk->dentry;
	mount = (struct mount *)walk->mount;
	walk->name = 0;
	for (int i = 0; i < MOUNTS_ABOVE_MAX; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		struct dentry *top = BPF_CORE_READ(mount, mnt.mnt_root);
		struct mount *above;

		if ((u64)dentry == walk->root_dentry && (u64)mount == walk->root_mount)
			return 0;
		if (dentry != top && dentry != parent) {
			path_pass(walk, dentry);
			walk->dentry = (u64)parent;
			walk->mount = (u64)mount;
			return 0;
		}
		above = BPF_CORE_READ(mount, mnt_parent);
		walk->is_apart = dentry != top;
		if (walk->is_apart || above == mount || !above)
			return 0;
		dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		mount = above;
	}
	return 0;
}

static __always_inline u64 mount_of(struct vfsmount *mnt)
{
	return (u64)mnt - bpf_core_field_offset(struct mount, mnt);
}

__u64 seeded_fs = 0; /* of the thread that the seeding iterator describes: it isn't current then */

/* The root directory that the waiting thread knows. */
static __always_inline void path_root(struct path_walk *walk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	/* By a helper: what a known pointer leads to costs the verifier a search by name. */
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	if (seeded_fs && task_tgid_number(task) == self_tgid)
		fs = (struct fs_struct *)seeded_fs;
	walk->root_dentry = (u64)BPF_CORE_READ(fs, root.dentry);
	walk->root_mount = mount_of(BPF_CORE_READ(fs, root.mnt));
}

static __always_inline bool dentry_is_unhashed(struct dentry *dentry)
{
	return !BPF_CORE_READ(dentry, d_hash.pprev);
}

static __always_inline void path_copy(struct wire_event_name *event, const struct path_walk *walk,
				      u32 part)
{
	bpf_probe_read_kernel_str(event->part[part], WIRE_PART_BYTES, (void *)walk->name);
	if (walk->name_bytes >= WIRE_PART_BYTES)
		event->cut_parts |= 1u << part;
}

/* Fills @event with the path of what @walk stands at, component by component, from part @first. */
static __always_inline void name_path(struct wire_event_name *event, struct path_walk *walk,
				      u32 first)
{
	struct dentry *dentry = (struct dentry *)walk->dentry;
	u32 part;

	path_root(walk);
	for (part = first; part < WIRE_PATH_PARTS; part++) {
		path_step(walk);
		if (!walk->name)
			break;
		path_copy(event, walk, part);
	}
	event->is_truncated = walk->name || walk->is_apart;
	/* A file without a place in any directory (memfd) has a name nevertheless. */
	if (!part && walk->is_apart) {
		path_pass(walk, dentry);
		path_copy(event, walk, part++);
		event->is_truncated = 0;
	}
	event->part_cnt = part;
	event->is_deleted = part > first && dentry_is_unhashed(dentry);
}

static __always_inline void name_file(const struct wire_wait_key *key, struct file *file)
{
	struct wire_event_name *event = name_event_begin(key);
	struct path_walk walk = {};

	if (!event)
		return;
	walk.dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	walk.mount = mount_of(BPF_CORE_READ(file, f_path.mnt));
	name_path(event, &walk, 0);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/*
 * The mount through which the current thread most likely knows @inode, of which no open file is at
 * hand: that of its root, its working directory or its program, if one of them is of the same file
 * system. 0: none of them.
 */
static __always_inline u64 mount_of_inode(struct inode *inode)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	struct vfsmount *candidates[] = {
		BPF_CORE_READ(task, fs, root.mnt),
		BPF_CORE_READ(task, fs, pwd.mnt),
		BPF_CORE_READ(task, mm, exe_file, f_path.mnt),
	};

	for (int i = 0; i < 3; i++)
		if (candidates[i] && BPF_CORE_READ(candidates[i], mnt_sb) == sb)
			return mount_of(candidates[i]);
	return 0;
}

/* Names the file @inode_address (a struct inode *) by one of its names, if the kernel has one at
 * hand. Where its mount isn't known, the path is told from the root of its file system. */
__noinline int name_inode(const struct wire_wait_key *key, u64 inode_address)
{
	struct inode *inode = (struct inode *)inode_address;
	u64 alias = (u64)BPF_CORE_READ(inode, i_dentry.first);
	struct wire_event_name *event;
	struct path_walk walk = {};

	if (!key || !alias)
		return 0;
	event = name_event_begin(key);
	if (!event)
		return 0;
	walk.dentry = alias - bpf_core_field_offset(struct dentry, d_u.d_alias);
	walk.mount = mount_of_inode(inode);
	name_path(event, &walk, 0);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline void name_unix_address(const struct wire_wait_key *key,
					      struct unix_address *address)
{
	struct wire_event_name *event = name_event_begin(key);
	const char *path;

	if (!event)
		return;
	path = (const char *)address + bpf_core_field_offset(struct unix_address, name) +
	       bpf_core_field_offset(struct sockaddr_un, sun_path);
	event->name_bytes = BPF_CORE_READ(address, len) - sizeof(unsigned short);
	bpf_probe_read_kernel(event->part[0], WIRE_PART_BYTES, path);
	bpf_probe_read_kernel(event->part[1], 108 - WIRE_PART_BYTES, path + WIRE_PART_BYTES);
	event->part_cnt = 2;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

#endif
