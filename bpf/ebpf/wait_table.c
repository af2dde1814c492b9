/* Sums of waits: merge, decide which futexes are the GIL, give objects their names. */
#include "wait_table.h"
#include "observation/observation.h"
#include "syscalls.h"
#include "process_tree.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* The wire's numbers are the observation's. */
_Static_assert((int)WIRE_REASON_CNT == (int)WAIT_REASON_CNT, "reasons");
_Static_assert((int)WIRE_GIL == (int)WAIT_GIL && (int)WIRE_OTHER == (int)WAIT_OTHER, "reasons");
_Static_assert((int)WIRE_POLL == (int)WAIT_POLL && (int)WIRE_ACCEPT == (int)WAIT_ACCEPT, "reasons");
_Static_assert((int)WIRE_KIND_SYSCALL == (int)OBJECT_SYSCALL, "kinds");
_Static_assert((int)WIRE_KIND_FUTEX == (int)OBJECT_FUTEX, "kinds");
_Static_assert((int)WIRE_OUTBOUND == (int)DIRECTION_OUTBOUND, "directions");

void wait_table_release(struct wait_table *table)
{
	free(table->rows);
	free(table->names);
	memset(table, 0, sizeof(*table));
}

/* Makes room for one more element of @size bytes. */
static int grow(void **array, size_t cnt, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 256;
	void *grown;

	if (cnt < *capacity)
		return 0;
	grown = reallocarray(*array, wanted, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = wanted;
	return 0;
}

int wait_table_add(struct wait_table *table, const struct wire_wait_key *key,
		   const struct wire_wait_sum *sum)
{
	if (!sum->wait_cnt && !sum->quiet_ns)
		return 0;
	if (grow((void **)&table->rows, table->cnt, &table->capacity, sizeof(table->rows[0])))
		return -ENOMEM;
	table->rows[table->cnt++] = (struct wait_row){.key = *key, .sum = *sum};
	return 0;
}

/* "/a/b/c" from the components c, b, a. */
static void path_join(const struct wire_event_name *event, char *path, size_t size)
{
	uint32_t cnt = event->part_cnt <= WIRE_PATH_PARTS ? event->part_cnt : WIRE_PATH_PARTS;
	size_t used = 0;

	used += (size_t)snprintf(path, size, "%s", event->is_truncated ? "..." : "");
	for (uint32_t i = cnt; i-- > 0 && used < size;)
		used += (size_t)snprintf(path + used, size - used, "/%.*s", WIRE_PART_BYTES - 1,
					 event->part[i]);
}

/* A unix address; abstract ones are written with '@' for the NUL, as ss and netstat have them. */
static void unix_name(const struct wire_event_name *event, char *name, size_t size)
{
	size_t bytes = event->name_bytes < 108 ? event->name_bytes : 108;
	const char *from = event->part[0];
	size_t used = 0;

	for (size_t i = 0; i < bytes && used + 1 < size; i++) {
		if (!from[i] && from[0])
			break;
		name[used++] = from[i] ? from[i] : '@';
	}
	name[used] = 0;
}

int wait_table_add_name(struct wait_table *table, struct observation *obs,
			const struct wire_event_name *event)
{
	char name[WIRE_PATH_PARTS * WIRE_PART_BYTES + 16];
	const char *copy;

	if (event->kind == WIRE_KIND_UNIX)
		unix_name(event, name, sizeof(name));
	else
		path_join(event, name, sizeof(name));
	copy = observation_intern(obs, name, strlen(name));
	if (!copy || grow((void **)&table->names, table->name_cnt, &table->name_capacity,
			  sizeof(table->names[0])))
		return -ENOMEM;
	table->names[table->name_cnt++] = (struct object_name){
		.id = {event->id[0], event->id[1]}, .kind = event->kind, .name = copy};
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct object_name *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return memcmp(x->id, y->id, sizeof(x->id));
}

static const char *find_name(const struct wait_table *table, const struct wire_wait_key *key)
{
	struct object_name wanted = {.id = {key->id[0], key->id[1]}, .kind = key->kind};
	const struct object_name *found;

	if (!table->name_cnt)
		return NULL;
	found = bsearch(&wanted, table->names, table->name_cnt, sizeof(wanted), compare_names);
	return found ? found->name : NULL;
}

static void inet_name(const struct wire_wait_key *key, char *name, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)key->id;
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	char address[INET6_ADDRSTRLEN] = "";

	if (!memcmp(bytes, mapped, sizeof(mapped))) {
		inet_ntop(AF_INET, bytes + 12, address, sizeof(address));
		snprintf(name, size, "%s:%u", address, key->port);
	} else {
		inet_ntop(AF_INET6, bytes, address, sizeof(address));
		snprintf(name, size, "[%s]:%u", address, key->port);
	}
}

