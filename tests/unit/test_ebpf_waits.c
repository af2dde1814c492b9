/* What a thread waits for, seen live: each test is the far end of its program's wait and ends it
 * only when the kernel shows the program blocked. */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "ebpf_live.h"
#include "ebpf_world.h"

#define MS 1000000ull

/* The child is a copy of the test, so what it needs it finds where the test put it. */
static struct {
	struct sockaddr_in inet;
	struct sockaddr_un local;
	socklen_t local_len;
	int fd, other_fd;
	char name[WORLD_NAME_BYTES];
	char path[PATH_MAX];
} world;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static int read_one(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : 1;
}

static int read_fd(void *unused)
{
	(void)unused;
	return read_one(world.fd);
}

static void assert_ended_well(const struct live *live)
{
	assert_true(WIFEXITED(live->status));
	assert_int_equal(WEXITSTATUS(live->status), 0);
}

static bool lacks_probe(const struct live *live, const char *name)
{
	for (size_t i = 0; i < live->obs.quality.missing_probe_cnt; i++)
		if (!strncmp(live->obs.quality.missing_probes[i], name, strlen(name)))
			return true;
	return false;
}

static void skip_without_probe(const struct live *live, const char *name)
{
	if (!lacks_probe(live, name))
		return;
	print_message("SKIPPED: this kernel has no %s\n", name);
	skip();
}

/* --- network --- */

static int connect_inet(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&world.inet, sizeof(world.inet)) ? -1 : fd;
}

static int recv_from_server(void *unused)
{
	char byte;

	(void)unused;
	return recv(connect_inet(), &byte, 1, 0) == 1 ? 0 : 1;
}

/* The far end of @row is named: it is the test itself. */
static void assert_served_by_the_test(const struct obs_wait *row)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%s[%d]", "test_ebpf_waits", (int)getpid());
	assert_string_equal(row->far_end, expected);
}

static void recv_from_server_is_network_outbound(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	int server, client;

	server = world_tcp_socket(&world.inet, world.name);
	assert_int_equal(listen(server, 1), 0);
	live_begin(live, recv_from_server, NULL);
	client = accept(server, NULL, NULL);
	live_until_blocked(live, live->pid, SYS_recvfrom, LIVE_ANY, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	row = live_row(live, WAIT_NETWORK, OBJECT_TCP, DIRECTION_OUTBOUND, world.name);
	assert_served_by_the_test(row);
	assert_int_equal(row->wait_cnt, 1);
	assert_false(row->via_event_loop);
	assert_false(row->timed_out);
	assert_int_equal(row->woken_by_tree_cnt, 0);
	assert_in_range(row->quiet_ns, 1, row->wait_ns);
	close(client);
	close(server);
}

static int serve_inet(void *unused)
{
	int client;
	char byte;

	(void)unused;
	if (listen(world.fd, 1))
		return 1;
	client = accept(world.fd, NULL, NULL);
	return recv(client, &byte, 1, 0) == 1 ? 0 : 1;
}

static void accepted_connection_is_work_to_come(void **state)
{
	struct live *live = *state;
	int client;

	world.fd = world_tcp_socket(&world.inet, world.name);
	live_begin(live, serve_inet, NULL);
	live_until_blocked(live, live->pid, SYS_accept, LIVE_ANY, 1);
	client = connect_inet();
	assert_true(client >= 0);
	live_until_blocked(live, live->pid, SYS_recvfrom, LIVE_ANY, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_ACCEPT, OBJECT_TCP, DIRECTION_LISTENING, world.name);
	live_row(live, WAIT_ACCEPT, OBJECT_TCP, DIRECTION_INBOUND, world.name);
	assert_int_equal(live_wait_ns(live, WAIT_NETWORK), 0);
	close(client);
	close(world.fd);
}

/* Attached while it waits on a connection that it accepted before anybody watched. */
static void attach_knows_inbound_from_outbound(void **state)
{
	struct live *live = *state;
	int client;

	world.fd = world_tcp_socket(&world.inet, world.name);
	assert_int_equal(listen(world.fd, 1), 0);
	client = connect_inet();
	assert_true(client >= 0);
	live_attach(live, serve_inet, NULL, SYS_recvfrom, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_ACCEPT, OBJECT_TCP, DIRECTION_INBOUND, world.name);
	assert_int_equal(live_wait_ns(live, WAIT_NETWORK), 0);
	close(client);
	close(world.fd);
}

/* --- event loops --- */

static int select_on_server(void *unused)
{
	int fd = connect_inet();
	fd_set set;

	(void)unused;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, &set, NULL, NULL, NULL) == 1 ? 0 : 1;
}

