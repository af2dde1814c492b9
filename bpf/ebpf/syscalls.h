/* System calls by number: how each waits, and its name. */
#ifndef CLASSIFY_SYSCALLS_H
#define CLASSIFY_SYSCALLS_H

#include <stdint.h>

/* Fills @table (WIRE_SYSCALL_CNT entries) with enum wire_syscall. */
void syscall_table_fill(uint8_t *table);

/* Returns the name of system call @number, or NULL for one that isn't listed. */
const char *syscall_name(unsigned int number);

#endif
