/* Objects of CPython read from outside; see objects.h. */
#include "python/objects.h"

#include <errno.h>
#include <string.h>

#include "python/interpreter.h"
#include "python/page_cache.h"

/* A program with more modules, attributes or tasks than these isn't read to the end. */
#define DICT_ENTRIES_MAX (1U << 17)
#define DICT_LOG2_MAX	 18
#define SET_SLOTS_MAX	 (1U << 20)
#define BASES_MAX	 16
#define NAME_BYTES_MAX	 64
/* Of a str object, up to its ASCII characters. */
#define STRING_HEAD_MAX 64

/* By offsetof() in the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0; the same in
 * all of them where there is one number. */
#define DICT_KEYS	  32
#define DICT_VALUES	  40
#define SET_USED	  24
#define SET_MASK	  32
#define SET_TABLE	  40
#define SET_SLOT_BYTES	  16
#define TUPLE_ITEMS	  24
#define LIST_ITEMS	  24
#define TYPE_INSTANCE	  32
#define TYPE_FLAGS	  168
#define TYPE_BASE	  256
#define TYPE_DICT_OFFSET  288
#define TYPE_BYTES	  296
#define SPLIT_VALUE_BYTES 8
/* Of dicts and values that lie in front of the instance. */
#define MANAGED_DICT   24
#define MANAGED_VALUES 32

#define FLAG_INLINE_VALUES (1UL << 2) /* 3.13 */
#define FLAG_MANAGED_DICT  (1UL << 4) /* 3.11 and later */
#define FLAG_HEAP_TYPE	   (1UL << 9)
#define FLAG_INT	   (1UL << 24)
#define FLAG_LIST	   (1UL << 25)
#define FLAG_TUPLE	   (1UL << 26)
#define FLAG_DICT	   (1UL << 29)

/* Of the table of keys: before 3.11, and since. */
#define OLD_KEYS_SIZE	  8
#define OLD_KEYS_CNT	  32
#define OLD_KEYS_INDICES  40
#define KEYS_INDEX_LOG2	  9
#define KEYS_KIND	  10
#define KEYS_CNT	  24
#define KEYS_INDICES	  32
#define KEYS_KIND_GENERAL 0

enum attribute_style {
	ATTRIBUTES_IN_DICT,	/* at tp_dictoffset */
	ATTRIBUTES_TWO_WORDS,	/* 3.11: a dict or an array of values, in front of the instance */
	ATTRIBUTES_TAGGED_WORD, /* 3.12: one word for both */
	ATTRIBUTES_INLINE,	/* 3.13: a dict in front, values behind the instance */
};

struct object_layout {
	uint32_t version;
	bool has_old_keys;
	bool has_int_tag;	   /* 3.12 and later: not the number of digits but a tag */
	uint32_t split_values;	   /* where they begin in what ma_values leads to */
	uint32_t type_cached_keys; /* of instances' attributes */
	enum attribute_style attributes;
	uint32_t function_name;
	uint32_t function_closure;
};

static const struct object_layout layouts[] = {
	{ 0x0308, true, false, 0, 0, ATTRIBUTES_IN_DICT, 104, 48 },
	{ 0x0309, true, false, 0, 0, ATTRIBUTES_IN_DICT, 104, 48 },
	{ 0x030a, true, false, 0, 0, ATTRIBUTES_IN_DICT, 40, 72 },
	{ 0x030b, false, false, 0, 872, ATTRIBUTES_TWO_WORDS, 40, 72 },
	{ 0x030c, false, true, 0, 880, ATTRIBUTES_TAGGED_WORD, 40, 72 },
	{ 0x030d, false, true, 8, 880, ATTRIBUTES_INLINE, 40, 72 },
};

/* Types of the interpreter itself; a program's own may be called the same, but are heap types. */
static const struct {
	const char *name;
	enum object_kind kind;
} static_types[] = {
	{ "set", OBJECT_SET },
	{ "weakref", OBJECT_WEAKREF },
	{ "weakref.ReferenceType", OBJECT_WEAKREF },
	{ "module", OBJECT_MODULE },
	{ "function", OBJECT_FUNCTION },
	{ "cell", OBJECT_CELL },
	{ "coroutine", OBJECT_COROUTINE },
	{ "generator", OBJECT_GENERATOR },
	{ "async_generator", OBJECT_ASYNC_GENERATOR },
	{ "coroutine_wrapper", OBJECT_AWAIT_WRAPPER },
	{ "async_generator_asend", OBJECT_AWAIT_WRAPPER },
	{ "async_generator_athrow", OBJECT_AWAIT_WRAPPER },
	{ "anext_awaitable", OBJECT_AWAIT_WRAPPER },
};

