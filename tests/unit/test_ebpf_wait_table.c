/* Sums of waits as they come over the wire become rows: merged, decided, named. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <cmocka.h>
#include "ebpf/object_names.h"
#include "ebpf/process_tree.h"
#include "ebpf/wait_convert.h"
#include "ebpf/wait_table.h"
#include "observation/observation.h"

#define PID	  100u
#define GIL_START 0x5000
#define GIL_END	  0x50d0
#define FILE_CNT  100000u

struct table_fixture {
	struct observation obs;
	struct process_tree tree;
	struct wait_table table;
	struct object_names names;
};

static void ignore_gil(void *context, pid_t pid, const struct gil_range *gil)
{
	(void)context;
	(void)pid;
	(void)gil;
}

static void ignore_port(void *context, uint32_t netns, uint16_t port)
{
	(void)context;
	(void)netns;
	(void)port;
}

static int setup(void **state)
{
	static const struct tree_listener listener = { .gil_found = ignore_gil,
						       .port_found = ignore_port };
	struct table_fixture *fixture = test_calloc(1, sizeof(*fixture));

	observation_init(&fixture->obs);
	process_tree_init(&fixture->tree, &fixture->obs, &listener);
	*state = fixture;
	return process_tree_born(&fixture->tree, (pid_t)PID, (pid_t)PID, 0, "test", 0);
}

static int teardown(void **state)
{
	struct table_fixture *fixture = *state;

	wait_table_release(&fixture->table);
	object_names_release(&fixture->names);
	process_tree_release(&fixture->tree);
	observation_release(&fixture->obs);
	test_free(fixture);
	return 0;
}

static void add(struct table_fixture *fixture, struct wire_wait_key key, uint64_t wait_ns,
		uint64_t cnt)
{
	struct wire_wait_sum sum = { .wait_ns = wait_ns,
				     .wait_cnt = cnt,
				     .max_ns = wait_ns,
				     .quiet_ns = wait_ns / 2,
				     .woken_by_tree_cnt = cnt };

	key.tgid = PID;
	assert_int_equal(wait_table_add(&fixture->table, &key, &sum), 0);
}

static void finish(struct table_fixture *fixture)
{
	assert_int_equal(
		wait_convert(&fixture->table, &fixture->names, &fixture->tree, &fixture->obs), 0);
	fixture->table.cnt = 0; /* what is converted stays in the table */
}

/* The name of the one row that a wait with @key makes. */
static const char *name_of(struct table_fixture *fixture, struct wire_wait_key key)
{
	size_t before = fixture->obs.wait_cnt;

	add(fixture, key, 10, 1);
	finish(fixture);
	assert_int_equal(fixture->obs.wait_cnt, before + 1);
	return fixture->obs.waits[before].name;
}

static void equal_keys_merge(void **state)
{
	struct table_fixture *fixture = *state;
	struct wire_wait_key pipe = { .reason = WIRE_IPC, .kind = WIRE_KIND_PIPE, .id = { 1, 7 } };
	struct wire_wait_key timed_out = pipe;
	const struct obs_wait *row;

	timed_out.flags = WIRE_WAIT_TIMED_OUT;
	add(fixture, pipe, 10, 1);
	add(fixture, timed_out, 100, 1);
	add(fixture, pipe, 30, 2);
	finish(fixture);
	assert_int_equal(fixture->obs.wait_cnt, 2);
	row = &fixture->obs.waits[fixture->obs.waits[0].timed_out];
	assert_false(row->timed_out);
	assert_int_equal(row->pid, PID);
	assert_int_equal(row->wait_ns, 40);
	assert_int_equal(row->wait_cnt, 3);
	assert_int_equal(row->max_ns, 30);
	assert_int_equal(row->quiet_ns, 20);
	assert_int_equal(row->woken_by_tree_cnt, 3);
	assert_string_equal(row->name, "pipe:[7]");
}

