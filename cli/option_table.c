/* Reading words by a table of options. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "option_table.h"

#define NS_PER_S 1e9
/* Ten years: far from where nanoseconds overflow when added to a clock. */
#define DURATION_MAX_S (10.0 * 366 * 24 * 3600)

struct parse_state {
	const struct option_table *table;
	void *options;
	char *why;
	size_t why_size;
	int handled_until;	       /* index in argv after the last option that was understood */
	bool is_given[OPTION_ROW_MAX]; /* by the number of its row */
};

__attribute__((format(printf, 2, 3))) static int refuse(struct parse_state *parse,
							const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(parse->why, parse->why_size, format, values);
	va_end(values);
	return EINVAL;
}

static bool parse_count(const char *text, uint32_t *count)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);

	if (errno || *end || value == 0 || value > INT_MAX)
		return false;
	*count = (uint32_t)value;
	return true;
}

/* Zero is a rate too. More than the kernel allows is its to refuse. */
static bool parse_rate(const char *text, uint32_t *rate)
{
	if (!strcmp(text, "0")) {
		*rate = 0;
		return true;
	}
	return parse_count(text, rate) && *rate <= FREQUENCY_MAX_HZ;
}

static double suffix_seconds(const char *suffix)
{
	if (!*suffix || !strcmp(suffix, "s"))
		return 1;
	if (!strcmp(suffix, "m"))
		return 60;
	return strcmp(suffix, "h") ? NAN : 3600;
}

static bool parse_seconds(const char *text, uint64_t *duration_ns)
{
	size_t number_len = strspn(text, "0123456789.");
	char *end;
	double seconds = strtod(text, &end) * suffix_seconds(text + number_len);

	/* No sign, exponent or hexadecimal; the bounds are written so that NaN fails. */
	if (number_len == 0 || end != text + number_len ||
	    !(seconds >= 1 / NS_PER_S && seconds <= DURATION_MAX_S))
		return false;
	*duration_ns = (uint64_t)(seconds * NS_PER_S);
	return true;
}

static bool parse_choice(const char *text, const char *const *choices, int *value)
{
	for (int i = 0; choices[i]; i++) {
		if (!strcmp(text, choices[i])) {
			*value = i;
			return true;
		}
	}
	return false;
}

/* Notes that @row is given, with @text. Fails where once is all that makes sense. */
static int note_given(struct parse_state *parse, const struct option_row *row, const char *text)
{
	bool *is_given = &parse->is_given[row - parse->table->rows];

	if (*is_given && row->instead)
		return refuse(parse, "--%s is given twice, the second time as '%s' (%s)",
			      row->option.name, text, row->instead);
	*is_given = true;
	return 0;
}

/* The fields are of the types that the rows say; enums are as wide as an int. */
static int store_value(struct parse_state *parse, const struct option_row *row, char *text)
{
	void *field = (char *)parse->options + row->offset;

	switch (row->type) {
	case VALUE_HEADING:
		break;
	case VALUE_TRUE:
		*(bool *)field = true;
		break;
	case VALUE_CONSTANT:
		memcpy(field, &row->constant, sizeof(row->constant));
		break;
	case VALUE_TEXT:
		if (!*text)
			return refuse(parse, "the name given to --%s is empty (name a %s)",
				      row->option.name, row->noun ? row->noun : "file");
		memcpy(field, &text, sizeof(text));
		break;
	case VALUE_COUNT:
		if (!parse_count(text, field))
			return refuse(parse, "--%s is not a positive whole number: '%s' (%s)",
				      row->option.name, text,
				      row->hint ? row->hint : "for example 100");
		break;
	case VALUE_RATE:
		if (!parse_rate(text, field))
			return refuse(parse,
				      "--%s is not a whole number up to %d: '%s' (for example 99)",
				      row->option.name, FREQUENCY_MAX_HZ, text);
		break;
	case VALUE_PARSED:
		return -row->parse(field, text, parse->why, parse->why_size);
	case VALUE_SECONDS:
		if (!parse_seconds(text, field))
			return refuse(parse,
				      "--%s is not a duration: '%s' (for example 10, 0.5, 90s, 2m)",
				      row->option.name, text);
		break;
	case VALUE_CHOICE:
		if (!parse_choice(text, row->choices, field))
			return refuse(parse, "--%s cannot be '%s', only %s", row->option.name, text,
				      row->option.doc);
		break;
	}
	return 0;
}