static int epoll_on_server(void *timeout_ms)
{
	struct epoll_event event = { .events = EPOLLIN };
	int loop = epoll_create1(0), cnt;

	epoll_ctl(loop, EPOLL_CTL_ADD, connect_inet(), &event);
	cnt = epoll_wait(loop, &event, 1, *(int *)timeout_ms);
	return cnt == (*(int *)timeout_ms < 0) ? 0 : 1;
}

static void serve_event_loop(struct live *live, int (*program)(void *), void *arg, long call)
{
	int server, client;

	server = world_tcp_socket(&world.inet, world.name);
	assert_int_equal(listen(server, 1), 0);
	live_begin(live, program, arg);
	client = accept(server, NULL, NULL);
	if (call) {
		live_until_blocked(live, live->pid, call, LIVE_ANY, 1);
		world_send(client);
	}
	live_end(live);
	assert_ended_well(live);
	close(client);
	close(server);
}

static void select_names_the_socket_that_became_ready(void **state)
{
	struct live *live = *state;

	serve_event_loop(live, select_on_server, NULL, SYS_pselect6);
	skip_without_probe(live, "sk_data_ready");
	live_row(live, WAIT_NETWORK, OBJECT_TCP, DIRECTION_OUTBOUND, world.name);
}

static void epoll_names_the_socket_that_became_ready(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	int forever = -1;

	serve_event_loop(live, epoll_on_server, &forever, SYS_epoll_wait);
	skip_without_probe(live, "sk_data_ready");
	row = live_row(live, WAIT_NETWORK, OBJECT_TCP, DIRECTION_OUTBOUND, world.name);
	assert_true(row->via_event_loop);
	assert_int_equal(live->obs.threads[0].event_loop_wait_ns, row->wait_ns);
	assert_int_equal(live->obs.threads[0].event_loop_wait_cnt, 1);
}

static void epoll_timeout_is_timer(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	int timeout_ms = 5;

	serve_event_loop(live, epoll_on_server, &timeout_ms, 0);
	row = live_row(live, WAIT_TIMER, OBJECT_NONE, DIRECTION_NONE, NULL);
	assert_true(row->via_event_loop);
	assert_true(row->timed_out);
	assert_true(row->wait_ns >= 4 * MS);
}

static int poll_fd(void *unused)
{
	struct pollfd polled = { .fd = world.fd, .events = POLLIN };

	(void)unused;
	return poll(&polled, 1, -1) == 1 ? 0 : 1;
}

static void poll_of_one_is_a_wait_for_that(void **state)
{
	struct live *live = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	world_pipe_name(ends[0], world.name);
	live_begin(live, poll_fd, NULL);
	live_until_blocked(live, live->pid, SYS_poll, LIVE_ANY, 1);
	world_send(ends[1]);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_IPC, OBJECT_PIPE, DIRECTION_NONE, world.name);
	close(ends[0]);
	close(ends[1]);
}

/* --- timers --- */

static int poll_nothing(void *unused)
{
	(void)unused;
	return poll(NULL, 0, 5);
}

static int sleep_a_little(void *unused)
{
	struct timespec ts = { .tv_nsec = 5 * MS };

	(void)unused;
	return nanosleep(&ts, NULL);
}

static int read_timerfd(void *unused)
{
	struct itimerspec when = { .it_value.tv_nsec = 5 * MS };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t cnt;

	(void)unused;
	timerfd_settime(fd, 0, &when, NULL);
	return read(fd, &cnt, sizeof(cnt)) == sizeof(cnt) ? 0 : 1;
}

static void assert_sleep_is_timer(struct live *live, int (*program)(void *))
{
	const struct obs_wait *row;

	live_begin(live, program, NULL);
	live_end(live);
	assert_ended_well(live);
	row = live_row(live, WAIT_TIMER, OBJECT_NONE, DIRECTION_NONE, "");
	assert_int_equal(row->wait_cnt, 1);
	assert_true(row->wait_ns >= 4 * MS);
	assert_true(row->timed_out);
	assert_int_equal(row->woken_by_interrupt_cnt, 1);
}

static void nanosleep_is_timer(void **state)
{
	assert_sleep_is_timer(*state, sleep_a_little);
}

static void poll_of_nothing_is_timer(void **state)
{
	assert_sleep_is_timer(*state, poll_nothing);
}

static void timerfd_is_a_timer(void **state)
{
	struct live *live = *state;

	live_begin(live, read_timerfd, NULL);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_TIMER, OBJECT_ANON, DIRECTION_NONE, "timerfd");
}

/* --- other processes --- */

