/*
 * The user a wrapped command runs as. Under sudo that is the user who called sudo: observing needs
 * rights, the command does not, and its files should not end up owned by root.
 */
#ifndef CLASSIFY_IDENTITY_H
#define CLASSIFY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct identity {
	bool is_other; /* false: the command runs as classify does; the rest is unset */
	uid_t uid;
	gid_t gid;
	char *name; /* NULL: the user has no passwd entry */
	char *home;
};

/*
 * Finds the invoking user from SUDO_UID and SUDO_GID, when the effective user is root. Returns 0,
 * or -EINVAL with one line in @why: better no run than one as root by mistake. Release it with
 * identity_release() either way.
 */
int identity_of_invoker(struct identity *identity, char *why, size_t why_size);
void identity_release(struct identity *identity);

/* Turns this process into @identity for good: groups, gid, uid, HOME, USER, LOGNAME. 0 or -errno.
 */
int identity_assume(const struct identity *identity);

#endif
