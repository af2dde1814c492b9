/* See stack_intake.h. */
#include "stack_intake.h"
#include "clock.h"
#include "proc_file.h"
#include "stack_chains.h"
#include "stack_tasks.h"
#include "unwind/unwind.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COMM_BYTES 64

/* Threads whose waits are followed; with more they all are forgotten, and met anew. */
#define THREADS_FOLLOWED_MAX (1u << 15)
/* Threads that times are kept apart for: others are one for each process. */
#define THREADS_TOLD_MAX 8192

/* Numbers are used again, but not in the same address space, or not soon. */
struct thread_key {
	uint64_t address_space;
	uint32_t tgid;
	uint32_t tid;
};

/* A thread, and what is known of the wait that it is in. */
struct intake_thread {
	uint32_t number;      /* in table.threads, of one that has a name */
	uint64_t named_ns;    /* when its name was read; 0: never */
	uint32_t wait_number; /* owner.wait_number */
	bool is_waiting;      /* and its stack, `row`, is known */
	struct stack_row row;
	uint64_t read_ns; /* when it was looked at from outside; 0: copied as the wait began */
	struct stack_tasks tasks;
};

int stack_intake_init(struct stack_intake *intake, struct code_files *files,
		      struct symbols *symbols)
{
	memset(intake, 0, sizeof(*intake));
	intake->spaces.files = files;
	intake->spaces.symbols = symbols;
	key_set_init_values(&intake->threads, sizeof(struct thread_key),
			    sizeof(struct intake_thread), THREADS_FOLLOWED_MAX);
	intake->unwinder = unwinder_new(files);
	return intake->unwinder ? stack_table_init(&intake->table) : -ENOMEM;
}

static void forget_threads(struct stack_intake *intake)
{
	for (uint32_t i = 0; i < intake->threads.cnt; i++) {
		struct intake_thread *thread = key_set_value(&intake->threads, i);

		stack_tasks_release(&thread->tasks);
	}
	key_set_release(&intake->threads);
}

void stack_intake_release(struct stack_intake *intake)
{
	forget_threads(intake);
	stack_spaces_release(&intake->spaces);
	unwinder_free(intake->unwinder);
	stack_table_release(&intake->table);
}

/* --- whose stack it is --- */

static struct thread_key key_of(const struct wire_stack_owner *owner)
{
	return (struct thread_key){ owner->address_space, owner->tgid, owner->tid };
}

/* NULL: out of memory, which is counted. */
static struct intake_thread *thread_of(struct stack_intake *intake,
				       const struct wire_stack_owner *owner)
{
	const struct thread_key key = key_of(owner);
	uint32_t number = key_set_add(&intake->threads, &key);

	if (number == KEY_SET_FULL) {
		forget_threads(intake);
		number = key_set_add(&intake->threads, &key);
	}
	if (number != KEY_SET_FULL)
		return key_set_value(&intake->threads, number);
	intake->table.lost_cnt++;
	return NULL;
}

/* As the runtime has it, or the kernel. */
static void read_name(const struct stack_space *space, uint32_t tid, uint64_t thread_pointer,
		      char name[COMM_BYTES])
{
	char path[64];
	ssize_t len;

	if (space->python && !python_thread_name(space->python, thread_pointer, name, COMM_BYTES))
		return;
	snprintf(path, sizeof(path), "task/%u/comm", tid);
	len = proc_file_read((pid_t)space->tgid, path, name, COMM_BYTES);
	name[len > 0 ? len - 1 : 0] = '\0';
}

/* The thread that times are told for: itself, or one that stands for its process's others. */
static void number_thread(struct stack_intake *intake, struct intake_thread *thread,
			  const struct wire_stack_owner *owner, const char *name)
{
	bool is_other = intake->table.threads.cnt >= THREADS_TOLD_MAX;

	thread->number = stack_table_thread(&intake->table, owner->tgid, is_other ? 0 : owner->tid);
	if (thread->number != KEY_SET_FULL)
		stack_table_name_thread(&intake->table, thread->number,
					is_other ? "(other threads)" : name);
}

/* Threads are renamed, mostly soon after they were born. */
static void name_thread(struct stack_intake *intake, struct intake_thread *thread,
			const struct stack_space *space, const struct wire_stack_owner *owner,
			uint64_t thread_pointer)
{
	char name[COMM_BYTES];

	if (thread->named_ns && owner->time_ns < thread->named_ns + NS_PER_S)
		return;
	read_name(space, owner->tid, thread_pointer, name);
	if (thread->named_ns && !name[0])
		return; /* it is gone: its name stays */
	thread->named_ns = owner->time_ns;
	number_thread(intake, thread, owner, name);
}

/* --- stacks --- */

static size_t frames_of(const struct stack_space *space, const struct wire_stack *stack,
			struct python_frame frames[WIRE_PYTHON_FRAMES])
{
	size_t cnt =
		stack->python_cnt < WIRE_PYTHON_FRAMES ? stack->python_cnt : WIRE_PYTHON_FRAMES;

