/* One line on stderr. Names of files and processes are in it, so all of it is escaped. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "message.h"
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

void say_progress(const char *format, ...)
{
	char text[REASON_SIZE];
	va_list values;
	int columns;

	va_start(values, format);
	columns = vsnprintf(text, sizeof(text), format, values);
	va_end(values);
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
