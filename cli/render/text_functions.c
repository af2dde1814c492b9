/* In which functions the time went, and what each of them is by itself. */
#include "render/text.h"

#include "render/escape.h"
#include "render/page.h"
#include "render/place_name.h"
#include "render/units.h"
#include "report.h"

enum { TOP_FUNCTIONS = 20 };

/* A smaller function that has no class says nothing. */
#define FUNCTION_SHARE_MIN 0.02

/* What each function is by itself, and what is to be done with it. */
static void put_function(struct page *page, const struct report *report,
			 const struct report_function *function, int room)
{
	char share[UNIT_BYTES], name[PLACE_NAME_BYTES];

	format_share(function->share, share);
	place_format_name(report, &function->place, name);
	page_paragraph(page);
	page_tab(page, PAGE_SHARE_COLUMN_END - escape_columns(share, true));
	page_put(page, share);
	page_tab(page, PAGE_SHARE_COLUMN_END + 2);
	page_put_fit(page, name, room);
	page_tab(page, PAGE_SHARE_COLUMN_END + 2 + room + 2);
	page->indent = page->column;
	page_say(page, text_class(function->verdict_class));
	if (function->advice[0])
		page_sayf(page, "(%s)", function->advice);
	page_newline(page);
}

static bool is_function_shown(const struct report_function *function)
{
	return function->share >= FUNCTION_SHARE_MIN ||
	       function->verdict_class != CLASS_INCONCLUSIVE;
}

static size_t end_of_functions(const struct report *report)
{
	size_t cnt = 0, end = 0;

	for (size_t i = 0; i < report->function_cnt && cnt < TOP_FUNCTIONS; i++) {
		if (!is_function_shown(&report->functions[i]))
			continue;
		cnt++;
		end = i + 1;
	}
	return end;
}

static int function_columns(const struct page *page, const struct report *report, size_t end)
{
	char name[PLACE_NAME_BYTES];
	int columns = 0;

	for (size_t i = 0; i < end; i++) {
		if (!is_function_shown(&report->functions[i]))
			continue;
		place_format_name(report, &report->functions[i].place, name);
		page_widen(page, &columns, name, page->width / 2);
	}
	return columns;
}

void text_functions(struct page *page, const struct report *report)
{
	size_t end = page->style->is_verbose ? end_of_functions(report) : 0;
	int columns = function_columns(page, report, end);

	if (!end)
		return;
	page_paragraph(page);
	page_color(page, COLOR_DIM);
	page_say(page, "in which functions, and what each of them is");
	page_color(page, COLOR_NONE);
	page_newline(page);
	for (size_t i = 0; i < end; i++)
		if (is_function_shown(&report->functions[i]))
			put_function(page, report, &report->functions[i], columns);
}
