/* Strings of the target, one printable piece at a time. */
#ifndef CLASSIFY_ESCAPE_H
#define CLASSIFY_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* What to print for one character of the input. */
struct glyph {
	char bytes[4 * sizeof("\\xNN")];
	int columns; /* 0 for a combining mark */
};

/*
 * Takes the next character from *@text and says in @glyph how to print it so that it can neither
 * act on a terminal nor break the line: as itself, or as the \xNN of each of its bytes (with
 * @ascii_only everything beyond ASCII). Returns false at the end. Columns are those of the current
 * locale, 1 where it knows none.
 */
bool escape_next(const char **text, bool ascii_only, struct glyph *glyph);

/* Columns that @text takes. */
int escape_columns(const char *text, bool ascii_only);

#endif
