/* Ask a slow service over a connection of its own for each request, and compute on the answer. On
 * the event loop by epoll, without ever blocking. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "forms.h"

static struct sockaddr_in service = { .sin_family = AF_INET };
static char request[256];
static double compute_ms;

static int open_connection(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&service, sizeof(service)) &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static int fetch(unsigned long item)
{
	char answer[1024];
	ssize_t len, sum = 0;
	int fd = open_connection(0);

	(void)item;
	if (fd < 0)
		return -1;
	if (write(fd, request, strlen(request)) > 0)
		while ((len = read(fd, answer, sizeof(answer))) > 0)
			sum += len;
	close(fd);
	forms_compute(compute_ms);
	return sum ? 0 : -1;
}

static int start_one(int epoll_fd)
{
	struct epoll_event event = { .events = EPOLLOUT };

	event.data.fd = open_connection(SOCK_NONBLOCK);
	if (event.data.fd < 0)
		return -1;
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event);
}

/* Returns 1 when the answer is complete, 0 when more is to come, -1 on an error. */
static int go_on(int epoll_fd, const struct epoll_event *ready)
{
	struct epoll_event event = { .events = EPOLLIN, .data = ready->data };
	char answer[1024];
	ssize_t len;
	int fd = ready->data.fd;

	if (ready->events & EPOLLOUT) {
		len = write(fd, request, strlen(request));
		return len < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event) ? -1 : 0;
	}
	while ((len = read(fd, answer, sizeof(answer))) > 0)
		;
	if (len < 0)
		return errno == EAGAIN ? 0 : -1;
	close(fd);
	forms_compute(compute_ms);
	return 1;
}

static int fetch_all(unsigned long operation_cnt, unsigned long worker_cnt)
{
	unsigned long started_cnt = 0, done_cnt = 0;
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64];

	while (done_cnt < operation_cnt) {
		int cnt, state;

		for (; started_cnt < operation_cnt && started_cnt - done_cnt < worker_cnt;
		     started_cnt++)
			if (start_one(epoll_fd))
				return -1;
		cnt = epoll_wait(epoll_fd, events, 64, -1);
		for (int i = 0; i < cnt; i++) {
			state = go_on(epoll_fd, &events[i]);
			if (state < 0)
				return -1;
			done_cnt += (unsigned long)state;
		}
	}
	close(epoll_fd);
	return 0;
}

int main(int argc, char **argv)
{
	int port;

	if (argc < 4 || sscanf(argv[1], "http://127.0.0.1:%d/", &port) != 1) {
		fprintf(stderr, "usage: fetch http://127.0.0.1:PORT/ DELAY_S COMPUTE_MS ...\n");
		return 2;
	}
	service.sin_port = htons((unsigned short)port);
	service.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	compute_ms = strtod(argv[3], NULL);
	snprintf(request, sizeof(request),
		 "GET /?delay=%s HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n", argv[2]);
	return forms_main(argc, argv, fetch, fetch_all);
}
