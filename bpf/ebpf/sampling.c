/* Puts a clock on each CPU that runs the sampling program; see sampling.h. */
#include "sampling.h"
#include "clock.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_clock(int cpu, uint32_t hz)
{
	/* CPU time of its own clock, not of hardware counters: those are absent in many virtual
	 * machines. */
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		/* While the CPU is idle, too: when the next one falls due is to be known. */
		.sample_period = NS_PER_S / hz,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* 0, -ENODEV for a CPU that is off, or another -errno. */
static int sample_cpu(struct sampling *sampling, const struct bpf_program *program, int cpu,
		      uint32_t hz)
{
	int fd = open_clock(cpu, hz);
	struct bpf_link *link;

	if (fd < 0)
		return -errno;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		int error = -errno;

		close(fd);
		return error;
	}
	sampling->links[sampling->cnt++] = link;
	return 0;
}

int sampling_begin(struct sampling *sampling, const struct bpf_program *program, uint32_t hz)
{
	int cpu_cnt = libbpf_num_possible_cpus();
	int error = 0;

	if (cpu_cnt < 0)
		return cpu_cnt;
	sampling->links = calloc((size_t)cpu_cnt, sizeof(struct bpf_link *));
	if (!sampling->links)
		return -ENOMEM;
	sampling->period_ns = NS_PER_S / hz;
	for (int cpu = 0; cpu < cpu_cnt && !error; cpu++) {
		error = sample_cpu(sampling, program, cpu, hz);
		if (error == -ENODEV)
			error = 0;
	}
	if (!error && !sampling->cnt)
		error = -ENODEV;
	if (error)
		sampling_end(sampling);
	return error;
}

void sampling_end(struct sampling *sampling)
{
	while (sampling->cnt)
		bpf_link__destroy(sampling->links[--sampling->cnt]);
	free(sampling->links);
	memset(sampling, 0, sizeof(*sampling));
}
