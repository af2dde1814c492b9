/* Reads what another program writes to a pipe, a line at a time, and counts. */
#include <stdio.h>

int main(void)
{
	char line[256];
	int lines = 0;

	while (fgets(line, sizeof(line), stdin))
		lines++;
	printf("%d lines\n", lines);
	return 0;
}
