/* Waiting through io_uring and the older asynchronous I/O, by the system calls themselves. */
#include "situation.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring {
	int fd;
	struct io_uring_sqe *entries;
	uint32_t *tail, *array, *completed_head;
	uint32_t mask;
};

static void *map(int fd, size_t bytes, off_t what)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	must(at == MAP_FAILED ? -1 : 0, "mmap");
	return at;
}

static void ring_open(struct ring *ring)
{
	struct io_uring_params params = { 0 };
	char *queue, *completed;

	ring->fd = (int)must(syscall(SYS_io_uring_setup, 4, &params), "io_uring_setup");
	queue = map(ring->fd, params.sq_off.array + params.sq_entries * sizeof(uint32_t),
		    IORING_OFF_SQ_RING);
	completed =
		map(ring->fd, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		    IORING_OFF_CQ_RING);
	ring->entries =
		map(ring->fd, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring->tail = (uint32_t *)(queue + params.sq_off.tail);
	ring->mask = *(uint32_t *)(queue + params.sq_off.ring_mask);
	ring->array = (uint32_t *)(queue + params.sq_off.array);
	ring->completed_head = (uint32_t *)(completed + params.cq_off.head);
}

/* Submits @entry and waits for its completion. */
static void ring_do(struct ring *ring, const struct io_uring_sqe *entry)
{
	uint32_t slot = *ring->tail & ring->mask;

	ring->entries[slot] = *entry;
	ring->array[slot] = slot;
	__atomic_store_n(ring->tail, *ring->tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0),
	     "io_uring_enter");
	__atomic_store_n(ring->completed_head, *ring->completed_head + 1, __ATOMIC_RELEASE);
}

static void recv_answers(const struct place *place)
{
	int fd = tcp_connect(AF_INET, place->address);
	char byte;
	struct io_uring_sqe entry = {
		.opcode = IORING_OP_RECV, .fd = fd, .addr = (uintptr_t)&byte, .len = 1
	};
	struct ring ring;

	ring_open(&ring);
	for (int i = 0; i < WAITS; i++) {
		give_byte(fd);
		ring_do(&ring, &entry);
	}
}

static void read_pipe(const struct place *place)
{
	char byte;
	struct io_uring_sqe entry = {
		.opcode = IORING_OP_READ, .fd = STDIN_FILENO, .addr = (uintptr_t)&byte, .len = 1
	};
	struct ring ring;

	ring_open(&ring);
	begin(place);
	for (int i = 0; i < WAITS; i++)
		ring_do(&ring, &entry);
}

static void sleep_in_ring(const struct place *place)
{
	struct __kernel_timespec delay = { .tv_nsec = WAIT_MS * 1000000 };
	struct io_uring_sqe entry = {
		.opcode = IORING_OP_TIMEOUT, .fd = -1, .addr = (uintptr_t)&delay, .len = 1
	};
	struct ring ring;

	(void)place;
	ring_open(&ring);
	for (int i = 0; i < WAITS; i++)
		ring_do(&ring, &entry);
}

static int open_direct(const struct place *place)
{
	char path[PATH_MAX];

	path_in(place, "data", path);
	return (int)must(open(path, O_RDONLY | O_DIRECT), path);
}

static void read_file(const struct place *place)
{
	void *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
	struct io_uring_sqe entry = { .opcode = IORING_OP_READ,
				      .fd = open_direct(place),
				      .addr = (uintptr_t)page,
				      .len = PAGE_BYTES };
	struct ring ring;
	long end;

	ring_open(&ring);
	for (end = now_ms() + ALL_WAITS_MS; now_ms() < end; entry.off += PAGE_BYTES)
		ring_do(&ring, &entry);
	free(page);
}

static void read_file_by_aio(const struct place *place)
{
	void *page = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
	struct iocb request = { .aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_fildes = (uint32_t)open_direct(place),
				.aio_buf = (uintptr_t)page,
				.aio_nbytes = PAGE_BYTES };
	struct iocb *requests[] = { &request };
	aio_context_t context = 0;
	struct io_event event;
	long end;

	must(syscall(SYS_io_setup, 1, &context), "io_setup");
	for (end = now_ms() + ALL_WAITS_MS; now_ms() < end; request.aio_offset += PAGE_BYTES) {
		must(syscall(SYS_io_submit, context, 1, requests), "io_submit");
		must(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), "io_getevents");
	}
	free(page);
}

const struct situation uring_situations[] = {
	{ "uring_recv", recv_answers, answer_over_tcp },
	{ "uring_read_pipe", read_pipe, give_to_stdin },
	{ "uring_timeout", sleep_in_ring, NULL },
	{ "uring_read_file", read_file, prepare_cold_file },
	{ "aio_read_file", read_file_by_aio, prepare_cold_file },
	{ NULL, NULL, NULL },
};
