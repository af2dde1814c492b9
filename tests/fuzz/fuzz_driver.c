/*
 * Runs a fuzzing harness without a fuzzer: over a corpus as it is, then over changes of it that are
 * the same in each run, until they are done or their time is up. Built with clang's libFuzzer
 * instead (-DCLASSIFY_FUZZER=ON) the same harness searches for new inputs by itself.
 *
 * fuzz_x [-runs=N] [-seconds=S] [-seed=N] FILE-OR-DIRECTORY...
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fuzz_harness.h"

/* Larger seeds are cut. */
#define INPUT_BYTES_MAX (1 << 20)
#define SEEDS_MAX	512

struct seed {
	uint8_t *bytes;
	size_t byte_cnt;
};

struct driver {
	struct seed seeds[SEEDS_MAX];
	size_t seed_cnt;
	unsigned long runs;
	double seconds;
	uint64_t random; /* state of the generator */
};

/* Weak: most harnesses have nothing to prepare. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* xorshift64*: the same numbers everywhere. */
static uint64_t next_random(struct driver *driver)
{
	driver->random ^= driver->random >> 12;
	driver->random ^= driver->random << 25;
	driver->random ^= driver->random >> 27;
	return driver->random * 0x2545f4914f6cdd1d;
}

static size_t below(struct driver *driver, size_t limit)
{
	return limit ? (size_t)(next_random(driver) % limit) : 0;
}

static void add_file(struct driver *driver, const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t *bytes = malloc(INPUT_BYTES_MAX);

	if (!in || !bytes || driver->seed_cnt == SEEDS_MAX) {
		fprintf(stderr, "fuzz: cannot take %s\n", path);
		exit(2);
	}
	driver->seeds[driver->seed_cnt++] = (struct seed){
		.bytes = bytes,
		.byte_cnt = fread(bytes, 1, INPUT_BYTES_MAX, in),
	};
	fclose(in);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_path(struct driver *driver, const char *path)
{
	struct dirent **names;
	struct stat status;
	char inside[4096];
	int cnt;

	if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode)) {
		add_file(driver, path);
		return;
	}
	cnt = scandir(path, &names, NULL, by_name);
	if (cnt < 0) {
		fprintf(stderr, "fuzz: cannot read %s\n", path);
		exit(2);
	}
	for (int i = 0; i < cnt; i++) {
		snprintf(inside, sizeof(inside), "%s/%s", path, names[i]->d_name);
		if (stat(inside, &status) == 0 && S_ISREG(status.st_mode))
			add_file(driver, inside);
		free(names[i]);
	}
	free(names);
}

static void put_number(struct driver *driver, uint8_t *at, size_t room)
{
	static const uint64_t edges[] = { 0,	      1,	  0x7f,	      0x80,
					  0xff,	      0x7fff,	  0xffff,     0x7fffffff,
					  0x80000000, 0xffffffff, UINT64_MAX, INT64_MAX };
	uint64_t value = edges[below(driver, sizeof(edges) / sizeof(edges[0]))];
	size_t size = (size_t)1 << below(driver, 4);

	memcpy(at, &value, size < room ? size : room);
}

static void change_once(struct driver *driver, uint8_t *bytes, size_t *byte_cnt)
{
	size_t at = below(driver, *byte_cnt), from = below(driver, *byte_cnt);
	size_t room = *byte_cnt - at, length = 1 + below(driver, room < 64 ? room : 64);

	switch (below(driver, 6)) {
	case 0:
		bytes[at] ^= (uint8_t)(1U << below(driver, 8));
		break;
	case 1:
		bytes[at] = (uint8_t)next_random(driver);
		break;
	case 2:
		put_number(driver, bytes + at, room);
		break;
	case 3: /* copied over from elsewhere */
		if (length > *byte_cnt - from)
			length = *byte_cnt - from;
		memmove(bytes + at, bytes + from, length < room ? length : room);
		break;
	case 4: /* taken out */
		memmove(bytes + at, bytes + at + length - 1, room - (length - 1));
		*byte_cnt -= length - 1;
		break;
	default: /* cut short, now and then */
		if (below(driver, 8) == 0)
			*byte_cnt = at;
		break;
	}
}

/* A copy of its own, so that a sanitizer sees reads beyond its end. */
static void run(const uint8_t *bytes, size_t byte_cnt)
{
	uint8_t *copy = malloc(byte_cnt ? byte_cnt : 1);

	if (!copy)
		exit(2);
	memcpy(copy, bytes, byte_cnt);
	LLVMFuzzerTestOneInput(copy, byte_cnt);
	free(copy);
}

static void run_changed(struct driver *driver, uint8_t *bytes)
{
	const struct seed *seed = &driver->seeds[below(driver, driver->seed_cnt)];
	size_t byte_cnt = seed->byte_cnt, change_cnt = 1 + below(driver, 16);

	memcpy(bytes, seed->bytes, byte_cnt);
	for (size_t i = 0; i < change_cnt && byte_cnt; i++)
		change_once(driver, bytes, &byte_cnt);
	run(bytes, byte_cnt);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void take_argument(struct driver *driver, const char *argument)
{
	if (!strncmp(argument, "-runs=", 6))
		driver->runs = strtoul(argument + 6, NULL, 10);
	else if (!strncmp(argument, "-seconds=", 9))
		driver->seconds = strtod(argument + 9, NULL);
	else if (!strncmp(argument, "-seed=", 6))
		driver->random = strtoull(argument + 6, NULL, 10) | 1;
	else
		add_path(driver, argument);
}

int main(int argc, char **argv)
{
	static struct driver driver = { .runs = 10000, .seconds = 5, .random = 1 };
	uint8_t *bytes = malloc(INPUT_BYTES_MAX);
	unsigned long run_cnt = 0;
	double start;

	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		take_argument(&driver, argv[i]);
	if (!driver.seed_cnt || !bytes) {
		fprintf(stderr, "fuzz: there is no corpus\n");
		return 2;
	}
	run(bytes, 0);
	for (size_t i = 0; i < driver.seed_cnt; i++)
		run(driver.seeds[i].bytes, driver.seeds[i].byte_cnt);
	for (start = now_s(); run_cnt < driver.runs && now_s() - start < driver.seconds; run_cnt++)
		run_changed(&driver, bytes);
	printf("%zu seeds and %lu changes of them\n", driver.seed_cnt, run_cnt);
	for (size_t i = 0; i < driver.seed_cnt; i++)
		free(driver.seeds[i].bytes);
	free(bytes);
	return 0;
}
