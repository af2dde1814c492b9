/* The clocks behind truth.h, and the way to the far end; the same in all programs in C and C++. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "truth.h"

enum { NS_PER_S = 1000000000, PATH_BYTES = 512 };

static const char *const section_names[] = { "HOT", "OTHER", "WAIT", "WAIT2", "OTHER_WAIT" };
static atomic_uint_fast64_t cpu_ns[SECTION_CNT], wait_ns[SECTION_CNT], delay_ns[SECTION_CNT];
static _Thread_local int schedstat_fd = -1;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t truth_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Of this thread, so far. */
static uint64_t run_delay_ns(void)
{
	unsigned long long ran, delay;
	char text[128];
	ssize_t size;

	if (schedstat_fd < 0)
		schedstat_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	size = pread(schedstat_fd, text, sizeof(text) - 1, 0);
	if (size <= 0)
		return 0;
	text[size] = '\0';
	return sscanf(text, "%llu %llu", &ran, &delay) == 2 ? delay : 0;
}

struct truth_mark truth_begin(void)
{
	struct truth_mark mark;

	mark.delay_ns = run_delay_ns();
	mark.wall_ns = truth_now_ns();
	mark.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	return mark;
}

uint64_t truth_end(struct truth_mark begin, enum section section)
{
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin.cpu_ns;
	uint64_t wall = truth_now_ns() - begin.wall_ns;
	uint64_t delay = run_delay_ns() - begin.delay_ns;
	uint64_t busy = cpu + delay;

	atomic_fetch_add(&cpu_ns[section], cpu);
	atomic_fetch_add(&delay_ns[section], delay);
	atomic_fetch_add(&wait_ns[section], wall > busy ? wall - busy : 0);
	return cpu;
}

void truth_write(const char *path)
{
	FILE *file = fopen(path, "a");

	if (!file)
		fail(path);
	for (int i = 0; i < SECTION_CNT; i++)
		fprintf(file, "%s\"%s\": {\"cpu_s\": %.6f, \"wait_s\": %.6f, \"delay_s\": %.6f}",
			i ? ", " : "{", section_names[i], (double)cpu_ns[i] / NS_PER_S,
			(double)wait_ns[i] / NS_PER_S, (double)delay_ns[i] / NS_PER_S);
	fputs("}\n", file);
	fclose(file);
}

static struct partner open_fifos(const char *directory)
{
	struct partner partner;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/questions", directory);
	partner.out = open(path, O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/answers", directory);
	partner.in = open(path, O_RDONLY | O_CLOEXEC);
	if (partner.in < 0 || partner.out < 0)
		fail(path);
	return partner;
}

struct partner partner_open(const char *where)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd, one = 1;

	if (strchr(where, '/'))
		return open_fifos(where);
	address.sin_port = htons((uint16_t)atoi(where));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail("partner");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return (struct partner){ .in = fd, .out = fd };
}

void partner_ask(struct partner partner, uint32_t delay_us)
{
	if (write(partner.out, &delay_us, sizeof(delay_us)) != sizeof(delay_us))
		fail("ask");
}
