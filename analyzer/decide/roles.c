/* Groups threads by process, name and what they do; the class of a group comes from its threads'
 * time alone. */
#include "decide/roles.h"
#include <stdlib.h>
#include <string.h>
#include "account/thread_time.h"
#include "account/wait_role.h"
#include "arena.h"
#include "decide/behaviour.h"
#include "decide/thresholds.h"

/* Threads of one name that do different things are kept apart, up to so many. */
enum { APART_MAX = 4 };

struct group {
	const struct thread_facts *first;
	struct behaviour behaviour;
	bool is_apart;	  /* others have the same name */
	bool is_one_name; /* of all threads, not only but for a number */
};

struct groups {
	struct group **list;
	size_t cnt;
};

static bool is_main(const struct thread_facts *thread)
{
	return thread->thread->tid == thread->thread->pid;
}

static const char *process_name(const struct thread_facts *thread)
{
	return thread->process ? thread->process->process->comm : "";
}

/* Main thread of a process that nobody of the tree has started. */
static bool is_root(const struct facts *facts, const struct thread_facts *thread)
{
	pid_t parent = thread->process ? thread->process->process->parent_pid : 0;

	return is_main(thread) && (!parent || !process_index_get(&facts->roles->index, parent));
}

/* Of "worker-12" what comes before the number. */
static size_t stem_length(const char *name)
{
	size_t length = strlen(name);

	while (length && name[length - 1] >= '0' && name[length - 1] <= '9')
		length--;
	return length;
}

static int compare_stems(const char *left, const char *right)
{
	size_t left_length = stem_length(left), right_length = stem_length(right);
	size_t shorter = left_length < right_length ? left_length : right_length;
	int order = strncmp(left, right, shorter);

	return order ? order : (left_length > right_length) - (left_length < right_length);
}

static int compare_names(const struct thread_facts *left, const struct thread_facts *right,
			 const struct facts *facts)
{
	int order = strcmp(process_name(left), process_name(right));

	if (!order)
		order = (int)is_main(right) - (int)is_main(left);
	if (!order)
		order = (int)is_root(facts, right) - (int)is_root(facts, left);
	return order ? order : compare_stems(left->thread->comm, right->thread->comm);
}

/* The longest lives first: they tell best what there is. */
static int by_name_and_life(const void *a, const void *b, void *context)
{
	const struct thread_facts *left = *(const struct thread_facts *const *)a;
	const struct thread_facts *right = *(const struct thread_facts *const *)b;
	int order = compare_names(left, right, context);

	if (order)
		return order;
	if (left->life_ns != right->life_ns)
		return left->life_ns < right->life_ns ? 1 : -1;
	return left->thread->tid < right->thread->tid ? -1 : left->thread->tid > right->thread->tid;
}

static uint64_t active_ns(const struct behaviour *behaviour)
{
	return behaviour->doing_ns[DOING_COMPUTE] + behaviour->doing_ns[DOING_RESULT] +
	       behaviour->doing_ns[DOING_LOCK];
}

static int by_activity(const void *a, const void *b)
{
	const struct group *left = *(const struct group *const *)a;
	const struct group *right = *(const struct group *const *)b;
	uint64_t left_ns = active_ns(&left->behaviour), right_ns = active_ns(&right->behaviour);

	if (left_ns != right_ns)
		return left_ns < right_ns ? 1 : -1;
	left_ns = left->behaviour.life_ns;
	right_ns = right->behaviour.life_ns;
	if (left_ns != right_ns)
		return left_ns < right_ns ? 1 : -1;
	return left->first->thread->tid < right->first->thread->tid ? -1 : 1;
}

/* Of the groups from @from on, which have the name of @behaviour's thread, the one most like it. */
static struct group *nearest(const struct groups *groups, size_t from,
			     const struct behaviour *behaviour)
{
	struct group *best = NULL;

	for (size_t i = from; i < groups->cnt; i++)
		if (!best || behaviour_distance(&groups->list[i]->behaviour, behaviour) <
				     behaviour_distance(&best->behaviour, behaviour))
			best = groups->list[i];
	return best;
}

static void add_group(const struct facts *facts, struct groups *groups,
		      const struct thread_facts *thread, const struct behaviour *behaviour)
{
	struct group *group = arena_array(facts->scratch, 1, sizeof(*group));

	if (!group)
		return;
	*group = (struct group){ .first = thread, .behaviour = *behaviour, .is_one_name = true };
	groups->list[groups->cnt++] = group;
}

/* @from: where the groups of its name begin. */
static void add_thread(const struct facts *facts, struct groups *groups, size_t from,
		       const struct thread_facts *thread)
{
	struct behaviour behaviour = behaviour_of_thread(thread);
	struct group *group = nearest(groups, from, &behaviour);
	bool is_apart =
		group && groups->cnt - from < APART_MAX &&
		behaviour_distance(&group->behaviour, &behaviour) >= ROLE_APART &&
		share_of(behaviour.life_ns, groups->list[from]->first->life_ns) >= ROLE_SHORT_PART;

	if (!group || is_apart) {
		add_group(facts, groups, thread, &behaviour);
		return;
	}
	behaviour_add(&group->behaviour, &behaviour);
	if (strcmp(group->first->thread->comm, thread->thread->comm) != 0)
		group->is_one_name = false;
}

