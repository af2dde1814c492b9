/*
 * Functions, files and lines in programs that are compiled here, by several compilers and with
 * debug information of several kinds. What is right is told by labels and comments in their
 * sources.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "code/code_file.h"
#include "symbols/symbols.h"

#define SOURCES TEST_DATA "/symbols"

static char directory[] = "/tmp/classify-symbols-XXXXXX";

static bool run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a shell command in the test's own directory. */
static bool run(const char *format, ...)
{
	char command[2048];
	va_list arguments;
	int len = snprintf(command, sizeof(command),
			   "cd %s && export PATH=$PATH:$HOME/.cargo/bin HOME=${HOME:-/root} && ",
			   directory);

	va_start(arguments, format);
	vsnprintf(command + len, sizeof(command) - len, format, arguments);
	va_end(arguments);
	return system(command) == 0;
}

/* Skips the test, loudly, when this machine lacks @tool. */
static void need(const char *tool)
{
	if (run("command -v %s >/dev/null", tool))
		return;
	print_message("[ SKIPPED ] there is no %s\n", tool);
	skip();
}

/* The number of the line that has the comment @mark in @source. */
static uint32_t line_of(const char *source, const char *mark)
{
	char path[256], line[512], comment[128];
	uint32_t number = 0, found = 0;
	FILE *file;

	snprintf(path, sizeof(path), SOURCES "/%s", source);
	snprintf(comment, sizeof(comment), "/* %s */", mark);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		number++;
		if (strstr(line, comment))
			found = number;
	}
	fclose(file);
	if (!found)
		fail_msg("no line of %s is marked %s", source, mark);
	return found;
}

/* The address of @label in @program, as nm tells it. */
static uint64_t address_of(const char *program, const char *label)
{
	char command[512], line[512], name[256];
	unsigned long address, found = 0;
	FILE *nm;

	snprintf(command, sizeof(command), "nm %s%s/%s", *program == '/' ? "-D " : "",
		 *program == '/' ? "" : directory, program);
	nm = popen(command, "r");
	assert_non_null(nm);
	while (fgets(line, sizeof(line), nm)) {
		if (sscanf(line, "%lx %*c %255s", &address, name) != 2)
			continue;
		name[strcspn(name, "@")] = '\0';
		if (!strcmp(name, label))
			found = address;
	}
	pclose(nm);
	if (!found)
		fail_msg("nm knows no %s in %s", label, program);
	return found;
}

/* What is known of one place of one program. */
struct lookup {
	struct symbols *symbols;
	struct code_file file;
	char path[256];
	struct symbol found[SYMBOL_INLINED_MAX];
	size_t cnt;
};

static void look_up(struct lookup *lookup, const char *program, uint64_t address)
{
	*lookup = (struct lookup){ .symbols = symbols_new() };

	if (*program == '/')
		snprintf(lookup->path, sizeof(lookup->path), "%s", program);
	else
		snprintf(lookup->path, sizeof(lookup->path), "%s/%s", directory, program);
	lookup->file = (struct code_file){ .path = lookup->path, .pid = getpid() };
	lookup->file.fd = open(lookup->path, O_RDONLY | O_CLOEXEC);
	lookup->cnt = symbols_find(lookup->symbols, &lookup->file, address, lookup->found);
	assert_in_range(lookup->cnt, 1, SYMBOL_INLINED_MAX);
}

static void lookup_release(struct lookup *lookup)
{
	symbols_free(lookup->symbols);
	assert_null(lookup->file.symbols);
	close(lookup->file.fd);
}

/* One function of what has to be found at a place. */
struct expected {
	const char *function, *line_mark, *first_mark;
};

static void assert_frame(const struct symbol *found, const char *source,
			 const struct expected *expected, enum frame_language language)
{
	char path[256];

	snprintf(path, sizeof(path), SOURCES "/%s", source);
	assert_string_equal(found->function, expected->function);
	assert_string_equal(found->file, path);
	assert_int_equal(found->line, line_of(source, expected->line_mark));
	if (expected->first_mark)
		assert_int_equal(found->first_line, line_of(source, expected->first_mark));
	assert_int_equal(found->language, language);
}

/* @program, the product of @source, has at @label the functions @expected (up to one without name),
 * the innermost first. @labels is where nm finds the label: the program before it was stripped. */
