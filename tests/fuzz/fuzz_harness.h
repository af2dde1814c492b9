/* What a fuzzing harness has to have; names and types are libFuzzer's. */
#ifndef CLASSIFY_FUZZ_HARNESS_H
#define CLASSIFY_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/* Does with @bytes what it is to survive. Returns 0; what is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt);

/* Optional: called once, before the rest. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif
