/* Demangling, within bounds; see readable_name.h. */
#include "symbols/readable_name.h"
#include <ctype.h>
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

/* The demangler takes stack and time in proportion to a name. */
#define RAW_MAX_BYTES 4096
/* libiberty refuses names beyond this length unless it is told not to mind its recursion. */
#define RAW_SHORT_BYTES 1024
/* A name of a few bytes can refer to its own parts so that it doubles with each: what comes out is
 * cut here, so it is the bound of the time too. */
#define FULL_NAME_BYTES 16384

struct output {
	char text[FULL_NAME_BYTES];
	size_t len;
	jmp_buf full;
};

static void append(const char *text, size_t len, void *context)
{
	struct output *output = context;
	size_t room = sizeof(output->text) - 1 - output->len;

	if (!len) /* then text may be NULL */
		return;
	memcpy(output->text + output->len, text, len < room ? len : room);
	output->len += len < room ? len : room;
	if (len > room)
		longjmp(output->full, 1);
}

typedef int demangle_function(const char *raw, int options, demangle_callbackref callback,
			      void *context);

/* The demanglers allocate nothing for what they print (but for Rust's rare punycode), so jumping
 * out of them leaves nothing behind. */
static bool demangle(demangle_function *function, const char *raw, int options,
		     struct output *output)
{
	output->len = 0;
	if (setjmp(output->full))
		return true;
	return function(raw, options, append, output) && output->len;
}

static bool demangle_any(const char *raw, bool is_rust, struct output *output)
{
	int options = strlen(raw) > RAW_SHORT_BYTES ? DMGL_NO_RECURSE_LIMIT : 0;

	return demangle(is_rust ? rust_demangle_callback : cplus_demangle_v3_callback, raw, options,
			output);
}

/* _ZN4core3fmt5write17h0123456789abcdefE */
static bool has_rust_hash(const char *raw)
{
	const char *hash = NULL;

	for (const char *at = strstr(raw, "17h"); at; at = strstr(at + 1, "17h"))
		hash = at;
	return hash && strspn(hash + 3, "0123456789abcdef") == 16 && hash[19] == 'E';
}

/* Is this number of characters at @name an operator's own angle brackets? */
static size_t operator_len(const char *name, const char *at)
{
	static const char *const symbols[] = { "<=>", "<<=", ">>=", "->*", "->", "<<",
					       ">>",  "<=",  ">=",  "<",   ">" };

	if (at - name < 8 || strncmp(at - 8, "operator", 8) != 0) {
		return !strncmp(at, "->", 2) ? 2 : 0; /* a decltype's */
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (!strncmp(at, symbols[i], strlen(symbols[i])))
			return strlen(symbols[i]);
	return 0;
}

/* std::map<std::string, int>::find becomes std::map<...>::find. */
static size_t leave_out_arguments(const char *full, char *name, size_t size)
{
	size_t len = 0;
	int depth = 0;

	for (const char *at = full; *at && len + 5 < size;) {
		size_t skip = operator_len(full, at);
		size_t step = skip ? skip : 1;

		if (!skip && *at == '>' && depth > 0 && --depth == 0) {
			memcpy(name + len, "...", 3);
			len += 3;
		}
		if (depth == 0) {
			memcpy(name + len, at, step);
			len += step;
		}
		if (!skip && *at == '<')
			depth++;
		at += step;
	}
	name[len] = '\0';
	return len;
}

/* What every program of C++ is full of, by the name that people know. */
static void name_strings(char *full)
{
	static const char lengthy[] =
		"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
	static const char known[] = "std::string";
	char *to = full;

	for (const char *at = full; *at;) {
		if (strncmp(at, lengthy, sizeof(lengthy) - 1)) {
			*to++ = *at++;
			continue;
		}
		memcpy(to, known, sizeof(known) - 1);
		to += sizeof(known) - 1;
		at += sizeof(lengthy) - 1;
	}
	*to = '\0';
}

static void shorten(const char *full, char name[READABLE_NAME_BYTES])
{
	size_t len = strlen(full);
	char brief[FULL_NAME_BYTES + 8];

	if (len >= READABLE_NAME_BYTES) {
		len = leave_out_arguments(full, brief, sizeof(brief));
		full = brief;
	}
	if (len >= READABLE_NAME_BYTES) {
		len = READABLE_NAME_BYTES - 4;
		memcpy(brief + len, "...", 4);
		len += 3;
	}
	memcpy(name, full, len);
	name[len] = '\0';
}

static bool is_number(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return len > 0;
}

/* The length of @name without what gcc and clang append to their own copies of a function. */
static size_t stem_len(const char *name)
{
	static const char *const copies[] = { "constprop", "isra", "part",	 "lto_priv",
					      "llvm",	   "cold", "localalias", "clone" };
	size_t len = strlen(name);

	for (;;) {
		const char *dot = memrchr(name, '.', len);
		size_t word_len;
		bool is_copy = false;

		if (!dot || dot == name)
			return len;
		if (is_number(dot + 1, len - (dot + 1 - name))) {
			const char *before = memrchr(name, '.', dot - name);

			dot = before && before != name ? before : dot;
		}
		word_len = strcspn(dot + 1, ".");
		for (size_t i = 0; i < sizeof(copies) / sizeof(*copies); i++)
			is_copy |= !strncmp(dot + 1, copies[i], word_len) && !copies[i][word_len];
		if (!is_copy)
			return len;
		len = dot - name;
	}
}

enum frame_language readable_name(const char *raw, enum frame_language language,
				  char name[READABLE_NAME_BYTES])
{
	char stem[RAW_MAX_BYTES + 1];
	struct output output;
	size_t len = strnlen(raw, RAW_MAX_BYTES);
	bool is_v0, is_itanium, is_rust;

	memcpy(stem, raw, len);
	stem[len] = '\0';
	stem[stem_len(stem)] = '\0';
	is_v0 = !strncmp(stem, "_R", 2);
	is_itanium = !strncmp(stem, "_Z", 2);
	is_rust = is_v0 || (is_itanium && has_rust_hash(stem));
	/* The beginning of a mangled name is another name. */
	if ((is_rust || is_itanium) && len < RAW_MAX_BYTES &&
	    demangle_any(stem, is_rust, &output)) {
		output.text[output.len] = '\0';
		name_strings(output.text);
		shorten(output.text, name);
		if (language == LANGUAGE_UNKNOWN)
			return is_rust ? LANGUAGE_RUST : LANGUAGE_CPP;
		return language;
	}
	shorten(stem, name);
	return language;
}
