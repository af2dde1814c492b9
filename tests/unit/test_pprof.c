/* Profiles for pprof, read again as pprof would read them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>
#include <cmocka.h>

#include "observation/utf8.h"
#include "pprof.pb-c.h"
#include "render/render.h"
#include "report.h"
#include "stack_samples.h"

#define UNPACKED_MAX_BYTES (256 << 20)

/* The whole of what the @len bytes of gzip at @packed hold. */
static unsigned char *uncompress_all(char *packed, size_t len, size_t *size)
{
	z_stream z = { .next_in = (Bytef *)packed, .avail_in = (uInt)len };
	unsigned char *data = malloc(UNPACKED_MAX_BYTES);

	assert_non_null(data);
	z.next_out = data;
	z.avail_out = UNPACKED_MAX_BYTES;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	*size = z.total_out;
	inflateEnd(&z);
	return data;
}

static Pprof__Profile *render_and_read(const struct report *report)
{
	char *packed;
	size_t len, size;
	FILE *out = open_memstream(&packed, &len);

	assert_int_equal(render_pprof(report, out), 0);
	fclose(out);
	unsigned char *data = uncompress_all(packed, len, &size);
	Pprof__Profile *profile = pprof__profile__unpack(NULL, size, data);

	assert_non_null(profile);
	free(data);
	free(packed);
	return profile;
}

static const char *text_at(const Pprof__Profile *profile, int64_t index)
{
	assert_in_range(index, 0, profile->n_string_table - 1);
	return profile->string_table[index];
}

static const Pprof__Location *location_at(const Pprof__Profile *profile, uint64_t id)
{
	for (size_t i = 0; i < profile->n_location; i++)
		if (profile->location[i]->id == id)
			return profile->location[i];
	fail_msg("there is no location %ju", (uintmax_t)id);
	return NULL;
}

static const Pprof__Function *function_at(const Pprof__Profile *profile, uint64_t id)
{
	for (size_t i = 0; i < profile->n_function; i++)
		if (profile->function[i]->id == id)
			return profile->function[i];
	fail_msg("there is no function %ju", (uintmax_t)id);
	return NULL;
}

static const Pprof__Mapping *mapping_at(const Pprof__Profile *profile, uint64_t id)
{
	for (size_t i = 0; i < profile->n_mapping; i++)
		if (profile->mapping[i]->id == id)
			return profile->mapping[i];
	fail_msg("there is no mapping %ju", (uintmax_t)id);
	return NULL;
}

/* "" when it has none. */
static const char *label_of(const Pprof__Profile *profile, const Pprof__Sample *sample,
			    const char *key)
{
	for (size_t i = 0; i < sample->n_label; i++)
		if (!strcmp(text_at(profile, sample->label[i]->key), key))
			return text_at(profile, sample->label[i]->str);
	return "";
}

/* "file:line function" of the line @i of the place @place of @sample, which lies there until the
 * next call. */
static const char *describe(const Pprof__Profile *profile, const Pprof__Sample *sample,
			    size_t place, size_t i)
{
	static char text[256];
	const Pprof__Location *location;

	assert_true(place < sample->n_location_id);
	location = location_at(profile, sample->location_id[place]);
	assert_true(i < location->n_line);
	const Pprof__Function *function = function_at(profile, location->line[i]->function_id);

	snprintf(text, sizeof(text), "%s:%d %s", text_at(profile, function->filename),
		 (int)location->line[i]->line, text_at(profile, function->name));
	return text;
}

