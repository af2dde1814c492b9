/* Serves clients that never come, and closes after two seconds. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIFETIME_S = 2, BACKLOG = 16 };

static void close_down(int sig)
{
	(void)sig; /* to interrupt accept() is all it is for */
}

static int listen_on_loopback(void)
{
	const struct sockaddr_in any_port = { .sin_family = AF_INET,
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&any_port, sizeof(any_port)) ||
	    listen(fd, BACKLOG)) {
		perror("idle_server");
		exit(1);
	}
	return fd;
}

int main(void)
{
	const struct sigaction on_alarm = { .sa_handler = close_down }; /* no SA_RESTART */
	int listener = listen_on_loopback();
	int client;

	sigaction(SIGALRM, &on_alarm, NULL);
	alarm(LIFETIME_S);
	while ((client = accept(listener, NULL, NULL)) >= 0)
		close(client);
	return errno == EINTR ? 0 : 1;
}