static void pipe_is_ipc(void **state)
{
	struct live *live = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	world_pipe_name(ends[0], world.name);
	live_begin(live, read_fd, NULL);
	live_until_blocked(live, live->pid, SYS_read, ends[0], 1);
	world_send(ends[1]);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_IPC, OBJECT_PIPE, DIRECTION_NONE, world.name);
	close(ends[0]);
	close(ends[1]);
}

static int connect_unix_and_read(void *unused)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)unused;
	if (connect(fd, (struct sockaddr *)&world.local, world.local_len))
		return 1;
	return read_one(fd);
}

static void serve_unix(struct live *live, const char *path)
{
	int server = world_unix_socket(&world.local, &world.local_len, path), client;

	assert_int_equal(listen(server, 1), 0);
	live_begin(live, connect_unix_and_read, NULL);
	client = accept(server, NULL, NULL);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	close(client);
	close(server);
}

static void unix_path_is_ipc_outbound(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "ebpf-test-%d.socket", getpid());
	serve_unix(*state, path);
	assert_served_by_the_test(
		live_row(*state, WAIT_IPC, OBJECT_UNIX, DIRECTION_OUTBOUND, path));
	unlink(path);
}

static void abstract_unix_is_ipc_outbound(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "@classify/ebpf-test-%d", getpid());
	serve_unix(*state, path);
	assert_served_by_the_test(
		live_row(*state, WAIT_IPC, OBJECT_UNIX, DIRECTION_OUTBOUND, path));
}

static int serve_unix_client(void *unused)
{
	(void)unused;
	if (listen(world.fd, 1))
		return 1;
	return read_one(accept(world.fd, NULL, NULL));
}

static void accepted_unix_is_work_to_come(void **state)
{
	struct live *live = *state;
	char path[64];
	int client;

	snprintf(path, sizeof(path), "@classify/ebpf-server-%d", getpid());
	world.fd = world_unix_socket(&world.local, &world.local_len, path);
	live_begin(live, serve_unix_client, NULL);
	live_until_blocked(live, live->pid, SYS_accept, LIVE_ANY, 1);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&world.local, world.local_len), 0);
	live_until_blocked(live, live->pid, SYS_read, LIVE_ANY, 1);
	world_send(client);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_ACCEPT, OBJECT_UNIX, DIRECTION_LISTENING, path);
	live_row(live, WAIT_ACCEPT, OBJECT_UNIX, DIRECTION_INBOUND, path);
	close(client);
	close(world.fd);
}

static int wait_for_grandchild(void *unused)
{
	int status = 1;

	(void)unused;
	if (!fork())
		_exit(read_one(world.fd));
	wait(&status);
	return status;
}

static void wait4_is_child(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, wait_for_grandchild, NULL);
	live_until_blocked(live, live->pid, SYS_wait4, LIVE_ANY, 1);
	world_send(ends[1]);
	live_end(live);
	assert_ended_well(live);
	row = live_row(live, WAIT_CHILD, OBJECT_CHILD, DIRECTION_NONE, NULL);
	assert_int_equal(row->woken_by_tree_cnt, row->wait_cnt);
	assert_int_equal(live->obs.process_cnt, 2);
	close(ends[0]);
	close(ends[1]);
}

static int read_eventfd(void *unused)
{
	uint64_t cnt;

	(void)unused;
	return read(world.fd, &cnt, sizeof(cnt)) == sizeof(cnt) ? 0 : 1;
}

static void eventfd_is_sync(void **state)
{
	struct live *live = *state;
	uint64_t one = 1;

	world.fd = eventfd(0, 0);
	live_begin(live, read_eventfd, NULL);
	live_until_blocked(live, live->pid, SYS_read, world.fd, 1);
	assert_int_equal(write(world.fd, &one, sizeof(one)), sizeof(one));
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_SYNC, OBJECT_ANON, DIRECTION_NONE, "eventfd");
	close(world.fd);
}

static void terminal_is_tty(void **state)
{
	struct live *live = *state;
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	world.fd = open(ptsname(master), O_RDWR | O_NOCTTY);
	live_begin(live, read_fd, NULL);
	live_until_blocked(live, live->pid, SYS_read, world.fd, 1);
	assert_int_equal(write(master, "x\n", 2), 2);
	live_end(live);
	assert_ended_well(live);
	live_row(live, WAIT_TTY, OBJECT_TTY, DIRECTION_NONE, ptsname(master));
	close(world.fd);
	close(master);
}