static void rows_of_processes_stay_apart(void **state)
{
	struct table_fixture *fixture = *state;
	struct wire_wait_key key = { .tgid = PID + 1, .reason = WIRE_TIMER };
	struct wire_wait_sum sum = { .wait_ns = 5, .wait_cnt = 1 };

	add(fixture, key, 10, 1);
	assert_int_equal(wait_table_add(&fixture->table, &key, &sum), 0);
	finish(fixture);
	assert_int_equal(fixture->obs.wait_cnt, 2);
	assert_int_equal(fixture->obs.waits[0].wait_ns + fixture->obs.waits[1].wait_ns, 15);
}

static void a_sum_of_nothing_makes_no_row(void **state)
{
	struct table_fixture *fixture = *state;

	add(fixture, (struct wire_wait_key){ .reason = WIRE_TIMER }, 0, 0);
	finish(fixture);
	assert_int_equal(fixture->obs.wait_cnt, 0);
}

/* A walk over a disk opens more files than anybody wants to read of: the small ones are summed up,
 * and nothing of their sum is lost. */
static void many_small_rows_are_folded(void **state)
{
	struct table_fixture *fixture = *state;
	struct wire_wait_key file = { .reason = WIRE_DISK, .kind = WIRE_KIND_FILE };
	uint64_t wait_ns = 0, wait_cnt = 0;
	size_t folded_cnt = 0;

	for (uint64_t i = 1; i <= FILE_CNT; i++) {
		file.id[1] = i;
		add(fixture, file, i, 1);
	}
	/* Gathering alone folds already. */
	assert_true(fixture->table.cnt < FILE_CNT / 2);
	finish(fixture);
	assert_in_range(fixture->obs.wait_cnt, 99, 100);
	for (size_t i = 0; i < fixture->obs.wait_cnt; i++) {
		const struct obs_wait *row = &fixture->obs.waits[i];

		assert_int_equal(row->reason, WAIT_DISK);
		wait_ns += row->wait_ns;
		wait_cnt += row->wait_cnt;
		folded_cnt += row->kind == OBJECT_NONE;
	}
	assert_int_equal(wait_ns, FILE_CNT * (FILE_CNT + 1ull) / 2);
	assert_int_equal(wait_cnt, FILE_CNT);
	assert_int_equal(folded_cnt, 1);
}

static void largest_rows_are_kept_apart(void **state)
{
	struct table_fixture *fixture = *state;
	struct wire_wait_key file = { .reason = WIRE_DISK,
				      .kind = WIRE_KIND_FILE,
				      .id = { 8ull << 20 } };
	bool is_kept = false;

	for (uint64_t i = 1; i <= 500; i++) {
		file.id[1] = i;
		add(fixture, file, i == 250 ? 1000000 : 1, 1);
	}
	finish(fixture);
	for (size_t i = 0; i < fixture->obs.wait_cnt; i++)
		is_kept |= !strcmp(fixture->obs.waits[i].name, "inode 250 on device 8:0") &&
			   fixture->obs.waits[i].wait_ns == 1000000;
	assert_true(is_kept);
}

/* --- the GIL --- */

static struct obs_thread *add_thread(struct table_fixture *fixture, pid_t tid, uint64_t sync_ns)
{
	struct obs_thread *thread = observation_add_thread(&fixture->obs);

	thread->pid = (pid_t)PID;
	thread->tid = tid;
	thread->wait_ns[WAIT_SYNC] = sync_ns;
	thread->wait_cnt[WAIT_SYNC] = 9;
	return thread;
}

static const struct obs_thread *find_thread(const struct table_fixture *fixture, pid_t tid)
{
	for (size_t i = 0; i < fixture->obs.thread_cnt; i++)
		if (fixture->obs.threads[i].tid == tid)
			return &fixture->obs.threads[i];
	fail_msg("no thread %d", tid);
	return NULL;
}

