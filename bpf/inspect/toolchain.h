/*
 * What an executable of machine code was built with, where that matters: Go has its own scheduler,
 * and Rust its own words. Told by what their linkers leave in the file.
 */
#ifndef CLASSIFY_TOOLCHAIN_H
#define CLASSIFY_TOOLCHAIN_H

#include <stddef.h>
#include <sys/types.h>

/* Room for any that is told. */
#define TOOLCHAIN_BYTES 48

/*
 * Writes what the executable of @pid was built with to @text: "go 1.19.8", "rust 1.93.1", the name
 * alone where the version isn't known, or "" for all others and what can't be read. A few reads of
 * bounded size: the file is the target's and may be anything.
 */
void toolchain_read(pid_t pid, char text[TOOLCHAIN_BYTES]);

#endif
