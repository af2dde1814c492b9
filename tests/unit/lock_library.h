/* What the stripped library of test_memory_place has. */
#ifndef CLASSIFY_LOCK_LIBRARY_H
#define CLASSIFY_LOCK_LIBRARY_H

/* The addresses of a variable that is exported and of one that is not. Not to be named directly: a
 * program at fixed addresses has a copy of its own of what it names. */
void *lock_library_exported(void);
void *lock_library_hidden(void);

#endif
