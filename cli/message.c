/* One line on stderr. Names of files and processes are in it, so all of it is escaped. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "message.h"
#include "render/render.h"
#include "write_all.h"

/* The line is made in memory, since stdio drops what a non-blocking stderr does not take at once.
 */
void say(const char *format, ...)
{
	char text[2 * REASON_SIZE];
	char *line;
	size_t size;
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);

	FILE *out = open_memstream(&line, &size);

	if (!out)
		return;
	fputs("classify: ", out);
	render_escaped(text, out);
	fputc('\n', out);
	if (!fclose(out))
		write_all(STDERR_FILENO, line, size);
	free(line);
}
