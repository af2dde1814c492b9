/* Waiting by read() at descriptors that stand for events: eventfd, signalfd, inotify and others. */
#include "situation.h"
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static void child_computes_and_posts(void *fd)
{
	for (int i = 0; i < WAITS; i++) {
		burn_ms(WAIT_MS);
		must(eventfd_write(*(int *)fd, 1), "eventfd_write");
	}
}

static void read_eventfd(const struct place *place)
{
	int fd = (int)must(eventfd(0, EFD_SEMAPHORE), "eventfd");
	pid_t child = spawn(child_computes_and_posts, &fd);
	eventfd_t value;

	(void)place;
	for (int i = 0; i < WAITS; i++)
		must(eventfd_read(fd, &value), "eventfd_read");
	reap(child);
}

static void signal_program(const struct place *place)
{
	pid_t pid;

	announce("-");
	pid = await_pid(place);
	do
		pause_ms(WAIT_MS);
	while (!kill(pid, SIGUSR1));
}

static void read_signalfd(const struct place *place)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	fd = (int)must(signalfd(-1, &set, 0), "signalfd");
	begin_with_pid(place);
	for (int i = 0; i < WAITS; i++)
		must(read(fd, &info, sizeof(info)), "read");
}

/* Opens a file for writing in the directory that the program watches, every WAIT_MS. */
static void touch_files(const struct place *place)
{
	char path[PATH_MAX];

	announce("-");
	await_begin(place);
	path_in(place, "touched", path);
	for (;;) {
		pause_ms(WAIT_MS);
		close((int)must(open(path, O_WRONLY | O_CREAT, 0600), path));
	}
}

static void read_inotify(const struct place *place)
{
	char event[sizeof(struct inotify_event) + NAME_MAX + 1];
	int fd = (int)must(inotify_init(), "inotify_init");

	must(inotify_add_watch(fd, place->dir, IN_CLOSE_WRITE), "inotify_add_watch");
	begin(place);
	for (int i = 0; i < WAITS; i++)
		must(read(fd, event, sizeof(event)), "read");
}

static void read_fanotify(const struct place *place)
{
	int fd = (int)must(fanotify_init(0, O_RDONLY), "fanotify_init");
	struct fanotify_event_metadata event;

	must(fanotify_mark(fd, FAN_MARK_ADD, FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, AT_FDCWD,
			   place->dir),
	     "fanotify_mark");
	begin(place);
	for (int i = 0; i < WAITS; i++) {
		must(read(fd, &event, sizeof(event)), "read");
		close(event.fd);
	}
}

/* For news of the network's configuration, of which there are none. */
static void read_netlink(const struct place *place)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = (int)must(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "socket");
	struct timeval timeout = { .tv_usec = ALL_WAITS_MS * 1000 };
	char byte;

	(void)place;
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), "SO_RCVTIMEO");
	recv(fd, &byte, 1, 0);
}

struct faults {
	int fd;
	char *pages;
};

/* Computes before it provides each page that is asked for. */
static void *provide_pages(void *argument)
{
	const struct faults *faults = argument;
	static char page[PAGE_BYTES];

	for (int i = 0; i < WAITS; i++) {
		struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE_BYTES };
		struct uffd_msg message;

		must(read(faults->fd, &message, sizeof(message)), "read");
		burn_ms(WAIT_MS);
		copy.dst = message.arg.pagefault.address & ~(uint64_t)(PAGE_BYTES - 1);
		must(ioctl(faults->fd, UFFDIO_COPY, &copy), "UFFDIO_COPY");
	}
	return NULL;
}

static void fault_on_userfaultfd(const struct place *place)
{
	struct uffdio_api api = { .api = UFFD_API };
	size_t bytes = (size_t)WAITS * PAGE_BYTES;
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct faults faults;
	pthread_t provider;

	(void)place;
	faults.fd = (int)must(syscall(SYS_userfaultfd, 0), "userfaultfd");
	must(ioctl(faults.fd, UFFDIO_API, &api), "UFFDIO_API");
	faults.pages =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)faults.pages;
	range.range.len = bytes;
	must(ioctl(faults.fd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER");
	must(-pthread_create(&provider, NULL, provide_pages, &faults), "pthread_create");
	for (int i = 0; i < WAITS; i++)
		(void)*(volatile char *)(faults.pages + (size_t)i * PAGE_BYTES);
	must(-pthread_join(provider, NULL), "pthread_join");
}

const struct situation event_situations[] = {
	{ "eventfd_read", read_eventfd, NULL },
	{ "signalfd_read", read_signalfd, signal_program },
	{ "inotify_read", read_inotify, touch_files },
	{ "fanotify_read", read_fanotify, touch_files },
	{ "netlink_recv", read_netlink, NULL },
	{ "userfaultfd", fault_on_userfaultfd, NULL },
	{ NULL, NULL, NULL },
};