static void assert_place(const char *program, const char *labels, const char *label,
			 const char *source, enum frame_language language,
			 const struct expected *expected)
{
	struct lookup lookup;

	look_up(&lookup, program, address_of(labels, label));
	size_t cnt = 0;

	assert_null(lookup.file.why);
	for (; expected[cnt].function; cnt++) {
		if (cnt >= lookup.cnt)
			fail_msg("%s: only %zu functions at %s", program, lookup.cnt, label);
		assert_frame(&lookup.found[cnt], source, &expected[cnt], language);
		assert_int_equal(lookup.found[cnt].is_inlined, cnt + 1 < lookup.cnt);
	}
	assert_int_equal(lookup.cnt, cnt);
	lookup_release(&lookup);
}

static void assert_c_places(const char *program, const char *labels)
{
	static const struct expected inner[] = {
		{ "inner", "in inner", "inner begins" },
		{ "middle", "middle calls inner", "middle begins" },
		{ "outer", "outer calls middle", "outer begins" },
		{ NULL, NULL, NULL },
	};

	assert_place(program, labels, "here_inner", "marks.c", LANGUAGE_C, inner);
	assert_place(program, labels, "here_outer", "marks.c", LANGUAGE_C,
		     (struct expected[]){ { "outer", "in outer", "outer begins" }, { 0 } });
	assert_place(program, labels, "here_hidden", "marks.c", LANGUAGE_C,
		     (struct expected[]){ { "hidden", "in hidden", "hidden begins" }, { 0 } });
	assert_place(program, labels, "here_main", "marks.c", LANGUAGE_C,
		     (struct expected[]){ { "main", "in main", NULL }, { 0 } });
}

/* Compiles marks.c as @program, which has to work. */
static void build_c(const char *compiler, const char *options, const char *program)
{
	need(compiler);
	assert_true(run("%s %s " SOURCES "/marks.c -o %s && ./%s", compiler, options, program,
			program));
}

static void check_c(const char *compiler, const char *options)
{
	build_c(compiler, options, "marks");
	assert_c_places("marks", "marks");
}

static void gcc_debug_information_is_read(void **state)
{
	(void)state;
	check_c("gcc", "-g -O0");
	check_c("gcc", "-g -O2");
	check_c("gcc", "-gdwarf-4 -O2");
	check_c("gcc", "-gdwarf-3 -gstrict-dwarf -O0");
	check_c("gcc", "-gdwarf-5 -O2 -static");
	check_c("gcc", "-g -O2 -no-pie");
	check_c("gcc", "-g -O2 -flto");
	check_c("gcc", "-g -O2 -ffunction-sections -Wl,--gc-sections");
	check_c("gcc", "-g -O2 -gdwarf64");
}

static void clang_debug_information_is_read(void **state)
{
	(void)state;
	check_c("clang", "-g -O0");
	check_c("clang", "-g -O2");
	check_c("clang", "-gdwarf-4 -O2");
	check_c("clang", "-gdwarf-5 -O2 -ffunction-sections");
}

#define LEVELS 25

/* A program of functions inlined into each other, each in three lines, and main after them. */
static void write_levels(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "static inline __attribute__((always_inline)) void level0(void)\n{ "
		      "__asm__ volatile(\".globl here\\nhere: nop\");\n}\n");
	for (int i = 1; i <= LEVELS; i++)
		fprintf(file,
			"static inline __attribute__((always_inline)) void level%d(void)\n"
			"{ level%d();\n}\n",
			i, i - 1);
	fprintf(file, "int main(void)\n{ level%d();\n return 0; }\n", LEVELS);
	fclose(file);
}

