/*
 * A slow service that costs next to no CPU, for the proving ground: GET /?delay=SECONDS is answered
 * that much later. With --slots N it works on N requests at once and lets the others queue, as an
 * upstream with a limit does. Prints its port and serves until its stdin is closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { FDS_MAX = 16384, HEAD_MAX = 1024, NS_PER_S = 1000000000 };

static const char body[] = "{\"service\": \"slow\", \"items\": [1, 2, 3], \"note\": \"hello\"}\n";

/* A connection, indexed by its descriptor. */
struct client {
	char head[HEAD_MAX];
	size_t head_len;
	uint64_t delay_ns;
	uint64_t due_ns;
	uint32_t generation; /* of the descriptor: what was queued for an earlier one is void */
	bool is_open;
	bool closes;
};

/* A request that is worked on, or queued for a slot. */
struct job {
	int fd;
	uint32_t generation;
	uint64_t due_ns;
};

static struct client clients[FDS_MAX];
static struct job heap[FDS_MAX]; /* the earliest first */
static size_t heap_cnt;
static struct job queue[FDS_MAX]; /* a ring */
static size_t queue_first, queue_cnt;
static size_t slot_cnt;
static int epoll_fd, timer_fd;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void heap_swap(size_t a, size_t b)
{
	struct job job = heap[a];

	heap[a] = heap[b];
	heap[b] = job;
}

static void heap_push(struct job job)
{
	size_t at = heap_cnt++;

	heap[at] = job;
	for (; at && heap[(at - 1) / 2].due_ns > heap[at].due_ns; at = (at - 1) / 2)
		heap_swap(at, (at - 1) / 2);
}

static struct job heap_pop(void)
{
	struct job first = heap[0];
	size_t at = 0, child;

	heap[0] = heap[--heap_cnt];
	while ((child = 2 * at + 1) < heap_cnt) {
		if (child + 1 < heap_cnt && heap[child + 1].due_ns < heap[child].due_ns)
			child++;
		if (heap[at].due_ns <= heap[child].due_ns)
			break;
		heap_swap(at, child);
		at = child;
	}
	return first;
}

static void arm_timer(void)
{
	uint64_t due_ns = heap_cnt ? heap[0].due_ns : 0;
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(due_ns / NS_PER_S),
						 .tv_nsec = (long)(due_ns % NS_PER_S) } };

	if (timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL))
		fail("timerfd_settime");
}

static void close_client(int fd)
{
	clients[fd].is_open = false;
	clients[fd].generation++;
	close(fd);
}

static void work_on(int fd)
{
	struct job job = { fd, clients[fd].generation, now_ns() + clients[fd].delay_ns };

	heap_push(job);
}

/* A request has come as a whole: work on it, or let it wait for a slot. */
static void take_request(int fd)
{
	if (heap_cnt == FDS_MAX || queue_cnt == FDS_MAX)
		return close_client(fd);
	if (!slot_cnt || heap_cnt < slot_cnt) {
		work_on(fd);
		return;
	}
	queue[(queue_first + queue_cnt++) % FDS_MAX] =
		(struct job){ fd, clients[fd].generation, 0 };
}

static void answer(int fd)
{
	struct client *client = &clients[fd];
	char text[256];
	int len;

	len = snprintf(text, sizeof(text),
		       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		       "Content-Length: %zu\r\nConnection: %s\r\n\r\n%s",
		       sizeof(body) - 1, client->closes ? "close" : "keep-alive", body);
	client->head_len = 0;
	if (write(fd, text, (size_t)len) != len || client->closes)
		close_client(fd);
}

static void answer_due(void)
{
	uint64_t now = now_ns();

	while (heap_cnt && heap[0].due_ns <= now) {
		struct job job = heap_pop();

		if (clients[job.fd].is_open && clients[job.fd].generation == job.generation)
			answer(job.fd);
		while (queue_cnt && (!slot_cnt || heap_cnt < slot_cnt)) {
			struct job next = queue[queue_first];

			queue_first = (queue_first + 1) % FDS_MAX;
			queue_cnt--;
			if (clients[next.fd].is_open &&
			    clients[next.fd].generation == next.generation)
				work_on(next.fd);
		}
	}
}

static void read_request(int fd)
{
	struct client *client = &clients[fd];
	const char *delay;
	ssize_t len;

	len = read(fd, client->head + client->head_len, HEAD_MAX - 1 - client->head_len);
	if (len <= 0) {
		if (len < 0 && errno == EAGAIN)
			return;
		return close_client(fd);
	}
	client->head_len += (size_t)len;
	client->head[client->head_len] = '\0';
	if (!strstr(client->head, "\r\n\r\n"))
		return;
	delay = strstr(client->head, "delay=");
	client->delay_ns =
		delay ? (uint64_t)(strtod(delay + strlen("delay="), NULL) * NS_PER_S) : 0;
	client->closes =
		strstr(client->head, "Connection: close") || strstr(client->head, "HTTP/1.0");
	take_request(fd);
}

static void watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl");
}

static void accept_clients(int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= FDS_MAX) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		clients[fd].is_open = true;
		clients[fd].head_len = 0;
		watch(fd);
	}
}

static int listen_somewhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		fail("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void serve(int listener)
{
	struct epoll_event events[256];
	uint64_t expired_cnt;
	int cnt;

	for (;;) {
		arm_timer();
		cnt = epoll_wait(epoll_fd, events, 256, -1);
		for (int i = 0; i < cnt; i++) {
			int fd = events[i].data.fd;

			if (fd == STDIN_FILENO)
				return;
			if (fd == listener)
				accept_clients(listener);
			else if (fd == timer_fd)
				(void)!read(timer_fd, &expired_cnt, sizeof(expired_cnt));
			else if (clients[fd].is_open)
				read_request(fd);
		}
		answer_due();
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { FDS_MAX, FDS_MAX };
	int listener;

	if (argc == 3 && !strcmp(argv[1], "--slots"))
		slot_cnt = strtoul(argv[2], NULL, 10);
	else if (argc != 1) {
		fprintf(stderr, "usage: far_end [--slots N]\n");
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (epoll_fd < 0 || timer_fd < 0)
		fail("epoll");
	listener = listen_somewhere();
	watch(listener);
	watch(timer_fd);
	watch(STDIN_FILENO);
	serve(listener);
	return 0;
}
