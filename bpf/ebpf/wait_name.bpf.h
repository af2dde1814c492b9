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
	return event;
}

/* A walk from a file up to the root, one name at a time. Kernel pointers as numbers: see
 * socket_describe. */
struct path_walk {
	u64 dentry;
	u64 mount;
	u64 name; /* of the dentry that the last step passed; 0: the root was reached */
};

#define MOUNTS_ABOVE_MAX 6

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
		struct mount *above;

		if (dentry != BPF_CORE_READ(mount, mnt.mnt_root) && dentry != parent) {
			walk->name = (u64)BPF_CORE_READ(dentry, d_name.name);
			walk->dentry = (u64)parent;
			walk->mount = (u64)mount;
			return 0;
		}
		above = BPF_CORE_READ(mount, mnt_parent);
		if (above == mount || !above)
			return 0;
		dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		mount = above;
	}
	return 0;
}

/* Sends the path of @file, component by component up to the root of the outermost mount. */
static __always_inline void name_file(const struct wire_wait_key *key, struct file *file)
{
	struct wire_event_name *event = name_event_begin(key);
	struct path_walk walk = {};
	u32 part;

	if (!event)
		return;
	walk.dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	walk.mount =
		(u64)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
	for (part = 0; part < WIRE_PATH_PARTS; part++) {
		path_step(&walk);
		if (!walk.name)
			break;
		bpf_probe_read_kernel_str(event->part[part], WIRE_PART_BYTES, (void *)walk.name);
	}
	event->part_cnt = part;
	event->is_truncated = walk.name != 0;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
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