static void test_values(void **state)
{
	Pprof__Profile *profile = render_and_read(&stacks_report);

	(void)state;
	assert_string_equal(text_at(profile, 0), "");
	assert_int_equal(profile->n_sample_type, 3);
	assert_string_equal(text_at(profile, profile->sample_type[0]->type), "samples");
	assert_string_equal(text_at(profile, profile->sample_type[0]->unit), "count");
	assert_string_equal(text_at(profile, profile->sample_type[1]->type), "wait");
	assert_string_equal(text_at(profile, profile->sample_type[2]->type), "on_cpu");
	assert_string_equal(text_at(profile, profile->sample_type[2]->unit), "nanoseconds");
	assert_string_equal(text_at(profile, profile->default_sample_type), "on_cpu");
	assert_int_equal(profile->time_nanos, 1700000000123456789);
	assert_int_equal(profile->duration_nanos, 951000000);
	assert_int_equal(profile->n_sample, stacks_report.stack_cnt);
	for (size_t i = 0; i < profile->n_sample; i++) {
		const struct report_stack *stack = &stacks_report.stacks[i];
		const int64_t *values = profile->sample[i]->value;

		assert_int_equal(profile->sample[i]->n_value, 3);
		assert_int_equal(values[0], stack->sample_cnt);
		assert_int_equal(values[1], stack->is_on_cpu ? 0 : stack->time_ns);
		assert_int_equal(values[2], stack->is_on_cpu ? stack->time_ns : 0);
	}
	pprof__profile__free_unpacked(profile, NULL);
}

static void test_labels(void **state)
{
	Pprof__Profile *profile = render_and_read(&stacks_report);
	const Pprof__Sample *wait = profile->sample[0], *task = profile->sample[4];

	(void)state;
	assert_string_equal(label_of(profile, wait, "reason"), "network");
	assert_string_equal(label_of(profile, wait, "role"), "result");
	assert_string_equal(label_of(profile, wait, "object"), "tcp 10.0.0.5:443");
	assert_string_equal(label_of(profile, wait, "process"), "python3");
	assert_string_equal(label_of(profile, wait, "pid"), "812");
	assert_string_equal(label_of(profile, wait, "stack"), "");
	assert_string_equal(label_of(profile, task, "task"), "poll feeds");
	assert_string_equal(label_of(profile, task, "thread"), "fetch_0");
	assert_string_equal(label_of(profile, task, "tid"), "815");
	assert_string_equal(label_of(profile, task, "stack"), "incomplete");
	assert_string_equal(label_of(profile, task, "reason"), "");
	pprof__profile__free_unpacked(profile, NULL);
}

static void test_places(void **state)
{
	Pprof__Profile *profile = render_and_read(&stacks_report);
	const Pprof__Sample *wait = profile->sample[0], *inlined = profile->sample[1];
	const Pprof__Location *computed;

	(void)state;
	assert_int_equal(wait->n_location_id, 5);
	assert_string_equal(describe(profile, wait, 0, 0), ":0 __libc_recv");
	assert_string_equal(describe(profile, wait, 1, 0), ":0 [libssl.so.3]");
	assert_string_equal(describe(profile, wait, 2, 0), "/srv/feed/fetch.py:42 fetch");
	/* Without the kernel's two. */
	assert_int_equal(profile->sample[6]->n_location_id, 3);
	assert_string_equal(describe(profile, profile->sample[6], 0, 0), ":0 __libc_recv");
	/* Two were inlined into the third: one place. */
	assert_int_equal(inlined->n_location_id, 3);
	assert_string_equal(describe(profile, inlined, 0, 0),
			    "matrix.hpp:12 matrix<double, 3>::at(int) const");
	assert_string_equal(describe(profile, inlined, 0, 1), "feed.h:9 multiply");
	assert_string_equal(describe(profile, inlined, 0, 2), "feed.c:118 scale");
	assert_string_equal(describe(profile, inlined, 1, 0), "/srv/feed/fetch.py:61 <module>");

	computed = location_at(profile, inlined->location_id[0]);
	assert_int_equal(computed->address, 0x1138);
	const Pprof__Mapping *mapping = mapping_at(profile, computed->mapping_id);

	assert_string_equal(text_at(profile, mapping->filename), "/srv/feed/feed.so");
	assert_true(mapping->has_functions && mapping->memory_limit > 0x1138);
	assert_int_equal(mapping->id, 1); /* the program's own comes first */
	assert_int_equal(location_at(profile, inlined->location_id[1])->mapping_id, 0);
	/* pprof would drop it without any. */
	assert_int_equal(profile->sample[8]->n_location_id, 1);
	assert_string_equal(describe(profile, profile->sample[8], 0, 0), ":0 [unknown]");
	pprof__profile__free_unpacked(profile, NULL);
}

