/* Recordings: what is written reads back, and nothing else gets in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "observation/observation.h"
#include "observation/recording.h"

struct text {
	char *bytes;
	size_t len;
};

static const char *intern(struct observation *obs, const char *string)
{
	return observation_intern(obs, string, strlen(string));
}

static void add_process(struct observation *obs)
{
	struct obs_process *process = observation_add_process(obs);

	process->pid = 41;
	process->parent_pid = 1;
	process->comm = intern(obs, "python3");
	process->exe = intern(obs, "/usr/bin/python3.11");
	process->command = intern(obs, "python3 -c \"print('\n')\"");
	observation_add_string(obs, &process->modules, &process->module_cnt, "/lib/libc.so.6");
	observation_add_string(obs, &process->modules, &process->module_cnt, "/lib/lib\xff.so");
	process->end_ns = 2400000000;
	process->is_exec = true;
	process->has_event_loop = true;
	process->python_hexversion = 0x030b02f0;
	process->gil_is_known = true;
}

static void add_rows(struct observation *obs)
{
	struct obs_thread *thread = observation_add_thread(obs);
	struct obs_wait *wait = observation_add_wait(obs);

	thread->tid = 42;
	thread->pid = 41;
	thread->comm = intern(obs, "\x1b[31mred");
	thread->start_ns = 5;
	thread->end_ns = 2400000000;
	thread->on_cpu_ns = 100000001;
	thread->wait_ns[WAIT_GIL] = 9007199254740993; /* 2^53 + 1 */
	thread->wait_cnt[WAIT_GIL] = 3;
	thread->switch_cnt = 4;
	wait->pid = 41;
	wait->reason = WAIT_NETWORK;
	wait->kind = OBJECT_TCP;
	wait->direction = DIRECTION_OUTBOUND;
	wait->name = intern(obs, "127.0.0.1:8080");
	wait->timed_out = true;
	wait->wait_ns = 2300000000;
	wait->wait_cnt = 20;
}

static void add_segments(struct observation *obs)
{
	struct obs_slice *slice;

	for (uint64_t i = 0; i < 3; i++) {
		struct obs_segment *segment = observation_add_segment(obs);

		segment->start_ns = 5 + 1000 * i;
		segment->end_ns = 1005 + 1000 * i;
		segment->on_cpu_ns = i == 1 ? 0 : 400;
		segment->wait_ns[WAIT_DISK] = i == 2 ? 0 : 600;
		segment->wait_cnt[WAIT_DISK] = i;
	}
	slice = observation_add_slice(obs);
	slice->end_ns = 3005;
	slice->computing_ns = 800;
}

static void fill(struct observation *obs)
{
	observation_init(obs);
	obs->source = SOURCE_PROCFS;
	obs->started_at_unix_ns = 1700000000123456789;
	obs->duration_ns = 2400000000;
	obs->host = (struct obs_host){ .kernel = intern(obs, "6.18.0"),
				       .cpus_online = 4,
				       .cpus_usable = 2,
				       .cpu_quota = 1.5 };
	obs->target.mode = TARGET_ATTACH;
	obs->target.pid = 41;
	obs->target.has_exited = true;
	obs->target.exit_code = 3;
	observation_add_string(obs, &obs->target.argv, &obs->target.argc, "python3");
	obs->program.computing_ns = 100000000;
	obs->program.quiet_ns = 2300000000;
	obs->quality.lost_events = 7;
	obs->quality.source_note = intern(obs, "no BPF rights");
	observation_add_missing_probe(obs, "sk_data_ready: no such tracepoint");
	obs->threads_peak = 1;
	add_process(obs);
	add_rows(obs);
	add_segments(obs);
}

static struct text write_text(const struct observation *obs)
{
	struct text text;
	FILE *out = open_memstream(&text.bytes, &text.len);

	assert_int_equal(recording_write(obs, out), 0);
	fclose(out);
	return text;
}

static struct text write_sample(void)
{
	struct observation obs;
	struct text text;

	fill(&obs);
	text = write_text(&obs);
	observation_release(&obs);
	return text;
}

static int read_bytes(const char *bytes, size_t len, struct observation *obs, char *why)
{
	FILE *in = tmpfile();
	int error;

	assert_int_equal(fwrite(bytes, 1, len, in), len);
	rewind(in);
	error = recording_read(in, obs, why, 200);
	fclose(in);
	return error;
}

