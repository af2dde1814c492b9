/* Files of machine code by the programs that ran. There may be as many of them as processes, so all
 * are found by bisection; see own_code.h. */
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "decide/runtime.h"
#include "explain/own_code.h"

/* The first @len bytes of @path. */
struct path_part {
	const char *path;
	size_t len;
};

static int by_text(const void *a, const void *b)
{
	const struct path_part *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->path, right->path, len);

	return order ? order : (left->len > right->len) - (left->len < right->len);
}

/* @path without the sign that the file is gone. */
static struct path_part file_of(const char *path)
{
	static const char deleted[] = " (deleted)";
	size_t len = strlen(path), sign = sizeof(deleted) - 1;

	return (struct path_part){ path, len > sign && !strcmp(path + len - sign, deleted)
						 ? len - sign
						 : len };
}

static int by_file(const void *a, const void *b)
{
	const struct executable *left = a, *right = b;
	struct path_part left_file = file_of(left->path), right_file = file_of(right->path);

	return by_text(&left_file, &right_file);
}

static bool is_interpreter(enum runtime_id runtime)
{
	return runtime != RUNTIME_NATIVE && runtime != RUNTIME_SHELL && runtime != RUNTIME_GO &&
	       runtime != RUNTIME_RUST;
}

static void find_homes(struct executables *found, struct arena *arena)
{
	struct path_part *homes = arena_array(arena, found->cnt, sizeof(*homes));
	size_t cnt = 0;

	for (size_t i = 0; homes && i < found->cnt; i++) {
		const char *path = found->all[i].path;
		const char *bin = strstr(path, "/bin/");

		if (found->all[i].is_interpreter && bin)
			homes[cnt++] = (struct path_part){ path, (size_t)(bin - path) };
	}
	if (cnt)
		qsort(homes, cnt, sizeof(*homes), by_text);
	found->homes = homes;
	found->home_cnt = cnt;
}

struct executables executables_of(const struct observation *obs, struct arena *arena)
{
	struct executables found = { .all = arena_array(arena, obs->process_cnt,
							sizeof(*found.all)) };
	size_t cnt = 0;

	for (size_t i = 0; found.all && i < obs->process_cnt; i++)
		if (obs->processes[i].exe[0])
			found.all[cnt++] = (struct executable){ obs->processes[i].exe,
								is_interpreter(runtime_of(
									&obs->processes[i])) };
	if (cnt)
		qsort(found.all, cnt, sizeof(*found.all), by_file);
	for (size_t i = 0; i < cnt; i++) {
		if (found.cnt && !by_file(&found.all[found.cnt - 1], &found.all[i]))
			found.all[found.cnt - 1].is_interpreter |= found.all[i].is_interpreter;
		else
			found.all[found.cnt++] = found.all[i];
	}
	find_homes(&found, arena);
	return found;
}

const struct executable *find_executable(const struct executables *executables, const char *module)
{
	struct executable key = { .path = module };

	if (!module[0] || !executables->cnt)
		return NULL;
	return bsearch(&key, executables->all, executables->cnt, sizeof(key), by_file);
}

bool is_beside_interpreter(const struct executables *executables, const char *module)
{
	struct path_part key = { .path = module };

	for (const char *lib = strstr(module, "/lib"); lib && executables->home_cnt;
	     lib = strstr(lib + 1, "/lib")) {
		key.len = (size_t)(lib - module);
		if (bsearch(&key, executables->homes, executables->home_cnt, sizeof(key), by_text))
			return true;
	}
	return false;
}
