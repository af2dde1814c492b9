/* By what calls what in all stacks; see programs.h. */
#include "explain/programs.h"
#include <stdlib.h>
#include <string.h>
#include "arena.h"

/* A frame of a script in a directory bin. */
struct script_frame {
	const char *file;
	uint32_t line, frame;
	bool starts; /* calls Python code, other than to import it */
};

/* The length of "/usr" in "/usr/bin/tool"; -1 for a file in another directory. */
static ssize_t bin_prefix_len(const char *file)
{
	static const char bin[] = "/bin";
	const char *name = strrchr(file, '/');
	ssize_t len = name ? name - file - (ssize_t)strlen(bin) : -1;

	return len >= 0 && !strncmp(file + len, bin, strlen(bin)) ? len : -1;
}

bool is_launched_by(const struct obs_frame *outer, const struct obs_frame *inner)
{
	ssize_t len = bin_prefix_len(outer->file);

	return len >= 0 && inner->language == LANGUAGE_PYTHON &&
	       !strncmp(inner->file, outer->file, (size_t)len) &&
	       !strncmp(inner->file + len, "/lib", 4) && is_installed_file(inner->file);
}

/* Pip gives what it makes no ending. */
static bool may_be_launcher(const struct obs_frame *frame)
{
	const char *name = strrchr(frame->file, '/');

	return frame->language == LANGUAGE_PYTHON && bin_prefix_len(frame->file) >= 0 &&
	       !strchr(name, '.');
}

static int by_script(const void *a, const void *b)
{
	const struct script_frame *left = a, *right = b;
	int order = strcmp(left->file, right->file);

	return order ? order : (left->line > right->line) - (left->line < right->line);
}

/* Whether these frames, all of one script, are of one that does no more than import a package and
 * call it, in one line. */
static bool is_launcher(const struct observation *obs, const struct script_frame *frames,
			size_t cnt)
{
	uint32_t line = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (!is_module_level(&obs->frames[frames[i].frame]))
			return false;
		if (frames[i].starts && line && line != frames[i].line)
			return false;
		if (frames[i].starts)
			line = frames[i].line;
	}
	return true;
}

static void mark_launchers(const struct observation *obs, struct code_facts *code,
			   struct script_frame *frames, size_t cnt)
{
	size_t next;

	if (cnt)
		qsort(frames, cnt, sizeof(*frames), by_script);
	for (size_t first = 0; first < cnt; first = next) {
		for (next = first + 1; next < cnt; next++)
			if (strcmp(frames[next].file, frames[first].file))
				break;
		for (size_t i = first; is_launcher(obs, &frames[first], next - first) && i < next;
		     i++)
			code[frames[i].frame].is_launcher = true;
	}
}

static void find_launchers(const struct observation *obs, struct code_facts *code,
			   struct arena *arena)
{
	struct script_frame *frames = arena_array(arena, obs->frame_cnt, sizeof(*frames));
	bool *starts = arena_array(arena, obs->frame_cnt, sizeof(*starts));
	size_t cnt = 0;

	if (!frames || !starts)
		return;
	for (uint32_t i = 0; i < obs->call_cnt; i++) {
		uint32_t frame = obs->calls[i].frame;

		if (obs->calls[i].caller != NO_CALLER &&
		    obs->frames[frame].language == LANGUAGE_PYTHON &&
		    code[frame].owner != CODE_MACHINERY)
			starts[obs->calls[obs->calls[i].caller].frame] = true;
	}
	for (uint32_t i = 0; i < obs->frame_cnt; i++)
		if (may_be_launcher(&obs->frames[i]))
			frames[cnt++] = (struct script_frame){ obs->frames[i].file,
							       obs->frames[i].line, i, starts[i] };
	mark_launchers(obs, code, frames, cnt);
}

static bool is_string(const struct obs_frame *frame)
{
	return frame->language == LANGUAGE_PYTHON && !strcmp(frame->file, "<string>");
}

/* Whether a stack's outermost Python code is a string: nothing but -c makes one. */
static bool runs_string(const struct observation *obs, struct arena *arena)
{
	bool *is_in_python = arena_array(arena, obs->call_cnt, sizeof(*is_in_python));

	for (uint32_t i = 0; is_in_python && i < obs->call_cnt; i++) {
		const struct obs_frame *frame = &obs->frames[obs->calls[i].frame];
		uint32_t caller = obs->calls[i].caller;

		is_in_python[i] = frame->language == LANGUAGE_PYTHON ||
				  (caller != NO_CALLER && is_in_python[caller]);
		if (is_string(frame) && is_module_level(frame) &&
		    (caller == NO_CALLER || !is_in_python[caller]))
			return true;
	}
	return false;
}

void find_programs(const struct observation *obs, struct code_facts *code, struct arena *arena)
{
	bool is_string_own = runs_string(obs, arena);

	for (uint32_t i = 0; i < obs->frame_cnt; i++)
		/* What dataclasses and the like generate. */
		if (is_string_own && is_string(&obs->frames[i]) &&
		    strncmp(obs->frames[i].function, "__", 2))
			code[i] = (struct code_facts){ .owner = CODE_OWN };
	find_launchers(obs, code, arena);
}
