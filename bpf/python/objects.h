/*
 * Objects of CPython 3.8 to 3.13 read from outside: types, dicts, attributes, sets, numbers. Every
 * pointer may lead anywhere and every length may lie: what doesn't fit reads as "not there".
 */
#ifndef CLASSIFY_PYTHON_OBJECTS_H
#define CLASSIFY_PYTHON_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object_layout;
struct python;

/* What an object is, as far as it matters here. */
enum object_kind {
	OBJECT_OTHER,
	OBJECT_DICT, /* a subclass, too; and so with numbers and tuples */
	OBJECT_INT,
	OBJECT_TUPLE,
	OBJECT_LIST,
	OBJECT_SET,
	OBJECT_WEAKREF,
	OBJECT_MODULE,
	OBJECT_FUNCTION,
	OBJECT_CELL,
	OBJECT_COROUTINE,
	OBJECT_GENERATOR,
	OBJECT_ASYNC_GENERATOR,
	OBJECT_AWAIT_WRAPPER, /* stands for the awaitable that it leads to */
};

#define OBJECT_TYPE_NAME_BYTES 40

struct object_type {
	uint64_t address;
	char name[OBJECT_TYPE_NAME_BYTES]; /* tp_name, cut */
	uint64_t flags;
	uint64_t instance_bytes; /* tp_basicsize */
	int64_t dict_offset;
	uint64_t base;
	enum object_kind kind;
};

#define OBJECTS_TYPE_CNT 64

/* A look at the objects of @python; its memory is read through a cache meanwhile. */
struct objects {
	struct python *python;
	const struct object_layout *layout;
	struct object_type types[OBJECTS_TYPE_CNT];
};

/* Begins a look. Returns 0, -ENOTSUP for a version that isn't known, or -ENOMEM. */
int objects_begin(struct objects *objects, struct python *python);
void objects_end(struct objects *objects);

uint64_t object_word(struct objects *objects, uint64_t address);

/* Reads the type of the object at @object. False: there is no object. */
bool object_type_of(struct objects *objects, uint64_t object, struct object_type *type);
enum object_kind object_kind_of(struct objects *objects, uint64_t object);

/* Finds the type called @name among @type and its bases. */
bool object_type_base(struct objects *objects, const struct object_type *type, const char *name,
		      struct object_type *base);

/* Is it None, or nothing at all? */
bool object_is_none(struct objects *objects, uint64_t object);

/* An int that isn't negative. */
bool object_int(struct objects *objects, uint64_t object, uint64_t *value);

/* How many an object of variable size has (a tuple: its items); 0 to @max. */
uint64_t object_size(struct objects *objects, uint64_t object, uint64_t max);
uint64_t object_tuple_item(struct objects *objects, uint64_t tuple, uint64_t i);
uint64_t object_list_item(struct objects *objects, uint64_t list, uint64_t i);

/* A function's qualified name, a str, and its closure, a tuple of cells. */
uint64_t object_function_name(struct objects *objects, uint64_t function);
uint64_t object_function_closure(struct objects *objects, uint64_t function);

/* The entries of a dict, or of an instance's attributes. */
struct object_dict {
	uint64_t keys; /* the address of its table of keys */
	uint64_t entries;
	uint64_t entry_cnt;
	uint32_t entry_bytes;
	uint32_t key_offset;
	uint64_t values; /* of a split table: where the values lie; 0: in the entries */
};

struct object_dict_entry {
	uint64_t key;
	uint64_t value; /* 0: deleted */
};

bool object_dict_open(struct objects *objects, uint64_t object, struct object_dict *dict);
bool object_dict_entry(struct objects *objects, const struct object_dict *dict, uint64_t i,
		       struct object_dict_entry *entry);

/* Where a name was found, or that it wasn't: makes the next search in the same dict cheap. All
 * zeroes: nothing is known. */
struct object_hint {
	uint64_t index;
	uint64_t absent_keys;
	uint64_t absent_cnt;
};

/* The value under the str @name, 0 if there is none. @hint may be NULL. */
uint64_t object_dict_find(struct objects *objects, uint64_t dict, const char *name,
			  struct object_hint *hint);

/* The attribute @name that the instance has itself; 0 if it has none. */
uint64_t object_attribute(struct objects *objects, uint64_t object, const char *name);

/* The table of a set: some slots hold a key, others 0, or what once was one. */
struct object_set {
	uint64_t slots;
	uint64_t slot_cnt;
	uint64_t used_cnt;
};

bool object_set_open(struct objects *objects, uint64_t object, struct object_set *set);
uint64_t object_set_slot(struct objects *objects, const struct object_set *set, uint64_t i);

#endif
