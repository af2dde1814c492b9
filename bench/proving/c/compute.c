/* Compute for so many milliseconds. */
#include <stdlib.h>
#include "forms.h"

static double milliseconds;

static int operation(unsigned long item)
{
	(void)item;
	forms_compute(milliseconds);
	return 0;
}

int main(int argc, char **argv)
{
	milliseconds = argc > 1 ? strtod(argv[1], NULL) : 0;
	return forms_main(argc, argv, operation, NULL);
}
