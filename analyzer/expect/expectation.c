/* Reading expectations: each has to name something that a report can have. */
#include "expect/expectation.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decide/findings.h"

/* A piece of the text. */
struct piece {
	const char *text;
	size_t len;
};

struct parse {
	struct piece whole;
	char *why;
	size_t why_size;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct parse *parse,
							const char *format, ...)
{
	va_list values;
	int len = snprintf(parse->why, parse->why_size, "--expect '%.*s': ", (int)parse->whole.len,
			   parse->whole.text);

	va_start(values, format);
	if (len >= 0 && (size_t)len < parse->why_size)
		vsnprintf(parse->why + len, parse->why_size - (size_t)len, format, values);
	va_end(values);
	return -EINVAL;
}

static bool is_named(struct piece piece, const char *name)
{
	return strlen(name) == piece.len && !memcmp(piece.text, name, piece.len);
}

static double cpu(const struct report *report)
{
	return report->ratios.cpu;
}

static double waiting(const struct report *report)
{
	return report->ratios.wait;
}

static double run_queue(const struct report *report)
{
	return report->ratios.run_queue;
}

static double wait_to_compute(const struct report *report)
{
	double ratio = report->ratios.wait_to_compute;

	if (ratio >= 0)
		return ratio;
	return report->ratios.wait > 0 ? INFINITY : NAN;
}

static double confidence(const struct report *report)
{
	return report->verdict.confidence;
}

static double parallelism(const struct report *report)
{
	return report->program_time.parallelism;
}

static double known(double value)
{
	return value < 0 ? NAN : value;
}

static double in_flight_mean(const struct report *report)
{
	return known(report->concurrency.in_flight_mean);
}

static double in_flight_peak(const struct report *report)
{
	return known(report->concurrency.in_flight_peak);
}

/* What never waited for work was busy all the time. */
static double utilisation(const struct report *report)
{
	return report->verdict.utilisation < 0 ? 1 : report->verdict.utilisation;
}

static const struct expected_number numbers[] = {
	{ "cpu", true, cpu },
	{ "wait", true, waiting },
	{ "run_queue", true, run_queue },
	{ "wait_to_compute", false, wait_to_compute },
	{ "confidence", true, confidence },
	{ "parallelism", false, parallelism },
	{ "in_flight_mean", false, in_flight_mean },
	{ "in_flight_peak", false, in_flight_peak },
	{ "utilisation", true, utilisation },
};

#define NUMBER_CNT (sizeof(numbers) / sizeof(numbers[0]))

static const struct expected_number *find_number(struct piece name)
{
	for (size_t i = 0; i < NUMBER_CNT; i++)
		if (is_named(name, numbers[i].name))
			return &numbers[i];
	return NULL;
}

static bool find_class(struct piece name, enum verdict_class *verdict_class)
{
	for (int i = 0; i < CLASS_CNT; i++) {
		if (is_named(name, verdict_class_name(i))) {
			*verdict_class = i;
			return true;
		}
	}
	return false;
}

/* Appends "first, second, ..." to @text. */
static void list_name(char *text, size_t size, const char *name)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s", len ? ", " : "", name);
}

static int refuse_name(const struct parse *parse)
{
	char classes[160] = "", names[160] = "";

	for (int i = 0; i < CLASS_CNT; i++)
		list_name(classes, sizeof(classes), verdict_class_name(i));
	for (size_t i = 0; i < NUMBER_CNT; i++)
		list_name(names, sizeof(names), numbers[i].name);
	if (find_number(parse->whole))
		return refuse(parse,
			      "a number needs its bound (as in --expect '%.*s>=0.6', in quotes, "
			      "or the shell takes the > for itself)",
			      (int)parse->whole.len, parse->whole.text);
	return refuse(parse,
		      "no such thing in a report (a class: %s; a number with its bound, as in "
		      "'wait>=0.6': %s; finding=ID, no-finding=ID)",
		      classes, names);
}

static int refuse_subclass(const struct parse *parse, enum verdict_class verdict_class)
{
	const char *const *names = verdict_subclass_names(verdict_class);
	char list[160] = "";

	for (; *names; names++)
		list_name(list, sizeof(list), *names);
	if (!list[0])
		return refuse(parse, "%s has no subclasses (leave it out)",
			      verdict_class_name(verdict_class));
	return refuse(parse, "no such subclass (%s has: %s)", verdict_class_name(verdict_class),
		      list);
}