static void stop(struct live *live)
{
	int status;

	assert_int_equal(kill(live->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(live->pid, &status, WUNTRACED), live->pid);
	assert_true(WIFSTOPPED(status));
	live_until_stopped(live);
}

static void sigstop_is_stopped(void **state)
{
	struct live *live = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	world_pipe_name(ends[0], world.name);
	live_begin(live, read_fd, NULL);
	live_until_blocked(live, live->pid, SYS_read, ends[0], 1);
	stop(live);
	kill(live->pid, SIGCONT);
	live_until_blocked(live, live->pid, SYS_read, ends[0], 1);
	world_send(ends[1]);
	live_end(live);
	assert_ended_well(live);
	assert_int_equal(live_row(live, WAIT_STOPPED, OBJECT_NONE, DIRECTION_NONE, "")->wait_cnt,
			 1);
	assert_int_equal(
		live_row(live, WAIT_IPC, OBJECT_PIPE, DIRECTION_NONE, world.name)->wait_cnt, 2);
	close(ends[0]);
	close(ends[1]);
}

static int sleep_longer(void *unused)
{
	struct timespec ts = { .tv_nsec = 300 * MS };

	(void)unused;
	return nanosleep(&ts, NULL);
}

/* A sleep that was stopped goes on by restart_syscall, whose arguments say nothing. */
static void a_stopped_sleep_goes_on_as_a_sleep(void **state)
{
	struct live *live = *state;
	const struct obs_wait *row;
	uint64_t from_ns, stopped_ns;

	live_begin(live, sleep_longer, NULL);
	live_until_blocked(live, live->pid, SYS_clock_nanosleep, LIVE_ANY, 1);
	from_ns = live_now_ns();
	stop(live);
	kill(live->pid, SIGCONT);
	live_until_blocked(live, live->pid, SYS_restart_syscall, LIVE_ANY, 1);
	stopped_ns = live_now_ns() - from_ns;
	live_end(live);
	assert_ended_well(live);
	row = live_row(live, WAIT_STOPPED, OBJECT_NONE, DIRECTION_NONE, "");
	assert_int_equal(row->wait_cnt, 1);
	assert_in_range(row->wait_ns, 1, stopped_ns);
	assert_int_equal(live_wait_ns(live, WAIT_OTHER), 0);
	assert_true(live_wait_ns(live, WAIT_TIMER) + stopped_ns >= 299 * MS);
}

/* --- threads of one process --- */

static void *lock_and_unlock(void *unused)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return unused;
}

static int contend(void *unused)
{
	pthread_t thread;

	(void)unused;
	pthread_mutex_lock(&mutex);
	pthread_create(&thread, NULL, lock_and_unlock, NULL);
	if (read_one(world.fd))
		return 1;
	pthread_mutex_unlock(&mutex);
	return pthread_join(thread, NULL);
}

static void mutex_is_lock(void **state)
{
	struct live *live = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, contend, NULL);
	live_until_blocked(live, live->pid, SYS_futex, (long)&mutex.__data.__lock, 1);
	world_send(ends[1]);
	live_end(live);
	assert_ended_well(live);
	assert_int_equal(
		live_row(live, WAIT_LOCK, OBJECT_MUTEX, DIRECTION_NONE, NULL)->woken_by_tree_cnt,
		1);
	assert_int_equal(live->obs.thread_cnt, 2);
	close(ends[0]);
	close(ends[1]);
}

static void *wait_for_signal(void *unused)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	return unused;
}

static void *read_in_thread(void *unused)
{
	read_one(world.fd);
	return unused;
}

static int signal_and_join(void *unused)
{
	pthread_t thread;

	(void)unused;
	pthread_create(&thread, NULL, wait_for_signal, NULL);
	if (read_one(world.fd))
		return 1;
	pthread_mutex_lock(&mutex);
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	if (pthread_join(thread, NULL))
		return 1;
	pthread_create(&thread, NULL, read_in_thread, NULL);
	return pthread_join(thread, NULL);
}

static void condition_and_join_are_sync(void **state)
{
	struct live *live = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	world.fd = ends[0];
	live_begin(live, signal_and_join, NULL);
	live_until_blocked(live, live->pid, SYS_futex, LIVE_ANY, 1);
	live_until_blocked(live, live->pid, SYS_read, ends[0], 1);
	world_send(ends[1]);
	/* Now main joins a thread that reads. */
	live_until_blocked(live, live->pid, SYS_read, ends[0], 1);
	live_until_blocked(live, live->pid, SYS_futex, LIVE_ANY, 1);
	world_send(ends[1]);
	live_end(live);
	assert_ended_well(live);
	assert_true(live_wait_ns(live, WAIT_SYNC) > 0);
	assert_int_equal(live_wait_ns(live, WAIT_GIL), 0);
	for (size_t i = 0; i < live->obs.thread_cnt; i++)
		assert_true(live->obs.threads[i].wait_ns[WAIT_SYNC] > 0 ||
			    live->obs.threads[i].wait_ns[WAIT_IPC] > 0);
	close(ends[0]);
	close(ends[1]);
}

