/* Inspect's parsers, fed with what the kernel writes and with what a hostile process makes of it.
 */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "cgroup_path.h"
#include "cgroup_quota.h"
#include "cgroup_throttle.h"
#include "elf_symbol.h"
#include "gil.h"
#include "maps.h"
#include "net_table.h"
#include "observation/observation.h"
#include "pid_numbers.h"
#include "proc_file.h"
#include "syscall_table.h"

#define STAT_TAIL " S 12 34 56 0 -1 4194560 1 2 3 4 70 8 9 10 20 0 5 0 777 0 0"

static void stat_of_plain_name(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(proc_stat_parse("99 (sleep)" STAT_TAIL, &stat), 0);
	assert_string_equal(stat.comm, "sleep");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 12);
	assert_int_equal(stat.pgrp, 34);
	assert_int_equal(stat.session, 56);
	assert_int_equal(stat.flags, 4194560);
	assert_int_equal(stat.utime_ticks, 70);
	assert_int_equal(stat.stime_ticks, 8);
	assert_int_equal(stat.cutime_ticks, 9);
	assert_int_equal(stat.cstime_ticks, 10);
	assert_int_equal(stat.thread_cnt, 5);
	assert_int_equal(stat.starttime_ticks, 777);
}

static void stat_of_hostile_name(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(proc_stat_parse("99 (a) R 1 (\n b)" STAT_TAIL, &stat), 0);
	assert_string_equal(stat.comm, "a) R 1 (\n b");
	assert_int_equal(stat.ppid, 12);
	assert_int_equal(proc_stat_parse("99 ()" STAT_TAIL, &stat), 0);
	assert_string_equal(stat.comm, "");
}

static void stat_that_is_cut_short(void **state)
{
	struct proc_stat stat;

	(void)state;
	assert_int_equal(proc_stat_parse("", &stat), -EINVAL);
	assert_int_equal(proc_stat_parse("99 (sleep", &stat), -EINVAL);
	assert_int_equal(proc_stat_parse(") 99 (", &stat), -EINVAL);
	assert_int_equal(proc_stat_parse("99 (sleep) S 12 34", &stat), -EINVAL);
}

static bool parse_map(const char *text, struct mapped_file *file)
{
	static char line[512]; /* the path points into it */

	snprintf(line, sizeof(line), "%s", text);
	return maps_parse_line(line, file);
}

static void maps_line_of_code(void **state)
{
	struct mapped_file file;

	(void)state;
	assert_true(parse_map("7f00a000-7f00b000 r-xp 00001000 fe:01 4711      /usr/lib/a b.so\n",
			      &file));
	assert_int_equal(file.start, 0x7f00a000);
	assert_int_equal(file.end, 0x7f00b000);
	assert_int_equal(file.offset, 0x1000);
	assert_string_equal(file.path, "/usr/lib/a b.so");
}

static void maps_lines_that_are_no_code_files(void **state)
{
	struct mapped_file file;

	(void)state;
	assert_false(parse_map("7f00a000-7f00b000 r--p 00000000 fe:01 4711 /usr/lib/a.so", &file));
	assert_false(parse_map("7f00a000-7f00b000 rwxp 00000000 00:00 0 ", &file));
	assert_false(parse_map("7f00a000-7f00b000 r-xp 00000000 00:00 0 [vdso]", &file));
	assert_false(parse_map("7f00a000-7f00b000 r-xp 00000000 00:00 9 //anon", &file));
	assert_false(parse_map("7f00a000-7f00b000 r-xp", &file));
	assert_false(parse_map("", &file));
}

static void python_versions_of_names(void **state)
{
	(void)state;
	assert_int_equal(python_version_of_name("/usr/bin/python3.11"), 0x030b0000);
	assert_int_equal(python_version_of_name("/x/libpython3.8.so.1.0"), 0x03080000);
	assert_int_equal(python_version_of_name("/x/libpython3.7m.so.1.0"), 0x03070000);
	assert_int_equal(python_version_of_name("/x/libpython3.13t.so.1.0"), 0x030d0000);
	assert_int_equal(python_version_of_name("/x/python2.7"), 0x02070000);
	assert_int_equal(python_version_of_name("/x/libpython3.so"), 0);
	assert_int_equal(python_version_of_name("/x/python3"), 0);
	assert_int_equal(python_version_of_name("/usr/bin/pythonista"), 0);
	assert_int_equal(python_version_of_name("/usr/bin/python99999999999999999999.1"), 0);
	assert_int_equal(python_version_of_name("/python3.11/bin/sh"), 0);
	assert_int_equal(python_version_of_name(""), 0);
}