static void what_is_written_reads_back(void **state)
{
	struct text first = write_sample();
	struct observation obs;
	char why[200] = "";
	struct text second;

	(void)state;
	assert_int_equal(read_bytes(first.bytes, first.len, &obs, why), 0);
	assert_string_equal(why, "");
	assert_int_equal(obs.source, SOURCE_PROCFS);
	assert_true(obs.started_at_unix_ns == 1700000000123456789);
	assert_true(obs.host.cpu_quota == 1.5);
	assert_int_equal(obs.target.exit_code, 3);
	assert_string_equal(obs.target.argv[0], "python3");
	assert_string_equal(obs.quality.missing_probes[0], "sk_data_ready: no such tracepoint");
	assert_string_equal(obs.processes[0].command, "python3 -c \"print('\n')\"");
	assert_string_equal(obs.processes[0].modules[0], "/lib/libc.so.6");
	assert_int_equal(obs.threads[0].on_cpu_ns, 100000001);
	assert_int_equal(obs.threads[0].wait_cnt[WAIT_GIL], 3);
	assert_string_equal(obs.threads[0].comm, "\x1b[31mred");
	assert_int_equal(obs.waits[0].direction, DIRECTION_OUTBOUND);
	assert_true(obs.waits[0].timed_out);
	assert_int_equal(obs.segment_cnt, 3);
	assert_int_equal(obs.segments[1].wait_ns[WAIT_DISK], 600);
	assert_int_equal(obs.segments[2].on_cpu_ns, 400);
	assert_int_equal(obs.slices[0].computing_ns, 800);
	/* All the rest, at once; the number beyond 2^53 lost its last bit. */
	obs.threads[0].wait_ns[WAIT_GIL] += 1;
	second = write_text(&obs);
	assert_string_equal(second.bytes, first.bytes);
	observation_release(&obs);
	free(first.bytes);
	free(second.bytes);
}

/* A thousand of them are to fit into some hundred kilobytes. */
static void what_is_zero_in_segments_is_left_out(void **state)
{
	struct text text = write_sample();

	(void)state;
	assert_non_null(strstr(text.bytes,
			       "{\"start_ns\":1005,\"end_ns\":2005,"
			       "\"wait_ns\":{\"disk\":600},\"wait_cnt\":{\"disk\":1}}"));
	assert_non_null(strstr(text.bytes, "[\n{\"end_ns\":3005,\"computing_ns\":800}]"));
	free(text.bytes);
}

static void invalid_utf8_is_made_readable(void **state)
{
	struct text text = write_sample();
	struct observation obs;
	char why[200];

	(void)state;
	assert_int_equal(read_bytes(text.bytes, text.len, &obs, why), 0);
	assert_string_equal(obs.processes[0].modules[1], "/lib/lib\\xff.so");
	observation_release(&obs);
	free(text.bytes);
}

static void every_truncation_is_refused(void **state)
{
	struct text text = write_sample();
	struct observation obs;
	char why[200];

	(void)state;
	/* The last byte is a newline that nobody needs. */
	for (size_t len = 0; len < text.len - 1; len++) {
		why[0] = '\0';
		assert_int_equal(read_bytes(text.bytes, len, &obs, why), -EINVAL);
		assert_non_null(strstr(why, "not JSON, or cut short"));
		observation_release(&obs);
	}
	free(text.bytes);
}

/* What was accepted must be whole: it can be written, and read again. */
static void check_accepted(const struct observation *obs)
{
	struct text text = write_text(obs);
	struct observation again;
	char why[200];

	assert_int_equal(read_bytes(text.bytes, text.len, &again, why), 0);
	observation_release(&again);
	free(text.bytes);
}

static void a_changed_byte_never_breaks_the_reader(void **state)
{
	static const char bytes[] = { '"', '{', ']', '9', '-', '.', 'e', ',', '\\', '\xff', '\0' };
	struct text text = write_sample();
	size_t accepted_cnt = 0, refused_cnt = 0;
	struct observation obs;
	char why[200];

	(void)state;
	for (size_t i = 0; i < text.len * sizeof(bytes); i++) {
		char *changed = &text.bytes[i / sizeof(bytes)];
		char original = *changed;

		*changed = bytes[i % sizeof(bytes)];
		why[0] = '\0';
		if (read_bytes(text.bytes, text.len, &obs, why)) {
			assert_true(why[0]);
			refused_cnt++;
		} else {
			check_accepted(&obs);
			accepted_cnt++;
		}
		observation_release(&obs);
		*changed = original;
	}
	/* Digits and letters of strings may change; names, brackets and quotes may not. */
	assert_true(accepted_cnt > 0);
	assert_true(refused_cnt > accepted_cnt);
	free(text.bytes);
}

