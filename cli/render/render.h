/* Renderers: a report in the forms people and scripts read. They conclude nothing of their own. */
#ifndef CLASSIFY_RENDER_H
#define CLASSIFY_RENDER_H

#include <stdbool.h>
#include <stdio.h>

struct report;
struct verification;

struct text_style {
	bool use_color;	  /* SGR sequences; the caller decides (terminal, NO_COLOR) */
	bool use_unicode; /* bars and signs beyond ASCII; the caller decides (setlocale, codeset) */
	bool is_verbose;  /* all rows instead of the top ones */
	int width;	  /* columns; 0: 80 */
};

/* The verdict on one screen. Returns 0 or -EIO / -ENOMEM. */
int render_text(const struct report *report, const struct text_style *style, FILE *out);

/* "classify-report/1". Returns 0 or -EIO / -ENOMEM. */
int render_json(const struct report *report, FILE *out);

/*
 * The report's stacks for other tools (docs/exports.md): lines for flamegraph.pl, a JSON file for
 * speedscope, a gzip'd profile for pprof. A report without stacks makes an empty but valid one.
 * Return 0 or -EIO / -ENOMEM.
 */
int render_folded(const struct report *report, FILE *out);
int render_speedscope(const struct report *report, FILE *out);
int render_pprof(const struct report *report, FILE *out);

/* The JSON Schema of the report (docs/report.schema.json, embedded). Returns 0 or -EIO. */
int render_json_schema(FILE *out);

/* A verification in the same forms; its JSON is "classify-verification/1" (docs/verify.md). */
int render_verification_text(const struct verification *result, const struct text_style *style,
			     FILE *out);
int render_verification_json(const struct verification *result, FILE *out);
int render_verification_schema(FILE *out);

/* Writes @text to @out so that no byte of it can act on a terminal or break a line: control
 * characters, invalid UTF-8, line separators and bidirectional overrides appear as \xNN. */
void render_escaped(const char *text, FILE *out);

#endif