static struct wire_wait_key futex(uint32_t tid, uint64_t address)
{
	return (struct wire_wait_key){
		.tid = tid, .reason = WIRE_SYNC, .kind = WIRE_KIND_FUTEX, .id = { address, 0 }
	};
}

static void futexes_in_the_gil_are_decided_at_the_end(void **state)
{
	struct table_fixture *fixture = *state;
	const struct obs_thread *thread;

	add_thread(fixture, 102, 1000);
	add_thread(fixture, 101, 500);
	add(fixture, futex(101, GIL_START), 100, 2);
	add(fixture, futex(102, GIL_END - 4), 300, 3);
	add(fixture, futex(102, GIL_END), 7, 1);
	add(fixture, futex(102, GIL_START - 4), 8, 1);
	fixture->tree.processes[0].gil = (struct gil_range){ GIL_START, GIL_END, 0 };
	finish(fixture);
	thread = find_thread(fixture, 101);
	assert_int_equal(thread->wait_ns[WAIT_GIL], 100);
	assert_int_equal(thread->wait_cnt[WAIT_GIL], 2);
	assert_int_equal(thread->wait_ns[WAIT_SYNC], 400);
	assert_int_equal(thread->wait_cnt[WAIT_SYNC], 7);
	thread = find_thread(fixture, 102);
	assert_int_equal(thread->wait_ns[WAIT_GIL], 300);
	assert_int_equal(thread->wait_ns[WAIT_SYNC], 700);
	/* One row for the lock, whichever of its words was waited on. */
	assert_int_equal(fixture->obs.wait_cnt, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct obs_wait *row = &fixture->obs.waits[i];

		assert_int_equal(row->reason == WAIT_GIL, !strcmp(row->name, "GIL"));
		if (row->reason == WAIT_GIL)
			assert_int_equal(row->wait_ns, 400);
	}
}

static void without_a_gil_futexes_of_threads_merge(void **state)
{
	struct table_fixture *fixture = *state;

	add_thread(fixture, 101, 100);
	add_thread(fixture, 102, 100);
	add(fixture, futex(101, 0x7f0000001234), 60, 1);
	add(fixture, futex(102, 0x7f0000001234), 40, 1);
	finish(fixture);
	assert_int_equal(fixture->obs.wait_cnt, 1);
	assert_int_equal(fixture->obs.waits[0].reason, WAIT_SYNC);
	assert_int_equal(fixture->obs.waits[0].wait_ns, 100);
	assert_string_equal(fixture->obs.waits[0].name, "0x7f0000001234");
	assert_int_equal(find_thread(fixture, 101)->wait_ns[WAIT_GIL], 0);
}

/* The GIL is given up on a timeout by design: that says nothing. */
static void a_gil_wait_never_times_out(void **state)
{
	struct table_fixture *fixture = *state;
	struct wire_wait_key key = futex(0, GIL_START);

	key.reason = WIRE_GIL;
	add(fixture, key, 1, 1);
	key.flags = WIRE_WAIT_TIMED_OUT;
	add(fixture, key, 2, 1);
	finish(fixture);
	assert_int_equal(fixture->obs.wait_cnt, 1);
	assert_false(fixture->obs.waits[0].timed_out);
	assert_int_equal(fixture->obs.waits[0].wait_ns, 3);
}

/* --- names --- */

static struct wire_wait_key tcp(const char *address, uint16_t port)
{
	struct wire_wait_key key = { .reason = WIRE_NETWORK,
				     .kind = WIRE_KIND_TCP,
				     .direction = WIRE_OUTBOUND,
				     .port = port };

	assert_int_equal(inet_pton(AF_INET6, address, key.id), 1);
	return key;
}

