/* Running a command under classify to learn the facts of its run. */
#ifndef CLASSIFY_VERIFY_RUN_H
#define CLASSIFY_VERIFY_RUN_H

struct run_facts;
struct verify_options;
struct verify_side;

/*
 * Runs @side's command once, in a process of its own and without stdin and stdout, and fills
 * @facts. Returns 0, or the exit code to end with after having said why: that of the command if it
 * failed. Release @facts either way.
 */
int verify_run(const struct verify_options *options, const struct verify_side *side,
	       struct run_facts *facts);

#endif
