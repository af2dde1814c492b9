/*
 * The frames of running Python threads as the kernel walks them, against what Python itself says of
 * where it computes, on each version that is installed. Skipped where BPF may not be loaded.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "ebpf/sampling.h"
#include "ebpf/wire.h"
#include "python/python.h"
#include "python_script.h"
#include "python_walk.skel.h"

#define SAMPLE_HZ 997
/* Calls of a function by itself: some, and more than there is room for. */
#define DEPTH	    "100"
#define DEPTH_CUT   "300"
#define SAMPLES_MIN 100 /* of some 400 */
/* The line that computes calls back and forth, so that now and then a sample falls between. */
#define WRONG_MAX_PCT 2
#define POLL_MS	      20
#define LIMIT_S	      20

struct watch {
	struct script script;
	struct said_frames said;
	struct python *python;
	struct python_walk_bpf *probes;
	struct sampling sampling;
	int sample_cnt;
	int empty_cnt;
	int wrong_cnt;
};

/* Frames inside the one that was said are of what its line calls. */
static bool is_as_said(struct watch *watch, const struct wire_stack *stack)
{
	size_t inner = stack->python_cnt - watch->said.cnt;

	if (watch->said.cnt > WIRE_PYTHON_FRAMES)
		return stack->python_is_cut && stack->python_cnt == WIRE_PYTHON_FRAMES;
	if (stack->python_cnt < watch->said.cnt || stack->python_is_cut)
		return false;
	for (size_t i = 0; i < watch->said.cnt; i++) {
		struct python_frame frame =
			python_frame_of_wire(watch->python, &stack->python[inner + i]);

		if (!said_is_at(&watch->said.frames[i], watch->python, &frame, true))
			return false;
	}
	return stack->python[stack->python_cnt - 1].is_entry;
}

static int on_walk(void *context, void *bytes, size_t size)
{
	struct watch *watch = context;
	const struct wire_stack *stack = bytes;

	(void)size;
	watch->sample_cnt++;
	if (!stack->python_cnt)
		watch->empty_cnt++;
	else
		watch->wrong_cnt += !is_as_said(watch, stack);
	return 0;
}

/* Skips the test where it may not be done. */
static void load(struct watch *watch)
{
	int error;

	watch->probes = python_walk_bpf__open();
	assert_non_null(watch->probes);
	watch->probes->rodata->target_tgid = watch->script.pid;
	error = python_walk_bpf__load(watch->probes);
	if (!error)
		error = sampling_begin(&watch->sampling, watch->probes->progs.on_walk, SAMPLE_HZ);
	if (error == -EPERM || error == -EACCES) {
		print_message("skipped: no leave to load BPF programs\n");
		script_kill(&watch->script);
		skip();
	}
	assert_int_equal(error, 0);
}

static void tell_probes(struct watch *watch)
{
	uint32_t tgid = (uint32_t)watch->script.pid;
	struct wire_python wire;
	char why[256];

	assert_int_equal(python_open(watch->script.pid, &watch->python, why, sizeof(why)), 0);
	python_describe(watch->python, &wire);
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(watch->probes->maps.pythons), &tgid, &wire, 0), 0);
}

/* Takes in what the probes send until the script has computed for as long as it was told to. */
static void collect(struct watch *watch)
{
	struct ring_buffer *ring =
		ring_buffer__new(bpf_map__fd(watch->probes->maps.walks), on_walk, watch, NULL);
	time_t until = time(NULL) + LIMIT_S;

	assert_non_null(ring);
	ring_buffer__consume(ring); /* of before the script was ready */
	watch->sample_cnt = watch->empty_cnt = watch->wrong_cnt = 0;
	script_go_on(&watch->script);
	while (watch->sample_cnt < SAMPLES_MIN && time(NULL) < until)
		ring_buffer__poll(ring, POLL_MS);
	ring_buffer__free(ring);
}

static void report_cost(const struct watch *watch)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (!bpf_obj_get_info_by_fd(bpf_program__fd(watch->probes->progs.on_walk), &info, &size) &&
	    info.run_cnt)
		print_message("  %d samples of %zu frames, %lu ns each\n", watch->sample_cnt,
			      watch->said.cnt, (unsigned long)(info.run_time_ns / info.run_cnt));
}

static void check_depth(const char *path, const char *depth)
{
	struct watch watch = { 0 };
	bool is_end = false;

	script_start(&watch.script, path, "burning.py", depth);
	assert_true(script_read_frames(&watch.script, &watch.said, &is_end));
	load(&watch);
	tell_probes(&watch);
	collect(&watch);
	report_cost(&watch);
	assert_true(watch.sample_cnt >= SAMPLES_MIN);
	assert_true((watch.wrong_cnt + watch.empty_cnt) * 100 <= watch.sample_cnt * WRONG_MAX_PCT);
	sampling_end(&watch.sampling);
	python_walk_bpf__destroy(watch.probes);
	python_free(watch.python);
	said_release(&watch.said);
	script_kill(&watch.script);
}

static void check_python(const char *path)
{
	check_depth(path, DEPTH);
}

static void check_cut(const char *path)
{
	check_depth(path, DEPTH_CUT);
}

static void frames_that_are_too_many(void **state)
{
	(void)state;
	each_python(check_cut);
}

static void frames_of_a_running_thread(void **state)
{
	(void)state;
	each_python(check_python);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_a_running_thread),
		cmocka_unit_test(frames_that_are_too_many),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
