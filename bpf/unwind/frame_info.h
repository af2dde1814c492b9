/*
 * The call frame information of one file, read by libdw and remembered per address. It is shared by
 * all processes that map the file.
 */
#ifndef CLASSIFY_FRAME_INFO_H
#define CLASSIFY_FRAME_INFO_H

#include <stddef.h>
#include <stdint.h>
#include "unwind/unwind_rule.h"

struct code_file;
struct expression;
struct frame_info;

/* Addresses of one file whose rules are remembered; with more all are forgotten. */
#define FRAME_INFO_RULES_MAX 16384

/* NULL: out of memory. Nothing is read before it is asked for. */
struct frame_info *frame_info_new(struct code_file *file);
void frame_info_free(struct frame_info *info);

/* The rule of @address, as the file numbers addresses, or NULL: there is none. It lasts until the
 * next call. */
const struct unwind_rule *frame_info_find(struct frame_info *info, uint64_t address);

/* What a rule refers to by @number; NULL: it is not understood. */
const struct expression *frame_info_expression(const struct frame_info *info, int32_t number);

/* How many rules are remembered. */
size_t frame_info_rule_cnt(const struct frame_info *info);

#endif
