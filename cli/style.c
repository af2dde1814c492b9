/* Asking the terminal, the locale and the environment. */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "style.h"

static bool wants_color(enum color_choice choice, int fd)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
	const char *terminal = getenv("TERM");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	return isatty(fd) && !(no_color && *no_color) && terminal && strcmp(terminal, "dumb");
}

struct text_style style_choose(enum color_choice color, bool is_verbose, int fd)
{
	struct winsize size = { 0 };
	struct text_style style = {
		.use_color = wants_color(color, fd),
		.use_unicode = !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.is_verbose = is_verbose,
	};

	if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0)
		style.width = size.ws_col;
	return style;
}
