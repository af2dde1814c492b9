/* See stack_table.h. */
#include "stack_table.h"
#include "observation/string_pool.h"
#include <errno.h>
#include <string.h>

/* In all, some 40 MB at most. */
#define NODES_MAX	  (1u << 18)
#define ROWS_MAX	  (1u << 18)
#define THREADS_MAX	  (1u << 17)
#define TASKS_MAX	  4096
#define WAITS_MAX	  (1u << 16)
#define PYTHON_PLACES_MAX (1u << 16)

int stack_table_init(struct stack_table *table)
{
	memset(table, 0, sizeof(*table));
	key_set_init(&table->nodes, sizeof(struct stack_node), NODES_MAX);
	key_set_init_values(&table->rows, sizeof(struct stack_row), sizeof(struct stack_sum),
			    ROWS_MAX);
	key_set_init_values(&table->threads, sizeof(struct stack_thread), sizeof(const char *),
			    THREADS_MAX);
	key_set_init(&table->tasks, sizeof(const char *), TASKS_MAX);
	key_set_init(&table->waits, sizeof(struct wire_wait_key), WAITS_MAX);
	key_set_init(&table->python_places, sizeof(struct stack_python_place), PYTHON_PLACES_MAX);
	table->strings = string_pool_new(0);
	return table->strings ? 0 : -ENOMEM;
}

void stack_table_release(struct stack_table *table)
{
	key_set_release(&table->nodes);
	key_set_release(&table->rows);
	key_set_release(&table->threads);
	key_set_release(&table->tasks);
	key_set_release(&table->waits);
	key_set_release(&table->python_places);
	string_pool_free(table->strings);
	memset(table, 0, sizeof(*table));
}

uint32_t stack_table_push(struct stack_table *table, const struct stack_node *node)
{
	return key_set_add(&table->nodes, node);
}

void stack_table_add(struct stack_table *table, const struct stack_row *row,
		     const struct stack_sum *sum)
{
	uint32_t number = key_set_add(&table->rows, row);

	if (number == KEY_SET_FULL)
		table->lost_cnt += sum->sample_cnt;
	else
		stack_sum_add(stack_table_sum(table, number), sum);
}

static const char *keep(struct stack_table *table, const char *text)
{
	return string_pool_intern(table->strings, text, strlen(text));
}

uint32_t stack_table_thread(struct stack_table *table, uint32_t pid, uint32_t tid)
{
	const struct stack_thread thread = { .pid = pid, .tid = tid };

	return key_set_add(&table->threads, &thread);
}

void stack_table_name_thread(struct stack_table *table, uint32_t number, const char *name)
{
	*(const char **)key_set_value(&table->threads, number) = keep(table, name);
}

const char *stack_table_thread_name(const struct stack_table *table, uint32_t number)
{
	const char *name = *(const char *const *)key_set_value(&table->threads, number);

	return name ? name : "";
}

uint32_t stack_table_task(struct stack_table *table, const char *name)
{
	const char *kept = keep(table, name);

	return kept ? key_set_add(&table->tasks, &kept) : KEY_SET_FULL;
}

uint32_t stack_table_python_place(struct stack_table *table, const char *function, const char *file,
				  uint32_t line, uint32_t first_line)
{
	struct stack_python_place place = { .function = keep(table, function),
					    .file = keep(table, file),
					    .line = line,
					    .first_line = first_line };

	return place.function && place.file ? key_set_add(&table->python_places, &place)
					    : KEY_SET_FULL;
}
