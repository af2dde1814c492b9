/* What is said on stderr about an export of stacks, which has no room for words of its own. */
#ifndef CLASSIFY_EXPORTS_H
#define CLASSIFY_EXPORTS_H

struct options;
struct report;

/* Returns 0, or -ENODATA after having said why there is nothing to export: then what an earlier
 * export wrote is better left alone. */
int exports_refuse(const struct options *options, const struct report *report);

/* Says what the export that was just written lacks. */
void exports_mention_gaps(const struct options *options, const struct report *report);

#endif
