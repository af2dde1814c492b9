/* Names of functions as people write them, and the maps of code compiled as programs run. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "symbols/go_table.h"
#include "symbols/jit_name.h"
#include "symbols/kernel_symbols.h"
#include "symbols/perf_map.h"
#include "symbols/range_map.h"
#include "symbols/readable_name.h"
#include "symbols/symbols.h"

static void assert_readable(const char *raw, const char *expected, enum frame_language language)
{
	char name[READABLE_NAME_BYTES];

	assert_int_equal(readable_name(raw, LANGUAGE_UNKNOWN, name), language);
	assert_string_equal(name, expected);
}

static void names_are_demangled(void **state)
{
	(void)state;
	assert_readable("main", "main", LANGUAGE_UNKNOWN);
	assert_readable("_ZN3foo3barEi", "foo::bar", LANGUAGE_CPP);
	assert_readable("_ZSt4sortIPiEvT_S1_", "std::sort<int*>", LANGUAGE_CPP);
	assert_readable("_ZNK3BoxIiEltERKS0_", "Box<int>::operator<", LANGUAGE_CPP);
	assert_readable("_ZN12_GLOBAL__N_14anonEv", "(anonymous namespace)::anon", LANGUAGE_CPP);
	assert_readable("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write",
			LANGUAGE_RUST);
	assert_readable("_RNvC6_123foo3bar", "123foo::bar", LANGUAGE_RUST);
	assert_readable("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar", LANGUAGE_RUST);
	assert_readable("_ZN3foo3barIPNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEEEvv",
			"foo::bar<std::string*>", LANGUAGE_CPP);
	assert_readable("_Znonsense", "_Znonsense", LANGUAGE_UNKNOWN);
	assert_readable("main.hot", "main.hot", LANGUAGE_UNKNOWN);
	assert_readable("main.hot.func1", "main.hot.func1", LANGUAGE_UNKNOWN);
}

static void copies_of_compilers_have_the_name_of_the_source(void **state)
{
	(void)state;
	assert_readable("hot.constprop.0", "hot", LANGUAGE_UNKNOWN);
	assert_readable("hot.part.12.cold", "hot", LANGUAGE_UNKNOWN);
	assert_readable("hot.isra.0.cold.3", "hot", LANGUAGE_UNKNOWN);
	assert_readable("_ZN3foo3barEi.lto_priv.0", "foo::bar", LANGUAGE_CPP);
	assert_readable("hot.llvm.1234567890", "hot", LANGUAGE_UNKNOWN);
	assert_readable(".cold", ".cold", LANGUAGE_UNKNOWN);
	assert_readable("type..eq.main.T", "type..eq.main.T", LANGUAGE_UNKNOWN);
}

/* Each level doubles what comes out: of 30 it would be gigabytes. */
static void a_name_that_explodes_is_cut(void **state)
{
	char raw[2048] = "_Z1fI1aE", name[READABLE_NAME_BYTES];
	size_t len;

	(void)state;
	len = strlen(raw);
	len += snprintf(raw + len, sizeof(raw) - len, "v1x");
	for (int i = 0; i < 60; i++) {
		char seq = i < 10 ? (char)('0' + i) : (char)('A' + i - 10);

		if (i < 36)
			len += snprintf(raw + len, sizeof(raw) - len, "1pIS%c_S%c_E", seq, seq);
		else
			len += snprintf(raw + len, sizeof(raw) - len, "1pIS1%c_S1%c_E",
					(char)('0' + i % 10), (char)('0' + i % 10));
	}
	readable_name(raw, LANGUAGE_CPP, name);
	assert_in_range(strlen(name), 1, READABLE_NAME_BYTES - 1);
}

static void a_deep_name_is_survived(void **state)
{
	char raw[8192] = "_Z1f", name[READABLE_NAME_BYTES];

	(void)state;
	memset(raw + 4, 'P', sizeof(raw) - 6);
	raw[sizeof(raw) - 2] = 'i';
	raw[sizeof(raw) - 1] = '\0';
	readable_name(raw, LANGUAGE_CPP, name);
	assert_int_equal(strlen(name), READABLE_NAME_BYTES - 1);
	raw[4000] = 'i';
	raw[4001] = '\0';
	readable_name(raw, LANGUAGE_CPP, name);
	assert_string_equal(name, "f");
}