/* "[eventfd]" is "eventfd" to the reader. */
static void anon_name(const struct wire_wait_key *key, char *name, size_t size)
{
	const char *from = (const char *)key->id;
	int len = (int)strnlen(from, sizeof(key->id));

	if (len && from[0] == '[') {
		from++;
		len--;
	}
	if (len && from[len - 1] == ']')
		len--;
	snprintf(name, size, "%.*s", len, from);
}

static void syscall_describe(const struct wire_wait_key *key, char *name, size_t size)
{
	const char *known = syscall_name(key->syscall);

	if (known)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "syscall %u", key->syscall);
}

/* The kernel's own device numbers: 20 bits of minor. */
static void device_name(const struct wire_wait_key *key, char *name, size_t size)
{
	snprintf(name, size, "inode %llu on device %llu:%llu", (unsigned long long)key->id[1],
		 (unsigned long long)(key->id[0] >> 20),
		 (unsigned long long)(key->id[0] & 0xfffff));
}

static const char *object_describe(const struct wait_table *table, struct observation *obs,
				   const struct wire_wait_key *key)
{
	const char *known = find_name(table, key);
	char name[128] = "";

	if (known)
		return known;
	switch (key->kind) {
	case WIRE_KIND_TCP:
	case WIRE_KIND_UDP:
		inet_name(key, name, sizeof(name));
		break;
	case WIRE_KIND_PIPE:
		snprintf(name, sizeof(name), "pipe:[%llu]", (unsigned long long)key->id[1]);
		break;
	case WIRE_KIND_ANON:
		anon_name(key, name, sizeof(name));
		break;
	case WIRE_KIND_FUTEX:
		if (key->reason == WIRE_GIL)
			snprintf(name, sizeof(name), "GIL");
		else
			snprintf(name, sizeof(name), "0x%llx", (unsigned long long)key->id[0]);
		break;
	case WIRE_KIND_SYSCALL:
		syscall_describe(key, name, sizeof(name));
		break;
	case WIRE_KIND_FILE:
	case WIRE_KIND_DIRECTORY:
	case WIRE_KIND_BLOCK:
	case WIRE_KIND_TTY:
	case WIRE_KIND_DEVICE:
		device_name(key, name, sizeof(name));
		break;
	}
	known = observation_intern(obs, name, strlen(name));
	return known ? known : "";
}

