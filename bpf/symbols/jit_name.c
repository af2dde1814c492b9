/* Names of compiled code; see jit_name.h. */
#include "symbols/jit_name.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void copy(char *to, size_t size, const char *text, size_t len)
{
	len = strnlen(text, len < size ? len : size - 1);
	memcpy(to, text, len);
	to[len] = '\0';
}

/* The text after @prefix, or NULL if @raw doesn't begin with it. */
static const char *after(const char *raw, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(raw, prefix, len) ? NULL : raw + len;
}

/* What follows the kind of a function of a script in V8's names; NULL if it is none. */
static const char *after_script_kind(const char *raw)
{
	static const char *const kinds[] = { "JS:",	"LazyCompile:", "Function:",
					     "Script:", "Eval:",	"InterpretedFunction:" };
	const char *rest = NULL;

	for (size_t i = 0; !rest && i < sizeof(kinds) / sizeof(*kinds); i++)
		rest = after(raw, kinds[i]);
	if (rest && *rest && strchr("*~^+", *rest))
		rest++;
	return rest;
}

/* The end of @text without ":12" at its end, of which @number is set to 12. */
static size_t cut_number(const char *text, size_t len, uint32_t *number)
{
	size_t digits = 0;

	while (digits < len && digits < 9 && isdigit((unsigned char)text[len - 1 - digits]))
		digits++;
	if (!digits || digits == len || text[len - 1 - digits] != ':')
		return len;
	*number = (uint32_t)strtoul(text + len - digits, NULL, 10);
	return len - digits - 1;
}

/* /app/x.js:12:3, of a line and a column; older ones have only the line. */
static void read_place(struct jit_name *name, const char *place)
{
	size_t len = strlen(place), line_len;
	uint32_t last = 0, line = 0;
	const char *path = after(place, "file://");

	len = cut_number(place, len, &last);
	line_len = cut_number(place, len, &line);
	name->line = line ? line : last;
	if (path && line_len > (size_t)(path - place))
		copy(name->file, sizeof(name->file), path, line_len - (path - place));
	else
		copy(name->file, sizeof(name->file), place, line_len);
}

/* The space before the file. Functions and files both may have spaces in their names ("get size").
 */
static const char *file_space(const char *text)
{
	static const char *const starts[] = { " /", " file:", " node:", " http:", " https:" };
	const char *found = NULL;

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		const char *at = strstr(text, starts[i]);

		if (at && (!found || at < found))
			found = at;
	}
	return found ? found : strrchr(text, ' ');
}

static void read_script(struct jit_name *name, const char *text)
{
	const char *space = file_space(text);

	copy(name->function, sizeof(name->function), text,
	     space ? (size_t)(space - text) : strlen(text));
	if (space)
		read_place(name, space + 1);
	if (!*name->function)
		strcpy(name->function, "(anonymous)");
}

/* py::hot:/app/x.py */
static void read_python(struct jit_name *name, const char *text)
{
	const char *colon = strchr(text, ':');

	copy(name->function, sizeof(name->function), text,
	     colon ? (size_t)(colon - text) : strlen(text));
	if (colon)
		copy(name->file, sizeof(name->file), colon + 1, strlen(colon + 1));
}

/* Lcom/foo/Bar;::baz and com/foo/Bar::baz */
static bool read_class(struct jit_name *name, const char *raw)
{
	const char *end = strstr(raw, "::");
	bool is_signature = end && *raw == 'L' && end > raw + 1 && end[-1] == ';';
	size_t len = 0;

	if (!end || (!is_signature && !memchr(raw, '/', end - raw)))
		return false;
	for (const char *at = raw + is_signature; at < end - is_signature; at++)
		if (len < sizeof(name->function) - 2)
			name->function[len++] = *at == '/' ? '.' : *at;
	name->function[len++] = '.';
	copy(name->function + len, sizeof(name->function) - len, end + 2, strcspn(end + 2, "("));
	return true;
}

/* void com.foo.Bar.baz(int), of JVMs and .NET */
static bool read_signature(struct jit_name *name, const char *raw)
{
	const char *bracket = strchr(raw, '('), *start = raw;

	if (!bracket || bracket == raw)
		return false;
	for (const char *at = raw; at < bracket; at++)
		if (*at == ' ' && at + 1 < bracket)
			start = at + 1;
	copy(name->function, sizeof(name->function), start, bracket - start);
	return true;
}

void jit_name_read(const char *raw, struct jit_name *name)
{
	const char *script = after_script_kind(raw), *python = after(raw, "py::");

	*name = (struct jit_name){ 0 };
	if (script)
		read_script(name, script);
	else if (python)
		read_python(name, python);
	else if (!strchr("JL", *raw) && strstr(raw, ":") && !strstr(raw, "::"))
		copy(name->function, sizeof(name->function), raw, strlen(raw)); /* Builtin:Add */
	else if (!read_class(name, raw) && !read_signature(name, raw))
		copy(name->function, sizeof(name->function), raw, strlen(raw));
}