static void long_names_lose_their_arguments(void **state)
{
	char raw[4096] = "_ZN3BoxIJ", name[READABLE_NAME_BYTES];

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(raw, "5Thing");
	strcat(raw, "EE3getEv");
	assert_int_equal(readable_name(raw, LANGUAGE_UNKNOWN, name), LANGUAGE_CPP);
	assert_string_equal(name, "Box<...>::get");
}

static void assert_jit(const char *raw, const char *function, const char *file, uint32_t line)
{
	struct jit_name name;

	jit_name_read(raw, &name);
	assert_string_equal(name.function, function);
	assert_string_equal(name.file, file);
	assert_int_equal(name.line, line);
}

static void names_of_compiled_code_are_taken_apart(void **state)
{
	(void)state;
	assert_jit("JS:*hot /app/x.js:12:3", "hot", "/app/x.js", 12);
	assert_jit("JS:~hot /app/my file.js:12:3", "hot", "/app/my file.js", 12);
	assert_jit("JS:^get size file:///app/x.mjs:7:1", "get size", "/app/x.mjs", 7);
	assert_jit("JS:+ /app/x.js:4:116", "(anonymous)", "/app/x.js", 4);
	assert_jit("LazyCompile:*hot /app/x.js:12", "hot", "/app/x.js", 12);
	assert_jit("Function:hot /app/x.js:12", "hot", "/app/x.js", 12);
	assert_jit("JS:*emit node:events:466:44", "emit", "node:events", 466);
	assert_jit("Builtin:ArrayMap", "Builtin:ArrayMap", "", 0);
	assert_jit("Lcom/foo/Bar;::baz", "com.foo.Bar.baz", "", 0);
	assert_jit("double com.foo.Bar.baz(int, long)", "com.foo.Bar.baz", "", 0);
	assert_jit("StackOverflowError throw_exception", "StackOverflowError throw_exception", "",
		   0);
	assert_jit("py::Class.hot:/app/x.py", "Class.hot", "/app/x.py", 0);
	assert_jit("", "", "", 0);
	assert_jit("JS:", "(anonymous)", "", 0);
}

/* A map of the test's own that grows. */
struct growing {
	struct perf_map *map;
	int fd;
};

static int open_growing(void **state)
{
	static struct growing growing;

	growing.map = perf_map_new();
	growing.fd = memfd_create("perf map", MFD_CLOEXEC);
	*state = &growing;
	return growing.map && growing.fd >= 0 ? 0 : -1;
}

static int close_growing(void **state)
{
	struct growing *growing = *state;

	perf_map_free(growing->map);
	close(growing->fd);
	return 0;
}

static void grow(struct growing *growing, const char *text)
{
	assert_int_equal(write(growing->fd, text, strlen(text)), strlen(text));
	assert_int_equal(perf_map_read_file(growing->map, growing->fd), 0);
}

static void assert_code(struct growing *growing, uint64_t address, const char *name)
{
	const char *found = perf_map_find(growing->map, address);

	if (name)
		assert_non_null(found);
	if (name)
		assert_string_equal(found, name);
	else
		assert_null(found);
}

static void a_map_is_read_as_it_grows(void **state)
{
	struct growing *growing = *state;

	grow(growing, "1000 100 first\n2000 10");
	assert_code(growing, 0x1000, "first");
	assert_code(growing, 0x10ff, "first");
	assert_code(growing, 0x1100, NULL);
	assert_code(growing, 0xfff, NULL);
	assert_code(growing, 0x2000, NULL);
	grow(growing, "0 second half\n");
	assert_code(growing, 0x20ff, "second half");
	grow(growing, "0x00007f3a2cec71c0 0x0000000000000270 double Hot.hot(int)\n");
	assert_code(growing, 0x7f3a2cec71c1, "double Hot.hot(int)");
}

