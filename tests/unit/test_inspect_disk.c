/* What inspect knows of waits for disks: the devices behind files, what calls do with files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "device_name.h"
#include "syscall_table.h"

static void devices_of_mounts(void **state)
{
	struct device_number disk = { 8, 1 }, nfs = { 0, 45 }, overlay = { 0, 46 };
	char name[DEVICE_NAME_BYTES] = "";

	(void)state;
	assert_true(device_name_from_mount("25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
					   disk, name));
	assert_string_equal(name, "sda1");
	assert_true(device_name_from_mount("30 25 0:45 / /mnt rw master:2 propagate_from:3 - nfs4 "
					   "host:/my\\040export rw,vers=4.2",
					   nfs, name));
	assert_string_equal(name, "nfs4 host:/my export");
	assert_true(device_name_from_mount("31 25 0:46 / /srv/-\\040- rw - overlay overlay rw",
					   overlay, name));
	assert_string_equal(name, "overlay");
	assert_false(device_name_from_mount("30 25 0:45 / /mnt rw - tmpfs tmpfs rw", disk, name));
}

static void hostile_mounts_have_bounded_names(void **state)
{
	struct device_number device = { 0, 45 };
	char line[8192], name[DEVICE_NAME_BYTES] = "";

	(void)state;
	snprintf(line, sizeof(line), "30 25 0:45 / /mnt rw - fuse.%08000d %0100d rw", 1, 1);
	assert_false(device_name_from_mount("", device, name));
	assert_false(device_name_from_mount("30 25 0:45", device, name));
	assert_false(device_name_from_mount("30 25 0:45 / /mnt rw -", device, name));
	assert_false(device_name_from_mount("30 25 0:45 / /mnt rw - fuse", device, name));
	assert_string_equal(name, "");
	assert_true(device_name_from_mount(line, device, name));
	assert_in_range(strlen(name), 1, DEVICE_NAME_BYTES - 1);
	assert_true(device_name_from_mount("30 25 0:45 / /m rw - fuse \\04", device, name));
	assert_string_equal(name, "fuse \4");
}

static void operations_of_calls(void **state)
{
	(void)state;
	assert_int_equal(syscall_operation(SYS_preadv2), OPERATION_READ);
	assert_int_equal(syscall_operation(SYS_pwrite64), OPERATION_WRITE);
	assert_int_equal(syscall_operation(SYS_syncfs), OPERATION_SYNC);
	assert_int_equal(syscall_operation(SYS_msync), OPERATION_SYNC);
	assert_int_equal(syscall_operation(SYS_getdents64), OPERATION_METADATA);
	assert_int_equal(syscall_operation(SYS_linkat), OPERATION_METADATA);
	assert_int_equal(syscall_operation(SYS_futex), OPERATION_NONE);
	assert_int_equal(syscall_operation(-1), OPERATION_NONE);
	assert_int_equal(syscall_operation(0xffff), OPERATION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_of_mounts),
		cmocka_unit_test(hostile_mounts_have_bounded_names),
		cmocka_unit_test(operations_of_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