/* Of more functions than there is room for the outer ones are left out, but not the outermost. */
static void the_outermost_function_is_kept(void **state)
{
	struct lookup lookup;
	char path[256];

	(void)state;
	need("gcc");
	snprintf(path, sizeof(path), "%s/levels.c", directory);
	write_levels(path);
	assert_true(run("gcc -g -O2 levels.c -o levels"));
	look_up(&lookup, "levels", address_of("levels", "here"));
	assert_int_equal(lookup.cnt, SYMBOL_INLINED_MAX);
	for (int i = 0; i < SYMBOL_INLINED_MAX - 1; i++) {
		char name[32];

		snprintf(name, sizeof(name), "level%d", i);
		assert_string_equal(lookup.found[i].function, name);
		assert_int_equal(lookup.found[i].line, 3 * i + 2);
		assert_true(lookup.found[i].is_inlined);
	}
	assert_string_equal(lookup.found[SYMBOL_INLINED_MAX - 1].function, "main");
	assert_int_equal(lookup.found[SYMBOL_INLINED_MAX - 1].line, 3 * (LEVELS + 1) + 2);
	assert_false(lookup.found[SYMBOL_INLINED_MAX - 1].is_inlined);
	lookup_release(&lookup);
}

static void compressed_debug_information_is_read(void **state)
{
	(void)state;
	check_c("gcc", "-g -O2 -gz=zlib");
	check_c("gcc", "-gdwarf-4 -O2 -gz=zlib-gnu");
}

static void split_debug_information_is_read(void **state)
{
	(void)state;
	check_c("gcc", "-gdwarf-5 -O2 -gsplit-dwarf");
	check_c("gcc", "-gdwarf-4 -O2 -gsplit-dwarf");
	check_c("clang", "-gdwarf-5 -O2 -gsplit-dwarf");
}

/* Without the .dwo file the lines are known still, and the functions that the table of symbols has.
 */
static void lost_split_files_leave_lines(void **state)
{
	struct lookup lookup;

	(void)state;
	build_c("gcc", "-gdwarf-5 -O2 -gsplit-dwarf", "lost");
	assert_true(run("rm -f *.dwo"));
	look_up(&lookup, "lost", address_of("lost", "here_outer"));
	assert_int_equal(lookup.cnt, 1);
	assert_string_equal(lookup.found[0].function, "outer");
	assert_int_equal(lookup.found[0].line, line_of("marks.c", "in outer"));
	lookup_release(&lookup);
}

static void files_that_debug_links_name_are_found(void **state)
{
	(void)state;
	build_c("gcc", "-g -O2 -Wl,--build-id=none", "whole");
	need("objcopy");
	assert_true(
		run("mkdir -p .debug && objcopy --only-keep-debug whole .debug/linked.debug && "
		    "objcopy --strip-all --add-gnu-debuglink=.debug/linked.debug whole linked"));
	assert_c_places("linked", "whole");
	assert_true(run("mv .debug/linked.debug ."));
	assert_c_places("linked", "whole");
}

/* A pipe by the name of a debug file must not be waited for. */
static void pipes_that_debug_links_name_are_left_alone(void **state)
{
	struct lookup lookup;

	(void)state;
	build_c("gcc", "-g -O2 -Wl,--build-id=none", "whole");
	need("objcopy");
	assert_true(run("objcopy --only-keep-debug whole piped.debug && objcopy --strip-all "
			"--add-gnu-debuglink=piped.debug whole piped && rm piped.debug && "
			"mkfifo piped.debug"));
	look_up(&lookup, "piped", address_of("whole", "here_outer"));
	assert_string_equal(lookup.found[0].function, "");
	lookup_release(&lookup);
}

/* Where the debug file of this process's own build id belongs. */
static void build_id_path(char path[128])
{
	snprintf(path, 128, "/usr/lib/debug/.build-id/c1/a551f1%08x.debug", getpid());
}

static int remove_debug_file(void **state)
{
	char path[128];

	(void)state;
	build_id_path(path);
	unlink(path);
	for (char *slash = strrchr(path, '/'); slash != path; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (rmdir(path) < 0)
			break;
	}
	return 0;
}

static void files_of_a_build_id_are_found(void **state)
{
	char path[128], options[128];

	(void)state;
	if (geteuid() != 0) {
		print_message("[ SKIPPED ] only root may write into /usr/lib/debug\n");
		skip();
	}
	build_id_path(path);
	snprintf(options, sizeof(options), "-g -O2 -Wl,--build-id=0xc1a551f1%08x", getpid());
	build_c("gcc", options, "whole");
	need("objcopy");
	assert_true(run("mkdir -p /usr/lib/debug/.build-id/c1 && "
			"objcopy --only-keep-debug whole %s && objcopy --strip-all whole stripped",
			path));
	assert_c_places("stripped", "whole");
}

