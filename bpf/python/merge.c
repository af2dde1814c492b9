/* Python frames among native ones; see merge.h. */
#include "python/merge.h"

#include <ctype.h>
#include <string.h>

#include "python/python.h"

/* Python frames that share a call of the interpreter's loop make a run: the outermost of them is
 * the one that the loop was entered for. */
struct merging {
	const struct merge_stacks *stacks;
	struct merge_step *steps;
	size_t cnt;
	size_t capacity;
	size_t next_python; /* not in steps yet */
	size_t bare_evals;  /* innermost calls of the loop that stand for no Python frame */
	bool fits;	    /* each other call stands for one run */
};

static size_t count_runs(const struct merge_stacks *stacks)
{
	size_t cnt = 0;

	for (size_t i = 0; i < stacks->python_cnt; i++)
		cnt += stacks->is_entry[i] || i + 1 == stacks->python_cnt;
	return cnt;
}

static size_t count_evals(const struct merge_stacks *stacks)
{
	size_t cnt = 0;

	for (size_t i = 0; i < stacks->native_cnt; i++)
		cnt += stacks->native[i].is_eval;
	return cnt;
}

/*
 * Which calls of the loop belong to which runs. Of two whole stacks the outermost ones do: a call
 * more is one that has just begun, or is about to end. Else the innermost ones do.
 */
static void match(struct merging *merging)
{
	const struct merge_stacks *stacks = merging->stacks;
	size_t eval_cnt = count_evals(stacks), run_cnt = count_runs(stacks);

	merging->fits = true;
	merging->bare_evals = run_cnt ? 0 : eval_cnt;
	if (stacks->native_is_cut || stacks->python_is_cut)
		return;
	merging->fits = eval_cnt >= run_cnt;
	merging->bare_evals = merging->fits ? eval_cnt - run_cnt : 0;
}

static void add(struct merging *merging, bool is_python, size_t index)
{
	if (merging->cnt < merging->capacity)
		merging->steps[merging->cnt++] = (struct merge_step){ is_python, index };
}

static void add_run(struct merging *merging)
{
	const struct merge_stacks *stacks = merging->stacks;
	bool is_entry = false;

	while (merging->next_python < stacks->python_cnt && !is_entry) {
		is_entry = stacks->is_entry[merging->next_python];
		add(merging, true, merging->next_python++);
	}
}

static void add_all_runs(struct merging *merging)
{
	while (merging->next_python < merging->stacks->python_cnt)
		add_run(merging);
}

static void add_native(struct merging *merging, size_t index)
{
	const struct merge_native *native = &merging->stacks->native[index];

	if (native->is_eval && merging->bare_evals) {
		merging->bare_evals--;
		add(merging, false, index);
	} else if (native->is_eval && !merging->fits) {
		add_all_runs(merging);
	} else if (native->is_eval) {
		add_run(merging);
	} else if (!merging->next_python || !native->is_interpreter) {
		add(merging, false, index);
	}
}

/* No call of the loop is known by name: all that the interpreter's file has is taken for it. */
static size_t first_interpreter(const struct merge_stacks *stacks)
{
	size_t i = 0;

	while (i < stacks->native_cnt && !stacks->native[i].is_interpreter)
		i++;
	return i;
}

/* A Python program begins with its module or thread function, not with the C library. */
static void drop_start(struct merging *merging)
{
	while (merging->cnt && !merging->steps[merging->cnt - 1].is_python &&
	       merging->stacks->native[merging->steps[merging->cnt - 1].index].is_start)
		merging->cnt--;
}

size_t python_merge(const struct merge_stacks *stacks, struct merge_step *steps, size_t capacity)
{
	struct merging merging = { .stacks = stacks, .steps = steps, .capacity = capacity };
	size_t native_cnt = stacks->native_cnt;

	match(&merging);
	if (stacks->python_cnt && !count_evals(stacks))
		native_cnt = first_interpreter(stacks);
	for (size_t i = 0; i < native_cnt; i++) {
		/* What is outside of frames that are missing isn't their caller. */
		if (stacks->python_cnt && stacks->python_is_cut &&
		    merging.next_python == stacks->python_cnt)
			break;
		add_native(&merging, i);
	}
	add_all_runs(&merging);
	if (stacks->python_cnt)
		drop_start(&merging);
	return merging.cnt;
}

/* @name, or a part of it that the compiler has put elsewhere. */
static bool is_function(const char *function, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(function, name, len) && (!function[len] || function[len] == '.');
}

bool python_is_eval(const char *function)
{
	return is_function(function, "_PyEval_EvalFrameDefault");
}

bool python_is_start(const char *function)
{
	static const char *const starts[] = { "start_thread",
					      "clone",
					      "clone3",
					      "__clone",
					      "__clone3",
					      "__libc_start_main",
					      "__libc_start_main_impl",
					      "__libc_start_call_main",
					      "_start" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t len = strlen(starts[i]);

		/* A version may follow, after an @. */
		if (!strncmp(function, starts[i], len) && (!function[len] || function[len] == '@'))
			return true;
	}
	return false;
}

bool python_is_interpreter(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!strncmp(name, "lib", 3))
		name += 3;
	if (strncmp(name, "python", 6))
		return false;
	name += 6;
	/* python, python3, python3.11-dbg; not python-like names of other programs. */
	return !*name || isdigit((unsigned char)*name);
}
