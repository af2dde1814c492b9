/* A clock on each CPU that runs a BPF program so many times a second, whether or not the CPU is
 * idle. */
#ifndef CLASSIFY_SAMPLING_H
#define CLASSIFY_SAMPLING_H

#include <stddef.h>
#include <stdint.h>

struct bpf_link;
struct bpf_program;

/* All zero: none. */
struct sampling {
	struct bpf_link **links; /* one for each CPU that is online; they own the clocks */
	size_t cnt;
	uint64_t period_ns;
};

/* Runs @program, loaded, @hz times a second (not 0) on each CPU that is online now. Returns 0 or
 * -errno: -EACCES without the rights, -EINVAL for more than the kernel allows. On failure there is
 * nothing to end. */
int sampling_begin(struct sampling *sampling, const struct bpf_program *program, uint32_t hz);

void sampling_end(struct sampling *sampling);

#endif
