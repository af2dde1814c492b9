/* See flight_watch.h. */
#include "flight_watch.h"
#include "clock.h"
#include "session.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "probe.skel.h"

/* A sample may take this part of the time until the next one. */
#define COST_PART 100
#define PER_READ  1024

int flight_watch_begin(struct ebpf_observer *self, uint64_t now_ns)
{
	union bpf_iter_link_info about = {
		.map.map_fd = (uint32_t)bpf_map__fd(self->probes->maps.connections),
	};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &about,
		    .link_info_len = sizeof(about));

	flight_init(&self->flight, now_ns);
	self->connections =
		bpf_program__attach_iter(self->probes->progs.tell_connections, &options);
	if (!self->connections)
		return observation_add_missing_probe(
			&self->obs, "connections: this kernel can't list them (5.9+): operations "
				    "in flight are not counted");
	return 0;
}

/* Reads what the iterator tells of all connections. The caller frees @told, on error too. */
static int read_connections(struct ebpf_observer *self, struct wire_connection **told, size_t *cnt)
{
	int fd = bpf_iter_create(bpf_link__fd(self->connections));
	size_t used = 0, capacity = 0;
	ssize_t got = 1;
	int error = fd < 0 ? -errno : 0;

	while (!error && got > 0) {
		if (capacity - used < PER_READ * sizeof(**told)) {
			struct wire_connection *grown;

			capacity = 2 * capacity + PER_READ * sizeof(**told);
			grown = realloc(*told, capacity);
			if (!grown) {
				error = -ENOMEM;
				break;
			}
			*told = grown;
		}
		got = read(fd, (char *)*told + used, capacity - used);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			got = 1;
		else if (got > 0)
			used += (size_t)got;
		else if (got < 0)
			error = -errno;
	}
	if (fd >= 0)
		close(fd);
	*cnt = used / sizeof(**told);
	return error;
}

int flight_watch_look(struct ebpf_observer *self, uint64_t now_ns)
{
	struct wire_connection *told = NULL;
	size_t cnt = 0;
	int error = 0;

	if (!self->connections || now_ns < self->flight_due_ns)
		return 0;
	if (self->probes->bss->connection_cnt)
		error = read_connections(self, &told, &cnt);
	if (!error)
		error = flight_sample(&self->flight, told, cnt, now_ns);
	free(told);
	self->flight_due_ns = now_ns + COST_PART * (clock_ns(CLOCK_MONOTONIC) - now_ns);
	return error == -ENOMEM ? error : 0;
}

int flight_watch_sum(struct ebpf_observer *self)
{
	flight_sum(&self->flight, &self->obs.flight);
	if (!self->probes->bss->losses[WIRE_LOST_CONNECTION])
		return 0;
	memset(&self->obs.flight, 0, sizeof(self->obs.flight));
	return observation_add_missing_probe(
		&self->obs, "connections: there were more at once than the probes have room for: "
			    "operations in flight are not counted");
}

void flight_watch_release(struct ebpf_observer *self)
{
	bpf_link__destroy(self->connections);
	flight_release(&self->flight);
}
