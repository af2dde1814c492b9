/* The course of a verification: runs and reports in, comparison out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "output.h"
#include "render/render.h"
#include "style.h"
#include "verification/verification.h"
#include "verify.h"
#include "verify_options.h"
#include "verify_run.h"

/* The runs of both programs; room for the most that can be asked for. */
struct collection {
	struct run_facts before[VERIFIED_RUN_MAX], after[VERIFIED_RUN_MAX];
	size_t before_cnt, after_cnt;
};

static int read_report(const char *path, struct run_facts *facts)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	char why[REASON_SIZE];

	if (!in) {
		say("cannot read %s: %s (check its path and permissions)", path, strerror(errno));
		return EXIT_CLASSIFY_FAILED;
	}
	int error = run_facts_read(facts, in, why, sizeof(why));

	if (error)
		say("cannot take %s for a report: %s (was it written by 'classify --json'?)", path,
		    why);
	if (!is_stdin)
		fclose(in);
	return error ? EXIT_CLASSIFY_FAILED : 0;
}

static bool tells_progress(const struct verify_options *options)
{
	return !options->is_quiet && (options->is_verbose || isatty(STDERR_FILENO));
}

static int run_once(const struct verify_options *options, const struct verify_side *side,
		    const char *when, struct run_facts *facts, size_t *cnt)
{
	if (side->report_path)
		return 0;
	int code = verify_run(options, side, &facts[(*cnt)++]);

	if (!code && tells_progress(options))
		say("%s, run %zu of %u: %.3f s", when, *cnt, options->run_cnt,
		    (double)facts[*cnt - 1].wall_ns / 1e9);
	return code;
}

/* In turns, so that what changes on the machine meanwhile meets both. */
static int collect(const struct verify_options *options, struct collection *all)
{
	int code = 0;

	if (options->before.report_path)
		code = read_report(options->before.report_path, &all->before[all->before_cnt++]);
	if (!code && options->after.report_path)
		code = read_report(options->after.report_path, &all->after[all->after_cnt++]);
	for (uint32_t i = 0; i < options->run_cnt && !code; i++) {
		code = run_once(options, &options->before, "before", all->before, &all->before_cnt);
		if (!code)
			code = run_once(options, &options->after, "after", all->after,
					&all->after_cnt);
	}
	return code;
}

static int render(const struct verification *result, const struct verify_options *options, int fd,
		  FILE *out)
{
	if (options->format == FORMAT_JSON)
		return render_verification_json(result, out);

	const struct text_style style = style_choose(options->color, options->is_verbose, fd);

	return render_verification_text(result, &style, out);
}

static int write_result(struct output *output, const struct verify_options *options,
			const struct verification *result)
{
	FILE *out = output_begin(output);
	int error = out ? render(result, options, output->fd, out) : -errno;

	if (!error)
		error = output_commit(output);
	if (error)
		output_explain(output, options->output_path, -error);
	return error;
}

static int compare(const struct verify_options *options, const struct collection *all,
		   struct output *output)
{
	const struct verification_request request = {
		.before = all->before,
		.after = all->after,
		.before_cnt = all->before_cnt,
		.after_cnt = all->after_cnt,
		.is_as_advised = options->is_as_advised,
		.is_same_work = options->is_same_work,
	};
	struct verification result;
	int error = verification_make(&request, &result);
	int code = EXIT_CLASSIFY_FAILED;

	if (error)
		say("cannot compare: %s (free some memory)", strerror(-error));
	else if (!write_result(output, options, &result))
		code = result.is_success ? EXIT_SUCCESS : EXIT_NOT_AS_EXPECTED;
	verification_release(&result);
	return code;
}

static void release(struct collection *all)
{
	for (size_t i = 0; i < all->before_cnt; i++)
		run_facts_release(&all->before[i]);
	for (size_t i = 0; i < all->after_cnt; i++)
		run_facts_release(&all->after[i]);
	free(all);
}

static int collect_and_compare(const struct verify_options *options, struct output *output)
{
	struct collection *all = calloc(1, sizeof(*all));

	if (!all) {
		say("out of memory (free some)");
		return EXIT_CLASSIFY_FAILED;
	}
	int code = collect(options, all);

	if (!code)
		code = compare(options, all, output);
	release(all);
	return code;
}

static int print_schema(struct output *output, const struct verify_options *options)
{
	FILE *out = output_begin(output);
	int error = out ? render_verification_schema(out) : -errno;

	if (!error)
		error = output_commit(output);
	if (error)
		output_explain(output, options->output_path, -error);
	return error ? EXIT_CLASSIFY_FAILED : EXIT_SUCCESS;
}

static int print_help(void)
{
	verify_options_print_help(stdout);
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_SUCCESS;
	output_explain(NULL, "stdout", errno);
	return EXIT_CLASSIFY_FAILED;
}

int verify_main(int argc, char **argv)
{
	struct verify_options options;
	struct output output;
	char why[REASON_SIZE];
	int code = EXIT_CLASSIFY_FAILED;

	if (verify_options_parse(&options, argc, argv, why, sizeof(why))) {
		say("%s", why);
		return code;
	}
	if (options.mode == VERIFY_HELP)
		return print_help();
	/* Proved writable before anything runs. */
	int error = output_prepare(&output, options.output_path, STDOUT_FILENO);

	if (error)
		output_explain(&output, options.output_path, -error);
	else if (options.mode == VERIFY_JSON_SCHEMA)
		code = print_schema(&output, &options);
	else
		code = collect_and_compare(&options, &output);
	output_release(&output);
	return code;
}
