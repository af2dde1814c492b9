/* What the programs of the eBPF tests wait for, made by the test outside the observed tree. */
#ifndef CLASSIFY_EBPF_WORLD_H
#define CLASSIFY_EBPF_WORLD_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WORLD_NAME_BYTES 160

/* A socket bound to 127.0.0.1 at a port of its own; @name gets "127.0.0.1:PORT". */
int world_tcp_socket(struct sockaddr_in *address, char *name);
/* A stream socket bound to @path, or, when it begins with '@', to an abstract address. */
int world_unix_socket(struct sockaddr_un *address, socklen_t *len, const char *path);
/* "pipe:[INODE]" of a pipe's descriptor. */
void world_pipe_name(int fd, char *name);
/* A file of its own in the working directory; @path gets its absolute path. Returns its descriptor.
 * The caller unlinks it. */
int world_file(const char *label, int flags, char *path);

/* One byte through a descriptor; the test fails if that fails. */
void world_send(int fd);

#endif
