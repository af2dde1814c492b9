/* Utilisation, and what busy time is made of. */
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "arena.h"
#include "decide/busy.h"
#include "decide/phrase.h"
#include "decide/thresholds.h"

#define PARTS_MAX (WAIT_REASON_CNT + 3)

/* A part of busy time: a verb, and what it is about ("" if the verb says it all). */
struct busy_part {
	const char *verb;
	const char *object;
	uint64_t ns;
};

bool busy_is_telling(const struct facts *facts)
{
	const struct obs_quality *quality = &facts->obs->quality;

	if (facts->busy_ns < MIN_BUSY_NS || facts->asked_cnt < MIN_ASKED_CNT)
		return false;
	return facts->obs->source == SOURCE_EBPF ||
	       (double)quality->sample_cnt * (1 - facts->idle_share) >= MIN_SAMPLES;
}

const char *main_object_phrase(const struct facts *facts, const struct report_wait *wait)
{
	const struct report_object *object = wait->objects;

	if (!wait->object_cnt || object->is_rest || object->wait_ns < wait->wait_ns / 2)
		return NULL;
	return arena_printf(facts->arena, "%.120s%s%.40s", object->name,
			    object->far_end ? ", " : "", object->far_end ? object->far_end : "");
}

static const char *reason_words(enum wait_reason reason)
{
	static const char *const words[WAIT_REASON_CNT] = {
		[WAIT_NETWORK] = "the network",
		[WAIT_DISK] = "the disk",
		[WAIT_IPC] = "other processes",
		[WAIT_LOCK] = "locks",
		[WAIT_GIL] = "the GIL",
		[WAIT_SYNC] = "its own threads",
		[WAIT_CHILD] = "its children",
		[WAIT_POLL] = "its event loop's files",
		[WAIT_TTY] = "the terminal",
		[WAIT_DEVICE] = "a device",
		[WAIT_PAGING] = "memory to be paged in",
	};

	return words[reason] ? words[reason] : "what is not known";
}

static struct busy_part part_of_wait(const struct facts *facts, const struct report_wait *wait)
{
	const char *object;

	if (wait->reason == WAIT_TIMER)
		return (struct busy_part){ "slept", "", wait->wait_ns };
	object = wait->reason == WAIT_OTHER ? NULL : main_object_phrase(facts, wait);
	if (object)
		return (struct busy_part){ "waited for ", object, wait->objects[0].wait_ns };
	return (struct busy_part){ "waited for ", reason_words(wait->reason), wait->wait_ns };
}

static int by_size(const void *a, const void *b)
{
	const struct busy_part *left = a, *right = b;

	return (left->ns < right->ns) - (left->ns > right->ns);
}

static uint64_t contended_of(const struct facts *facts)
{
	uint64_t ns = (uint64_t)(facts->contended_share * (double)facts->busy_ns);
	uint64_t most_ns = facts->program_time->starved_ns;

	return ns < most_ns ? ns : most_ns;
}

static size_t list_parts(const struct facts *facts, struct busy_part parts[PARTS_MAX])
{
	const struct report_program_time *time = facts->program_time;
	uint64_t contended_ns = contended_of(facts);
	size_t cnt = 0, named_cnt = 0;

	parts[cnt++] = (struct busy_part){ "computed", "", time->computing_ns };
	parts[cnt++] = (struct busy_part){ "was ready without a CPU", "", contended_ns };
	parts[cnt++] = (struct busy_part){ "waited for idle CPUs to wake up", "",
					   time->starved_ns - contended_ns };
	for (size_t i = 0; i < time->wait_cnt && cnt < PARTS_MAX; i++)
		parts[cnt++] = part_of_wait(facts, &time->waits[i]);
	qsort(parts, cnt, sizeof(*parts), by_size);
	while (named_cnt < cnt && named_cnt < BUSY_PARTS_NAMED &&
	       share_of(parts[named_cnt].ns, facts->busy_ns) >= BUSY_PART_SHARE)
		named_cnt++;
	return named_cnt;
}

const char *busy_phrase(const struct facts *facts)
{
	struct busy_part parts[PARTS_MAX];
	size_t cnt = list_parts(facts, parts);
	const char *phrase = NULL;

	for (size_t i = 0; i < cnt; i++)
		phrase = arena_printf(facts->arena, "%s%s%s%s (%.0f%%)", phrase ? phrase : "",
				      !i	     ? ""
				      : i == cnt - 1 ? " and "
						     : ", ",
				      parts[i].verb, parts[i].object,
				      pct(share_of(parts[i].ns, facts->busy_ns)));
	return phrase;
}
