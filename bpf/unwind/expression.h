/*
 * DWARF expressions, as call frame information uses them: where a computed rule of an address is
 * not just a register and a distance (PLT entries, signal frames, realigned stacks).
 */
#ifndef CLASSIFY_EXPRESSION_H
#define CLASSIFY_EXPRESSION_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer ones are not followed: those that compilers write have about ten operations. */
#define EXPRESSION_OPERATIONS_MAX 64

struct expression_operation {
	uint8_t code; /* DW_OP_*; forms that do the same are one: see expression_translate.c */
	uint8_t register_number;
	uint16_t target; /* of a branch: the number of an operation */
	int64_t operand;
};

struct expression {
	struct expression_operation operations[EXPRESSION_OPERATIONS_MAX];
	size_t operation_cnt;
};

struct stack_memory;

/* What an expression may read. */
struct expression_input {
	const uint64_t *registers;
	uint32_t known; /* bit N: registers[N] is known */
	const struct stack_memory *memory;
	const uint64_t *cfa; /* NULL: not known yet */
};

/* Takes over @operations as libdw read them. False when there are too many, or one that has no
 * place in call frame information. */
bool expression_translate(const Dwarf_Op *operations, size_t operation_cnt,
			  struct expression *expression);

/* False when @expression reads what is not known, is not understood, or doesn't end. */
bool expression_compute(const struct expression *expression, const struct expression_input *input,
			uint64_t *result);

#endif
