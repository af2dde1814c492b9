/* One program for all situations in C: "situations NAME DIR ADDRESS" is the observed program,
 * "situations --partner NAME DIR" what it deals with. */
#include "situation.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static const struct situation *const groups[] = {
	tcp_situations,	  udp_situations,   unix_situations,  pipe_situations, loop_situations,
	uring_situations, timer_situations, lock_situations,  held_situations, process_situations,
	file_situations,  queue_situations, event_situations,
};

static const struct situation *find(const char *name)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (const struct situation *one = groups[i]; one->name; one++)
			if (!strcmp(one->name, name))
				return one;
	return NULL;
}

static int usage(void)
{
	fprintf(stderr, "usage: situations NAME DIR ADDRESS\n"
			"       situations --partner NAME DIR\n");
	return 2;
}

static int run_partner(const char *name, const char *dir)
{
	const struct situation *one = find(name);
	struct place place = { .dir = dir, .address = "" };

	if (!one)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	must(prctl(PR_SET_PDEATHSIG, SIGTERM), "prctl");
	if (one->partner)
		one->partner(&place);
	else
		announce("-");
	return 0;
}

int main(int argc, char **argv)
{
	const struct situation *one;

	if (argc == 4 && !strcmp(argv[1], "--partner"))
		return run_partner(argv[2], argv[3]);
	one = argc == 4 ? find(argv[1]) : NULL;
	if (!one)
		return usage();
	one->program(&(struct place){ .dir = argv[2], .address = argv[3] });
	return 0;
}
