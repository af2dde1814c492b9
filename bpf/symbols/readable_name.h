/* Names of functions as people write them: demangled, without what compilers add, of bounded
 * length. */
#ifndef CLASSIFY_READABLE_NAME_H
#define CLASSIFY_READABLE_NAME_H

#include "observation/observation.h"

/* Of a name with its final 0. Longer ones lose their template arguments first, then their end. */
#define READABLE_NAME_BYTES 512

/*
 * Writes how people call @raw, a name from a symbol table or from debug information, into @name: of
 * C++ and Rust without parameters and hashes, of any language without the suffixes of a compiler's
 * own copies (.constprop.0, .cold). Returns @language, or the one the mangling tells if that is
 * LANGUAGE_UNKNOWN.
 */
enum frame_language readable_name(const char *raw, enum frame_language language,
				  char name[READABLE_NAME_BYTES]);

#endif