/* --- files --- */

static int lock_file(void *unused)
{
	(void)unused;
	return flock(open(world.path, O_RDWR), LOCK_EX);
}

static void flock_is_lock(void **state)
{
	struct live *live = *state;

	world.fd = world_file("lock", 0, world.path);
	assert_int_equal(flock(world.fd, LOCK_EX), 0);
	live_begin(live, lock_file, NULL);
	live_until_blocked(live, live->pid, SYS_flock, LIVE_ANY, 1);
	assert_int_equal(flock(world.fd, LOCK_UN), 0);
	live_end(live);
	unlink(world.path);
	close(world.fd);
	assert_ended_well(live);
	live_row(live, WAIT_LOCK, OBJECT_FILE, DIRECTION_NONE, world.path);
}

static void skip_without_disk(void)
{
	struct statfs fs;

	assert_int_equal(fstatfs(world.fd, &fs), 0);
	if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
		return;
	unlink(world.path);
	close(world.fd);
	print_message("SKIPPED: the build directory is in memory, not on a disk\n");
	skip();
}

static int write_and_sync(void *unused)
{
	static char block[1 << 20];

	(void)unused;
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 8; i++)
		if (pwrite(world.fd, block, sizeof(block), 0) < 0 || fsync(world.fd))
			return 1;
	return 0;
}

static int read_directly(void *unused)
{
	void *block;

	(void)unused;
	if (posix_memalign(&block, 4096, 1 << 20))
		return 1;
	/* One read may be over before a preempted thread gets to wait for it. */
	for (int i = 0; i < 32; i++)
		if (pread(world.fd, block, 1 << 20, 0) != 1 << 20)
			return 1;
	return 0;
}

static void fsync_is_disk(void **state)
{
	struct live *live = *state;

	world.fd = world_file("sync", 0, world.path);
	skip_without_disk();
	live_begin(live, write_and_sync, NULL);
	live_end(live);
	unlink(world.path);
	close(world.fd);
	assert_ended_well(live);
	live_row(live, WAIT_DISK, OBJECT_FILE, DIRECTION_NONE, world.path);
}

static void direct_read_is_disk(void **state)
{
	struct live *live = *state;

	world.fd = world_file("direct", 0, world.path);
	skip_without_disk();
	assert_int_equal(write_and_sync(NULL), 0);
	close(world.fd);
	world.fd = open(world.path, O_RDONLY | O_DIRECT);
	if (world.fd < 0) {
		unlink(world.path);
		print_message("SKIPPED: the build directory's file system has no O_DIRECT\n");
		skip();
	}
	live_begin(live, read_directly, NULL);
	live_end(live);
	unlink(world.path);
	close(world.fd);
	assert_ended_well(live);
	live_row(live, WAIT_DISK, OBJECT_FILE, DIRECTION_NONE, world.path);
}

#define LIVE_TEST(test) cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(recv_from_server_is_network_outbound),
		LIVE_TEST(accepted_connection_is_work_to_come),
		LIVE_TEST(attach_knows_inbound_from_outbound),
		LIVE_TEST(select_names_the_socket_that_became_ready),
		LIVE_TEST(epoll_names_the_socket_that_became_ready),
		LIVE_TEST(epoll_timeout_is_timer),
		LIVE_TEST(poll_of_one_is_a_wait_for_that),
		LIVE_TEST(nanosleep_is_timer),
		LIVE_TEST(poll_of_nothing_is_timer),
		LIVE_TEST(timerfd_is_a_timer),
		LIVE_TEST(pipe_is_ipc),
		LIVE_TEST(unix_path_is_ipc_outbound),
		LIVE_TEST(abstract_unix_is_ipc_outbound),
		LIVE_TEST(accepted_unix_is_work_to_come),
		LIVE_TEST(wait4_is_child),
		LIVE_TEST(eventfd_is_sync),
		LIVE_TEST(terminal_is_tty),
		LIVE_TEST(sigstop_is_stopped),
		LIVE_TEST(a_stopped_sleep_goes_on_as_a_sleep),
		LIVE_TEST(mutex_is_lock),
		LIVE_TEST(condition_and_join_are_sync),
		LIVE_TEST(flock_is_lock),
		LIVE_TEST(fsync_is_disk),
		LIVE_TEST(direct_read_is_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
