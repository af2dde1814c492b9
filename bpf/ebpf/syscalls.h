/* The tables of system calls, as the probes hold them. */
#ifndef CLASSIFY_SYSCALLS_H
#define CLASSIFY_SYSCALLS_H

#include <stdint.h>

/* Fills @table (WIRE_SYSCALL_CNT entries) with enum wire_syscall. */
void syscall_table_fill(uint8_t *table);

/* Fills @table (zero, WIRE_SYSCALL_CNT entries) with enum wire_asking. */
void asking_table_fill(uint8_t *table);

#endif