static void tcp_line(void **state)
{
	struct net_socket socket;
	char text[NET_ENDPOINT_TEXT_MAX];

	(void)state;
	assert_true(net_table_parse_inet("   1: 0100007F:C350 0A000005:01BB 01 00000000:00000000 "
					 "00:00000000 00000000  1000        0 123456 1 ffff 20 4",
					 NET_TCP, &socket));
	assert_int_equal(socket.inode, 123456);
	assert_false(socket.is_listening);
	assert_int_equal(socket.local.port, 50000);
	assert_int_equal(socket.remote.port, 443);
	net_endpoint_format(&socket.local, text);
	assert_string_equal(text, "127.0.0.1:50000");
}

static void tcp6_line_of_listener(void **state)
{
	struct net_socket socket;
	char text[NET_ENDPOINT_TEXT_MAX];

	(void)state;
	assert_true(
		net_table_parse_inet("   0: 00000000000000000000000001000000:1F90 "
				     "00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 77",
				     NET_TCP6, &socket));
	assert_true(socket.is_listening);
	net_endpoint_format(&socket.local, text);
	assert_string_equal(text, "[::1]:8080");
	/* An IPv4 peer of an IPv6 socket is written as what it is. */
	assert_true(
		net_table_parse_inet("   0: 0000000000000000FFFF00000100007F:1F90 "
				     "0000000000000000FFFF00000100007F:C350 01 0:0 0:0 0 0 0 78",
				     NET_TCP6, &socket));
	net_endpoint_format(&socket.remote, text);
	assert_string_equal(text, "127.0.0.1:50000");
}

static void udp_sockets_do_not_listen(void **state)
{
	struct net_socket socket;

	(void)state;
	assert_true(net_table_parse_inet("1: 0100007F:0035 00000000:0000 0A 0:0 0:0 0 0 0 5",
					 NET_UDP, &socket));
	assert_false(socket.is_listening);
}

static void malformed_inet_lines(void **state)
{
	struct net_socket socket;

	(void)state;
	assert_false(net_table_parse_inet("  sl  local_address rem_address   st tx_queue", NET_TCP,
					  &socket));
	assert_false(net_table_parse_inet("1: 01:0035 00000000:0000 0A 0:0 0:0 0 0 0 5", NET_TCP,
					  &socket));
	assert_false(net_table_parse_inet("", NET_TCP, &socket));
}

static bool parse_unix(const char *text, struct net_socket *socket)
{
	static char line[256];

	snprintf(line, sizeof(line), "%s", text);
	return net_table_parse_unix(line, socket);
}

static void unix_lines(void **state)
{
	struct net_socket socket;

	(void)state;
	assert_true(parse_unix(
		"0000000000000000: 00000002 00000000 00010000 0001 01 16163 /run/a b\n", &socket));
	assert_true(socket.is_listening);
	assert_int_equal(socket.inode, 16163);
	assert_string_equal(socket.path, "/run/a b");
	assert_true(parse_unix("0: 00000003 00000000 00000000 0001 03 17", &socket));
	assert_false(socket.is_listening);
	assert_string_equal(socket.path, "");
	assert_false(
		parse_unix("Num       RefCount Protocol Flags    Type St Inode Path", &socket));
}

static void quotas(void **state)
{
	(void)state;
	assert_true(cgroup_parse_cpu_max("150000 100000\n") == 1.5);
	assert_true(cgroup_parse_cpu_max("max 100000") == 0);
	assert_true(cgroup_parse_cpu_max("-1 100000") == 0); /* version 1 without a quota */
	assert_true(cgroup_parse_cpu_max("100000 0") == 0);
	assert_true(cgroup_parse_cpu_max("") == 0);
}

static char *membership(const char *text, const char *controller)
{
	static char line[128];

	snprintf(line, sizeof(line), "%s", text);
	return cgroup_parse_membership(line, controller);
}

static void cgroup_memberships(void **state)
{
	(void)state;
	assert_string_equal(membership("0::/user.slice/a:b\n", NULL), "/user.slice/a:b");
	assert_string_equal(membership("4:cpu,cpuacct:/x", "cpu"), "/x");
	assert_null(membership("4:cpuset:/x", "cpu"));
	assert_null(membership("4:cpuacct:/x", "cpu"));
	assert_null(membership("4:cpu:/x", NULL));
	assert_null(membership("nonsense", "cpu"));
}

