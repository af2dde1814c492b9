/* Columns, paragraphs, bars and colours. */
#include "render/page.h"

#include <stdarg.h>
#include <string.h>

#include "render/escape.h"

/* Longer lines are hard to read, shorter ones have no room for a table. */
enum { DEFAULT_WIDTH = 80, MIN_WIDTH = 48, MAX_WIDTH = 100 };

void page_init(struct page *page, const struct text_style *style, FILE *out)
{
	int width = style->width > 0 ? style->width : DEFAULT_WIDTH;

	*page = (struct page){
		.out = out,
		.style = style,
		.width = width < MIN_WIDTH   ? MIN_WIDTH
			 : width > MAX_WIDTH ? MAX_WIDTH
					     : width,
	};
}

void page_color(struct page *page, enum page_color color)
{
	static const char *const codes[] = {
		[COLOR_NONE] = "0",   [COLOR_BOLD] = "1",     [COLOR_DIM] = "2",
		[COLOR_RED] = "1;31", [COLOR_GREEN] = "1;32", [COLOR_YELLOW] = "1;33",
		[COLOR_BLUE] = "34",  [COLOR_MAGENTA] = "35", [COLOR_CYAN] = "36",
	};

	if (page->style->use_color)
		fprintf(page->out, "\033[%sm", codes[color]);
}

static void put_glyph(struct page *page, const struct glyph *glyph)
{
	fputs(glyph->bytes, page->out);
	page->column += glyph->columns;
}

static void put_blanks(struct page *page, int cnt)
{
	for (int i = 0; i < cnt; i++)
		fputc(' ', page->out);
	page->column += cnt > 0 ? cnt : 0;
}

void page_put(struct page *page, const char *text)
{
	struct glyph glyph;

	while (escape_next(&text, !page->style->use_unicode, &glyph))
		put_glyph(page, &glyph);
}

void page_put_fit(struct page *page, const char *text, int max_columns)
{
	bool ascii_only = !page->style->use_unicode;
	const char *ellipsis = ascii_only ? "..." : "…";
	int columns = escape_columns(text, ascii_only);
	int room = max_columns - escape_columns(ellipsis, ascii_only);
	int head = room - room / 2;
	struct glyph glyph;
	int used = 0;

	if (columns <= max_columns) {
		page_put(page, text);
		return;
	}
	while (escape_next(&text, ascii_only, &glyph) && used + glyph.columns <= head) {
		put_glyph(page, &glyph);
		used += glyph.columns;
		columns -= glyph.columns;
	}
	page_put(page, ellipsis);
	/* The glyph that didn't fit is gone; skip on until what is left does. */
	columns -= glyph.columns;
	while (columns > room - used && escape_next(&text, ascii_only, &glyph))
		columns -= glyph.columns;
	page_put(page, text);
}

void page_widen(const struct page *page, int *columns, const char *text, int most)
{
	int own = escape_columns(text, !page->style->use_unicode);

	own = own < most ? own : most;
	*columns = own > *columns ? own : *columns;
}

void page_tab(struct page *page, int column)
{
	put_blanks(page, column > page->column ? column - page->column : 1);
}

void page_newline(struct page *page)
{
	fputc('\n', page->out);
	page->column = 0;
}

void page_paragraph(struct page *page)
{
	put_blanks(page, PAGE_MARGIN);
	page->indent = PAGE_MARGIN;
}

void page_label(struct page *page, enum page_color color, const char *label)
{
	page_paragraph(page);
	page_color(page, color);
	page_put(page, label);
	page_color(page, COLOR_NONE);
	page_tab(page, PAGE_TEXT_COLUMN);
	page->indent = PAGE_TEXT_COLUMN;
}

/* Columns up to the next blank or the end. */
static int word_columns(const char *text, bool ascii_only)
{
	struct glyph glyph;
	int columns = 0;

	while (*text && *text != ' ' && escape_next(&text, ascii_only, &glyph))
		columns += glyph.columns;
	return columns;
}

static void break_line(struct page *page)
{
	page_newline(page);
	put_blanks(page, page->indent);
}

/* Prints the word that @text begins with and returns what follows it. A word longer than the line
 * goes on in the next one. */
static const char *say_word(struct page *page, const char *text)
{
	bool ascii_only = !page->style->use_unicode;
	struct glyph glyph;

	if (page->column > page->indent) {
		if (page->column + 1 + word_columns(text, ascii_only) > page->width)
			break_line(page);
		else
			put_blanks(page, 1);
	}
	while (*text && *text != ' ' && escape_next(&text, ascii_only, &glyph)) {
		if (page->column + glyph.columns > page->width)
			break_line(page);
		put_glyph(page, &glyph);
	}
	return text;
}

void page_say(struct page *page, const char *text)
{
	while (*(text += strspn(text, " ")))
		text = say_word(page, text);
}

void page_sayf(struct page *page, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	page_say(page, text);
}

void page_bar(struct page *page, double share, int columns)
{
	static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	int steps_per_column = page->style->use_unicode ? 8 : 1;
	int steps = (int)(share * columns * steps_per_column + 0.5);
	int end = page->column + columns;

	if (steps == 0 && share > 0)
		steps = 1;
	if (steps > columns * steps_per_column)
		steps = columns * steps_per_column;
	for (int i = 0; i < steps / steps_per_column; i++)
		page_put(page, page->style->use_unicode ? "█" : "#");
	page_put(page, eighths[steps % steps_per_column]);
	put_blanks(page, end - page->column);
}
