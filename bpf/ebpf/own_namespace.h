/* The namespaces that classify itself is in, as far as the probes have to know. Internal to this
 * directory. */
#ifndef CLASSIFY_OWN_NAMESPACE_H
#define CLASSIFY_OWN_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes how deep this process's PID namespace lies to @pid_level, 0 being the host's. Returns 0,
 * or -errno, with cause and remedy in @why where the rights to load BPF are not what is missing:
 * -ENOTSUP when the probes' numbers or clock can't be brought together with this process's.
 */
int own_namespace_find(uint32_t *pid_level, char *why, size_t why_size);

/* Whether the small program that asks for it may be loaded here: then any may. */
bool own_namespace_program_loads(void);

#endif
