/*
 * An epoll echo server that is kept busy: a client on another CPU always has several requests under
 * way on each of many connections. Prints the server's PID and waits for a line on stdin, so that a
 * tool can be attached first; then prints the nanoseconds that a request took: of wall time, of the
 * server's CPU time, of the client's.
 *
 * usage: echo [CONNECTIONS [ROUNDS]]
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_ROUNDS	100
#define CONNECTIONS_MAX 4096
#define EVENTS		64
#define MESSAGE_BYTES	64
/* Requests in one write of the client: so it has less to do than the server. */
#define PIPELINED 4

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)cpu, &cpus);
	must(!sched_setaffinity(0, sizeof(cpus), &cpus), "sched_setaffinity");
}

static double now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* Echoes until every one of @connection_cnt clients has gone. */
static void serve(int listener, int connection_cnt)
{
	int loop = epoll_create1(0);
	const int on = 1;
	struct epoll_event events[EVENTS];
	char message[MESSAGE_BYTES];

	for (int i = 0; i < connection_cnt; i++) {
		int fd = accept(listener, NULL, NULL);
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

		/* Small answers must not wait for each other's acknowledgement. */
		must(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) &&
			     !epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event),
		     "accept");
	}
	while (connection_cnt) {
		int cnt = epoll_wait(loop, events, EVENTS, -1);

		for (int i = 0; i < cnt; i++) {
			int fd = events[i].data.fd;
			ssize_t got = read(fd, message, sizeof(message));

			if (got > 0) {
				must(write(fd, message, (size_t)got) == got, "write");
				continue;
			}
			close(fd);
			connection_cnt--;
		}
	}
}

static void send_requests(int fd)
{
	static const char messages[PIPELINED * MESSAGE_BYTES];

	must(write(fd, messages, sizeof(messages)) == sizeof(messages), "write");
}

static void take_answers(int fd)
{
	char answers[PIPELINED * MESSAGE_BYTES];

	must(recv(fd, answers, sizeof(answers), MSG_WAITALL) == sizeof(answers), "recv");
}

/* While the answers of one connection are taken, the server has all the others to do. */
static void ask(const int *connections, int connection_cnt, long rounds)
{
	for (int i = 0; i < connection_cnt; i++)
		send_requests(connections[i]);
	for (long round = 1; round < rounds; round++) {
		for (int i = 0; i < connection_cnt; i++) {
			take_answers(connections[i]);
			send_requests(connections[i]);
		}
	}
	for (int i = 0; i < connection_cnt; i++)
		take_answers(connections[i]);
}

static int listen_somewhere(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(!bind(fd, (struct sockaddr *)address, sizeof(*address)) &&
		     !listen(fd, CONNECTIONS_MAX) &&
		     !getsockname(fd, (struct sockaddr *)address, &len),
	     "listen");
	return fd;
}

struct times {
	double wall_ns, server_ns, client_ns;
};

static struct times times_now(pid_t server)
{
	clockid_t clock;

	must(!clock_getcpuclockid(server, &clock), "clock_getcpuclockid");
	return (struct times){ now_ns(CLOCK_MONOTONIC), now_ns(clock),
			       now_ns(CLOCK_PROCESS_CPUTIME_ID) };
}

int main(int argc, char **argv)
{
	int connection_cnt = argc > 1 ? atoi(argv[1]) : 64;
	long rounds = argc > 2 ? atol(argv[2]) : 2000;
	int connections[CONNECTIONS_MAX];
	struct sockaddr_in address = { 0 };
	struct times before, after;
	double request_cnt;
	int listener;
	pid_t server;

	must(connection_cnt > 0 && connection_cnt <= CONNECTIONS_MAX, "CONNECTIONS");
	listener = listen_somewhere(&address);
	server = fork();
	must(server >= 0, "fork");
	if (!server) {
		pin(1);
		serve(listener, connection_cnt);
		_exit(0);
	}
	pin(0);
	for (int i = 0; i < connection_cnt; i++) {
		connections[i] = socket(AF_INET, SOCK_STREAM, 0);
		must(!connect(connections[i], (struct sockaddr *)&address, sizeof(address)),
		     "connect");
	}
	printf("%d\n", (int)server);
	fflush(stdout);
	must(getchar() != EOF, "stdin");
	ask(connections, connection_cnt, WARM_UP_ROUNDS);
	before = times_now(server);
	ask(connections, connection_cnt, rounds);
	after = times_now(server);
	request_cnt = (double)connection_cnt * (double)rounds * PIPELINED;
	printf("%.1f %.1f %.1f\n", (after.wall_ns - before.wall_ns) / request_cnt,
	       (after.server_ns - before.server_ns) / request_cnt,
	       (after.client_ns - before.client_ns) / request_cnt);
	for (int i = 0; i < connection_cnt; i++)
		close(connections[i]);
	waitpid(server, NULL, 0);
	return 0;
}
