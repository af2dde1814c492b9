/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which directory a call that looks up or changes names waits for: the one that the kernel is
 * searching, or else the one that the path it was given leads to.
 */
#ifndef CLASSIFY_LOOKUP_BPF_H
#define CLASSIFY_LOOKUP_BPF_H

#include "task.bpf.h"
#include "disk.bpf.h"
#include "wait_name.bpf.h"

#define AT_FDCWD (-100)

/* A path as a call was given it, cut to its directory. */
struct path_text {
	u64 words[WIRE_PART_BYTES / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct path_text);
} path_texts SEC(".maps");

/* The wait is for the file or directory at @path_address (a struct path *). */
__noinline int wait_on_path(struct wire_wait_key *key, u64 path_address)
{
	struct path *path = (struct path *)path_address;
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	u32 mode = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	struct wire_event_name *event;
	struct path_walk walk = {};

	if (!key || !inode)
		return 0;
	key->kind = mode == S_IFDIR ? WIRE_KIND_DIRECTORY : WIRE_KIND_FILE;
	if (mode == S_IFIFO) {
		/* open() waits for somebody to open the other end. */
		key->kind = WIRE_KIND_PIPE;
		key->reason = WIRE_IPC;
	}
	inode_identify(key, inode, mode);
	event = name_event_begin(key);
	if (!event)
		return 0;
	walk.dentry = (u64)dentry;
	walk.mount = mount_of(BPF_CORE_READ(path, mnt));
	name_path(event, &walk, 0);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Takes the last component off the path in @text, and the slash before it. False: it had none, and
 * nothing is left. */
static __always_inline bool path_text_cut(struct path_text *text)
{
	char *bytes = (char *)text->words;

	for (int i = WIRE_PART_BYTES - 1; i >= 0; i--) {
		bool is_slash = bytes[i] == '/';

		bytes[i] = 0;
		if (is_slash)
			return true;
	}
	return false;
}

static __always_inline u64 path_text_hash(const struct path_text *text, u64 base)
{
	u64 hash = (14695981039346656037ull ^ base) * 1099511628211ull;

	for (u32 i = 0; i < WIRE_PART_BYTES / 8; i++)
		hash = (hash ^ text->words[i]) * 1099511628211ull;
	return hash;
}

/*
 * The wait is for what the path at @text_address, in the current thread's memory, leads to; one
 * that doesn't begin at the root begins at @base_address (a struct path *). The directory stands
 * for all files in it; where names are looked up no more its inode isn't at hand, so that it goes
 * by a hash of its path, on no known device. Returns 1, having done nothing, if that directory is
 * the base: from here wait_on_path would take the stack beyond what the verifier allows.
 */
__noinline int wait_on_path_text(struct wire_wait_key *key, u64 text_address, u64 base_address)
{
	struct path *base = (struct path *)base_address;
	struct wire_event_name *event;
	struct path_walk walk = {};
	struct path_text *text;
	bool is_absolute;
	u32 zero = 0;
	long bytes;

	text = bpf_map_lookup_elem(&path_texts, &zero);
	if (!key || !text)
		return 0;
	__builtin_memset(text, 0, sizeof(*text));
	bytes = bpf_probe_read_user_str(text, sizeof(*text), (void *)text_address);
	if (bytes < 1)
		return 0;
	is_absolute = (u8)text->words[0] == '/';
	if (!path_text_cut(text))
		return 1;
	walk.dentry = (u64)BPF_CORE_READ(base, dentry);
	walk.mount = mount_of(BPF_CORE_READ(base, mnt));
	key->kind = WIRE_KIND_DIRECTORY;
	key->id[0] = 0;
	key->id[1] = path_text_hash(text, is_absolute ? 0 : walk.dentry);
	event = name_event_begin(key);
	if (!event)
		return 0;
	bpf_probe_read_kernel_str(event->part[0], WIRE_PART_BYTES,
				  (char *)text->words + is_absolute);
	event->cut_parts = bytes == sizeof(*text);
	event->part_cnt = (u8)text->words[0] != 0;
	if (!is_absolute)
		name_path(event, &walk, 1);
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
