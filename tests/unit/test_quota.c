/* CPU quotas from the files of made-up cgroups of both versions, and whom throttled time is booked
 * to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "cgroup_quota.h"
#include "cgroup_throttle.h"
#include "observation/observation.h"
#include "quota_groups.h"

static char directory[] = "/tmp/classify-quota-XXXXXX";
static const char *const files[] = { "cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us" };

static void path_of(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", directory, name);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *out;

	path_of(name, path, sizeof(path));
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_files(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path_of(files[i], path, sizeof(path));
		unlink(path);
	}
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static void version_2_has_one_file(void **state)
{
	(void)state;
	assert_true(cgroup_quota_of(directory, 2) == 0);
	write_file("cpu.max", "max 100000\n");
	assert_true(cgroup_quota_of(directory, 2) == 0);
	write_file("cpu.max", "250000 100000\n");
	assert_true(cgroup_quota_of(directory, 2) == 2.5);
	assert_true(cgroup_quota_of(directory, 1) == 0);
}

static void version_1_has_two(void **state)
{
	(void)state;
	write_file("cpu.cfs_quota_us", "50000\n");
	assert_true(cgroup_quota_of(directory, 1) == 0);
	write_file("cpu.cfs_period_us", "100000\n");
	assert_true(cgroup_quota_of(directory, 1) == 0.5);
	write_file("cpu.cfs_quota_us", "-1\n");
	assert_true(cgroup_quota_of(directory, 1) == 0);
	assert_true(cgroup_quota_of(directory, 2) == 0);
}

static void add_thread(struct observation *obs, pid_t pid, uint64_t preempted_ns)
{
	struct obs_thread *thread = observation_add_thread(obs);

	assert_non_null(thread);
	thread->pid = thread->tid = pid;
	thread->preempted_ns = preempted_ns;
}

/* Processes 1 and 2, the second in a group of its own. */
static void build_groups(struct quota_groups *groups, pid_t *pids, uint64_t throttled_ns)
{
	memset(groups, 0, sizeof(*groups));
	pids[0] = 2;
	groups->cnt = 1;
	groups->groups[0] = (struct quota_group){
		.id = 7, .cpu_quota = 0.5, .throttled_ns = throttled_ns, .pids = pids, .pid_cnt = 1
	};
}

static void each_is_held_back_by_its_own(void **state)
{
	struct quota_groups groups;
	struct observation obs;
	pid_t pids[1];

	(void)state;
	observation_init(&obs);
	add_thread(&obs, 1, 1000);
	add_thread(&obs, 2, 900);
	build_groups(&groups, pids, 600);
	quota_groups_book(&groups, &obs, 50);
	assert_int_equal(obs.threads[0].throttled_ns, 50);
	assert_int_equal(obs.threads[0].preempted_ns, 950);
	assert_int_equal(obs.threads[1].throttled_ns, 600);
	assert_int_equal(obs.threads[1].preempted_ns, 300);
	assert_true(obs.host.cpu_quota == 0); /* the smaller part of the tree's time */
	observation_release(&obs);
}

static void the_quota_of_most_is_the_trees(void **state)
{
	struct quota_groups groups;
	struct observation obs;
	pid_t pids[1];

	(void)state;
	observation_init(&obs);
	add_thread(&obs, 1, 900);
	add_thread(&obs, 2, 1000);
	build_groups(&groups, pids, 600);
	quota_groups_book(&groups, &obs, 0);
	assert_true(obs.host.cpu_quota == 0.5);
	obs.host.cpu_quota = 2; /* unless it has one */
	quota_groups_book(&groups, &obs, 0);
	assert_true(obs.host.cpu_quota == 2);
	observation_release(&obs);
}

/* As is the process that runs this test, beside itself. */
static void the_same_quotas_are_no_group(void **state)
{
	struct quota_groups groups = { .cnt = 0 };

	(void)state;
	quota_groups_note(&groups, getpid(), getpid());
	quota_groups_note(&groups, getppid(), getppid());
	quota_groups_note(&groups, 0x7ffffff0, getpid());
	assert_int_equal(groups.cnt, 0);
	quota_groups_read(&groups);
	quota_groups_release(&groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(version_2_has_one_file, remove_files),
		cmocka_unit_test_teardown(version_1_has_two, remove_files),
		cmocka_unit_test(each_is_held_back_by_its_own),
		cmocka_unit_test(the_quota_of_most_is_the_trees),
		cmocka_unit_test(the_same_quotas_are_no_group),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
