/* Places in the code as the text report names them: short, as long as they tell. */
#ifndef CLASSIFY_PLACE_NAME_H
#define CLASSIFY_PLACE_NAME_H

struct page;
struct report;
struct report_frame;

enum { PLACE_BYTES = 512, PLACE_NAME_BYTES = 256 };

/* The name of the file at @path, within it. */
const char *place_base_name(const char *path);

/* "fetch.py:42"; without a source file the module, and what is known of the place in it. */
void place_format(const struct page *page, const struct report *report,
		  const struct report_frame *place, char text[PLACE_BYTES]);

/* The function at @place, "" if that isn't known; without the arguments of C++. */
void place_format_function(const struct report_frame *place, char text[PLACE_NAME_BYTES]);

/* C++ names without the arguments of their templates and functions, which take up screens:
 * "std::map<..>::find". */
void place_shorten_cpp(const char *name, char text[PLACE_NAME_BYTES]);

/* The function that @place stands for as a whole: "<module> of feed.py" ("<module>" is what every
 * file of Python has), the module of one that has no name. */
void place_format_name(const struct report *report, const struct report_frame *place,
		       char text[PLACE_NAME_BYTES]);

#endif
