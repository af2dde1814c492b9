/* Python frames among native ones. */
#include <string.h>

#include "python/python.h"

bool python_is_eval(const char *function)
{
	return !strcmp(function, "_PyEval_EvalFrameDefault");
}