static void cgroup_mounts(void **state)
{
	struct cgroup_mount mount;

	(void)state;
	assert_int_equal(cgroup_parse_mount("41 31 0:38 /a /sys/fs/cgroup rw,relatime shared:9 - "
					    "cgroup2 cgroup2 rw,nsdelegate",
					    "cpu", &mount),
			 2);
	assert_string_equal(mount.root, "/a");
	assert_string_equal(mount.point, "/sys/fs/cgroup");
	assert_int_equal(cgroup_parse_mount("32 31 0:29 / /c rw - cgroup cgroup rw,cpu,cpuacct",
					    "cpu", &mount),
			 1);
	assert_int_equal(
		cgroup_parse_mount("32 31 0:29 / /c rw - cgroup cgroup rw,cpuset", "cpu", &mount),
		0);
	assert_int_equal(cgroup_parse_mount("32 31 0:29 / /c rw - ext4 /dev/vda rw", "cpu", &mount),
			 0);
	assert_int_equal(cgroup_parse_mount("", "cpu", &mount), 0);
}

static void cgroups_below_a_mount(void **state)
{
	(void)state;
	assert_string_equal(cgroup_below_root("/a/b", "/"), "/a/b");
	assert_string_equal(cgroup_below_root("/", "/"), "/");
	/* A container without a cgroup namespace: the host's paths, its own part mounted. */
	assert_string_equal(cgroup_below_root("/docker/1", "/docker/1"), "");
	assert_string_equal(cgroup_below_root("/docker/1/x", "/docker/1"), "/x");
	assert_null(cgroup_below_root("/docker/12", "/docker/1"));
	assert_null(cgroup_below_root("/docker", "/docker/1"));
	/* In one: what is outside. Another container has a mount of its own. */
	assert_null(cgroup_below_root("/../2", "/"));
	assert_string_equal(cgroup_below_root("/../2", "/../2"), "");
	assert_string_equal(cgroup_below_root("/../../system.slice/x", "/../.."),
			    "/system.slice/x");
	assert_string_equal(cgroup_below_root("/../2", "/.."), "/2");
	assert_null(cgroup_below_root("/", "/.."));
}

/* Any bytes may come under the name of libpython: first those of a real file, then damaged. */
static void elf_files_of_any_content(void **state)
{
	char path[] = "/tmp/classify-test-elf-XXXXXX";
	char bytes[4096];
	struct mapped_file file = { .start = 0x1000, .path = path };
	FILE *self = fopen("/proc/self/exe", "re");
	int fd = mkstemp(path);

	(void)state;
	assert_non_null(self);
	assert_true(fd >= 0);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), self), sizeof(bytes));
	fclose(self);
	/* Each run damages one byte of the headers: section offsets, counts, sizes. */
	for (size_t at = 4; at < 512; at++) {
		struct elf_symbol symbol = { "_PyRuntime", 1 };
		char good = bytes[at];

		bytes[at] = (char)0xff;
		assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
		assert_int_equal(elf_symbols_find(getpid(), &file, &symbol, 1, true), 0);
		assert_int_equal(symbol.address, 0);
		bytes[at] = good;
	}
	close(fd);
	unlink(path);
}

/* The least that has symbols: one segment, three tables of symbols, and names. */
struct small_elf {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[5]; /* none, two of dynamic symbols, one of all, names */
	Elf64_Sym symbols[3][1];
	char names[24];
};

static Elf64_Shdr symbols_at(size_t offset)
{
	return (Elf64_Shdr){ .sh_type = SHT_DYNSYM,
			     .sh_offset = offset,
			     .sh_size = sizeof(Elf64_Sym),
			     .sh_entsize = sizeof(Elf64_Sym),
			     .sh_link = 4 };
}

static void build_small_elf(struct small_elf *elf)
{
	*elf = (struct small_elf){
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_DYN,
			    .e_version = EV_CURRENT,
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_phoff = offsetof(struct small_elf, segment),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 1,
			    .e_shoff = offsetof(struct small_elf, sections),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 5 },
		.segment = { .p_type = PT_LOAD, .p_filesz = sizeof(*elf) },
		.names = "\0first\0second\0third",
	};
	for (size_t i = 0; i < 3; i++)
		elf->sections[i + 1] = symbols_at(offsetof(struct small_elf, symbols[i]));
	elf->sections[3].sh_type = SHT_SYMTAB;
	elf->sections[4] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
					 .sh_offset = offsetof(struct small_elf, names),
					 .sh_size = sizeof(elf->names) };
	elf->symbols[0][0] = (Elf64_Sym){ .st_name = 1, .st_shndx = 1, .st_value = 0x10 };
	elf->symbols[1][0] = (Elf64_Sym){ .st_name = 7, .st_shndx = 1, .st_value = 0x20 };
	elf->symbols[2][0] = (Elf64_Sym){ .st_name = 14, .st_shndx = 1, .st_value = 0x30 };
}

