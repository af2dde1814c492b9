/* One line on stderr. Names of files and processes are in it, so all of it is escaped. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "message.h"
#include "render/escape.h"
#include "render/render.h"
#include "write_all.h"

/* How much of the line that the cursor is in has to be overwritten. */
static int progress_columns;

/* Writes @before, the escaped text and @after at once: stdio drops what a non-blocking stderr does
 * not take. */
static void write_line(const char *before, const char *text, int pad, const char *after)
{
	char *line;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return;
	fputs(before, out);
	render_escaped(text, out);
	fprintf(out, "%*s%s", pad, "", after);
	if (!fclose(out))
		write_all(STDERR_FILENO, line, size);
	free(line);
}

void say(const char *format, ...)
{
	char text[2 * REASON_SIZE];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	erase_progress();
	write_line("classify: ", text, 0, "\n");
}

/* Room on the line besides the name; the last column would make some terminals wrap. */
static int room_for_progress(void)
{
	struct winsize size = { 0 };
	int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;

	return width - (int)sizeof("classify: ");
}

/* Cuts @text to @room columns; returns how many it takes. A line that wraps can't be erased. */
static int cut_to(char *text, int room)
{
	const char *rest = text, *end;
	struct glyph glyph;
	int columns = 0;

	while (end = rest, escape_next(&rest, false, &glyph)) {
		if (columns + glyph.columns > room)
			break;
		columns += glyph.columns;
	}
	text[end - text] = '\0';
	return columns;
}

void say_progress(const char *format, ...)
{
	char text[REASON_SIZE];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	int columns = cut_to(text, room_for_progress());

	write_line("\rclassify: ", text,
		   progress_columns > columns ? progress_columns - columns : 0, "");
	progress_columns = columns;
}

void erase_progress(void)
{
	static const char name[] = "classify: ";

	if (progress_columns)
		write_line("\r", "", progress_columns + (int)sizeof(name) - 1, "\r");
	progress_columns = 0;
}