/* Replaces @from, which occurs in @text, by @to. The caller frees the result. */
static char *replace(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *result;

	assert_non_null(at);
	assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >
		    0);
	return result;
}

static void a_wrong_value_is_named_by_its_place(void **state)
{
	static const char *const cases[][3] = {
		{ "classify-recording/1", "classify-recording/2",
		  "schema: not classify-recording/1" },
		{ "\"tid\":42", "\"tid\":1.5", "threads[0].tid: not a whole number" },
		{ "\"tid\":42", "\"tid\":-1", "threads[0].tid: out of range" },
		{ "\"tid\":42", "\"tid\":2147483648", "threads[0].tid: out of range" },
		{ "\"tid\":42", "\"tid\":\"42\"", "threads[0].tid: not a number" },
		{ "\"tid\":42", "\"td\":42", "threads[0].tid: missing" },
		{ "\"start_ns\":5", "\"start_ns\":2400000001",
		  "threads[0]: ends before it starts" },
		{ "\"on_cpu_ns\":100000001", "\"on_cpu_ns\":1e300",
		  "threads[0].on_cpu_ns: out of range" },
		{ "\"gil\":", "\"gill\":", "threads[0].wait_ns: holds an unknown wait reason" },
		{ "\"gil\":3", "\"gil\":3.5", "threads[0].wait_cnt.gil: not a whole number" },
		{ "\"reason\":\"network\"", "\"reason\":\"luck\"",
		  "waits[0].reason: not a known name" },
		{ "\"timed_out\":true", "\"timed_out\":1",
		  "waits[0].timed_out: not true or false" },
		{ "\"cpu_quota\":1.5", "\"cpu_quota\":1e999", "host.cpu_quota: out of range" },
		{ "\"/lib/libc.so.6\"", "7", "processes[0].modules[0]: not a string" },
		{ "\"modules\":[", "\"modules\":7,\"x\":[", "processes[0].modules: not an array" },
		{ "\"quality\": {", "\"quality\": 7, \"x\": {", "quality: not an object" },
		{ "\"threads\": [", "\"threads\": {}, \"x\": [", "threads: not an array" },
		{ "\"end_ns\":2005", "\"end_ns\":1004", "segments[1]: ends before it starts" },
		{ "\"start_ns\":1005", "\"start_ns\":1004", "segments[1]: is out of order" },
		{ "\"start_ns\":1005", "\"thread\":1",
		  "segments[1]: is of a thread that there isn't" },
		{ "2023-11-14T", "2023-13-14T",
		  "observation.started_at_unix_ns: not a time like "
		  "2000-01-31T23:59:59.000000000Z" },
	};
	struct text text = write_sample();
	struct observation obs;
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *doctored = replace(text.bytes, cases[i][0], cases[i][1]);

		assert_int_equal(read_bytes(doctored, strlen(doctored), &obs, why), -EINVAL);
		assert_string_equal(why, cases[i][2]);
		observation_release(&obs);
		free(doctored);
	}
	free(text.bytes);
}

static void foreign_files_are_refused(void **state)
{
	static const char *const files[] = { "", "{}", "[]", "null", "\177ELF", "{} {}" };
	struct observation obs;
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(read_bytes(files[i], strlen(files[i]), &obs, why), -EINVAL);
		observation_release(&obs);
	}
	assert_int_equal(read_bytes("{}\0{}", 5, &obs, why), -EINVAL);
	assert_string_equal(why, "not JSON, or cut short, at byte 2");
}

static void deep_nesting_is_refused(void **state)
{
	struct observation obs;
	char brackets[100000];
	char why[200];

	(void)state;
	memset(brackets, '[', sizeof(brackets));
	assert_int_equal(read_bytes(brackets, sizeof(brackets), &obs, why), -EINVAL);
	observation_release(&obs);
}

static void a_long_reason_is_cut(void **state)
{
	struct observation obs;
	char why[8] = "";
	FILE *in = fmemopen("{}", 2, "r");

	(void)state;
	assert_int_equal(recording_read(in, &obs, why, sizeof(why)), -EINVAL);
	fclose(in);
	assert_string_equal(why, "schema:");
}

static void a_full_disk_is_an_error(void **state)
{
	struct observation obs;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	fill(&obs);
	assert_int_equal(recording_write(&obs, full), -EIO);
	observation_release(&obs);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(what_is_zero_in_segments_is_left_out),
		cmocka_unit_test(invalid_utf8_is_made_readable),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_changed_byte_never_breaks_the_reader),
		cmocka_unit_test(a_wrong_value_is_named_by_its_place),
		cmocka_unit_test(foreign_files_are_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(a_long_reason_is_cut),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