static uint64_t address_in(const struct small_elf *elf, const char *name)
{
	char path[] = "/tmp/classify-test-elf-XXXXXX";
	struct mapped_file file = { .start = 0x1000, .path = path };
	struct elf_symbol symbol = { name, 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, elf, sizeof(*elf)), sizeof(*elf));
	close(fd);
	assert_int_equal(elf_symbols_find(getpid(), &file, &symbol, 1, true), 0);
	unlink(path);
	return symbol.address;
}

/* A hostile file may have thousands: only the first of each type is worth reading. */
static void elf_file_with_many_tables(void **state)
{
	struct small_elf elf;

	(void)state;
	build_small_elf(&elf);
	assert_int_equal(address_in(&elf, "first"), 0x1010);
	assert_int_equal(address_in(&elf, "second"), 0);
	assert_int_equal(address_in(&elf, "third"), 0x1030);
}

static void elf_file_with_names_that_do_not_end(void **state)
{
	struct small_elf elf;

	(void)state;
	build_small_elf(&elf);
	elf.names[sizeof(elf.names) - 1] = 'x';
	assert_int_equal(address_in(&elf, "first"), 0);
	build_small_elf(&elf);
	elf.symbols[0][0].st_name = sizeof(elf.names);
	assert_int_equal(address_in(&elf, "first"), 0);
}

/* The count of sections would be that of the first section's header, and allocated. */
static void elf_file_with_counts_elsewhere(void **state)
{
	struct small_elf elf;

	(void)state;
	build_small_elf(&elf);
	elf.header.e_shnum = 0;
	elf.sections[0].sh_size = 5;
	assert_int_equal(address_in(&elf, "first"), 0);
}

static void elf_file_that_is_no_file(void **state)
{
	struct elf_symbol symbol = { "_PyRuntime", 1 };
	char directory[] = "/tmp", missing[] = "/nonexistent (deleted)";
	struct mapped_file file = { .path = directory };

	(void)state;
	assert_int_equal(elf_symbols_find(getpid(), &file, &symbol, 1, true), -EINVAL);
	file.path = missing;
	assert_int_equal(elf_symbols_find(getpid(), &file, &symbol, 1, true), -ENOENT);
	assert_int_equal(symbol.address, 0);
}

static void throttled_time_of_either_version(void **state)
{
	(void)state;
	assert_int_equal(
		cgroup_parse_throttled_ns("nr_periods 9\nnr_throttled 8\nthrottled_time 77\n", 1),
		77);
	assert_int_equal(cgroup_parse_throttled_ns("nr_throttled 8\nthrottled_usec 77\n", 2),
			 77000);
	assert_int_equal(cgroup_parse_throttled_ns("nr_periods 9\n", 1), 0);
	assert_int_equal(cgroup_parse_throttled_ns("throttled_usec", 2), 0);
}

static void build_runnable(struct observation *obs, uint64_t preempted_ns, uint64_t run_queue_ns)
{
	observation_init(obs);
	observation_add_thread(obs)->preempted_ns = preempted_ns;
	observation_add_thread(obs)->run_queue_ns = run_queue_ns;
}

static void throttled_time_comes_out_of_runnable(void **state)
{
	struct observation obs;

	(void)state;
	build_runnable(&obs, 300, 100);
	cgroup_throttle_book(&obs, 200);
	assert_int_equal(obs.threads[0].throttled_ns, 150);
	assert_int_equal(obs.threads[0].preempted_ns, 150);
	assert_int_equal(obs.threads[1].throttled_ns, 50);
	assert_int_equal(obs.threads[1].run_queue_ns, 50);
	observation_release(&obs);
}

/* The group's account covers other processes too: no more than was seen here is booked. */
static void throttling_books_no_more_than_there_is(void **state)
{
	struct observation obs;

	(void)state;
	build_runnable(&obs, 3, 7);
	cgroup_throttle_book(&obs, 1000000);
	assert_int_equal(obs.threads[0].throttled_ns, 3);
	assert_int_equal(obs.threads[0].preempted_ns, 0);
	assert_int_equal(obs.threads[1].throttled_ns, 7);
	assert_int_equal(obs.threads[1].run_queue_ns, 0);
	observation_release(&obs);
}