static const struct option_row *find_row(const struct option_table *table, int key)
{
	for (size_t i = 0; i < table->row_cnt; i++) {
		if (table->rows[i].option.key == key && table->rows[i].option.name)
			return &table->rows[i];
	}
	return NULL;
}

/* Whether @word, which getopt did not like, is an option that lacks its value. */
static bool lacks_value(const struct option_table *table, const char *word)
{
	for (size_t i = 0; i < table->row_cnt; i++) {
		const struct argp_option *option = &table->rows[i].option;

		if (!option->arg)
			continue;
		if (!strncmp(word, "--", 2) ? !strcmp(word + 2, option->name)
					    : word[strlen(word) - 1] == option->key)
			return true;
	}
	return false;
}

/*
 * getopt rejected something and argp does not say what. Its index has moved past the culprit,
 * unless that is a letter inside a cluster such as -qZv: then it hasn't moved at all.
 */
static void explain_rejection(struct parse_state *parse, const struct argp_state *state)
{
	int culprit = state->next > parse->handled_until ? state->next - 1 : state->next;
	const char *word = state->argv[culprit];

	if (lacks_value(parse->table, word))
		refuse(parse, "option '%s' lacks its value (see '%s --help')", word,
		       parse->table->program);
	else
		refuse(parse, "unknown option '%s' (see '%s --help')", word, parse->table->program);
}

static error_t take_words(struct parse_state *parse, struct argp_state *state)
{
	bool is_after_dashes = state->quoted && state->next > state->quoted;
	int taken = parse->table->take_words(parse->options, &state->argv[state->next - 1],
					     is_after_dashes, parse->why, parse->why_size);

	if (taken < 0)
		return EINVAL;
	state->next += taken - 1;
	return 0;
}

static error_t parse_word(int key, char *text, struct argp_state *state)
{
	struct parse_state *parse = state->input;
	const struct option_row *row;

	switch (key) {
	case ARGP_KEY_ARG:
		return take_words(parse, state);
	case ARGP_KEY_ERROR:
		if (!parse->why[0])
			explain_rejection(parse, state);
		return 0;
	default:
		row = find_row(parse->table, key);
		if (!row)
			return ARGP_ERR_UNKNOWN;
		parse->handled_until = state->next;
		if (note_given(parse, row, text))
			return EINVAL;
		return store_value(parse, row, text);
	}
}

/* @options: room for OPTION_ROW_MAX and an end. */
static void build_argp(const struct option_table *table, struct argp *argp,
		       struct argp_option *options)
{
	size_t cnt = table->row_cnt < OPTION_ROW_MAX ? table->row_cnt : OPTION_ROW_MAX;

	for (size_t i = 0; i < cnt; i++)
		options[i] = table->rows[i].option;
	memset(&options[cnt], 0, sizeof(options[cnt]));
	*argp = (struct argp){ .options = options,
			       .parser = parse_word,
			       .args_doc = table->usage,
			       .doc = table->text };
}

int option_table_parse(const struct option_table *table, void *options, int argc, char **argv,
		       char *why, size_t why_size)
{
	struct parse_state parse = { .table = table,
				     .options = options,
				     .why = why,
				     .why_size = why_size,
				     .handled_until = 1 };
	struct argp_option argp_options[OPTION_ROW_MAX + 1];
	struct argp argp;

	why[0] = '\0';
	build_argp(table, &argp, argp_options);
	if (argp_parse(&argp, argc, argv,
		       ARGP_IN_ORDER | ARGP_NO_HELP | ARGP_NO_EXIT | ARGP_NO_ERRS, NULL, &parse))
		return -EINVAL;
	return 0;
}

void option_table_print_help(const struct option_table *table, FILE *out)
{
	struct argp_option argp_options[OPTION_ROW_MAX + 1];
	struct argp argp;
	char name[64];

	snprintf(name, sizeof(name), "%s", table->program);
	build_argp(table, &argp, argp_options);
	argp_help(&argp, out, ARGP_HELP_SHORT_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, name);
}
