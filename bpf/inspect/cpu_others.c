/* What others computed on the tree's CPUs; see cpu_others.h. */
#include "cpu_others.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "observation/observation.h"

/* CPUs whose cores are asked for. */
#define CORES_ASKED_MAX 128
/* A line of a CPU has ten numbers; the lines come first in the file. */
#define LINE_BYTES_MAX 256

size_t cpu_others_parse(const char *text, uint64_t *busy)
{
	uint64_t user, nice, system, irq, softirq;
	size_t cpu, cnt = 0;

	for (const char *line = text; line && !strncmp(line, "cpu", 3);) {
		/* Guests are counted in user and nice already. */
		if (sscanf(line,
			   "cpu%zu %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64
			   " %" SCNu64,
			   &cpu, &user, &nice, &system, &irq, &softirq) == 6 &&
		    line[3] != ' ' && cpu < CPUS_MAX) {
			busy[cpu] = user + nice + system + irq + softirq;
			cnt = cpu + 1 > cnt ? cpu + 1 : cnt;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return cnt;
}

/* The file's beginning, as far as it is about CPUs: what follows may be long. */
static char *read_stat(void)
{
	long cpu_cnt = sysconf(_SC_NPROCESSORS_CONF);
	size_t room = (size_t)(cpu_cnt > 0 ? cpu_cnt + 1 : 2) * LINE_BYTES_MAX, used = 0;
	char *text = malloc(room + 1);
	int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;

	while (text && fd >= 0 && used < room && got > 0) {
		got = read(fd, text + used, room - used);
		used += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	if (text)
		text[used] = '\0';
	return text;
}

static size_t read_busy(uint64_t **busy)
{
	char *text = read_stat();
	size_t cnt = 0;

	free(*busy);
	*busy = calloc(CPUS_MAX, sizeof(**busy));
	if (text && *busy)
		cnt = cpu_others_parse(text, *busy);
	free(text);
	return cnt;
}

void cpu_others_begin(struct cpu_others *others)
{
	if (!others->usable)
		others->usable = CPU_ALLOC(CPUS_MAX);
	if (others->usable)
		CPU_ZERO_S(CPU_ALLOC_SIZE(CPUS_MAX), others->usable);
	others->own_begin_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	others->begin_cnt = read_busy(&others->begin_busy);
}

void cpu_others_end(struct cpu_others *others)
{
	others->own_end_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	others->end_cnt = read_busy(&others->end_busy);
}

static bool is_usable(const struct cpu_others *others, size_t cpu)
{
	return CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(CPUS_MAX), others->usable);
}

/* A list as sysfs has it, "0,4-7": how many of these are usable. */
static uint32_t count_usable(const struct cpu_others *others, const char *list)
{
	uint32_t cnt = 0;
	char *end;

	for (const char *at = list; *at >= '0' && *at <= '9';) {
		size_t first = strtoul(at, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (size_t cpu = first; cpu <= last && cpu < CPUS_MAX; cpu++)
			cnt += is_usable(others, cpu);
		at = *end == ',' ? end + 1 : end;
	}
	return cnt;
}

/* Of the core that @cpu belongs to. */
static uint32_t threads_of_core(const struct cpu_others *others, size_t cpu)
{
	char path[96], list[256];
	uint32_t cnt = 0;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%zu/topology/thread_siblings_list",
		 cpu);
	FILE *in = fopen(path, "re");

	if (!in)
		return 0;
	if (fgets(list, sizeof(list), in))
		cnt = count_usable(others, list);
	fclose(in);
	return cnt;
}

static uint32_t threads_per_core(const struct cpu_others *others)
{
	uint32_t most = 0, asked_cnt = 0;

	for (size_t cpu = 0; cpu < CPUS_MAX && asked_cnt < CORES_ASKED_MAX; cpu++) {
		uint32_t cnt = is_usable(others, cpu) ? threads_of_core(others, cpu) : 0;

		asked_cnt += is_usable(others, cpu);
		most = cnt > most ? cnt : most;
	}
	return most;
}

static uint64_t busy_ticks(const struct cpu_others *others)
{
	size_t cnt = others->begin_cnt < others->end_cnt ? others->begin_cnt : others->end_cnt;
	uint64_t ticks = 0;

	for (size_t cpu = 0; cpu < cnt; cpu++)
		if (is_usable(others, cpu) && others->end_busy[cpu] > others->begin_busy[cpu])
			ticks += others->end_busy[cpu] - others->begin_busy[cpu];
	return ticks;
}

void cpu_others_book(const struct cpu_others *others, struct observation *obs)
{
	uint64_t tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t known_ns = others->own_end_ns - others->own_begin_ns, busy_ns;

	if (!others->usable || !others->begin_busy || !others->end_busy)
		return;
	for (size_t i = 0; i < obs->thread_cnt; i++)
		known_ns += obs->threads[i].on_cpu_ns;
	busy_ns = busy_ticks(others) * tick_ns;
	obs->host.others_cpu_ns = busy_ns > known_ns ? busy_ns - known_ns : 0;
	obs->host.threads_per_core = threads_per_core(others);
}

void cpu_others_release(struct cpu_others *others)
{
	if (others->usable)
		CPU_FREE(others->usable);
	free(others->begin_busy);
	free(others->end_busy);
	memset(others, 0, sizeof(*others));
}