static void assert_name(const char *program, uint64_t address, const char *name)
{
	struct lookup lookup;

	look_up(&lookup, program, address);

	assert_null(lookup.file.why);
	assert_int_equal(lookup.cnt, 1);
	assert_string_equal(lookup.found[0].function, name);
	assert_string_equal(lookup.found[0].file, "");
	assert_int_equal(lookup.found[0].line, 0);
	lookup_release(&lookup);
}

static void symbol_tables_name_functions(void **state)
{
	(void)state;
	build_c("gcc", "-O2", "plain");
	assert_name("plain", address_of("plain", "here_outer"), "outer");
	assert_name("plain", address_of("plain", "here_hidden"), "hidden");
	assert_name("plain", address_of("plain", "_start"), "_start");
	assert_name("plain", 0x10, "");
	assert_true(run("strip -o bare plain"));
	assert_name("bare", address_of("plain", "here_outer"), "");
	build_c("gcc", "-O2 -rdynamic", "exporting");
	assert_true(run("strip -o exported exporting"));
	assert_name("exported", address_of("exporting", "here_main"), "main");
}

/* As Fedora strips its files. */
static void symbols_of_mini_debug_information_are_read(void **state)
{
	(void)state;
	need("xz");
	need("objcopy");
	build_c("gcc", "-O2", "plain");
	assert_true(run("echo hidden > keep && objcopy --only-keep-debug plain mini && "
			"objcopy -S --keep-symbols=keep mini && rm -f mini.xz && xz mini && "
			"objcopy -S --add-section .gnu_debugdata=mini.xz plain fedora"));
	assert_name("fedora", address_of("plain", "here_hidden"), "hidden");
	assert_name("fedora", address_of("plain", "here_outer"), "");
}

static void well_known_names_win(void **state)
{
	static const char *const names[] = { "read",   "write", "malloc", "poll",
					     "select", "send",	"recv",	  "fork" };
	char libc[256] = "";
	FILE *found = popen("ldd /bin/sh | awk '/libc\\.so/ { print $3 }'", "r");

	(void)state;
	if (!found || fscanf(found, "%255s", libc) != 1)
		fail_msg("where is the C library?");
	pclose(found);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct lookup lookup;

		look_up(&lookup, libc, address_of(libc, names[i]) + 4);

		assert_string_equal(lookup.found[0].function, names[i]);
		lookup_release(&lookup);
	}
}

