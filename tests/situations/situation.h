/*
 * Situations: each a small program that waits in one way, and nearly only in that way, so that what
 * classify says of it can be held against the truth. situations.json has the truth; what it lacks
 * (file_msync, file_sendfile, and some that end in a long teardown) isn't told rightly yet.
 *
 * Where the far end of a wait belongs to somebody else, that is the situation's partner: a process
 * of its own, which the observed program neither starts nor knows.
 */
#ifndef CLASSIFY_SITUATION_H
#define CLASSIFY_SITUATION_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* How often a program waits, and how long a wait takes that a partner or a clock ends. */
enum { WAITS = 15, WAIT_MS = 20, ALL_WAITS_MS = WAITS * WAIT_MS, PAGE_BYTES = 4096 };

struct place {
	const char *dir;     /* a directory of this run's, on a disk */
	const char *address; /* what the partner announced; "" without one */
};

struct situation {
	const char *name; /* NULL ends a list */
	void (*program)(const struct place *place);
	void (*partner)(const struct place *place); /* NULL: needs none */
};

extern const struct situation tcp_situations[];
extern const struct situation udp_situations[];
extern const struct situation unix_situations[];
extern const struct situation pipe_situations[];
extern const struct situation loop_situations[];
extern const struct situation uring_situations[];
extern const struct situation timer_situations[];
extern const struct situation lock_situations[];
extern const struct situation held_situations[];
extern const struct situation process_situations[];
extern const struct situation file_situations[];
extern const struct situation queue_situations[];
extern const struct situation event_situations[];

/* Returns @result, the value of a system call; ends the process, naming @what, if that failed. */
long must(long result, const char *what);

void pause_ms(unsigned int ms);
/* Computes until this thread has had @ms of CPU time. */
void burn_ms(unsigned int ms);
/* Milliseconds of the monotonic clock. */
long now_ms(void);

/* Partners: says where to find it, which is also that it is ready. */
void announce(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Partners: waits until the program has called begin(). */
void await_begin(const struct place *place);
/* Programs: from now on nothing but the wait follows. */
void begin(const struct place *place);

/* Writes "<dir>/<name>" into @path. */
void path_in(const struct place *place, const char *name, char path[PATH_MAX]);

/* Runs @child, which doesn't return, in a process of its own; returns its pid. */
pid_t spawn(void (*child)(void *), void *argument);
/* Waits for the end of @pid. */
void reap(pid_t pid);

/* Read or write one byte. */
void take_byte(int fd);
void give_byte(int fd);

/* A partner's part on a connected descriptor: */
void answer_bytes(int fd);   /* answers each byte after WAIT_MS, until the end of file */
void give_bytes(int fd);     /* gives a byte every WAIT_MS, WAITS times and one more */
void drain_slowly(int fd);   /* takes a page every WAIT_MS, until the end of file */
void hold_until_end(int fd); /* reads nothing until the program ends */

/* And the program's: */
void ask_bytes(int fd);	 /* gives a byte and takes the answer, WAITS times */
void take_bytes(int fd); /* takes WAITS bytes */
void fill(int fd);	 /* writes what drain_slowly() takes WAITS pauses to take */

/* Partners: makes the file "data" of a few thousand pages, none of them in the page cache. */
void prepare_cold_file(const struct place *place);
/* Partners: a TCP server that answers each byte on its connections after WAIT_MS. */
void answer_over_tcp(const struct place *place);
/* Partners: give_bytes(), once the program has begun, and drain_slowly() with the standard input,
 * which the harness made the other end of the program's. */
void give_to_stdin(const struct place *place);
void drain_stdin(const struct place *place);
/* Partners: a connection to the program that gives bytes, and one after the other that do nothing.
 */
void ask_over_tcp(const struct place *place);
void come_and_go_over_tcp(const struct place *place);

/* Tells the partner which process the program is, and begins. */
void begin_with_pid(const struct place *place);
/* Partners: awaits that; returns the process. */
pid_t await_pid(const struct place *place);

/* Loopback sockets; @port is text, as announced. */
int tcp_server(int family);
int tcp_server_at(const char *port);
int tcp_connect(int family, const char *port);
int udp_bound(void);
int udp_connected(const char *port);
void announce_port(int socket);
/* Announces a port that a program of this situation can listen on, and connects to it once it
 * does. */
int tcp_connect_to_program(void);
/* Loopback address of @port; returns its length. */
socklen_t loopback(int family, int port, struct sockaddr_storage *address);
/* Small buffers, so that little fills them. */
void shrink_buffers(int socket);

#endif