static int compare_threads(const void *a, const void *b)
{
	const struct obs_thread *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static struct obs_thread *find_thread(struct observation *obs, uint32_t tgid, uint32_t tid)
{
	struct obs_thread wanted = {.pid = (pid_t)tgid, .tid = (pid_t)tid};

	if (!obs->thread_cnt)
		return NULL;
	return bsearch(&wanted, obs->threads, obs->thread_cnt, sizeof(wanted), compare_threads);
}

/* Decides a row that was kept by thread, and corrects that thread's totals with it. */
static void decide_gil(struct wait_row *row, const struct process_tree *tree,
		       struct observation *obs)
{
	struct gil_range gil = process_tree_gil(tree, (pid_t)row->key.tgid);
	struct obs_thread *thread;
	uint64_t wait_ns = row->sum.wait_ns, wait_cnt = row->sum.wait_cnt;
	uint8_t was = row->key.reason;

	if (row->key.id[0] >= gil.start && row->key.id[0] < gil.end) {
		thread = find_thread(obs, row->key.tgid, row->key.tid);
		if (thread && thread->wait_ns[was] >= wait_ns) {
			thread->wait_ns[was] -= wait_ns;
			thread->wait_cnt[was] -= wait_cnt;
			thread->wait_ns[WAIT_GIL] += wait_ns;
			thread->wait_cnt[WAIT_GIL] += wait_cnt;
			row->key.reason = WIRE_GIL;
		}
	}
	row->key.tid = 0;
}

/* The GIL is one lock, though a wait for it may be on any word of it and ends by design when its
 * switch interval has run out. */
static void normalise_gil(struct wait_row *row)
{
	if (row->key.reason != WIRE_GIL)
		return;
	row->key.id[0] = 0;
	row->key.flags &= (uint8_t)~WIRE_WAIT_TIMED_OUT;
}

static int compare_rows(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct wire_wait_key)); /* the key comes first */
}

static int row_append(const struct wait_table *table, struct observation *obs,
		      const struct wait_row *row)
{
	struct obs_wait *wait = observation_add_wait(obs);

	if (!wait)
		return -ENOMEM;
	wait->pid = (pid_t)row->key.tgid;
	wait->reason = (enum wait_reason)row->key.reason;
	wait->kind = (enum object_kind)row->key.kind;
	wait->direction = (enum wait_direction)row->key.direction;
	wait->name = object_describe(table, obs, &row->key);
	wait->via_event_loop = row->key.flags & WIRE_WAIT_EVENT_LOOP;
	wait->timed_out = row->key.flags & WIRE_WAIT_TIMED_OUT;
	wait->wait_ns = row->sum.wait_ns;
	wait->wait_cnt = row->sum.wait_cnt;
	wait->max_ns = row->sum.max_ns;
	wait->quiet_ns = row->sum.quiet_ns;
	wait->woken_by_tree_cnt = row->sum.woken_by_tree_cnt;
	wait->woken_by_other_cnt = row->sum.woken_by_other_cnt;
	wait->woken_by_interrupt_cnt = row->sum.woken_by_interrupt_cnt;
	return 0;
}

static void sum_add(struct wire_wait_sum *to, const struct wire_wait_sum *from)
{
	to->wait_ns += from->wait_ns;
	to->wait_cnt += from->wait_cnt;
	to->quiet_ns += from->quiet_ns;
	to->woken_by_tree_cnt += from->woken_by_tree_cnt;
	to->woken_by_other_cnt += from->woken_by_other_cnt;
	to->woken_by_interrupt_cnt += from->woken_by_interrupt_cnt;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
}

int wait_table_finish(struct wait_table *table, const struct process_tree *tree,
		      struct observation *obs)
{
	size_t i, next;

	if (obs->thread_cnt)
		qsort(obs->threads, obs->thread_cnt, sizeof(obs->threads[0]), compare_threads);
	for (i = 0; i < table->cnt; i++) {
		if (table->rows[i].key.tid)
			decide_gil(&table->rows[i], tree, obs);
		normalise_gil(&table->rows[i]);
	}
	if (table->cnt)
		qsort(table->rows, table->cnt, sizeof(table->rows[0]), compare_rows);
	if (table->name_cnt)
		qsort(table->names, table->name_cnt, sizeof(table->names[0]), compare_names);
	for (i = 0; i < table->cnt; i = next) {
		struct wait_row row = table->rows[i];

		for (next = i + 1; next < table->cnt; next++) {
			if (compare_rows(&row, &table->rows[next]))
				break;
			sum_add(&row.sum, &table->rows[next].sum);
		}
		if (row_append(table, obs, &row))
			return -ENOMEM;
	}
	table->cnt = 0;
	return 0;
}
