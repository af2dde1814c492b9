/* Reports made by hand, for the renderers' golden files. */
#ifndef CLASSIFY_RENDER_SAMPLES_H
#define CLASSIFY_RENDER_SAMPLES_H

#include <stddef.h>

struct report;

struct render_sample {
	const char *name;
	const struct report *report;
};

extern const struct render_sample render_samples[];
extern const size_t render_sample_cnt;

#endif
