/* "classify verify": whether a change brought what was predicted. */
#ifndef CLASSIFY_VERIFY_H
#define CLASSIFY_VERIFY_H

/* @argv: from the word "verify" on. Returns the exit code. */
int verify_main(int argc, char **argv);

#endif
