/* Sockets, pipes and files for the eBPF tests. */
#include "ebpf_world.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

int world_tcp_socket(struct sockaddr_in *address, char *name)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	snprintf(name, WORLD_NAME_BYTES, "127.0.0.1:%u", ntohs(address->sin_port));
	return fd;
}

int world_unix_socket(struct sockaddr_un *address, socklen_t *len, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address->sun_path[0] = 0;
	else
		unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)address, *len), 0);
	return fd;
}

void world_pipe_name(int fd, char *name)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	snprintf(name, WORLD_NAME_BYTES, "pipe:[%lu]", (unsigned long)st.st_ino);
}

int world_file(const char *label, int flags, char *path)
{
	char here[PATH_MAX];
	int fd;

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(path, PATH_MAX, "%.3000s/ebpf-%s-%d", here, label, getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0600);
	assert_true(fd >= 0);
	return fd;
}

void world_send(int fd)
{
	assert_int_equal(write(fd, "x", 1), 1);
}