/* Everything refers to something that there is. */
static void check_references(const Pprof__Profile *profile)
{
	for (size_t i = 0; i < profile->n_sample; i++)
		for (size_t j = 0; j < profile->sample[i]->n_location_id; j++)
			location_at(profile, profile->sample[i]->location_id[j]);
	for (size_t i = 0; i < profile->n_location; i++) {
		const Pprof__Location *location = profile->location[i];

		assert_true(location->id > 0 && location->n_line > 0);
		for (size_t j = 0; j < location->n_line; j++)
			function_at(profile, location->line[j]->function_id);
		if (location->mapping_id)
			mapping_at(profile, location->mapping_id);
	}
	for (size_t i = 0; i < profile->n_function; i++) {
		text_at(profile, profile->function[i]->filename);
		text_at(profile, profile->function[i]->name);
	}
}

static void test_hostile_names(void **state)
{
	Pprof__Profile *profile = render_and_read(&hostile_stacks_report);
	uint32_t code_point;

	(void)state;
	check_references(profile);
	for (size_t i = 0; i < profile->n_string_table; i++) {
		const char *c = profile->string_table[i];

		for (; *c; c += utf8_decode(c, &code_point))
			assert_true(utf8_decode(c, &code_point) > 0 && code_point >= ' ');
	}
	pprof__profile__free_unpacked(profile, NULL);
}

static void test_nothing(void **state)
{
	Pprof__Profile *profile = render_and_read(&no_stacks_report);

	(void)state;
	assert_int_equal(profile->n_sample, 0);
	assert_int_equal(profile->n_sample_type, 3);
	assert_string_equal(text_at(profile, 0), "");
	pprof__profile__free_unpacked(profile, NULL);
}

/* The writer is its own reader here but for the field numbers: those are the public format's. */
static void test_numbers_on_the_wire(void **state)
{
	static const struct {
		const ProtobufCMessageDescriptor *message;
		const char *field;
		uint32_t number;
	} fields[] = {
		{ &pprof__profile__descriptor, "sample_type", 1 },
		{ &pprof__profile__descriptor, "string_table", 6 },
		{ &pprof__profile__descriptor, "time_nanos", 9 },
		{ &pprof__profile__descriptor, "default_sample_type", 14 },
		{ &pprof__location__descriptor, "line", 4 },
		{ &pprof__mapping__descriptor, "has_inline_frames", 10 },
		{ &pprof__function__descriptor, "filename", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(fields[i].message,
									fields[i].field);

		assert_non_null(field);
		assert_int_equal(field->id, fields[i].number);
	}
}

/* Far from what it takes (0.6 s), and from what anything quadratic would. */
#define MANY_MAX_CPU_S 10

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_a_hundred_thousand_stacks(void **state)
{
	struct report report;
	double began_s;
	int64_t on_cpu_ns = 0;

	(void)state;
	make_many_stacks(&report, 100000, 30);
	began_s = cpu_seconds();
	Pprof__Profile *profile = render_and_read(&report);

	assert_true(cpu_seconds() - began_s < MANY_MAX_CPU_S);
	assert_int_equal(profile->n_sample, 100000);
	for (size_t i = 0; i < profile->n_sample; i++)
		on_cpu_ns += profile->sample[i]->value[2];
	assert_int_equal(on_cpu_ns, stacks_on_cpu_ns(&report));
	pprof__profile__free_unpacked(profile, NULL);
	free_many_stacks(&report);
}

static void test_a_full_disk(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(render_pprof(&stacks_report, full), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_numbers_on_the_wire),
		cmocka_unit_test(test_a_hundred_thousand_stacks),
		cmocka_unit_test(test_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