static void nothing_runnable_nothing_throttled(void **state)
{
	struct observation obs;

	(void)state;
	build_runnable(&obs, 0, 0);
	cgroup_throttle_book(&obs, 1000);
	assert_int_equal(obs.threads[0].throttled_ns, 0);
	observation_release(&obs);
}

static void a_process_that_is_gone_is_not_throttled(void **state)
{
	struct cgroup_throttle throttle;

	(void)state;
	cgroup_throttle_open(&throttle, 0x7ffffff0, NULL);
	assert_int_equal(throttle.cnt, 0);
	assert_int_equal(cgroup_throttle_read_ns(&throttle), 0);
	cgroup_throttle_close(&throttle);
}

static void numbers_in_nested_containers(void **state)
{
	(void)state;
	assert_int_equal(
		pid_numbers_parse_status("Name:\tx\nNSpid:\t812\t40\t1\nNSpgid:\t812\t1\n"), 1);
	assert_int_equal(pid_numbers_parse_status("Name:\tx\nNSpid:\t812\nNSpgid:\t812\n"), 0);
	assert_int_equal(pid_numbers_parse_status("Name:\tx\n"), 0);
	assert_int_equal(pid_numbers_parse_status("Name:\tx\nNSpid:\t812\t"), 0);
	assert_int_equal(pid_numbers_parse_status("Name:\tx\nNSpid:\t-4\t99999999999\n"), 0);
}

static void calls_wait_as_they_do(void **state)
{
	(void)state;
	assert_int_equal(syscall_wait_of(SYS_read), CALL_FD);
	assert_int_equal(syscall_wait_of(SYS_fsync), CALL_FD_WRITE);
	assert_int_equal(syscall_wait_of(SYS_semop), CALL_IPC);
	assert_int_equal(syscall_wait_of(SYS_io_getevents), CALL_EVENT_LOOP);
	assert_int_equal(syscall_wait_of(SYS_getpid), CALL_UNKNOWN);
	assert_int_equal(syscall_wait_of(-1), CALL_UNKNOWN);
	assert_int_equal(syscall_wait_of(1L << 40), CALL_UNKNOWN);
}

/* Whatever the table says of a call, it has a name for the reader. */
static void every_call_that_waits_has_a_name(void **state)
{
	(void)state;
	for (long number = 0; number < 1024; number++)
		if (syscall_wait_of(number) != CALL_UNKNOWN)
			assert_non_null(syscall_name(number));
	assert_string_equal(syscall_name(SYS_read), "read"); /* number 0 on x86-64 */
	assert_string_equal(syscall_name(SYS_restart_syscall), "restart_syscall");
	assert_null(syscall_name(SYS_getpid));
	assert_null(syscall_name(-1));
	assert_null(syscall_name(1L << 40));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_of_plain_name),
		cmocka_unit_test(stat_of_hostile_name),
		cmocka_unit_test(stat_that_is_cut_short),
		cmocka_unit_test(maps_line_of_code),
		cmocka_unit_test(maps_lines_that_are_no_code_files),
		cmocka_unit_test(python_versions_of_names),
		cmocka_unit_test(tcp_line),
		cmocka_unit_test(tcp6_line_of_listener),
		cmocka_unit_test(udp_sockets_do_not_listen),
		cmocka_unit_test(malformed_inet_lines),
		cmocka_unit_test(unix_lines),
		cmocka_unit_test(quotas),
		cmocka_unit_test(cgroup_memberships),
		cmocka_unit_test(cgroup_mounts),
		cmocka_unit_test(cgroups_below_a_mount),
		cmocka_unit_test(throttled_time_of_either_version),
		cmocka_unit_test(throttled_time_comes_out_of_runnable),
		cmocka_unit_test(throttling_books_no_more_than_there_is),
		cmocka_unit_test(nothing_runnable_nothing_throttled),
		cmocka_unit_test(a_process_that_is_gone_is_not_throttled),
		cmocka_unit_test(numbers_in_nested_containers),
		cmocka_unit_test(calls_wait_as_they_do),
		cmocka_unit_test(every_call_that_waits_has_a_name),
		cmocka_unit_test(elf_files_of_any_content),
		cmocka_unit_test(elf_file_with_many_tables),
		cmocka_unit_test(elf_file_with_names_that_do_not_end),
		cmocka_unit_test(elf_file_with_counts_elsewhere),
		cmocka_unit_test(elf_file_that_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