static void later_lines_count(void **state)
{
	struct growing *growing = *state;

	grow(growing, "1000 1000 old\n3000 1000 other\n1800 1900 moved\n1a00 10 inner\n");
	assert_code(growing, 0x17ff, "old");
	assert_code(growing, 0x1800, "moved");
	assert_code(growing, 0x1a08, "inner");
	assert_code(growing, 0x1a10, "moved");
	assert_code(growing, 0x30ff, "moved");
	assert_code(growing, 0x3100, "other");
	grow(growing, "1000 1000 old again\n");
	assert_code(growing, 0x1a08, "old again");
	assert_code(growing, 0x2000, "moved");
}

static void nonsense_in_a_map_is_passed_over(void **state)
{
	struct growing *growing = *state;

	grow(growing,
	     "\n \nx y z\n1000\n1000 \n1000 zz name\n10000000000000000 1 far\n"
	     "ffffffffffffffff 10 beyond\n1000 0 empty\n-5 5 minus\n4000 8 \n5000 8 right\n");
	assert_code(growing, 0x1000, NULL);
	assert_code(growing, 0xffffffffffffffff, NULL);
	assert_code(growing, 0x4000, "");
	assert_code(growing, 0x5007, "right");
}

/* A process that waits, with a map of its own that is a @kind of file. */
static pid_t start_with_map(char path[64], int (*make)(const char *path))
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	snprintf(path, 64, "/tmp/perf-%d.map", pid);
	unlink(path);
	assert_int_equal(make(path), 0);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int make_map(const char *path)
{
	FILE *map = fopen(path, "w");

	return map && fputs("1000 100 JS:*hot /app/x.js:12:3\n", map) >= 0 ? fclose(map) : -1;
}

static int make_link(const char *path)
{
	return symlink("/proc/kallsyms", path);
}

static int make_fifo(const char *path)
{
	return mkfifo(path, 0666);
}

static int make_foreign(const char *path)
{
	return make_map(path) ? -1 : chown(path, 12345, 12345);
}

static void the_map_outlives_its_process(void **state)
{
	struct symbols *symbols = symbols_new();
	struct symbol found[SYMBOL_INLINED_MAX];
	char path[64];
	pid_t pid = start_with_map(path, make_map);

	(void)state;
	assert_int_equal(symbols_read_perf_map(symbols, pid), 0);
	stop(pid);
	unlink(path);
	assert_int_equal(symbols_find_jit(symbols, pid, 0x1010, found), 1);
	assert_string_equal(found[0].function, "hot");
	assert_string_equal(found[0].file, "/app/x.js");
	assert_int_equal(found[0].line, 12);
	assert_int_equal(found[0].language, LANGUAGE_JIT);
	assert_int_equal(symbols_find_jit(symbols, pid, 0x1100, found), 1);
	assert_string_equal(found[0].function, "");
	symbols_free(symbols);
}

static void assert_refused(int (*make)(const char *path), int error)
{
	struct symbols *symbols = symbols_new();
	char path[64];
	pid_t pid = start_with_map(path, make);
	int result = symbols_read_perf_map(symbols, pid);

	stop(pid);
	unlink(path);
	symbols_free(symbols);
	assert_int_equal(result, error);
}

static void maps_of_others_are_refused(void **state)
{
	(void)state;
	assert_refused(make_link, -ELOOP);
	assert_refused(make_fifo, -EPERM);
	if (geteuid() == 0)
		assert_refused(make_foreign, -EPERM);
	else
		print_message("[ SKIPPED ] a map of another user: not root\n");
}