static void inet_names(void **state)
{
	struct wire_wait_key udp = tcp("::ffff:10.0.0.5", 53);

	udp.kind = WIRE_KIND_UDP;
	assert_string_equal(name_of(*state, tcp("::ffff:10.0.0.5", 443)), "10.0.0.5:443");
	assert_string_equal(name_of(*state, tcp("2001:db8::1", 8080)), "[2001:db8::1]:8080");
	assert_string_equal(name_of(*state, tcp("::", 65535)), "[::]:65535");
	assert_string_equal(name_of(*state, tcp("::ffff:0.0.0.0", 0)), "0.0.0.0:0");
	assert_string_equal(name_of(*state, udp), "10.0.0.5:53");
}

static struct wire_wait_key anon(const char *name)
{
	struct wire_wait_key key = { .reason = WIRE_OTHER, .kind = WIRE_KIND_ANON };

	memcpy(key.id, name, strlen(name));
	return key;
}

static void names_without_an_event(void **state)
{
	struct wire_wait_key call = { .reason = WIRE_OTHER,
				      .kind = WIRE_KIND_SYSCALL,
				      .syscall = SYS_openat };
	struct wire_wait_key file = { .reason = WIRE_DISK,
				      .kind = WIRE_KIND_FILE,
				      .id = { 8ull << 20 | 3, 42 } };
	struct wire_wait_key block = { .reason = WIRE_DISK,
				       .kind = WIRE_KIND_BLOCK,
				       .id = { UINT32_MAX } };
	struct wire_wait_key loop = { .reason = WIRE_POLL, .kind = WIRE_KIND_EPOLL };

	assert_string_equal(name_of(*state, anon("[eventfd]")), "eventfd");
	assert_string_equal(name_of(*state, anon("inotify")), "inotify");
	assert_string_equal(name_of(*state, anon("0123456789abcdef")), "0123456789abcdef");
	assert_string_equal(name_of(*state, anon("[")), "");
	assert_string_equal(name_of(*state, anon("")), "");
	assert_string_equal(name_of(*state, call), "openat");
	call.syscall = 9999;
	assert_string_equal(name_of(*state, call), "syscall 9999");
	assert_string_equal(name_of(*state, file), "inode 42 on device 8:3");
	assert_string_equal(name_of(*state, loop), "");
	assert_string_equal(name_of(*state, block), "device 4095:1048575");
}

static void queues_and_sockets_have_names_without_an_event(void **state)
{
	struct wire_wait_key queue = {
		.reason = WIRE_IPC, .kind = WIRE_KIND_ANON, .syscall = SYS_msgrcv, .id = { 0, 7 }
	};
	struct wire_wait_key semaphores = { .reason = WIRE_IPC,
					    .kind = WIRE_KIND_ANON,
					    .syscall = SYS_semtimedop };
	struct wire_wait_key socket = { .reason = WIRE_IPC, .kind = WIRE_KIND_SOCKET };

	assert_string_equal(name_of(*state, queue), "message queue 7");
	assert_string_equal(name_of(*state, semaphores), "semaphore set 0");
	socket.id[0] = AF_NETLINK;
	assert_string_equal(name_of(*state, socket), "netlink");
	socket.id[0] = AF_INET6;
	socket.id[1] = IPPROTO_ICMPV6;
	assert_string_equal(name_of(*state, socket), "icmp");
	socket.id[0] = 77;
	socket.id[1] = 5;
	assert_string_equal(name_of(*state, socket), "family 77, protocol 5");
}

static void add_name(struct table_fixture *fixture, const struct wire_event_name *event)
{
	assert_int_equal(object_names_add(&fixture->names, &fixture->obs, event), 0);
}

static void paths_are_joined_from_their_end(void **state)
{
	struct wire_event_name event = { .id = { 1, 2 },
					 .kind = WIRE_KIND_FILE,
					 .part_cnt = 3,
					 .part = { "c.txt", "b\nb", "a" } };
	struct wire_wait_key key = { .reason = WIRE_DISK, .kind = WIRE_KIND_FILE, .id = { 1, 2 } };

	add_name(*state, &event);
	assert_string_equal(name_of(*state, key), "/a/b\nb/c.txt");
	/* The same inode number of another kind or device is another thing. */
	key.id[0] = 2;
	assert_string_equal(name_of(*state, key), "inode 2 on device 0:2");
	key = (struct wire_wait_key){ .kind = WIRE_KIND_DIRECTORY, .id = { 1, 2 } };
	assert_string_equal(name_of(*state, key), "inode 2 on device 0:1");
}

