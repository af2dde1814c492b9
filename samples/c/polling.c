/* Asks a socket again and again whether an answer has come, instead of waiting for it. */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_S = 2 };

static int ends[2];

/* Stands for whoever answers. */
static void answer(int signal_number)
{
	(void)signal_number;
	if (write(ends[1], "x", 1) != 1)
		_exit(2);
}

int main(void)
{
	unsigned long asked_cnt = 0;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 1;
	signal(SIGALRM, answer);
	alarm(ANSWER_S);
	while (recv(ends[0], &byte, 1, MSG_DONTWAIT) != 1)
		asked_cnt++;
	printf("an answer after asking %lu times\n", asked_cnt);
	return 0;
}
