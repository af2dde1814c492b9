/* Python frames among native ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "python/merge.h"
#include "python/python.h"

#define FRAMES_MAX 32

/*
 * Stacks as text, innermost first, a letter for each frame. Native: E the interpreter's loop, other
 * capitals the interpreter's own functions, s where the thread began, other small letters those of
 * other modules. Python: capitals are entries. "-" at the end: cut.
 */
static size_t native_of(const char *text, struct merge_native *native, bool *is_cut)
{
	size_t cnt = strcspn(text, "-");

	for (size_t i = 0; i < cnt; i++)
		native[i] = (struct merge_native){ .is_eval = text[i] == 'E',
						   .is_interpreter = text[i] <= 'Z',
						   .is_start = text[i] == 's' };
	*is_cut = text[cnt] == '-';
	return cnt;
}

static void check(const char *native_text, const char *python_text, const char *expected)
{
	struct merge_native native[FRAMES_MAX];
	struct merge_step steps[2 * FRAMES_MAX];
	bool is_entry[FRAMES_MAX];
	char merged[2 * FRAMES_MAX + 1];
	struct merge_stacks stacks = { .native = native, .is_entry = is_entry };
	size_t cnt;

	stacks.native_cnt = native_of(native_text, native, &stacks.native_is_cut);
	stacks.python_cnt = strcspn(python_text, "-");
	stacks.python_is_cut = python_text[stacks.python_cnt] == '-';
	for (size_t i = 0; i < stacks.python_cnt; i++)
		is_entry[i] = python_text[i] <= 'Z';
	cnt = python_merge(&stacks, steps, 2 * FRAMES_MAX);
	for (size_t i = 0; i < cnt; i++)
		merged[i] = steps[i].is_python ? python_text[steps[i].index]
					       : native_text[steps[i].index];
	merged[cnt] = '\0';
	assert_string_equal(merged, expected);
	for (size_t capacity = 0; capacity < cnt; capacity++)
		assert_int_equal(python_merge(&stacks, steps, capacity) <= capacity, true);
}

static void stacks_that_fit(void **state)
{
	(void)state;
	/* A builtin, called by the innermost function, keeps the interpreter's own frames. */
	check("cBEMss", "P", "cBP");
	/* One call of the loop for each function, or one for several. */
	check("cBEAEAEMs", "PQR", "cBPQR");
	check("cBEAEMs", "pQrsT", "cBpQrsT");
	/* An extension between functions stays, the interpreter's calls do not. */
	check("EAxyAEMs", "pQR", "pQxyR");
	/* A program that embeds Python. */
	check("cEAms", "P", "cPm");
}

static void stacks_without_the_other(void **state)
{
	(void)state;
	check("cBms", "", "cBms");
	check("cBEms", "", "cBEms");
	check("cBEm-", "", "cBEm");
	check("", "PQ", "PQ");
	check("", "", "");
	/* Not one of Python's frames could be read, as in a program that isn't Python. */
	check("cBms", "-", "cBms");
	check("cBm-", "-", "cBm");
}

static void functions_that_begin_or_end(void **state)
{
	(void)state;
	/* The loop has been entered and has no frame yet, or none any more. */
	check("EBEAEMs", "PQ", "EBPQ");
	check("EAxEMs", "P", "EAxP");
	/* A frame whose loop isn't there: which one it is can't be told. */
	check("cBExEMs", "PQR", "cBPQRx");
}

static void stacks_that_are_cut(void **state)
{
	(void)state;
	check("cEAxEA-", "PQRS", "cPxQRS");
	check("cEAxEAyEMs", "PQ-", "cPxQ");
	check("cEAxEAyEMs", "Pq-", "cPxq");
	check("cEAxEA-", "P-", "cP");
}

static void loops_without_a_name(void **state)
{
	(void)state;
	check("cMMMs", "PQ", "cPQ");
	check("cds", "PQ", "cdsPQ");
}

static void names_of_functions_and_files(void **state)
{
	(void)state;
	assert_true(python_is_eval("_PyEval_EvalFrameDefault"));
	assert_true(python_is_eval("_PyEval_EvalFrameDefault.cold"));
	assert_true(python_is_eval("_PyEval_EvalFrameDefault.constprop.0"));
	assert_false(python_is_eval("_PyEval_EvalFrameDefaultish"));
	assert_false(python_is_eval("_PyEval_EvalFrame"));
	assert_false(python_is_eval(""));
	assert_true(python_is_start("clone3"));
	assert_true(python_is_start("__libc_start_main@@GLIBC_2.34"));
	assert_false(python_is_start("start_threads"));
	assert_false(python_is_start("main"));
	assert_true(python_is_interpreter("/usr/bin/python3.11"));
	assert_true(python_is_interpreter("/usr/lib/libpython3.8.so.1.0"));
	assert_true(python_is_interpreter("python"));
	assert_false(python_is_interpreter("/usr/lib/python3/numpy.so"));
	assert_false(python_is_interpreter("/usr/bin/pythonista"));
	assert_false(python_is_interpreter(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_that_fit),
		cmocka_unit_test(stacks_without_the_other),
		cmocka_unit_test(functions_that_begin_or_end),
		cmocka_unit_test(stacks_that_are_cut),
		cmocka_unit_test(loops_without_a_name),
		cmocka_unit_test(names_of_functions_and_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
