/* How text looks where it is written to: colours, characters and width of that terminal. */
#ifndef CLASSIFY_STYLE_H
#define CLASSIFY_STYLE_H

#include <stdbool.h>

#include "options.h"
#include "render/render.h"

/* @fd: where the text goes. */
struct text_style style_choose(enum color_choice color, bool is_verbose, int fd);

#endif
