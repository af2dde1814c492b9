/* classify: tells whether a program waits or computes. The entry: options, and what they ask for.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "options.h"
#include "output.h"
#include "render/render.h"
#include "run.h"
#include "verify.h"

/* Started with a standard descriptor closed, a file of ours would take its number. What is put
 * there closes at exec, so that the command finds it closed as we did. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int print_schema(const struct options *options)
{
	struct output output;
	int error = output_prepare(&output, options->output_path, STDOUT_FILENO);

	if (!error) {
		FILE *out = output_begin(&output);

		error = out ? render_json_schema(out) : -errno;
		if (!error)
			error = output_commit(&output);
	}
	if (error)
		output_explain(&output, options->output_path, -error);
	output_release(&output);
	return error ? EXIT_CLASSIFY_FAILED : EXIT_SUCCESS;
}

static int check_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_SUCCESS;
	output_explain(NULL, "stdout", errno);
	return EXIT_CLASSIFY_FAILED;
}

int main(int argc, char **argv)
{
	struct options options;
	char why[REASON_SIZE];

	fill_standard_descriptors();
	/* Characters only: numbers keep their decimal point in JSON and on the command line. */
	setlocale(LC_CTYPE, "");
	/* A command of that name is run by "classify -- verify". */
	if (argc > 1 && !strcmp(argv[1], "verify"))
		return verify_main(argc - 1, argv + 1);
	if (options_parse(&options, argc, argv, why, sizeof(why))) {
		say("%s", why);
		return EXIT_CLASSIFY_FAILED;
	}
	switch (options.mode) {
	case RUN_WRAP:
		return run_wrap(&options);
	case RUN_ATTACH:
		return run_attach(&options);
	case RUN_CGROUP:
		return run_cgroup(&options);
	case RUN_REPLAY:
		return run_replay(&options);
	case RUN_JSON_SCHEMA:
		return print_schema(&options);
	case RUN_VERSION:
		puts("classify " CLASSIFY_VERSION);
		return check_stdout();
	case RUN_HELP:
		options_print_help(stdout);
		return check_stdout();
	}
	return EXIT_CLASSIFY_FAILED;
}
