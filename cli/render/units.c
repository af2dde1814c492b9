/* Formatting of quantities. The limits are those where rounding reaches the next unit. */
#include "render/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000ULL

static void format_three_digits(double value, const char *unit, char text[UNIT_BYTES])
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, UNIT_BYTES, "%.*f %s", decimals, value, unit);
}

static void format_long_duration(uint64_t seconds, char text[UNIT_BYTES])
{
	if (seconds < 3600)
		snprintf(text, UNIT_BYTES, "%" PRIu64 "m%02" PRIu64 "s", seconds / 60,
			 seconds % 60);
	else
		snprintf(text, UNIT_BYTES, "%" PRIu64 "h%02" PRIu64 "m", seconds / 3600,
			 seconds / 60 % 60);
}

void format_duration(uint64_t ns, bool use_unicode, char text[UNIT_BYTES])
{
	if (ns == 0)
		strcpy(text, "0 s");
	else if (ns < 1000)
		snprintf(text, UNIT_BYTES, "%" PRIu64 " ns", ns);
	else if (ns < 999500)
		format_three_digits((double)ns / 1e3, use_unicode ? "µs" : "us", text);
	else if (ns < 999500000)
		format_three_digits((double)ns / 1e6, "ms", text);
	else if (ns < 99950000000)
		format_three_digits((double)ns / 1e9, "s", text);
	else
		format_long_duration(ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2), text);
}

void format_count(uint64_t count, char text[UNIT_BYTES])
{
	char digits[UNIT_BYTES];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*text++ = ',';
		*text++ = digits[i];
	}
	*text = '\0';
}

void format_share(double share, char text[UNIT_BYTES])
{
	if (share > 0 && share < 0.0005)
		strcpy(text, "<0.1%");
	else if (share < 1 && share >= 0.9995)
		strcpy(text, ">99.9%");
	else
		snprintf(text, UNIT_BYTES, "%.1f%%", share * 100);
}

void format_bytes(uint64_t bytes, char text[UNIT_BYTES])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, UNIT_BYTES, "%" PRIu64 " B", bytes);
		return;
	}
	for (; value >= 1023.5; unit++)
		value /= 1024;
	format_three_digits(value, units[unit], text);
}

void format_factor(double factor, char text[UNIT_BYTES])
{
	int decimals = factor < 0.995 ? 2 : factor < 99.95 ? 1 : 0;

	snprintf(text, UNIT_BYTES, "%.*f", decimals, factor);
}