static void what_a_path_lacks_is_said(void **state)
{
	struct wire_event_name event = { .id = { 1, 2 },
					 .kind = WIRE_KIND_FILE,
					 .part_cnt = 2,
					 .part = { "c", "b" },
					 .cut_parts = 2,
					 .is_truncated = 1,
					 .is_deleted = 1 };
	struct wire_wait_key key = { .reason = WIRE_DISK, .kind = WIRE_KIND_FILE, .id = { 1, 2 } };

	add_name(*state, &event);
	assert_string_equal(name_of(*state, key), ".../b.../c (deleted)");
	event = (struct wire_event_name){ .id = { 1, 3 }, .kind = WIRE_KIND_DIRECTORY };
	add_name(*state, &event);
	key = (struct wire_wait_key){ .kind = WIRE_KIND_DIRECTORY, .id = { 1, 3 } };
	assert_string_equal(name_of(*state, key), "/");
}

/* A journal that is made anew for each commit is one file to whoever reads of it. */
static void a_file_made_anew_is_the_same(void **state)
{
	struct table_fixture *fixture = *state;
	struct wire_event_name event = { .kind = WIRE_KIND_FILE, .part_cnt = 1, .part = { "j" } };
	struct wire_wait_key key = { .reason = WIRE_DISK,
				     .kind = WIRE_KIND_FILE,
				     .syscall = SYS_fsync };

	for (uint64_t i = 1; i <= 1000; i++) {
		event.id[0] = key.id[0] = i << 32 | 8ull << 20;
		event.id[1] = key.id[1] = 7;
		add_name(fixture, &event);
		add(fixture, key, 10, 1);
	}
	event.id[0] = key.id[0] = 9ull << 20; /* on another device */
	add_name(fixture, &event);
	add(fixture, key, 10, 1);
	finish(fixture);
	assert_int_equal(fixture->obs.wait_cnt, 2);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(fixture->obs.waits[i].name, "/j");
		assert_true(fixture->obs.waits[i].wait_cnt == 1000 ||
			    fixture->obs.waits[i].wait_cnt == 1);
	}
}

static enum wait_operation operation_of(struct table_fixture *fixture, struct wire_wait_key key)
{
	name_of(fixture, key);
	return fixture->obs.waits[fixture->obs.wait_cnt - 1].operation;
}

static void operations_follow_from_call_and_flags(void **state)
{
	struct wire_wait_key read = { .reason = WIRE_DISK,
				      .kind = WIRE_KIND_FILE,
				      .syscall = SYS_pread64 };
	struct wire_wait_key write = read, sync = read, name = read, pipe = read, fault = read;

	write.syscall = SYS_write;
	sync.syscall = SYS_fdatasync;
	name.syscall = SYS_renameat2;
	pipe.reason = WIRE_IPC;
	fault.reason = WIRE_PAGING;
	fault.syscall = WIRE_NO_SYSCALL;
	assert_int_equal(operation_of(*state, read), OPERATION_READ);
	assert_int_equal(operation_of(*state, write), OPERATION_WRITE);
	assert_int_equal(operation_of(*state, sync), OPERATION_SYNC);
	assert_int_equal(operation_of(*state, name), OPERATION_METADATA);
	assert_int_equal(operation_of(*state, pipe), OPERATION_NONE);
	assert_int_equal(operation_of(*state, fault), OPERATION_FAULT);
	fault.kind = WIRE_KIND_NONE;
	assert_int_equal(operation_of(*state, fault), OPERATION_NONE);
	fault.flags = WIRE_WAIT_SWAP;
	assert_int_equal(operation_of(*state, fault), OPERATION_SWAP);
	read.flags = write.flags = WIRE_WAIT_SYNC;
	assert_int_equal(operation_of(*state, read), OPERATION_READ);
	assert_int_equal(operation_of(*state, write), OPERATION_SYNC);
	read.flags = sync.flags = WIRE_WAIT_DIRECT;
	assert_int_equal(operation_of(*state, read), OPERATION_DIRECT);
	assert_int_equal(operation_of(*state, sync), OPERATION_SYNC);
	write.flags = sync.flags = WIRE_WAIT_THROTTLED;
	assert_int_equal(operation_of(*state, write), OPERATION_THROTTLED);
	assert_int_equal(operation_of(*state, sync), OPERATION_SYNC);
}

