/* See stack_samples.h. */
#include "stack_samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "report.h"

#define US	      1000ULL
#define MS	      (1000 * US)
#define CNT(array)    (sizeof(array) / sizeof((array)[0]))
#define STARTED_AT_NS 1700000000123456789
#define FRAMES(...)                                  \
	.frames = (const uint32_t[]){ __VA_ARGS__ }, \
	.frame_cnt = CNT(((const uint32_t[]){ __VA_ARGS__ }))
#define OF(of_pid, of_tid, in_process, in_thread) \
	.pid = of_pid, .tid = of_tid, .process = in_process, .thread = in_thread

enum {
	START,
	MAIN,
	FETCH,
	RECV,
	SCALE,
	SCALE_AGAIN,
	MULTIPLY,
	LOOP,
	KERNEL,
	JITTED,
	UNNAMED,
	NOWHERE,
	FRAME_CNT
};

static struct report_frame frames[FRAME_CNT] = {
	[START] = { "_start", "", 0, "/usr/bin/python3.11", 0x4010, LANGUAGE_C, false, false },
	[MAIN] = { "<module>", "/srv/feed/fetch.py", 61, "", 0, LANGUAGE_PYTHON, false, true },
	[FETCH] = { "fetch", "/srv/feed/fetch.py", 42, "", 0, LANGUAGE_PYTHON, false, true },
	[RECV] = { "__libc_recv", "", 0, "/usr/lib/x86_64-linux-gnu/libc.so.6", 0x10b2c7,
		   LANGUAGE_C, false, false },
	[SCALE] = { "scale", "feed.c", 118, "/srv/feed/feed.so", 0x1130, LANGUAGE_C, false, true },
	[SCALE_AGAIN] = { "scale", "feed.c", 118, "/srv/feed/feed.so", 0x1138, LANGUAGE_C, false,
			  true },
	[MULTIPLY] = { "multiply", "feed.h", 9, "/srv/feed/feed.so", 0x1138, LANGUAGE_C, true,
		       true },
	[LOOP] = { "matrix<double, 3>::at(int) const", "matrix.hpp", 12, "/srv/feed/feed.so",
		   0x1138, LANGUAGE_CPP, true, true },
	[KERNEL] = { "tcp_recvmsg", "", 0, "[kernel]", 0xffffffff81a2b3c4, LANGUAGE_KERNEL, false,
		     false },
	[JITTED] = { "~parse /srv/feed/parse.js:7", "", 0, "[jit]", 0x7f0010002000, LANGUAGE_JIT,
		     false, true },
	[UNNAMED] = { "", "", 0, "/usr/lib/x86_64-linux-gnu/libssl.so.3", 0x2f1a0, LANGUAGE_UNKNOWN,
		      false, false },
	[NOWHERE] = { "", "", 0, "", 0, LANGUAGE_UNKNOWN, false, false },
};

static struct report_stack stacks[] = {
	{ FRAMES(RECV, UNNAMED, FETCH, MAIN, START), .is_complete = true,
	  OF(812, 812, "python3", "python3"), .reason = WAIT_NETWORK, .role = WAITS_FOR_RESULT,
	  .object = "tcp 10.0.0.5:443", .time_ns = 710 * MS, .sample_cnt = 71, .task = "" },
	{ FRAMES(LOOP, MULTIPLY, SCALE_AGAIN, MAIN, START), .is_complete = true,
	  OF(812, 812, "python3", "python3"), .is_on_cpu = true, .time_ns = 180 * MS + 400,
	  .sample_cnt = 18, .task = "", .object = "" },
	/* One line, at two addresses: one row. */
	{ FRAMES(SCALE, MAIN, START), .is_complete = true, OF(812, 812, "python3", "python3"),
	  .is_on_cpu = true, .time_ns = 30 * MS, .sample_cnt = 3, .task = "", .object = "" },
	{ FRAMES(SCALE_AGAIN, MAIN, START), .is_complete = true, OF(812, 812, "python3", "python3"),
	  .is_on_cpu = true, .time_ns = 10 * MS, .sample_cnt = 1, .task = "", .object = "" },
	{ FRAMES(KERNEL, RECV, FETCH), OF(812, 815, "python3", "fetch_0"), .task = "poll feeds",
	  .is_on_cpu = true, .time_ns = 20 * MS, .sample_cnt = 2, .object = "" },
	/* Its name says the same in two processes, and so do its frames, but for the kernel's. */
	{ FRAMES(RECV, FETCH, MAIN), .is_complete = true, OF(820, 821, "python3", "fetch_0"),
	  .reason = WAIT_ACCEPT, .role = WAITS_FOR_WORK, .object = "tcp 0.0.0.0:80",
	  .time_ns = 900 * US, .sample_cnt = 1, .task = "" },
	{ FRAMES(KERNEL, KERNEL, RECV, FETCH, MAIN), .is_complete = true,
	  OF(812, 815, "python3", "fetch_0"), .reason = WAIT_ACCEPT, .role = WAITS_FOR_WORK,
	  .object = "tcp 0.0.0.0:80", .time_ns = 800 * US, .sample_cnt = 1, .task = "" },
	{ FRAMES(JITTED, NOWHERE), OF(830, 830, "node", "node"), .is_on_cpu = true,
	  .time_ns = 500 * US, .sample_cnt = 1, .task = "", .object = "" },
	{ .is_complete = true,
	  OF(830, 831, "node", "V8 worker"),
	  .reason = WAIT_CHILD,
	  .role = WAITS_FOR_TREE,
	  .time_ns = 700,
	  .sample_cnt = 1,
	  .task = "",
	  .object = "child make[831]" },
	/* Less than is printed, but not lost. */
	{ FRAMES(JITTED), .is_complete = true, OF(830, 830, "node", "node"), .is_on_cpu = true,
	  .time_ns = 200, .sample_cnt = 1, .task = "", .object = "" },
};

