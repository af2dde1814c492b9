/* What a concurrency model is called in a runtime: the API to reach for. */
#ifndef CLASSIFY_VOCABULARY_H
#define CLASSIFY_VOCABULARY_H

#include "decide/runtime.h"

struct arena;

/* Returns the API of @model in @runtime with @workers filled in ("N" when 0), as a string of
 * @arena; NULL when the runtime has none. */
const char *vocabulary_api(enum runtime_id runtime, enum concurrency_model model, uint32_t workers,
			   struct arena *arena);

#endif