/* Groups that the same words describe are one to the reader. */
static void join_same_words(struct groups *groups, size_t from)
{
	for (size_t i = from; i < groups->cnt; i++)
		for (size_t k = i + 1; k < groups->cnt; k++) {
			struct group *one = groups->list[i], *other = groups->list[k];

			if (strcmp(behaviour_words(&one->behaviour),
				   behaviour_words(&other->behaviour)) != 0)
				continue;
			behaviour_add(&one->behaviour, &other->behaviour);
			one->is_one_name =
				one->is_one_name && other->is_one_name &&
				!strcmp(one->first->thread->comm, other->first->thread->comm);
			groups->list[k--] = groups->list[--groups->cnt];
		}
	for (size_t i = from; i < groups->cnt; i++)
		groups->list[i]->is_apart = groups->cnt - from > 1;
}

static void group_threads(const struct facts *facts, struct groups *groups)
{
	size_t cnt = facts->obs->thread_cnt, from = 0;
	const struct thread_facts **sorted = arena_array(facts->scratch, cnt, sizeof(*sorted));

	groups->list = arena_array(facts->scratch, cnt, sizeof(*groups->list));
	if (!sorted || !groups->list)
		return;
	for (size_t i = 0; i < cnt; i++)
		sorted[i] = &facts->threads[i];
	qsort_r(sorted, cnt, sizeof(*sorted), by_name_and_life, (void *)facts);
	for (size_t i = 0; i < cnt; i++) {
		if (i && compare_names(sorted[i - 1], sorted[i], facts)) {
			join_same_words(groups, from);
			from = groups->cnt;
		}
		add_thread(facts, groups, from, sorted[i]);
	}
	join_same_words(groups, from);
	qsort(groups->list, groups->cnt, sizeof(*groups->list), by_activity);
}

/* "worker-*", where they are numbered. */
static const char *thread_name(const struct facts *facts, const struct group *group)
{
	const char *comm = group->first->thread->comm;

	if (group->is_one_name)
		return comm;
	return arena_printf(facts->arena, "%.*s*", (int)stem_length(comm), comm);
}

static const char *root_name(const struct facts *facts)
{
	return facts->obs->process_cnt ? facts->obs->processes[0].comm : "";
}

static const char *group_name(const struct facts *facts, const struct group *group)
{
	const struct thread_facts *thread = group->first;
	const char *process = process_name(thread), *comm = thread->thread->comm;
	const char *words = behaviour_words(&group->behaviour);
	const char *name = process[0] ? process : comm;

	if (is_root(facts, thread))
		name = arena_printf(facts->arena, "%s (main)", name);
	else if (is_main(thread) && !strcmp(process, root_name(facts)))
		name = arena_printf(facts->arena, "%s (children)", name);
	else if (is_main(thread))
		name = arena_string(facts->arena, name);
	else if (!process[0] || !strcmp(process, comm))
		return arena_printf(facts->arena, "%s: %s", comm, words);
	else
		name = arena_printf(facts->arena, "%s: %s", process, thread_name(facts, group));
	return group->is_apart ? arena_printf(facts->arena, "%s: %s", name, words) : name;
}

static const char *group_kind(const struct facts *facts, const struct group *group)
{
	const char *kind = behaviour_kind(&group->behaviour);

	if (!is_root(facts, group->first) || !strcmp(kind, "event loop") ||
	    !strcmp(kind, "acceptor"))
		return kind;
	return "main";
}

static void fill_role(const struct facts *facts, const struct group *group,
		      struct report_role *role)
{
	const struct behaviour *behaviour = &group->behaviour;

	role->name = group_name(facts, group);
	role->kind = group_kind(facts, group);
	role->thread_cnt = behaviour->thread_cnt;
	role->are_processes = is_main(group->first) && behaviour->thread_cnt > 1;
	role->verdict_class = behaviour_class(behaviour);
	role->life_ns = behaviour->life_ns;
	role->on_cpu_ns = behaviour->on_cpu_ns;
	role->waits = arena_array(facts->arena, WAIT_REASON_CNT, sizeof(*role->waits));
	if (role->waits)
		role->wait_cnt = waits_by_size(behaviour->wait_ns, behaviour->wait_cnt,
					       behaviour->life_ns, role->waits);
}

void roles_report(const struct facts *facts, struct report *report)
{
	struct groups groups = { .cnt = 0 };
	size_t cnt;

	group_threads(facts, &groups);
	cnt = groups.cnt < ROLES_KEPT ? groups.cnt : ROLES_KEPT;
	for (size_t i = ROLES_KEPT; i < groups.cnt; i++)
		behaviour_add(&groups.list[ROLES_KEPT - 1]->behaviour, &groups.list[i]->behaviour);
	report->roles = arena_array(facts->arena, cnt, sizeof(*report->roles));
	report->role_cnt = report->roles ? cnt : 0;
	for (size_t i = 0; i < report->role_cnt; i++)
		fill_role(facts, groups.list[i], &report->roles[i]);
	if (groups.cnt > ROLES_KEPT && report->role_cnt) {
		report->roles[ROLES_KEPT - 1].name = "(others)";
		report->roles[ROLES_KEPT - 1].kind = "several";
		report->roles[ROLES_KEPT - 1].are_processes = false;
	}
}
