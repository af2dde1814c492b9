/* Counts instructions by the CPU's own counter; see work_counter.h. */
#include <errno.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include "work_counter.h"

int work_counter_open(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_HW_INSTRUCTIONS,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1 };
	int counter = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (counter < 0) {
		print_message("skipped: no counter of instructions: %s\n", strerror(errno));
		skip();
	}
	return counter;
}

uint64_t work_counter_of(int counter, void (*work)(void *context, size_t cnt), void *context,
			 size_t cnt)
{
	uint64_t instructions = 0;

	assert_int_equal(ioctl(counter, PERF_EVENT_IOC_RESET, 0), 0);
	assert_int_equal(ioctl(counter, PERF_EVENT_IOC_ENABLE, 0), 0);
	work(context, cnt);
	assert_int_equal(ioctl(counter, PERF_EVENT_IOC_DISABLE, 0), 0);
	assert_int_equal(read(counter, &instructions, sizeof(instructions)), sizeof(instructions));
	return instructions;
}