int objects_begin(struct objects *objects, struct python *python)
{
	memset(objects, 0, sizeof(*objects));
	objects->python = python;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == python->hexversion >> 16)
			objects->layout = &layouts[i];
	if (!objects->layout)
		return -ENOTSUP;
	return page_cache_begin(&python->pages, &python->memory);
}

void objects_end(struct objects *objects)
{
	page_cache_end(&objects->python->pages);
}

uint64_t object_word(struct objects *objects, uint64_t address)
{
	return memory_word(&objects->python->memory, address);
}

static bool read_bytes(struct objects *objects, uint64_t address, void *bytes, size_t len)
{
	return memory_read(&objects->python->memory, address, bytes, len);
}

static uint64_t word_of(const unsigned char *bytes, size_t offset)
{
	uint64_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

static enum object_kind kind_of_type(const struct object_type *type)
{
	if (type->flags & FLAG_DICT)
		return OBJECT_DICT;
	if (type->flags & FLAG_INT)
		return OBJECT_INT;
	if (type->flags & FLAG_LIST)
		return OBJECT_LIST;
	if (type->flags & FLAG_TUPLE)
		return OBJECT_TUPLE;
	if (type->flags & FLAG_HEAP_TYPE)
		return OBJECT_OTHER;
	for (size_t i = 0; i < sizeof(static_types) / sizeof(static_types[0]); i++)
		if (!strcmp(type->name, static_types[i].name))
			return static_types[i].kind;
	return OBJECT_OTHER;
}

static void read_type_name(struct objects *objects, uint64_t name, struct object_type *type)
{
	for (size_t i = 0; i + 1 < sizeof(type->name); i++)
		if (!read_bytes(objects, name + i, &type->name[i], 1) || !type->name[i])
			return;
}

static bool read_type(struct objects *objects, uint64_t address, struct object_type *type)
{
	unsigned char bytes[TYPE_BYTES];

	memset(type, 0, sizeof(*type));
	if (!read_bytes(objects, address, bytes, sizeof(bytes)))
		return false;
	type->address = address;
	type->instance_bytes = word_of(bytes, TYPE_INSTANCE);
	type->flags = word_of(bytes, TYPE_FLAGS);
	type->base = word_of(bytes, TYPE_BASE);
	type->dict_offset = (int64_t)word_of(bytes, TYPE_DICT_OFFSET);
	read_type_name(objects, word_of(bytes, LAYOUT_TYPE_NAME), type);
	type->kind = kind_of_type(type);
	return true;
}

static bool type_at(struct objects *objects, uint64_t address, struct object_type *type)
{
	struct object_type *cached = &objects->types[(address >> 4) % OBJECTS_TYPE_CNT];

	if (!address)
		return false;
	if (cached->address != address && !read_type(objects, address, cached))
		return false;
	*type = *cached;
	return true;
}

bool object_type_of(struct objects *objects, uint64_t object, struct object_type *type)
{
	return object && type_at(objects, object_word(objects, object + LAYOUT_OBJECT_TYPE), type);
}

enum object_kind object_kind_of(struct objects *objects, uint64_t object)
{
	struct object_type type;

	return object_type_of(objects, object, &type) ? type.kind : OBJECT_OTHER;
}

bool object_is_none(struct objects *objects, uint64_t object)
{
	struct object_type type;

	return !object_type_of(objects, object, &type) || !strcmp(type.name, "NoneType");
}

bool object_type_base(struct objects *objects, const struct object_type *type, const char *name,
		      struct object_type *base)
{
	*base = *type;
	for (int i = 0; i < BASES_MAX; i++) {
		if (!strcmp(base->name, name))
			return true;
		if (!type_at(objects, base->base, base))
			return false;
	}
	return false;
}

/* Digits have 30 bits; two of them are enough for all that is counted here, three for addresses. */
bool object_int(struct objects *objects, uint64_t object, uint64_t *value)
{
	uint64_t size = object_word(objects, object + LAYOUT_OBJECT_SIZE);
	uint32_t digits[3] = { 0 };

	if (object_kind_of(objects, object) != OBJECT_INT)
		return false;
	if (objects->layout->has_int_tag)
		size = (size & 3) == 2 ? UINT64_MAX : size >> 3; /* 2: negative */
	if (size > 3 || !read_bytes(objects, object + LAYOUT_OBJECT_SIZE + sizeof(size), digits,
				    (size_t)size * sizeof(digits[0])))
		return false;
	*value = (uint64_t)digits[2] << 60 | (uint64_t)digits[1] << 30 | digits[0];
	return digits[2] < 16;
}

uint64_t object_size(struct objects *objects, uint64_t object, uint64_t max)
{
	uint64_t size = object_word(objects, object + LAYOUT_OBJECT_SIZE);

	return size < max ? size : max;
}

uint64_t object_tuple_item(struct objects *objects, uint64_t tuple, uint64_t i)
{
	return object_word(objects, tuple + TUPLE_ITEMS + i * sizeof(uint64_t));
}

uint64_t object_list_item(struct objects *objects, uint64_t list, uint64_t i)
{
	return object_word(objects, object_word(objects, list + LIST_ITEMS) + i * sizeof(uint64_t));
}

uint64_t object_function_name(struct objects *objects, uint64_t function)
{
	return object_word(objects, function + objects->layout->function_name);
}

uint64_t object_function_closure(struct objects *objects, uint64_t function)
{
	return object_word(objects, function + objects->layout->function_closure);
}

static uint64_t old_index_bytes(uint64_t size)
{
	return size <= 0xff ? size : size <= 0xffff ? size * 2 : size * 4;
}

/* The table of keys at @keys, and the array of @values if it is a split one (else 0). */
static bool open_keys(struct objects *objects, uint64_t keys, uint64_t values,
		      struct object_dict *dict)
{
	unsigned char bytes[OLD_KEYS_INDICES];
	bool is_old = objects->layout->has_old_keys;
	bool has_hashes;

	if (!read_bytes(objects, keys, bytes, is_old ? OLD_KEYS_INDICES : KEYS_INDICES))
		return false;
	if (is_old) {
		uint64_t size = word_of(bytes, OLD_KEYS_SIZE);

		if (size > 1U << DICT_LOG2_MAX)
			return false;
		dict->entries = keys + OLD_KEYS_INDICES + old_index_bytes(size);
		dict->entry_cnt = word_of(bytes, OLD_KEYS_CNT);
		has_hashes = true;
	} else {
		if (bytes[KEYS_INDEX_LOG2] > DICT_LOG2_MAX + 2)
			return false;
		dict->entries = keys + KEYS_INDICES + (1UL << bytes[KEYS_INDEX_LOG2]);
		dict->entry_cnt = word_of(bytes, KEYS_CNT);
		has_hashes = bytes[KEYS_KIND] == KEYS_KIND_GENERAL;
	}
	dict->keys = keys;
	dict->entry_bytes = has_hashes ? 24 : 16;
	dict->key_offset = has_hashes ? 8 : 0;
	dict->values = values ? values + objects->layout->split_values : 0;
	return dict->entry_cnt <= DICT_ENTRIES_MAX;
}

bool object_dict_open(struct objects *objects, uint64_t object, struct object_dict *dict)
{
	if (object_kind_of(objects, object) != OBJECT_DICT)
		return false;
	return open_keys(objects, object_word(objects, object + DICT_KEYS),
			 object_word(objects, object + DICT_VALUES), dict);
}

bool object_dict_entry(struct objects *objects, const struct object_dict *dict, uint64_t i,
		       struct object_dict_entry *entry)
{
	uint64_t words[2];
	uint64_t address = dict->entries + i * dict->entry_bytes + dict->key_offset;

	if (i >= dict->entry_cnt || !read_bytes(objects, address, words, sizeof(words)))
		return false;
	entry->key = words[0];
	entry->value = dict->values ? object_word(objects, dict->values + i * SPLIT_VALUE_BYTES)
				    : words[1];
	return true;
}

/* Names that are looked for are ASCII. */
static bool string_is(struct objects *objects, uint64_t string, const char *name)
{
	const struct python_layout *layout = &objects->python->layout;
	unsigned char bytes[STRING_HEAD_MAX + NAME_BYTES_MAX];
	size_t len = strlen(name);

	if (len > NAME_BYTES_MAX || layout->unicode_ascii_data > STRING_HEAD_MAX ||
	    object_word(objects, string + LAYOUT_OBJECT_SIZE) != len)
		return false;
	return read_bytes(objects, string, bytes, layout->unicode_ascii_data + len) &&
	       !memcmp(bytes + layout->unicode_ascii_data, name, len);
}

static bool entry_is(struct objects *objects, const struct object_dict *dict, uint64_t i,
		     const char *name, uint64_t *value)
{
	struct object_dict_entry entry;

	if (!object_dict_entry(objects, dict, i, &entry) || !entry.key || !entry.value ||
	    !string_is(objects, entry.key, name))
		return false;
	*value = entry.value;
	return true;
}

static uint64_t find_entry(struct objects *objects, const struct object_dict *dict,
			   const char *name, struct object_hint *hint)
{
	uint64_t value;

	if (entry_is(objects, dict, hint->index, name, &value))
		return value;
	if (hint->absent_keys == dict->keys && hint->absent_cnt == dict->entry_cnt)
		return 0;
	for (uint64_t i = 0; i < dict->entry_cnt; i++) {
		if (!entry_is(objects, dict, i, name, &value))
			continue;
		hint->index = i;
		return value;
	}
	hint->absent_keys = dict->keys;
	hint->absent_cnt = dict->entry_cnt;
	return 0;
}

uint64_t object_dict_find(struct objects *objects, uint64_t dict, const char *name,
			  struct object_hint *hint)
{
	struct object_hint none = { 0 };
	struct object_dict open;

	if (!object_dict_open(objects, dict, &open))
		return 0;
	return find_entry(objects, &open, name, hint ? hint : &none);
}

/* Where @object of @type, which has no dict of its own, has its values; 0 if it has a dict (@dict),
 * or neither. */
static uint64_t values_of(struct objects *objects, uint64_t object, const struct object_type *type,
			  uint64_t *dict)
{
	uint64_t word = object_word(objects, object - MANAGED_DICT);
	uint64_t values = object + type->instance_bytes;

	*dict = word;
	switch (objects->layout->attributes) {
	case ATTRIBUTES_TWO_WORDS:
		return word ? 0 : object_word(objects, object - MANAGED_VALUES);
	case ATTRIBUTES_TAGGED_WORD:
		*dict = word & 1 ? 0 : word;
		return word & 1 ? word + 1 : 0;
	case ATTRIBUTES_INLINE:
		/* The fourth byte tells whether they are valid. */
		return !word && type->flags & FLAG_INLINE_VALUES &&
				       object_word(objects, values) >> 24 & 0xff
			       ? values
			       : 0;
	default:
		return 0;
	}
}

static uint64_t attribute_in_dict(struct objects *objects, uint64_t object,
				  const struct object_type *type, const char *name)
{
	uint64_t dict = object + (uint64_t)type->dict_offset;

	return type->dict_offset > 0
		       ? object_dict_find(objects, object_word(objects, dict), name, NULL)
		       : 0;
}

uint64_t object_attribute(struct objects *objects, uint64_t object, const char *name)
{
	struct object_hint none = { 0 };
	struct object_type type;
	struct object_dict open;
	uint64_t dict, values;

	if (!object_type_of(objects, object, &type))
		return 0;
	if (objects->layout->attributes == ATTRIBUTES_IN_DICT || !(type.flags & FLAG_MANAGED_DICT))
		return attribute_in_dict(objects, object, &type, name);
	values = values_of(objects, object, &type, &dict);
	if (!values)
		return dict ? object_dict_find(objects, dict, name, NULL) : 0;
	if (!open_keys(objects,
		       object_word(objects, type.address + objects->layout->type_cached_keys),
		       values, &open))
		return 0;
	return find_entry(objects, &open, name, &none);
}

bool object_set_open(struct objects *objects, uint64_t object, struct object_set *set)
{
	if (object_kind_of(objects, object) != OBJECT_SET)
		return false;
	set->used_cnt = object_word(objects, object + SET_USED);
	set->slot_cnt = object_word(objects, object + SET_MASK) + 1;
	set->slots = object_word(objects, object + SET_TABLE);
	return set->slot_cnt <= SET_SLOTS_MAX && set->used_cnt <= set->slot_cnt;
}

uint64_t object_set_slot(struct objects *objects, const struct object_set *set, uint64_t i)
{
	return i < set->slot_cnt ? object_word(objects, set->slots + i * SET_SLOT_BYTES) : 0;
}