static const char *command[] = { "python3", "fetch.py" };

const struct report stacks_report = {
	.started_at_unix_ns = STARTED_AT_NS,
	.command = command,
	.command_cnt = CNT(command),
	.duration_ns = 951 * MS,
	.frames = frames,
	.frame_cnt = FRAME_CNT,
	.stacks = stacks,
	.stack_cnt = CNT(stacks),
	.stack_quality = { .are_taken = true },
};

/* As long as a name gets in C++, and longer than a line repeats. */
#define TEN(text)     text text text text text text text text text text
#define KILOBYTE_NAME TEN(TEN("std::pair<"))

static struct report_frame hostile_frames[] = {
	{ "semi;colon;;", ";.c", 1, "", 0, LANGUAGE_C, false, false },
	{ "new\nline 12\r\n", "a\nb.py", 2, "\n", 0, LANGUAGE_PYTHON, false, false },
	{ "quote\"back\\slash'\x1b[31m", "\"\\.c", 3, "\"", 1, LANGUAGE_C, true, false },
	{ "\xff\xfe\xc3(", "\x80", 4, "\xf0\x9f", UINT64_MAX, LANGUAGE_UNKNOWN, false, false },
	{ TEN(KILOBYTE_NAME), TEN(KILOBYTE_NAME), UINT32_MAX, TEN(KILOBYTE_NAME), 2, LANGUAGE_CPP,
	  false, false },
	{ " ", " ", 5, " ", 3, LANGUAGE_RUST, false, false },
	{ "", "", 0, "/", 4, LANGUAGE_GO, false, false },
	{ "\xe2\x80\xae"
	  "evil",
	  "", 0, "[", 0, LANGUAGE_JIT, true, false },
};
static struct report_stack hostile_stacks[] = {
	{ FRAMES(0, 1, 2, 3, 4, 5, 6, 7), OF(-1, 1, "p;\n", "t;\n"), .is_on_cpu = true,
	  .time_ns = 5 * MS, .sample_cnt = 2, .task = "", .object = "" },
	{ FRAMES(7, 2), OF(1, 1, "", ""), .reason = WAIT_DISK, .object = "/x;\ny",
	  .time_ns = 4 * MS, .sample_cnt = 1, .task = "" },
	{ FRAMES(2), OF(1, 2, "", "\xff"), .is_complete = true, .reason = WAIT_IPC,
	  .role = WAITS_FOR_WORK, .object = TEN(KILOBYTE_NAME), .time_ns = 3 * MS, .sample_cnt = 1,
	  .task = "" },
};
static const char *hostile_command[] = { "\"\n\xff" };

const struct report hostile_stacks_report = {
	.command = hostile_command,
	.command_cnt = CNT(hostile_command),
	.duration_ns = 12 * MS,
	.frames = hostile_frames,
	.frame_cnt = CNT(hostile_frames),
	.stacks = hostile_stacks,
	.stack_cnt = CNT(hostile_stacks),
	.stack_quality = { .are_taken = true },
};

const struct report no_stacks_report = { .duration_ns = MS };

enum { MANY_FRAMES = 5000 };

static void make_many_frames(struct report *report)
{
	report->frames = calloc(MANY_FRAMES, sizeof(*report->frames));
	report->frame_cnt = MANY_FRAMES;
	for (size_t i = 0; i < MANY_FRAMES; i++) {
		char *name;

		if (asprintf(&name, "package_%zu::handle_request", i) < 0)
			abort();
		report->frames[i] = (struct report_frame){
			.function = name,
			.file = "/usr/src/package/handler.cc",
			.line = (uint32_t)i + 1,
			.module = i % 2 ? "/usr/bin/server" : "/usr/lib/libserver.so",
			.address = i * 16,
			.is_inlined = i % 7 == 0,
		};
	}
}

/* The frames of all stacks lie behind each other, so that no two begin alike. */
void make_many_stacks(struct report *report, size_t stack_cnt, size_t depth)
{
	uint32_t *indices = calloc(stack_cnt + depth, sizeof(*indices));
	uint32_t random = 1;

	*report = (struct report){ .stack_quality = { .are_taken = true } };
	make_many_frames(report);
	for (size_t i = 0; i < stack_cnt + depth; i++) {
		random = random * 1664525 + 1013904223;
		indices[i] = (random >> 8) % MANY_FRAMES;
	}
	report->stacks = calloc(stack_cnt, sizeof(*report->stacks));
	report->stack_cnt = stack_cnt;
	for (size_t i = 0; i < stack_cnt; i++)
		report->stacks[i] = (struct report_stack){
			.frames = indices + i,
			.frame_cnt = depth,
			.is_complete = true,
			OF(1, (int)(i % 100), "server", "worker"),
			.task = "",
			.object = "",
			.is_on_cpu = i % 2,
			.time_ns = (stack_cnt - i) * 1500,
			.sample_cnt = 1,
		};
}

void free_many_stacks(struct report *report)
{
	for (size_t i = 0; i < report->frame_cnt; i++)
		free((char *)report->frames[i].function);
	if (report->stack_cnt)
		free((uint32_t *)report->stacks[0].frames);
	free(report->frames);
	free(report->stacks);
}

static uint64_t sum_where(const struct report *report, bool is_on_cpu)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < report->stack_cnt; i++)
		if (report->stacks[i].is_on_cpu == is_on_cpu)
			sum_ns += report->stacks[i].time_ns;
	return sum_ns;
}

uint64_t stacks_on_cpu_ns(const struct report *report)
{
	return sum_where(report, true);
}

uint64_t stacks_wait_ns(const struct report *report)
{
	return sum_where(report, false);
}
