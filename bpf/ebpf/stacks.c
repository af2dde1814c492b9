/* See stacks.h. */
#include "stacks.h"
#include "session.h"
#include "stack_worker.h"
#include "wait_convert.h"
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include "probe.skel.h"

/* Shorter waits are left to chance. */
#define LOOK_BLOCKED_NS 1000000

int stacks_begin(struct ebpf_observer *self)
{
	const struct stack_probes probes = {
		.ring_fd = bpf_map__fd(self->probes->maps.stacks),
		.waiting_fd = bpf_link__fd(self->probes->links.tell_waiting),
		.pythons_fd = bpf_map__fd(self->probes->maps.pythons),
		.python_threads_fd = bpf_map__fd(self->probes->maps.python_threads),
		.look = &self->probes->bss->look,
		.period_ns = self->sampling.period_ns,
	};
	struct wire_look *look = &self->probes->bss->look;
	char words[128];
	int error;

	look->blocked_ns = LOOK_BLOCKED_NS;
	look->chance = look->left_cnt = UINT32_MAX;
	self->stacks = stack_worker_start(&probes, &error);
	if (self->stacks)
		return 0;
	snprintf(words, sizeof(words),
		 "stacks: the process that reads them can't be started (%s): no lines are told",
		 strerror(-error));
	return observation_add_missing_probe(&self->obs, words);
}

void stacks_look(struct ebpf_observer *self)
{
	if (self->stacks)
		stack_worker_look(self->stacks);
}

void stacks_conclude(struct ebpf_observer *self, uint64_t until_ns)
{
	if (!self->stacks)
		return;
	self->probes->bss->look.is_last = 1;
	stack_worker_conclude(self->stacks, until_ns);
}

static long find_wait(void *context, const struct wire_wait_key *key)
{
	struct ebpf_observer *self = context;

	return wait_convert_find(&self->waits, &self->names, &self->tree, key);
}

int stacks_collect(struct ebpf_observer *self)
{
	struct obs_host *host = &self->obs.host;
	uint64_t cpu_ns;

	if (!self->stacks)
		return 0;
	/* It is no other program. */
	cpu_ns = stack_worker_cpu_ns(self->stacks);
	host->others_cpu_ns -= cpu_ns < host->others_cpu_ns ? cpu_ns : host->others_cpu_ns;
	return stack_worker_collect(self->stacks, &self->obs, find_wait, self, self->progress,
				    self->progress_context);
}

void stacks_end(struct ebpf_observer *self)
{
	stack_worker_free(self->stacks);
	self->stacks = NULL;
}
