/* Finds and makes rows of waits; see cause_rows.h. */
#include "cause_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory_place.h"
#include "observation/observation.h"
#include "wait_cause.h"

/* Each may mean to search the symbols of a large program, which delays the next sample. */
#define PLACES_MAX 512

int cause_rows_init(struct cause_rows *rows, struct observation *obs)
{
	*rows = (struct cause_rows){ .obs = obs };
	/* Four slots a row: the rows that lump objects together come on top of the maximum. */
	rows->slot_cnt = 4 * (size_t)CAUSE_ROWS_MAX;
	rows->slots = calloc(rows->slot_cnt, sizeof(*rows->slots));
	return rows->slots ? 0 : -ENOMEM;
}

void cause_rows_release(struct cause_rows *rows)
{
	free(rows->places);
	free(rows->slots);
	memset(rows, 0, sizeof(*rows));
}

static size_t hash(pid_t pid, const struct wait_cause *cause)
{
	uint64_t bits = (uint64_t)pid << 32 | (uint64_t)cause->reason << 16 |
			(uint64_t)cause->kind << 8 | (uint64_t)cause->direction << 4 |
			(uint64_t)cause->via_event_loop << 1 | (uint64_t)cause->timed_out |
			(uint64_t)cause->operation << 24;

	/* Names are interned: equal names have equal addresses. */
	bits ^= (uint64_t)(uintptr_t)cause->name * 31;
	return (size_t)(bits * 0x9e3779b97f4a7c15ULL >> 32);
}

static bool is_about(const struct obs_wait *row, pid_t pid, const struct wait_cause *cause)
{
	return row->pid == pid && row->reason == cause->reason && row->kind == cause->kind &&
	       row->direction == cause->direction && row->name == cause->name &&
	       row->operation == cause->operation && row->via_event_loop == cause->via_event_loop &&
	       row->timed_out == cause->timed_out;
}

/* The slot that leads to the row, or the free one where it belongs; NULL when none is free. */
static uint32_t *slot_of(struct cause_rows *rows, pid_t pid, const struct wait_cause *cause)
{
	size_t at = hash(pid, cause);

	for (size_t i = 0; i < rows->slot_cnt; i++, at++) {
		uint32_t *slot = &rows->slots[at & (rows->slot_cnt - 1)];

		if (!*slot || is_about(&rows->obs->waits[*slot - 1], pid, cause))
			return slot;
	}
	return NULL;
}

/* The name of the device that holds the file, looked up once for each row. */
static const char *device_of(struct observation *obs, pid_t pid, const struct wait_cause *cause)
{
	char name[DEVICE_NAME_BYTES];
	const char *copy;

	if (!cause->device.major && !cause->device.minor)
		return "";
	device_name(pid, cause->device, name);
	copy = observation_intern(obs, name, strlen(name));
	return copy ? copy : "";
}

/* Looks up what lies at the address of @row's futex, once, while the process lives. */
static void find_place(struct cause_rows *rows, const struct obs_wait *row)
{
	static const struct memory_user nobody = { .comm = "" };
	struct memory_map map = { 0 };
	size_t cnt = (size_t)(row - rows->obs->waits) + 1;
	const char **grown;
	char name[256];

	if (row->kind != OBJECT_FUTEX || row->reason == WAIT_GIL || row->name[0] != '0' ||
	    rows->looked_cnt++ >= PLACES_MAX)
		return;
	grown = reallocarray(rows->places, cnt, sizeof(*grown));
	if (!grown)
		return;
	memset(grown + rows->place_cnt, 0, (cnt - rows->place_cnt) * sizeof(*grown));
	rows->places = grown;
	rows->place_cnt = cnt;
	memory_place_name(&map, row->pid, strtoull(row->name, NULL, 16), &nobody, name,
			  sizeof(name));
	memory_map_release(&map);
	rows->places[cnt - 1] = observation_intern(rows->obs, name, strlen(name));
}

void cause_rows_name_futexes(struct cause_rows *rows)
{
	for (size_t i = 0; i < rows->place_cnt; i++)
		if (rows->places[i])
			rows->obs->waits[i].name = rows->places[i];
}

struct obs_wait *cause_rows_find(struct cause_rows *rows, pid_t pid, const struct wait_cause *cause)
{
	struct wait_cause lumped = { .reason = cause->reason, .name = "" };
	uint32_t *slot = slot_of(rows, pid, cause);

	if (slot && *slot)
		return &rows->obs->waits[*slot - 1];
	if (rows->obs->wait_cnt >= CAUSE_ROWS_MAX) {
		cause = &lumped;
		slot = slot_of(rows, pid, cause);
		if (slot && *slot)
			return &rows->obs->waits[*slot - 1];
	}

	struct obs_wait *row = slot ? observation_add_wait(rows->obs) : NULL;

	if (!row)
		return NULL;
	*slot = (uint32_t)rows->obs->wait_cnt;
	row->pid = pid;
	row->reason = cause->reason;
	row->kind = cause->kind;
	row->direction = cause->direction;
	row->name = cause->name;
	row->operation = cause->operation;
	row->device = device_of(rows->obs, pid, cause);
	row->via_event_loop = cause->via_event_loop;
	row->timed_out = cause->timed_out;
	find_place(rows, row);
	return row;
}