static void the_vdso_is_named(void **state)
{
	const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
	char path[256];
	FILE *file;
	struct lookup lookup;

	(void)state;
	if (!image) {
		print_message("[ SKIPPED ] this kernel maps no vdso\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/vdso", directory);
	file = fopen(path, "w");
	assert_int_equal(fwrite(image, 1, 4096, file), 4096); /* each has at least two pages */
	assert_int_equal(fwrite(image + 4096, 1, 4096, file), 4096);
	fclose(file);
	look_up(&lookup, path, address_of(path, "__vdso_clock_gettime"));
	assert_string_equal(lookup.found[0].function, "clock_gettime");
	lookup_release(&lookup);
}

static void assert_cpp_places(const char *compiler, const char *options)
{
	static const struct expected add[] = {
		{ "shop::Cart<int>::add", "in add", "add begins" },
		{ "shop::Cart<int>::fill", "fill calls add", "fill begins" },
		{ 0 },
	};
	struct lookup lookup;

	need(compiler);
	assert_true(run("%s %s " SOURCES "/marks.cc -o cpp && ./cpp", compiler, options));
	assert_place("cpp", "cpp", "here_add", "marks.cc", LANGUAGE_CPP, add);
	assert_place("cpp", "cpp", "here_fill", "marks.cc", LANGUAGE_CPP,
		     (struct expected[]){ { "shop::Cart<int>::fill", "in fill", "fill begins" },
					  { 0 } });
	assert_place("cpp", "cpp", "here_secret", "marks.cc", LANGUAGE_CPP,
		     (struct expected[]){ { "shop::(anonymous namespace)::secret", "in secret",
					    "secret begins" },
					  { 0 } });
	look_up(&lookup, "cpp", address_of("cpp", "here_lambda"));
	assert_int_equal(lookup.found[0].line, line_of("marks.cc", "in lambda"));
	assert_memory_equal(lookup.found[0].function, "main::", 6);
	assert_non_null(strstr(lookup.found[0].function, "::operator()"));
	lookup_release(&lookup);
}

static void functions_of_cpp_are_named(void **state)
{
	(void)state;
	assert_cpp_places("g++", "-g -O2");
	assert_cpp_places("g++", "-g -O0");
	assert_cpp_places("clang++", "-g -O2");
	assert_true(run("strip -g cpp"));
	assert_name("cpp", address_of("cpp", "here_fill"), "shop::Cart<int>::fill");
}

static void check_rust(const char *options)
{
	static const struct expected add[] = {
		{ "add", "in add", "add begins" },
		{ "fill", "fill calls add", "fill begins" },
		{ 0 },
	};
	struct lookup lookup;

	assert_true(run("rustc %s " SOURCES "/marks.rs -o rust && ./rust", options));
	look_up(&lookup, "rust", address_of("rust", "here_add"));
	assert_int_equal(lookup.cnt, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(lookup.found[i].line, line_of("marks.rs", add[i].line_mark));
		assert_int_equal(lookup.found[i].first_line,
				 line_of("marks.rs", add[i].first_mark));
		assert_int_equal(lookup.found[i].language, LANGUAGE_RUST);
	}
	assert_string_equal(lookup.found[0].function, "<marks::shop::Cart>::add");
	assert_string_equal(lookup.found[1].function, "<marks::shop::Cart>::fill");
	lookup_release(&lookup);
}

static void functions_of_rust_are_named(void **state)
{
	(void)state;
	need("rustc");
	check_rust("-g -C opt-level=2 -C symbol-mangling-version=v0");
	check_rust("-g -C symbol-mangling-version=v0");
}

static void functions_of_go_are_named(void **state)
{
	(void)state;
	need("go");
	assert_true(run("GOCACHE=%s/cache GOFLAGS=-mod=mod go build -o go " SOURCES
			"/marks.go && ./go",
			directory));
	assert_place("go", "go", "main.hot", "marks.go", LANGUAGE_GO,
		     (struct expected[]){ { "main.hot", "in hot", NULL }, { 0 } });
	assert_true(run("strip -o bare go"));
	assert_place("bare", "go", "main.hot", "marks.go", LANGUAGE_GO,
		     (struct expected[]){ { "main.hot", "in hot", NULL }, { 0 } });
	assert_place("go", "go", "main.(*Cart).Fill", "marks.go", LANGUAGE_GO,
		     (struct expected[]){ { "main.(*Cart).Fill", "fill begins", NULL }, { 0 } });
}

static void what_is_no_elf_file_is_told(void **state)
{
	struct lookup lookup;

	(void)state;
	assert_true(run("echo nothing > text"));
	look_up(&lookup, "text", 0x1000);
	assert_non_null(lookup.file.why);
	assert_string_equal(lookup.found[0].function, "");
	lookup_release(&lookup);
	look_up(&lookup, "is-not-there", 0x1000);
	assert_non_null(lookup.file.why);
	lookup_release(&lookup);
}

static int make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	(void)state;
	return run("chmod -R u+w . && rm -rf %s", directory) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gcc_debug_information_is_read),
		cmocka_unit_test(clang_debug_information_is_read),
		cmocka_unit_test(the_outermost_function_is_kept),
		cmocka_unit_test(compressed_debug_information_is_read),
		cmocka_unit_test(split_debug_information_is_read),
		cmocka_unit_test(lost_split_files_leave_lines),
		cmocka_unit_test(files_that_debug_links_name_are_found),
		cmocka_unit_test(pipes_that_debug_links_name_are_left_alone),
		cmocka_unit_test_teardown(files_of_a_build_id_are_found, remove_debug_file),
		cmocka_unit_test(symbol_tables_name_functions),
		cmocka_unit_test(symbols_of_mini_debug_information_are_read),
		cmocka_unit_test(well_known_names_win),
		cmocka_unit_test(the_vdso_is_named),
		cmocka_unit_test(functions_of_cpp_are_named),
		cmocka_unit_test(functions_of_rust_are_named),
		cmocka_unit_test(functions_of_go_are_named),
		cmocka_unit_test(what_is_no_elf_file_is_told),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
