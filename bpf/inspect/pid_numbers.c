/* Reads numbers of processes from /proc; see pid_numbers.h. */
#include "pid_numbers.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc_file.h"

#define STATUS_BYTES_MAX 4096

pid_t pid_numbers_parse_status(const char *status)
{
	const char *at = strstr(status, "\nNSpid:");
	long number, last = 0;
	char *end;
	int cnt = 0;

	if (!at)
		return 0;
	at += strlen("\nNSpid:");
	/* strtol() would go on to the next line. */
	while (*at == '\t' || *at == ' ') {
		number = strtol(at, &end, 10);
		if (end == at || number <= 0 || number > INT_MAX)
			break;
		last = number;
		at = end;
		cnt++;
	}
	return cnt > 1 ? (pid_t)last : 0;
}

pid_t pid_number_in_container(pid_t pid)
{
	char status[STATUS_BYTES_MAX];

	if (proc_file_read(pid, "status", status, sizeof(status)) < 0)
		return 0;
	return pid_numbers_parse_status(status);
}

bool pid_numbers_match_proc(void)
{
	char self[16];
	ssize_t len = readlink("/proc/self", self, sizeof(self) - 1);

	if (len <= 0)
		return false;
	self[len] = '\0';
	/* By chance both may be the same; then there is still more than one. */
	return atoi(self) == getpid() && !pid_number_in_container(getpid());
}
