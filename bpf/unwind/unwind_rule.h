/*
 * What call frame information says of one address: where the caller's registers are, in a form that
 * is quick to follow.
 */
#ifndef CLASSIFY_UNWIND_RULE_H
#define CLASSIFY_UNWIND_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "unwind/unwind.h"

enum register_rule {
	RULE_UNDEFINED,	  /* it can't be recovered; of the return address: there is no caller */
	RULE_SAME,	  /* the frame has left it alone */
	RULE_AT,	  /* saved at CFA + offset */
	RULE_IS,	  /* is CFA + offset */
	RULE_REGISTER,	  /* is in register number offset */
	RULE_AT_COMPUTED, /* saved where the expression number offset says */
	RULE_COMPUTED,	  /* is what the expression number offset says */
	RULE_ELSEWHERE,	  /* of the return address: the caller is on another stack */
};

/* Numbers of registers on x86-64, as DWARF has them. */
#define REGISTER_RBX 3
#define REGISTER_RBP 6
#define REGISTER_RSP 7
#define REGISTER_R12 12
#define REGISTER_R15 15
#define REGISTER_RIP 16

struct unwind_rule {
	bool is_signal_frame; /* its return address is where a signal came, not after a call */
	bool is_cfa_computed; /* by expression number cfa_offset; else cfa_register + cfa_offset */
	uint8_t cfa_register;
	uint8_t how[UNWIND_REGISTER_CNT]; /* enum register_rule; of RIP: the return address */
	int32_t cfa_offset;
	int32_t offset[UNWIND_REGISTER_CNT];
};

#endif
