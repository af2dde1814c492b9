/* Finding the user who called sudo, and becoming that user before exec. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity.h"

/* Ids are unsigned, and all ones means "no change" to the kernel. */
static bool parse_id(const char *text, unsigned int *id)
{
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);

	if (errno || *end || value >= UINT_MAX)
		return false;
	*id = (unsigned int)value;
	return true;
}

int identity_of_invoker(struct identity *identity, char *why, size_t why_size)
{
	const char *uid_text = getenv("SUDO_UID");

	memset(identity, 0, sizeof(*identity));
	if (geteuid() != 0 || !uid_text)
		return 0;
	if (!parse_id(uid_text, &identity->uid) || !parse_id(getenv("SUDO_GID"), &identity->gid)) {
		snprintf(why, why_size,
			 "SUDO_UID and SUDO_GID do not name a user (unset them, or use --as-root)");
		return -EINVAL;
	}
	identity->is_other = identity->uid != 0;
	if (!identity->is_other)
		return 0;

	const struct passwd *entry = getpwuid(identity->uid);

	if (entry) {
		identity->name = strdup(entry->pw_name);
		identity->home = strdup(entry->pw_dir);
		if (!identity->name || !identity->home) {
			snprintf(why, why_size, "out of memory (free some)");
			return -ENOMEM;
		}
	}
	return 0;
}

void identity_release(struct identity *identity)
{
	free(identity->name);
	free(identity->home);
	memset(identity, 0, sizeof(*identity));
}

static int assume_groups(const struct identity *identity)
{
	if (identity->name)
		return initgroups(identity->name, identity->gid);
	return setgroups(1, &identity->gid);
}

/* A user without a passwd entry gets the home that sudo gives one: root's is none of its. */
static int assume_environment(const struct identity *identity)
{
	if (!identity->name)
		return setenv("HOME", "/", 1) || unsetenv("USER") || unsetenv("LOGNAME");
	return setenv("HOME", identity->home, 1) || setenv("USER", identity->name, 1) ||
	       setenv("LOGNAME", identity->name, 1);
}

int identity_assume(const struct identity *identity)
{
	if (!identity->is_other)
		return 0;
	if (assume_groups(identity) || setresgid(identity->gid, identity->gid, identity->gid) ||
	    setresuid(identity->uid, identity->uid, identity->uid))
		return -errno;
	return assume_environment(identity) ? -errno : 0;
}
