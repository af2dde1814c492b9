/* Stacks as lines and for speedscope, against golden files (CLASSIFY_UPDATE_GOLDEN=1 writes them
 * anew) and in the hands of hostile programs. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include "observation/utf8.h"
#include "render/render.h"
#include "report.h"
#include "stack_samples.h"

#define GOLDEN_DIR TEST_DATA "/golden/"
#define NS_PER_US  1000

typedef int (*renderer)(const struct report *report, FILE *out);

static char *render_string(renderer render, const struct report *report)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(render(report, out), 0);
	fclose(out);
	assert_int_equal(strlen(text), len);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!in)
		fail_msg("%s: %s", path, strerror(errno));
	assert_true(getdelim(&text, &size, '\0', in) > 0);
	fclose(in);
	return text;
}

static void check_golden(const char *name, char *text)
{
	char path[512];
	char *golden;

	snprintf(path, sizeof(path), GOLDEN_DIR "%s", name);
	if (getenv("CLASSIFY_UPDATE_GOLDEN"))
		write_file(path, text);
	golden = read_file(path);
	assert_string_equal(text, golden);
	free(golden);
	free(text);
}

static void exports_are_as_before(void **state)
{
	(void)state;
	check_golden("stacks.folded", render_string(render_folded, &stacks_report));
	check_golden("stacks.speedscope.json", render_string(render_speedscope, &stacks_report));
}

/* Checks that @line is "frame;...;frame COUNT" of what can be printed, and returns COUNT. */
static uint64_t check_line(char *line, size_t *frame_cnt)
{
	char *blank = strrchr(line, ' '), *end;
	uint64_t time_us;

	assert_non_null(blank);
	time_us = strtoull(blank + 1, &end, 10);
	assert_true(*end == '\0' && end > blank + 1 && time_us > 0);
	*blank = '\0';
	*frame_cnt = 0;
	for (char *frame; (frame = strsep(&line, ";")); ++*frame_cnt) {
		assert_in_range(strlen(frame), 1, 2200); /* a function's name and a file's */
		for (const char *c = frame; *c; c++)
			assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	return time_us;
}

/* Checks all lines of @text, which is freed; returns how many there are. */
static size_t check_lines(char *text, const struct report *report)
{
	uint64_t sum_ns = stacks_on_cpu_ns(report) + stacks_wait_ns(report);
	uint64_t sum_us = 0;
	char *rest = text, *line;
	size_t cnt = 0, frame_cnt;

	while ((line = strsep(&rest, "\n")) && rest) {
		sum_us += check_line(line, &frame_cnt);
		cnt++;
	}
	assert_string_equal(line, ""); /* the last one ends */
	assert_int_equal(sum_us, (sum_ns + NS_PER_US / 2) / NS_PER_US);
	free(text);
	return cnt;
}

static void lines_sum_to_the_whole(void **state)
{
	(void)state;
	/* Two of one line are one, as are those of two processes, and of a thread's 200 and 500. */
	assert_in_range(check_lines(render_string(render_folded, &stacks_report), &stacks_report),
			6, 8);
}

static void hostile_names_stay_in_their_line(void **state)
{
	char *text = render_string(render_folded, &hostile_stacks_report);
	uint32_t code_point;

	(void)state;
	assert_null(strstr(text, "\xe2\x80\xae"));
	for (const char *c = text; *c; c += utf8_decode(c, &code_point))
		assert_true(utf8_decode(c, &code_point) > 0);
	assert_int_equal(check_lines(text, &hostile_stacks_report), 3);
}

/* Checks that each sample is of frames that there are; returns the sum of the weights. */
static double check_profile(const cJSON *profile, int frame_cnt)
{
	const cJSON *samples = cJSON_GetObjectItem(profile, "samples");
	const cJSON *weights = cJSON_GetObjectItem(profile, "weights");
	const cJSON *sample, *frame, *weight;
	double sum = 0;

	assert_string_equal(cJSON_GetObjectItem(profile, "type")->valuestring, "sampled");
	assert_string_equal(cJSON_GetObjectItem(profile, "unit")->valuestring, "nanoseconds");
	assert_int_equal(cJSON_GetArraySize(samples), cJSON_GetArraySize(weights));
	cJSON_ArrayForEach(sample, samples) cJSON_ArrayForEach(frame, sample)
		assert_in_range(frame->valueint, 0, frame_cnt - 1);
	cJSON_ArrayForEach(weight, weights) sum += weight->valuedouble;
	assert_true(cJSON_GetObjectItem(profile, "endValue")->valuedouble == sum);
	return sum;
}

/* Checks the file @text, which is freed. */
static void check_speedscope(char *text, const struct report *report, int thread_cnt)
{
	cJSON *root = cJSON_ParseWithOpts(text, NULL, true);
	const cJSON *profiles = cJSON_GetObjectItem(root, "profiles"), *profile;
	const cJSON *shared = cJSON_GetObjectItem(root, "shared");
	int frame_cnt = cJSON_GetArraySize(cJSON_GetObjectItem(shared, "frames"));
	double of_threads = 0;
	int i = 0;

	assert_non_null(root);
	assert_int_equal(cJSON_GetArraySize(profiles), 2 + thread_cnt);
	cJSON_ArrayForEach(profile, profiles)
	{
		double sum = check_profile(profile, frame_cnt);

		if (i == 0)
			assert_true(sum == (double)stacks_on_cpu_ns(report));
		else if (i == 1)
			assert_true(sum == (double)stacks_wait_ns(report));
		else
			of_threads += sum;
		i++;
	}
	assert_true(of_threads == (double)(stacks_on_cpu_ns(report) + stacks_wait_ns(report)));
	cJSON_Delete(root);
	free(text);
}

static void speedscope_gets_what_it_can_read(void **state)
{
	(void)state;
	check_speedscope(render_string(render_speedscope, &stacks_report), &stacks_report, 5);
	check_speedscope(render_string(render_speedscope, &hostile_stacks_report),
			 &hostile_stacks_report, 3);
}

static void no_stacks_are_no_lines_and_no_samples(void **state)
{
	char *text = render_string(render_folded, &no_stacks_report);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	check_speedscope(render_string(render_speedscope, &no_stacks_report), &no_stacks_report, 0);
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Far from what it takes (0.1 to 0.4 s each), and from what anything quadratic would. */
#define MANY_MAX_CPU_S 10

static void a_hundred_thousand_stacks_are_not_too_many(void **state)
{
	struct report report;
	double began_s;

	(void)state;
	make_many_stacks(&report, 100000, 30);
	began_s = cpu_seconds();
	char *folded = render_string(render_folded, &report);
	char *speedscope = render_string(render_speedscope, &report);

	print_message("%.2f s\n", cpu_seconds() - began_s);
	assert_true(cpu_seconds() - began_s < MANY_MAX_CPU_S);
	free(speedscope);
	assert_int_equal(check_lines(folded, &report), 100000);
	free_many_stacks(&report);
}

static void threads_beyond_a_menu_are_left_out(void **state)
{
	struct report report;
	char names[100][8];

	(void)state;
	make_many_stacks(&report, 100, 2);
	for (size_t i = 0; i < 100; i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", i);
		report.stacks[i].thread = names[i];
	}
	char *text = render_string(render_speedscope, &report);

	assert_non_null(strstr(text, "\"server[1] t63\""));
	assert_null(strstr(text, "\"server[1] t64\""));
	free(text);
	free_many_stacks(&report);
}

static void a_full_disk_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(render_folded(&stacks_report, full), -EIO);
	assert_int_equal(render_speedscope(&stacks_report, full), -EIO);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exports_are_as_before),
		cmocka_unit_test(lines_sum_to_the_whole),
		cmocka_unit_test(hostile_names_stay_in_their_line),
		cmocka_unit_test(speedscope_gets_what_it_can_read),
		cmocka_unit_test(no_stacks_are_no_lines_and_no_samples),
		cmocka_unit_test(a_hundred_thousand_stacks_are_not_too_many),
		cmocka_unit_test(threads_beyond_a_menu_are_left_out),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
