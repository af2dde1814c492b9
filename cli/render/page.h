/*
 * A page: text laid out in columns for a terminal. Everything printed through it is escaped, so
 * strings of the target can go in as they are; only page_color() emits control sequences.
 */
#ifndef CLASSIFY_PAGE_H
#define CLASSIFY_PAGE_H

#include <stdint.h>
#include <stdio.h>
#include "render/render.h"

enum page_color {
	COLOR_NONE,
	COLOR_BOLD,
	COLOR_DIM,
	COLOR_RED,
	COLOR_GREEN,
	COLOR_YELLOW,
	COLOR_BLUE,
	COLOR_MAGENTA,
	COLOR_CYAN,
};

/* Where the text to the right of labels begins, and where the shares of a list end. */
enum { PAGE_MARGIN = 2, PAGE_TEXT_COLUMN = 13, PAGE_SHARE_COLUMN_END = PAGE_MARGIN + 6 };

struct page {
	FILE *out;
	const struct text_style *style;
	int width;
	int column; /* where the next character goes */
	int indent; /* of the paragraph's further lines */
};

void page_init(struct page *page, const struct text_style *style, FILE *out);

/* Later text is in @color, until the next call. */
void page_color(struct page *page, enum page_color color);

/* Prints @text as it is, on this line. */
void page_put(struct page *page, const char *text);

/* The same within @max_columns: a longer text loses its middle. */
void page_put_fit(struct page *page, const char *text, int max_columns);

/* Widens a column of @columns so that @text fits, up to @most. */
void page_widen(const struct page *page, int *columns, const char *text, int most);

/* Moves right to @column, by one blank at least when the line is there already. */
void page_tab(struct page *page, int column);
void page_newline(struct page *page);

/* Begins a paragraph at the margin, or one with @label in the margin and its text beside it. */
void page_paragraph(struct page *page);
void page_label(struct page *page, enum page_color color, const char *label);

/* Continues the paragraph, after a blank, breaking lines between words. */
void page_say(struct page *page, const char *text);

/* The same, from a format (256 bytes at most: for our own words and numbers). */
__attribute__((format(printf, 2, 3))) void page_sayf(struct page *page, const char *format, ...);

/* A bar of @columns columns of which @share (0..1) is filled; a share above 0 shows. */
void page_bar(struct page *page, double share, int columns);

#endif
