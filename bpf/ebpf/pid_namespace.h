/* How deep classify's own PID namespace lies. Internal to this directory. */
#ifndef CLASSIFY_PID_NAMESPACE_H
#define CLASSIFY_PID_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes the level of this process's PID namespace to @level, 0 for the host's. Returns 0, or
 * -errno, with cause and remedy in @why where the rights to load BPF are not what is missing.
 */
int pid_namespace_level(uint32_t *level, char *why, size_t why_size);

/* Whether the small program that asks for it may be loaded here: then any may. */
bool pid_namespace_program_loads(void);

#endif
