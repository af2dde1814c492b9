/*
 * Tables of options: one row gives an option, its help and how its value is read. argp walks the
 * words and formats the help; the messages are ours, because argp's take two lines and name no
 * remedy.
 */
#ifndef CLASSIFY_OPTION_TABLE_H
#define CLASSIFY_OPTION_TABLE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How a value is read, and the type of the field that it goes to. */
enum value_type {
	VALUE_HEADING,
	VALUE_TRUE,	/* bool */
	VALUE_CONSTANT, /* enum or int */
	VALUE_TEXT,	/* const char *, into argv */
	VALUE_COUNT,	/* uint32_t or pid_t, from 1 on */
	VALUE_RATE,	/* uint32_t, from 0 to FREQUENCY_MAX_HZ */
	VALUE_SECONDS,	/* uint64_t, nanoseconds */
	VALUE_CHOICE,	/* enum */
	VALUE_PARSED,	/* what the row's own parser wants */
};

#define FREQUENCY_MAX_HZ 1000

/* Reads @text into @field. Returns 0, or -EINVAL with one line of cause and remedy in @why. */
typedef int (*value_parser)(void *field, const char *text, char *why, size_t why_size);

struct option_row {
	struct argp_option option;
	enum value_type type;
	size_t offset;		    /* of the field in the struct of options */
	int constant;		    /* VALUE_CONSTANT: what the field becomes */
	const char *const *choices; /* VALUE_CHOICE: names in the order of the enum */
	const char *noun;	    /* VALUE_TEXT: what it names; NULL: a file */
	const char *hint;	    /* VALUE_COUNT: the remedy; NULL: an example */
	value_parser parse;	    /* VALUE_PARSED */
	const char *instead;	    /* the remedy when it is given twice; NULL: the last counts */
};

#define OPTION_HEADING(text, number)                      \
	{                                                 \
		.option = {.doc = text, .group = number } \
	}
#define OPTION_ROW(type_of_struct, long_name, letter, argument, help, value_type, field, ...) \
	{                                                                                     \
		.option = { .name = long_name, .key = letter, .arg = argument, .doc = help }, \
		.type = value_type, .offset = offsetof(type_of_struct, field), __VA_ARGS__    \
	}

struct option_table {
	const char *program;	       /* as the help calls it */
	const struct option_row *rows; /* at most OPTION_ROW_MAX */
	size_t row_cnt;
	const char *usage; /* lines without the program's name */
	const char *text;  /* above the options, and after a \v below them */
	/*
	 * Takes @words (NULL-terminated), of which the first is no option; @is_after_dashes: "--"
	 * came before. Returns how many it took, or -EINVAL with the line in @why.
	 */
	int (*take_words)(void *options, char **words, bool is_after_dashes, char *why,
			  size_t why_size);
};

enum { OPTION_ROW_MAX = 48 };

/* Reads @argv (unchanged; NULL-terminated) into @options. Returns 0, or -EINVAL with one line of
 * cause and remedy in @why. */
int option_table_parse(const struct option_table *table, void *options, int argc, char **argv,
		       char *why, size_t why_size);

/* Writes the text of --help to @out. */
void option_table_print_help(const struct option_table *table, FILE *out);

#endif
