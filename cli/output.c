/* Writing beside the file and renaming over it, or straight to what is no file. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "output.h"

/* The number in "/dev/fd/N" and its other names, or -1. Opening those anew would start at the
 * beginning of a file that the command writes to as well; a duplicate shares the position. */
static int named_descriptor(const char *path)
{
	static const char *const directories[] = {"/dev/fd/", "/proc/self/fd/"};

	if (!strcmp(path, "-") || !strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		size_t len = strlen(directories[i]);

		if (!strncmp(path, directories[i], len) && path[len] &&
		    strspn(path + len, "0123456789") == strlen(path + len))
			return atoi(path + len);
	}
	return -1;
}

static int duplicate(struct output *output, int fd)
{
	output->fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return output->fd < 0 ? -errno : 0;
}

static int open_directly(struct output *output, const char *path)
{
	output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return output->fd < 0 ? -errno : 0;
}

/* A name beside @path that nothing else uses: the pid and the clock make it so. */
static char *name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct timespec now;
	char *name;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (asprintf(&name, "%.*s.classify-%d-%jd%09ld.tmp", slash ? (int)(slash + 1 - path) : 0,
		     path, getpid(), (intmax_t)now.tv_sec, now.tv_nsec) < 0)
		return NULL;
	return name;
}

static int create_beside(struct output *output)
{
	output->temp_path = name_beside(output->final_path);
	if (!output->temp_path)
		return -ENOMEM;
	int fd = open(output->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd >= 0)
		return fd;
	int error = -errno;

	free(output->temp_path);
	output->temp_path = NULL;
	return error;
}

static void remove_temp(struct output *output)
{
	if (output->temp_path)
		unlink(output->temp_path);
	free(output->temp_path);
	output->temp_path = NULL;
}

/* Proves that a file can be made there, without leaving one: a run that is killed leaves nothing.
 */
static int prove_replaceable(struct output *output)
{
	int fd = create_beside(output);

	if (fd < 0)
		return fd;
	close(fd);
	remove_temp(output);
	return 0;
}

static int prepare_path(struct output *output, const char *path)
{
	struct stat status;

	if (stat(path, &status)) {
		if (errno != ENOENT)
			return -errno;
		output->final_path = strdup(path);
	} else if (S_ISDIR(status.st_mode)) {
		return -EISDIR;
	} else if (!S_ISREG(status.st_mode)) {
		return open_directly(output, path);
	} else if (access(path, W_OK)) {
		return -errno;
	} else {
		output->final_path = realpath(path, NULL); /* a link stays one */
	}
	return output->final_path ? prove_replaceable(output) : -errno;
}

int output_prepare(struct output *output, const char *path, int default_fd)
{
	*output = (struct output){.fd = -1};
	if (!path)
		return duplicate(output, default_fd);
	int fd = named_descriptor(path);

	return fd >= 0 ? duplicate(output, fd) : prepare_path(output, path);
}

/* The new file takes mode and owner of the one it will replace, as far as we may. */
static void copy_permissions(const char *path, int fd)
{
	struct stat status;

	if (stat(path, &status))
		return;
	if (fchown(fd, status.st_uid, status.st_gid) == 0)
		fchmod(fd, status.st_mode & 07777);
	else
		fchmod(fd, status.st_mode & 0777);
}

FILE *output_begin(struct output *output)
{
	int fd = output->fd;

	if (output->final_path) {
		fd = create_beside(output);
		if (fd < 0) {
			errno = -fd;
			return NULL;
		}
		copy_permissions(output->final_path, fd);
	}
	output->stream = fdopen(fd, "w");
	output->fd = output->stream ? -1 : fd;
	return output->stream;
}

static int flush(const struct output *output)
{
	if (fflush(output->stream))
		return -errno;
	if (ferror(output->stream))
		return -EIO;
	if (output->temp_path && fsync(fileno(output->stream)))
		return -errno;
	return 0;
}

int output_commit(struct output *output)
{
	int error = flush(output);

	if (fclose(output->stream) && !error)
		error = -errno;
	output->stream = NULL;
	if (!error && output->temp_path) {
		if (rename(output->temp_path, output->final_path))
			error = -errno;
		else
			*output->temp_path = '\0'; /* nothing to remove any more */
	}
	remove_temp(output);
	return error;
}

void output_release(struct output *output)
{
	if (output->stream)
		fclose(output->stream);
	if (output->fd >= 0)
		close(output->fd);
	remove_temp(output);
	free(output->final_path);
	*output = (struct output){.fd = -1};
}

static const char *remedy_for(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return "free some space or name another file; a file that was there is unchanged";
	case EACCES:
	case EPERM:
	case EROFS:
		return "name a file in a directory that you may write to";
	case ENOENT:
	case ENOTDIR:
		return "create its directory first";
	case EISDIR:
		return "name a file in it";
	case EPIPE:
		return "its reader has gone";
	case EBADF:
		return "it is not open for writing; name a file with -o";
	default:
		return "name another file with -o";
	}
}

void output_explain(const char *path, int error)
{
	say("cannot write %s: %s (%s)", path ? path : "the report", strerror(error),
	    remedy_for(error));
}