	if (!space->python)
		return 0;
	for (size_t i = 0; i < cnt; i++)
		frames[i] = python_frame_of_wire(space->python, &stack->python[i]);
	return cnt;
}

/* Fills @row but for its wait from a message. False: nothing is known of the stack. */
static bool read_stack(struct stack_intake *intake, const struct wire_stack *stack, size_t size,
		       struct intake_thread *thread, struct stack_row *row)
{
	const struct wire_stack_owner *owner = &stack->owner;
	struct stack_space *space = stack_spaces_get(&intake->spaces, owner);
	struct python_frame frames[WIRE_PYTHON_FRAMES];
	size_t room = size - offsetof(struct wire_stack, stack);
	struct raw_stack raw = { .registers = stack->registers,
				 .bytes = stack->stack,
				 .byte_cnt =
					 stack->stack_bytes < room ? stack->stack_bytes : room };
	size_t kernel_cnt =
		stack->kernel_cnt < WIRE_KERNEL_FRAMES ? stack->kernel_cnt : WIRE_KERNEL_FRAMES;

	if (!space || !space->maps_read_ns) {
		intake->unread_cnt++;
		return false;
	}
	name_thread(intake, thread, space, owner, stack->thread_pointer);
	*row = (struct stack_row){
		.native = chain_native(intake, space, &raw, owner->time_ns),
		.kernel = chain_kernel(intake, stack->kernel, kernel_cnt),
		.python = chain_python(intake, space, frames, frames_of(space, stack, frames),
				       NO_NODE, stack->python_is_cut),
		.thread = thread->number,
		.task = NO_NODE,
		.wait = NO_WAIT,
	};
	if (thread->number == KEY_SET_FULL)
		intake->table.lost_cnt++;
	return thread->number != KEY_SET_FULL && (row->native != NO_NODE || row->python != NO_NODE);
}

static void take_sample(struct stack_intake *intake, const struct wire_stack *stack, size_t size)
{
	struct intake_thread *thread = thread_of(intake, &stack->owner);
	struct stack_sum sum = { .time_ns = (double)intake->period_ns, .sample_cnt = 1 };
	struct stack_row row;

	intake->sample_cnt++;
	if (!thread || !read_stack(intake, stack, size, thread, &row))
		return;
	if (stack->gil_state != WIRE_GIL_UNKNOWN)
		sum.gil_known_ns = sum.time_ns;
	if (stack->gil_state == WIRE_GIL_HELD)
		sum.gil_held_ns = sum.time_ns;
	stack_table_add(&intake->table, &row, &sum);
}

/* --- waits --- */

static void take_wait(struct stack_intake *intake, const struct wire_stack *stack, size_t size)
{
	const struct wire_stack_owner *owner = &stack->owner;
	struct intake_thread *thread = thread_of(intake, owner);

	intake->wait_cnt++;
	if (!thread)
		return;
	thread->wait_number = owner->wait_number;
	thread->read_ns = 0;
	thread->is_waiting = read_stack(intake, stack, size, thread, &thread->row);
	if (thread->is_waiting)
		stack_tasks_look(&thread->tasks, intake, stack_spaces_get(&intake->spaces, owner),
				 &thread->row, stack->thread_pointer);
}

/* The probability that looks have met a wait from @since_ns to @until_ns, as they were made. */
static double look_probability(const struct stack_looking *looking, uint64_t since_ns,
			       uint64_t until_ns)
{
	double missed = 1;

	for (uint32_t i = 0; i < looking->cnt && i < STACK_PASSES; i++) {
		const struct stack_pass *pass =
			&looking->passes[(looking->cnt - 1 - i) % STACK_PASSES];

		if (pass->begin_ns < since_ns + looking->blocked_ns)
			break;
		if (pass->end_ns < until_ns)
			missed *= 1 - pass->chance;
	}
	return 1 - missed;
}

/*
 * How many waits one from @since_ns to @until_ns stands for (Horvitz and Thompson): one over the
 * probability that it was seen, in one of two ways that know nothing of each other: one in
 * @stands_for (0: none) was chosen as it began, and of the others some were met by a look. 0: it
 * doesn't count, as it was met by a look that it couldn't be reckoned with.
 */
static double weight_of(const struct stack_looking *looking, uint64_t since_ns, uint64_t until_ns,
			uint32_t stands_for, bool was_chosen)
{
	double chosen = stands_for ? 1.0 / stands_for : 0;
	double met = look_probability(looking, since_ns, until_ns);

	if (!was_chosen && met <= 0)
		return 0;
	return 1 / (1 - (1 - chosen) * (1 - met));
}

static void add_row(struct stack_intake *intake, struct stack_row row,
		    const struct wire_wait_key *key, double time_ns, double sample_cnt)
{
	const struct stack_sum sum = { .time_ns = time_ns, .sample_cnt = sample_cnt };

	row.wait = key_set_add(&intake->table.waits, key);
	row.is_divided = sample_cnt < 1;
	if (row.wait != KEY_SET_FULL)
		stack_table_add(&intake->table, &row, &sum);
}