static void unix_names(void **state)
{
	struct wire_event_name event = { .id = { 1, 0 },
					 .kind = WIRE_KIND_UNIX,
					 .part_cnt = 2,
					 .name_bytes = 12,
					 .part = { "/run/x.sock" } };
	struct wire_wait_key key = { .reason = WIRE_IPC, .kind = WIRE_KIND_UNIX, .id = { 1, 0 } };

	add_name(*state, &event);
	event.id[0] = 2;
	event.name_bytes = 5;
	memcpy(event.part[0], "\0ab\0c", 6);
	add_name(*state, &event);
	assert_string_equal(name_of(*state, key), "/run/x.sock");
	key.id[0] = 2;
	assert_string_equal(name_of(*state, key), "@ab@c");
	key.id[0] = 3;
	assert_string_equal(name_of(*state, key), "");
}

/* What comes over the wire may be garbage: no overrun, every name ends. */
static void hostile_names_stay_within_bounds(void **state)
{
	struct wire_event_name event;
	struct wire_wait_key key;

	memset(&event, 'A', sizeof(event));
	event.kind = WIRE_KIND_FILE;
	event.id[0] = event.id[1] = 1;
	add_name(*state, &event);
	event.kind = WIRE_KIND_UNIX;
	add_name(*state, &event);
	key = (struct wire_wait_key){ .kind = WIRE_KIND_FILE, .id = { 1, 1 } };
	/* 'A' has the bits of 0, 6 and, in the second byte, 8: three parts are cut. */
	assert_int_equal(strlen(name_of(*state, key)),
			 3 + WIRE_PATH_PARTS * WIRE_PART_BYTES + 3 * 3 + strlen(" (deleted)"));
	key.kind = WIRE_KIND_UNIX;
	assert_int_equal(strlen(name_of(*state, key)), 108);
	memset(&key, 0xff, sizeof(key));
	key.tid = 0;
	key.reason = WIRE_OTHER;
	key.kind = WIRE_KIND_ANON;
	key.direction = 0;
	assert_int_equal(strlen(name_of(*state, key)), 16);
}

#define TABLE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(equal_keys_merge),
		TABLE_TEST(rows_of_processes_stay_apart),
		TABLE_TEST(a_sum_of_nothing_makes_no_row),
		TABLE_TEST(many_small_rows_are_folded),
		TABLE_TEST(largest_rows_are_kept_apart),
		TABLE_TEST(futexes_in_the_gil_are_decided_at_the_end),
		TABLE_TEST(without_a_gil_futexes_of_threads_merge),
		TABLE_TEST(a_gil_wait_never_times_out),
		TABLE_TEST(inet_names),
		TABLE_TEST(names_without_an_event),
		TABLE_TEST(queues_and_sockets_have_names_without_an_event),
		TABLE_TEST(paths_are_joined_from_their_end),
		TABLE_TEST(what_a_path_lacks_is_said),
		TABLE_TEST(a_file_made_anew_is_the_same),
		TABLE_TEST(operations_follow_from_call_and_flags),
		TABLE_TEST(unix_names),
		TABLE_TEST(hostile_names_stay_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
