/* From callers to callees; see blame.h and docs/rules.md, "Own code". */
#include "explain/blame.h"
#include <string.h>
#include "arena.h"
#include "explain/programs.h"

/* What is known of a stack up to one of its calls, innermost ones; each may be NO_CALL. */
struct path {
	uint32_t own;	     /* the program's own code, with a name if any has one */
	uint32_t own_callee; /* what it called */
	uint32_t package;    /* the outermost of an installed package, else of another one */
	uint32_t in_package; /* the innermost of the same package */
	uint32_t package_callee;
	uint32_t in_executable; /* a function of the executable that has a name */
	uint32_t named;		/* any that has one, but the kernel's */
	uint32_t machine;	/* any at all, but the kernel's */
};

struct blaming {
	const struct observation *obs;
	const struct code_facts *code;
	struct path *paths; /* by call */
	bool is_package;    /* no Python code is own: the program is a package itself */
};

static const struct path empty_path = { NO_CALL, NO_CALL, NO_CALL, NO_CALL,
					NO_CALL, NO_CALL, NO_CALL, NO_CALL };

static const struct obs_frame *frame_of(const struct blaming *on, uint32_t call)
{
	return &on->obs->frames[on->obs->calls[call].frame];
}

static const struct code_facts *code_of(const struct blaming *on, uint32_t call)
{
	return &on->code[on->obs->calls[call].frame];
}

static bool is_telling(const struct blaming *on, uint32_t call)
{
	const struct code_facts *code = code_of(on, call);

	return code->owner == CODE_LIBRARY && frame_of(on, call)->function[0];
}

/* A script made by pip is there to start a package: its one line is in every stack. */
static void drop_launcher(const struct blaming *on, struct path *path, uint32_t call)
{
	if (path->own == NO_CALL || !code_of(on, path->own)->is_launcher)
		return;
	if (!is_launched_by(frame_of(on, path->own), frame_of(on, call)))
		return;
	path->own = path->own_callee = NO_CALL;
}

/* A goroutine that is parked has no thread: what the thread that it was on last waits for, further
 * inside, is whatever comes next, for all of them. */
static bool is_of_scheduler(const struct blaming *on, uint32_t call)
{
	uint32_t caller = on->obs->calls[call].caller;
	const struct obs_frame *frame = caller == NO_CALLER ? NULL : frame_of(on, caller);

	return frame && frame->language == LANGUAGE_GO &&
	       !strcmp(frame->function, "runtime.gopark");
}

static void follow_own(const struct blaming *on, struct path *path, uint32_t call)
{
	if (is_of_scheduler(on, call)) {
		path->own = path->own_callee = NO_CALL;
		return;
	}
	if (code_of(on, call)->owner == CODE_OWN) {
		/* One without a name says less than the named one that called it. */
		if (path->own != NO_CALL && !frame_of(on, call)->function[0] &&
		    frame_of(on, path->own)->function[0])
			return;
		path->own = call;
		path->own_callee = NO_CALL;
		return;
	}
	drop_launcher(on, path, call);
	if (path->own != NO_CALL && path->own_callee == NO_CALL && is_telling(on, call))
		path->own_callee = call;
}

static bool is_same_package(const struct code_facts *a, const struct code_facts *b)
{
	return a->package && b->package && a->is_installed == b->is_installed &&
	       a->package_len == b->package_len && !strncmp(a->package, b->package, a->package_len);
}

/* The program may be a package itself: `python3 -m http.server`, `npx tsc`, a script that pip made.
 * It is the outermost one that is installed, else what is generated or of the standard library. */
static void follow_package(const struct blaming *on, struct path *path, uint32_t call)
{
	const struct code_facts *code = code_of(on, call);

	if (code->package && (path->package == NO_CALL ||
			      (code->is_installed && !code_of(on, path->package)->is_installed)))
		path->package = call;
	if (path->package == NO_CALL)
		return;
	if (is_same_package(code, code_of(on, path->package))) {
		path->in_package = call;
		path->package_callee = NO_CALL;
	} else if (path->package_callee == NO_CALL && is_telling(on, call)) {
		path->package_callee = call;
	}
}

static void follow_others(const struct blaming *on, struct path *path, uint32_t call)
{
	const struct code_facts *code = code_of(on, call);

	if (code->owner == CODE_KERNEL)
		return;
	path->machine = call;
	if (code->is_entry)
		return;
	/* The engine that called it isn't what it does. */
	if (frame_of(on, call)->language == LANGUAGE_JIT && !frame_of(on, call)->function[0])
		path->named = path->in_executable = NO_CALL;
	if (!frame_of(on, call)->function[0])
		return;
	path->named = call;
	if (code->is_executable)
		path->in_executable = call;
}

static struct call_blame judge(const struct blaming *on, const struct path *path, uint32_t call)
{
	const uint32_t last_resorts[] = { path->in_executable, path->named, path->machine, call };

	if (path->own != NO_CALL)
		return (struct call_blame){ .place = path->own,
					    .callee = path->own_callee,
					    .is_own = true };
	if (path->in_package != NO_CALL)
		return (struct call_blame){ .place = path->in_package,
					    .callee = path->package_callee,
					    .is_own = on->is_package };
	for (size_t i = 0;; i++)
		if (last_resorts[i] != NO_CALL)
			return (struct call_blame){ .place = last_resorts[i], .callee = NO_CALL };
}

static void blame_call(const struct blaming *on, struct call_blame *calls, uint32_t call)
{
	uint32_t caller = on->obs->calls[call].caller;
	bool is_root = caller == NO_CALLER;
	struct path path = is_root ? empty_path : on->paths[caller];

	follow_own(on, &path, call);
	follow_package(on, &path, call);
	follow_others(on, &path, call);
	on->paths[call] = path;
	calls[call] = judge(on, &path, call);
	calls[call].root = is_root ? call : calls[caller].root;
	calls[call].depth = is_root ? 1 : calls[caller].depth + 1;
}

struct blame blame_calls(const struct observation *obs, struct arena *arena)
{
	struct executables executables = executables_of(obs, arena);
	struct blame blame = {
		.code = arena_array(arena, obs->frame_cnt, sizeof(*blame.code)),
		.calls = arena_array(arena, obs->call_cnt, sizeof(*blame.calls)),
	};
	struct blaming on = {
		.obs = obs,
		.code = blame.code,
		.paths = arena_array(arena, obs->call_cnt, sizeof(*on.paths)),
		.is_package = true,
	};

	if (!blame.code || !blame.calls || !on.paths)
		return (struct blame){ .calls = NULL };
	for (size_t i = 0; i < obs->frame_cnt; i++)
		blame.code[i] = code_facts(&obs->frames[i], &executables);
	find_programs(obs, blame.code, arena);
	for (size_t i = 0; i < obs->frame_cnt; i++)
		on.is_package &= (obs->frames[i].language != LANGUAGE_PYTHON &&
				  obs->frames[i].language != LANGUAGE_JIT) ||
				 blame.code[i].owner != CODE_OWN || blame.code[i].is_launcher;
	for (uint32_t i = 0; i < obs->call_cnt; i++)
		blame_call(&on, blame.calls, i);
	return blame;
}