/* Adds the time of a wait, which stands for @weight waits. */
static void add_wait(struct stack_intake *intake, struct intake_thread *thread,
		     const struct wire_wait_key *key, uint64_t since_ns, uint64_t until_ns,
		     double weight)
{
	double time_ns = weight * (double)(until_ns - since_ns);
	uint32_t cnt;
	const struct stack_task *tasks =
		stack_tasks_of_wait(&thread->tasks, key, since_ns, until_ns, &cnt);

	if (!(time_ns > 0))
		return;
	if (!cnt)
		add_row(intake, thread->row, key, time_ns, 1);
	for (uint32_t i = 0; i < cnt; i++)
		add_row(intake, tasks[i].row, key, time_ns / cnt, 1.0 / cnt);
}

static void take_wait_end(struct stack_intake *intake, const struct wire_stack_wait_end *end)
{
	struct intake_thread *thread = thread_of(intake, &end->owner);
	uint64_t since_ns;

	if (!thread)
		return;
	thread->tasks.drives_loop |= !!(end->key.flags & WIRE_WAIT_EVENT_LOOP);
	if (!thread->is_waiting || thread->wait_number != end->owner.wait_number)
		return;
	thread->is_waiting = false;
	/* What was read from outside is good if it was read before. */
	if (thread->read_ns && thread->read_ns >= end->owner.time_ns)
		return;
	since_ns = end->owner.time_ns - end->wait_ns;
	add_wait(intake, thread, &end->key, since_ns, end->owner.time_ns,
		 weight_of(&intake->looking, since_ns, end->owner.time_ns, end->stands_for,
			   end->was_chosen));
}

void stack_intake_take(struct stack_intake *intake, const void *message, size_t size)
{
	const struct wire_stack_owner *owner = message;

	if (size < sizeof(*owner))
		return;
	if (owner->type == WIRE_STACK_WAIT_END && size >= sizeof(struct wire_stack_wait_end))
		take_wait_end(intake, message);
	if (size < offsetof(struct wire_stack, stack))
		return;
	if (owner->type == WIRE_STACK_SAMPLE)
		take_sample(intake, message, size);
	else if (owner->type == WIRE_STACK_WAIT)
		take_wait(intake, message, size);
}

/* --- looks from outside --- */

bool stack_intake_knows(const struct stack_intake *intake, const struct wire_waiting *waiting)
{
	const struct thread_key key = key_of(&waiting->owner);
	uint32_t number = key_set_find(&intake->threads, &key);
	const struct intake_thread *thread =
		number == KEY_SET_FULL ? NULL : key_set_value(&intake->threads, number);

	return thread && thread->is_waiting && thread->wait_number == waiting->owner.wait_number;
}

void stack_intake_look(struct stack_intake *intake, const struct wire_waiting *waiting,
		       const struct raw_stack *raw)
{
	const struct wire_stack_owner *owner = &waiting->owner;
	struct intake_thread *thread = thread_of(intake, owner);
	struct stack_space *space = stack_spaces_get(&intake->spaces, owner);
	struct python_frame frames[PYTHON_FRAMES_MAX];
	ssize_t frame_cnt = 0;

	if (!thread || !space || !space->maps_read_ns)
		return;
	name_thread(intake, thread, space, owner, waiting->thread_pointer);
	if (space->python)
		frame_cnt = python_walk(space->python, waiting->thread_pointer, frames,
					PYTHON_FRAMES_MAX);
	thread->row = (struct stack_row){
		.native = chain_native(intake, space, raw, owner->time_ns),
		.kernel = NO_NODE,
		.python = chain_python(intake, space, frames, frame_cnt > 0 ? (size_t)frame_cnt : 0,
				       NO_NODE, frame_cnt == PYTHON_FRAMES_MAX),
		.thread = thread->number,
		.task = NO_NODE,
		.wait = NO_WAIT,
	};
	intake->wait_cnt++;
	thread->wait_number = owner->wait_number;
	thread->read_ns = clock_ns(CLOCK_MONOTONIC);
	thread->is_waiting = thread->number != KEY_SET_FULL &&
			     (thread->row.native != NO_NODE || thread->row.python != NO_NODE);
	thread->tasks.drives_loop |= !!(waiting->key.flags & WIRE_WAIT_EVENT_LOOP);
	if (thread->is_waiting)
		stack_tasks_look(&thread->tasks, intake, space, &thread->row,
				 waiting->thread_pointer);
}

void stack_intake_close(struct stack_intake *intake, const struct wire_waiting *waiting,
			uint64_t until_ns)
{
	struct intake_thread *thread = thread_of(intake, &waiting->owner);

	if (!thread || !stack_intake_knows(intake, waiting) || until_ns <= waiting->since_ns)
		return;
	thread->is_waiting = false;
	add_wait(intake, thread, &waiting->key, waiting->since_ns, until_ns, 1);
}
