/* Waiting at pipes and FIFOs, whose other end is in the tree or outside. */
#include "situation.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- partners --- */

static void make_fifo(const struct place *place, char path[PATH_MAX])
{
	path_in(place, "fifo", path);
	must(mkfifo(path, 0600), path);
	announce("-");
}

static void give_to_fifo(const struct place *place)
{
	char path[PATH_MAX];

	make_fifo(place, path);
	give_bytes((int)must(open(path, O_WRONLY), path));
}

static void open_fifo_late(const struct place *place)
{
	char path[PATH_MAX];

	make_fifo(place, path);
	await_begin(place);
	pause_ms(ALL_WAITS_MS);
	must(open(path, O_WRONLY), path);
}

/* --- programs --- */

static void take_from_stdin(const struct place *place)
{
	begin(place);
	take_bytes(STDIN_FILENO);
}

static void fill_stdin(const struct place *place)
{
	(void)place;
	fill(STDIN_FILENO);
}

static void fill_pipe_on_stdin(const struct place *place)
{
	(void)place;
	must(fcntl(STDIN_FILENO, F_SETPIPE_SZ, PAGE_BYTES), "F_SETPIPE_SZ");
	fill(STDIN_FILENO);
}

static void take_from_fifo(const struct place *place)
{
	char path[PATH_MAX];

	path_in(place, "fifo", path);
	take_bytes((int)must(open(path, O_RDONLY), path));
}

static void open_fifo(const struct place *place)
{
	char path[PATH_MAX];

	path_in(place, "fifo", path);
	begin(place);
	must(open(path, O_RDONLY), path);
}

static void child_computes_and_gives(void *fd)
{
	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		give_byte(*(int *)fd);
	}
}

static void read_from_child(const struct place *place)
{
	int fds[2];
	pid_t child;

	(void)place;
	must(pipe(fds), "pipe");
	child = spawn(child_computes_and_gives, &fds[1]);
	take_bytes(fds[0]);
	reap(child);
}

static void child_computes_and_takes(void *fd)
{
	char page[PAGE_BYTES];

	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		must(read(*(int *)fd, page, sizeof(page)), "read");
	}
}

static void write_to_child(const struct place *place)
{
	static const char page[PAGE_BYTES];
	int fds[2];
	pid_t child;

	(void)place;
	must(pipe(fds), "pipe");
	must(fcntl(fds[0], F_SETPIPE_SZ, PAGE_BYTES), "F_SETPIPE_SZ");
	child = spawn(child_computes_and_takes, &fds[0]);
	for (int i = 0; i < WAITS; i++)
		must(write(fds[1], page, sizeof(page)), "write");
	reap(child);
}

const struct situation pipe_situations[] = {
	{ "pipe_read", take_from_stdin, give_to_stdin },
	{ "pipe_write", fill_pipe_on_stdin, drain_stdin },
	{ "pipe_read_inside", read_from_child, NULL },
	{ "pipe_write_inside", write_to_child, NULL },
	{ "fifo_read", take_from_fifo, give_to_fifo },
	{ "fifo_open", open_fifo, open_fifo_late },
	{ "tty_read", take_from_stdin, give_to_stdin },
	{ "tty_write", fill_stdin, drain_stdin },
	{ NULL, NULL, NULL },
};