static int read_class(const struct parse *parse, struct expectation *expectation)
{
	const char *slash = memchr(parse->whole.text, '/', parse->whole.len);
	struct piece name = parse->whole, subclass = { 0 };

	if (slash) {
		name.len = (size_t)(slash - name.text);
		subclass = (struct piece){ slash + 1, parse->whole.len - name.len - 1 };
	}
	expectation->kind = EXPECT_CLASS;
	if (!find_class(name, &expectation->verdict_class))
		return refuse_name(parse);
	if (!slash)
		return 0;
	for (const char *const *names = verdict_subclass_names(expectation->verdict_class); *names;
	     names++)
		if (is_named(subclass, *names))
			expectation->subclass = *names;
	return expectation->subclass ? 0 : refuse_subclass(parse, expectation->verdict_class);
}

/* Takes a plain decimal number, and nothing after it. */
static bool read_decimal(struct piece piece, double *value)
{
	char digits[32];

	if (!piece.len || piece.len >= sizeof(digits))
		return false;
	memcpy(digits, piece.text, piece.len);
	digits[piece.len] = '\0';
	if (strspn(digits, "0123456789.") != piece.len)
		return false;

	char *end;

	*value = strtod(digits, &end);
	return !*end && end != digits;
}

/* @name_len: where the comparison begins. */
static int read_bound(const struct parse *parse, size_t name_len, struct expectation *expectation)
{
	const char *sign = parse->whole.text + name_len;
	bool or_equal = name_len + 1 < parse->whole.len && sign[1] == '=';
	const char *digits = sign + (or_equal ? 2 : 1);
	struct piece name = { parse->whole.text, name_len };
	struct piece value = { digits, (size_t)(parse->whole.text + parse->whole.len - digits) };

	expectation->kind = EXPECT_NUMBER;
	expectation->number = find_number(name);
	if (!expectation->number)
		return refuse_name(parse);
	if (*sign == '<')
		expectation->comparison = or_equal ? LESS_OR_EQUAL : LESS;
	else
		expectation->comparison = or_equal ? GREATER_OR_EQUAL : GREATER;
	if (!read_decimal(value, &expectation->bound))
		return refuse(parse, "the bound is not a number (as in '%.*s>=0.6')", (int)name.len,
			      name.text);
	if (expectation->number->is_share && expectation->bound > 1)
		return refuse(parse, "%s lies between 0 and 1 (0.6 is 60%%)",
			      expectation->number->name);
	return 0;
}

static int refuse_finding(const struct parse *parse)
{
	char list[640] = "";

	for (size_t i = 0; findings_id(i); i++)
		list_name(list, sizeof(list), findings_id(i));
	return refuse(parse, "no such finding (%s; or a severity: high, warning, info)", list);
}

static int read_finding(const struct parse *parse, size_t prefix_len,
			struct expectation *expectation)
{
	struct piece id = { parse->whole.text + prefix_len, parse->whole.len - prefix_len };

	expectation->kind = EXPECT_FINDING;
	for (int i = 0; i < SEVERITY_CNT; i++) {
		if (is_named(id, finding_severity_name(i))) {
			expectation->severity = i;
			return 0;
		}
	}
	for (size_t i = 0; findings_id(i); i++)
		if (is_named(id, findings_id(i)))
			expectation->finding_id = findings_id(i);
	return expectation->finding_id ? 0 : refuse_finding(parse);
}

static bool begins_with(struct piece piece, const char *prefix)
{
	return piece.len >= strlen(prefix) && !memcmp(piece.text, prefix, strlen(prefix));
}

static int read_one(const struct parse *parse, struct expectation *expectation)
{
	static const char present[] = "finding=", absent[] = "no-finding=";
	size_t name_len = 0;

	*expectation = (struct expectation){ .text = parse->whole.text, .len = parse->whole.len };
	if (begins_with(parse->whole, present))
		return read_finding(parse, strlen(present), expectation);
	if (begins_with(parse->whole, absent)) {
		expectation->is_absence = true;
		return read_finding(parse, strlen(absent), expectation);
	}
	while (name_len < parse->whole.len && parse->whole.text[name_len] != '<' &&
	       parse->whole.text[name_len] != '>')
		name_len++;
	if (name_len < parse->whole.len)
		return read_bound(parse, name_len, expectation);
	return read_class(parse, expectation);
}

int expectations_add(struct expectations *expectations, const char *text, char *why,
		     size_t why_size)
{
	struct parse parse = { .why = why, .why_size = why_size };

	for (;; text++) {
		int error;

		parse.whole = (struct piece){ text, strcspn(text, ",") };
		if (expectations->cnt == EXPECTATION_MAX)
			return refuse(&parse, "too many expectations (at most %d)",
				      EXPECTATION_MAX);
		error = read_one(&parse, &expectations->list[expectations->cnt]);
		if (error)
			return error;
		expectations->cnt++;
		text += parse.whole.len;
		if (!*text)
			return 0;
	}
}
