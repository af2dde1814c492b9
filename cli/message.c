/* One line on stderr. Names of files and processes are in it, so all of it is escaped. */
#include <stdarg.h>
#include <stdio.h>

#include "message.h"
#include "render/render.h"

void say(const char *format, ...)
{
	char text[2 * REASON_SIZE];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	fputs("classify: ", stderr);
	render_escaped(text, stderr);
	fputc('\n', stderr);
}
