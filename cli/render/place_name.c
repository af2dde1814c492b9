/* See place_name.h. */
#include "render/place_name.h"

#include <string.h>

#include "render/page.h"
#include "report.h"

const char *place_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static const char *path_of(const struct report_frame *place)
{
	return place->file[0] ? place->file : place->module;
}

/* Whether the name of @path tells which file it is, of those that @report has lines of. */
static bool is_telling(const char *path, const struct report *report)
{
	static const char *const names[] = { "__init__.py", "__main__.py", "index.js",
					     "index.ts",    "mod.rs",	   "lib.rs" };
	const char *name = place_base_name(path);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return false;
	for (size_t i = 0; i < report->hot_spot_cnt; i++) {
		const char *other = path_of(&report->hot_spots[i].place);

		if (strcmp(path, other) && !strcmp(name, place_base_name(other)))
			return false;
	}
	return true;
}

/* "feed/__init__.py" of a path. */
static const char *with_directory(const char *path)
{
	const char *name = place_base_name(path);

	for (name -= name > path; name > path && name[-1] != '/'; name--)
		;
	return name;
}

static const char *short_path(const char *path, const struct report *report)
{
	return is_telling(path, report) ? place_base_name(path) : with_directory(path);
}

void place_format(const struct page *page, const struct report *report,
		  const struct report_frame *place, char text[PLACE_BYTES])
{
	const char *path = path_of(place);
	const char *name = page->style->is_verbose ? path : short_path(path, report);

	if (place->line)
		snprintf(text, PLACE_BYTES, "%s:%u", name, place->line);
	else if (!place->function[0] && place->address)
		snprintf(text, PLACE_BYTES, "%s+0x%llx", name, (unsigned long long)place->address);
	else
		snprintf(text, PLACE_BYTES, "%s", name);
}

/* How long the word "operator" and the sign after it are at @text; 0 elsewhere. Its brackets are
 * none. */
static size_t operator_len(const char *text)
{
	static const char word[] = "operator";
	size_t len = sizeof(word) - 1;

	if (strncmp(text, word, len))
		return 0;
	if (!strncmp(text + len, "()", 2))
		return len + 2;
	return len + strspn(text + len, "<>=-");
}

void place_shorten_cpp(const char *name, char text[PLACE_NAME_BYTES])
{
	static const char anonymous[] = "(anonymous namespace)";
	size_t len = 0;
	int depth = 0;

	while (*name && len + sizeof(anonymous) < PLACE_NAME_BYTES) {
		size_t keep = operator_len(name);

		if (!keep && !strncmp(name, anonymous, sizeof(anonymous) - 1))
			keep = sizeof(anonymous) - 1;
		if (keep && !depth && len + keep < PLACE_NAME_BYTES) {
			memcpy(text + len, name, keep);
			len += keep;
		} else if (!keep && (*name == '<' || *name == '(')) {
			if (!depth++ && *name == '<') {
				memcpy(text + len, "<..>", 4);
				len += 4;
			}
		} else if (!keep && (*name == '>' || *name == ')')) {
			depth -= depth > 0;
		} else if (!depth) {
			text[len++] = *name;
		}
		name += keep ? keep : 1;
	}
	text[len] = '\0';
}

void place_format_function(const struct report_frame *place, char text[PLACE_NAME_BYTES])
{
	if (place->language == LANGUAGE_CPP)
		place_shorten_cpp(place->function, text);
	else
		snprintf(text, PLACE_NAME_BYTES, "%s", place->function);
}

void place_format_name(const struct report *report, const struct report_frame *place,
		       char text[PLACE_NAME_BYTES])
{
	if (place->function[0] == '<')
		snprintf(text, PLACE_NAME_BYTES, "%s of %s", place->function,
			 short_path(path_of(place), report));
	else if (place->function[0])
		place_format_function(place, text);
	else if (place->module[0])
		snprintf(text, PLACE_NAME_BYTES, "%s", short_path(place->module, report));
	else
		snprintf(text, PLACE_NAME_BYTES, "(no name)");
}
