/* The parts of the text report, each a few lines of the page. */
#ifndef CLASSIFY_TEXT_H
#define CLASSIFY_TEXT_H

struct page;
struct report;

/* How wide a share of the page's rows may be: the top ones, unless all are asked for. */
enum { TEXT_TOP_ROWS = 4 };

/* text_time.c: where the program's time went; and its threads' (all rows when verbose). */
void text_program_time(struct page *page, const struct report *report);
void text_thread_time(struct page *page, const struct report *report);

/* text_lines.c: at which lines; nothing where that isn't known. */
void text_lines(struct page *page, const struct report *report);

/* text_functions.c: the same by function, and what each of them is; when verbose. */
void text_functions(struct page *page, const struct report *report);

/* text_advice.c: what it is now, what to do and not to do, what that gains, what was found. */
void text_advice(struct page *page, const struct report *report);
void text_findings(struct page *page, const struct report *report);

/* The verdict's class as prose: "I/O-bound". */
const char *text_class(int verdict_class);

#endif
