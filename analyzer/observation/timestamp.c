/* RFC 3339 timestamps. */
#include "observation/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000LL

void timestamp_format(int64_t unix_ns, char text[TIMESTAMP_BYTES])
{
	time_t seconds = unix_ns / NS_PER_S;
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, TIMESTAMP_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, TIMESTAMP_BYTES - len, ".%09uZ", (unsigned int)(unix_ns % NS_PER_S));
}

bool timestamp_parse(const char *text, int64_t *unix_ns)
{
	char again[TIMESTAMP_BYTES];
	struct tm utc = { 0 };
	int64_t seconds;
	char *fraction = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	unsigned int nanoseconds;

	if (!fraction || sscanf(fraction, ".%9uZ", &nanoseconds) != 1)
		return false;
	seconds = timegm(&utc);
	if (seconds < 0 || seconds >= INT64_MAX / NS_PER_S)
		return false;
	*unix_ns = seconds * NS_PER_S + nanoseconds;
	/* strptime and sscanf are lenient; there is one spelling. */
	timestamp_format(*unix_ns, again);
	return strcmp(again, text) == 0;
}
