/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Tells the user side of connections to this very host, once for each endpoint: it then finds out
 * who serves it while both live. */
#ifndef CLASSIFY_FAR_END_BPF_H
#define CLASSIFY_FAR_END_BPF_H

#include "task.bpf.h"
#include "wait_name.bpf.h"

/* In name_key.pad, apart from any port: a unix socket's far end. Its name has 0 there. */
#define ENDPOINT_UNIX 0x10000

/* @key: a wait on a socket of the network namespace @netns that is connected to an endpoint of this
 * host. Known ones cost one look-up. */
static __always_inline void endpoint_note(const struct wire_wait_key *key, u32 netns)
{
	struct name_key name = { .id = { key->id[0], key->id[1] },
				 .kind = key->kind,
				 .pad = key->kind == WIRE_KIND_UNIX ? ENDPOINT_UNIX : key->port };
	struct wire_event_endpoint *event;
	u8 one = 1;

	if (bpf_map_lookup_elem(&named, &name))
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count_loss(WIRE_LOST_EVENT);
		return;
	}
	bpf_map_update_elem(&named, &name, &one, BPF_ANY);
	__builtin_memset(&event->event, 0, sizeof(event->event));
	event->event.type = WIRE_EVENT_ENDPOINT;
	event->event.tgid = key->tgid;
	event->id[0] = key->id[0];
	event->id[1] = key->id[1];
	event->kind = key->kind;
	event->port = key->port;
	event->netns = netns;
	event->pad = 0;
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

#endif
