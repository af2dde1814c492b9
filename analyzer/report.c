/* The report's end of life, and the stable names of its enums. */
#include <string.h>
#include "arena.h"
#include "report.h"

void report_release(struct report *report)
{
	if (!report)
		return;
	arena_free(report->arena);
	memset(report, 0, sizeof(*report));
}

static const char *name_of(const char *const *names, size_t cnt, size_t value)
{
	return value < cnt ? names[value] : "unknown";
}

const char *verdict_class_name(enum verdict_class verdict_class)
{
	static const char *const names[CLASS_CNT] = {
		[CLASS_CPU_BOUND] = "cpu-bound",
		[CLASS_IO_BOUND] = "io-bound",
		[CLASS_LOCK_BOUND] = "lock-bound",
		[CLASS_TIMER_BOUND] = "timer-bound",
		[CLASS_CPU_STARVED] = "cpu-starved",
		[CLASS_IDLE] = "idle",
		[CLASS_MIXED] = "mixed",
		[CLASS_INCONCLUSIVE] = "inconclusive",
	};

	return name_of(names, CLASS_CNT, verdict_class);
}

const char *const *verdict_subclass_names(enum verdict_class verdict_class)
{
	static const char *const none[] = { NULL };
	static const char *const of_cpu_bound[] = { "gil", "parallel", "polling", NULL };
	static const char *const of_io_bound[] = { "network", "disk",	"ipc",
						   "device",  "paging", NULL };
	static const char *const of_cpu_starved[] = { "throttled", "oversubscribed", NULL };

	switch (verdict_class) {
	case CLASS_CPU_BOUND:
		return of_cpu_bound;
	case CLASS_IO_BOUND:
		return of_io_bound;
	case CLASS_CPU_STARVED:
		return of_cpu_starved;
	default:
		return none;
	}
}

const char *concurrency_model_name(enum concurrency_model model)
{
	static const char *const names[MODEL_CNT] = {
		[MODEL_SYNC] = "sync",	 [MODEL_THREADS] = "threads",
		[MODEL_ASYNC] = "async", [MODEL_MULTIPROCESSING] = "multiprocessing",
		[MODEL_MIXED] = "mixed",
	};

	return name_of(names, MODEL_CNT, model);
}

const char *recommended_action_name(enum recommended_action action)
{
	static const char *const names[ACTION_CNT] = {
		[ACTION_KEEP] = "keep",
		[ACTION_CHANGE] = "change",
		[ACTION_MEASURE_AGAIN] = "measure-again",
	};

	return name_of(names, ACTION_CNT, action);
}

const char *finding_severity_name(enum finding_severity severity)
{
	static const char *const names[SEVERITY_CNT] = {
		[SEVERITY_INFO] = "info",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_HIGH] = "high",
	};

	return name_of(names, SEVERITY_CNT, severity);
}

const char *global_lock_name(enum global_lock lock)
{
	static const char *const names[GLOBAL_LOCK_CNT] = {
		[GLOBAL_LOCK_NONE] = "none",
		[GLOBAL_LOCK_GIL] = "gil",
		[GLOBAL_LOCK_GVL] = "gvl",
		[GLOBAL_LOCK_EVENT_LOOP] = "event-loop",
	};

	return name_of(names, GLOBAL_LOCK_CNT, lock);
}

const char *wait_role_name(enum wait_role role)
{
	static const char *const names[WAIT_ROLE_CNT] = {
		[WAITS_FOR_RESULT] = "result", [WAITS_FOR_WORK] = "work",
		[WAITS_FOR_TIME] = "time",     [WAITS_FOR_TREE] = "tree",
		[WAITS_FOR_OTHER] = "other",
	};

	return name_of(names, WAIT_ROLE_CNT, role);
}
