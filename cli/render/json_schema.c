/* --json-schema: prints the embedded schema. */
#include "render/render.h"

#include <errno.h>

#include "render/report_schema.h"

int render_json_schema(FILE *out)
{
	return fputs(report_schema, out) == EOF || fflush(out) == EOF ? -EIO : 0;
}