static void the_kernel_names_its_functions(void **state)
{
	char path[] = "/tmp/classify-kallsyms-XXXXXX";
	int fd = mkstemp(path);
	static const char text[] = "ffffffff81000000 T _stext\nffffffff81000100 t do_work\n"
				   "ffffffff81000200 D data\nffffffffc0000000 t helper\t[module]\n";
	struct kernel_symbols *symbols;

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	symbols = kernel_symbols_read(path);
	unlink(path);
	assert_string_equal(kernel_symbols_find(symbols, 0xffffffff810000ff), "_stext");
	assert_string_equal(kernel_symbols_find(symbols, 0xffffffff81000100), "do_work");
	assert_string_equal(kernel_symbols_find(symbols, 0xffffffffc0000010), "helper");
	assert_null(kernel_symbols_find(symbols, 0xffffffff80ffffff));
	assert_null(kernel_symbols_find(symbols, 0xffffffffa0000000));
	kernel_symbols_free(symbols);
}

static void hidden_addresses_name_nothing(void **state)
{
	struct kernel_symbols *symbols = kernel_symbols_read("/dev/null");

	(void)state;
	assert_null(kernel_symbols_find(symbols, 0xffffffff81000000));
	kernel_symbols_free(symbols);
}

static void the_innermost_range_is_found(void **state)
{
	struct range_map map = { 0 };

	(void)state;
	assert_true(range_map_add(&map, 100, 200, 1));
	assert_true(range_map_add(&map, 150, 160, 2));
	assert_true(range_map_add(&map, 100, 120, 3));
	assert_true(range_map_add(&map, 300, 300, 4));
	assert_int_equal(range_map_find(&map, 119)->value, 3);
	assert_int_equal(range_map_find(&map, 120)->value, 1);
	assert_int_equal(range_map_find(&map, 150)->value, 2);
	assert_int_equal(range_map_find(&map, 160)->value, 1);
	assert_null(range_map_find(&map, 99));
	assert_null(range_map_find(&map, 200));
	assert_null(range_map_find(&map, 300));
	range_map_release(&map);
}

/* A table of two functions of 64 bytes from 0x401000 on: of the first half of each function, but
 * for 16 bytes of line 12, line 13, and something is inlined in the second half. */
static void check_go_table(const char *path)
{
	struct go_table table = { 0 };
	struct go_place place;
	uint8_t bytes[1024];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	table.bytes = bytes;
	table.byte_cnt = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	go_table_read_bytes(&table);
	assert_true(go_table_find(&table, 0x401000, &place));
	assert_string_equal(place.function, "main.hot");
	assert_string_equal(place.file, "/app/x.go");
	assert_int_equal(place.line, 12);
	assert_true(go_table_find(&table, 0x40105f, &place));
	assert_string_equal(place.function, "main.main");
	assert_int_equal(place.line, 13);
	assert_true(go_table_find(&table, 0x401020, &place));
	assert_string_equal(place.function, "main.hot");
	assert_string_equal(place.file, "");
	assert_int_equal(place.line, 0);
	assert_false(go_table_find(&table, 0x401080, &place));
	assert_false(go_table_find(&table, 0x400fff, &place));
}

static void tables_of_go_are_read(void **state)
{
	(void)state;
	check_go_table(TEST_DATA "/fuzz/corpus/go_table/go_1_18");
	check_go_table(TEST_DATA "/fuzz/corpus/go_table/go_1_20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_demangled),
		cmocka_unit_test(copies_of_compilers_have_the_name_of_the_source),
		cmocka_unit_test(a_name_that_explodes_is_cut),
		cmocka_unit_test(a_deep_name_is_survived),
		cmocka_unit_test(long_names_lose_their_arguments),
		cmocka_unit_test(names_of_compiled_code_are_taken_apart),
		cmocka_unit_test_setup_teardown(a_map_is_read_as_it_grows, open_growing,
						close_growing),
		cmocka_unit_test_setup_teardown(later_lines_count, open_growing, close_growing),
		cmocka_unit_test_setup_teardown(nonsense_in_a_map_is_passed_over, open_growing,
						close_growing),
		cmocka_unit_test(the_map_outlives_its_process),
		cmocka_unit_test(maps_of_others_are_refused),
		cmocka_unit_test(the_kernel_names_its_functions),
		cmocka_unit_test(hidden_addresses_name_nothing),
		cmocka_unit_test(the_innermost_range_is_found),
		cmocka_unit_test(tables_of_go_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
