/* Writing beside the file and renaming over it, or straight to what is no file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "output.h"
#include "write_all.h"

/* The number in "/dev/fd/N" and its other names, or -1. Opening those anew would start at the
 * beginning of a file that the command writes to as well; a duplicate shares the position. */
static int named_descriptor(const char *path)
{
	static const char *const directories[] = { "/dev/fd/", "/proc/self/fd/" };

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

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A name beside @path that nothing else uses: the pid and the clock make it so. */
static char *name_beside(const char *path)
{
	struct timespec now;
	char *name;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (asprintf(&name, "%.*s.classify-%d-%jd%09ld.tmp", (int)(last_component(path) - path),
		     path, getpid(), (intmax_t)now.tv_sec, now.tv_nsec) < 0)
		return NULL;
	return name;
}

/* Creates it and stores its name, which the caller frees. A descriptor or -errno. */
static int create_beside(const char *path, char **name)
{
	*name = name_beside(path);
	if (!*name)
		return -ENOMEM;
	int fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd >= 0)
		return fd;
	int error = -errno;

	free(*name);
	return error;
}

/* Proves that a file can be made there, without leaving one: a run that is killed leaves nothing.
 */
static int prove_replaceable(const char *path)
{
	char *name;
	int fd = create_beside(path, &name);

	if (fd < 0)
		return fd;
	close(fd);
	unlink(name);
	free(name);
	return 0;
}

/* Whether @path itself, no link, is the open file of @status. */
static bool is_at(const char *path, const struct stat *status)
{
	struct stat found;

	return !lstat(path, &found) && found.st_dev == status->st_dev &&
	       found.st_ino == status->st_ino;
}

/*
 * The path of an open file, free of links. To resolve its name again could lead elsewhere: by a
 * link planted meanwhile, or as /proc/PID/root does for a process in another mount namespace.
 */
static int path_of_descriptor(int fd, const struct stat *status, char **path)
{
	char link[32], found[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, found, sizeof(found) - 1);

	if (len < 0)
		return -errno;
	found[len] = '\0';
	if (!is_at(found, status)) /* also when it has been removed */
		return -ESTALE;
	*path = strdup(found);
	return *path ? 0 : -ENOMEM;
}

/* A file that exists. It is replaced when regular, and stays open to be written to when not. */
static int prepare_existing(struct output *output, int fd)
{
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		output->fd = fd;
		return 0;
	}
	int error = path_of_descriptor(fd, &status, &output->final_path);

	close(fd);
	return error ? error : prove_replaceable(output->final_path);
}

/*
 * The kernel opens it first, so that its rule against links planted in shared directories
 * (fs.protected_symlinks) holds for us as well.
 */
static int prepare_path(struct output *output, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		return prepare_existing(output, fd);
	if (errno != ENOENT)
		return -errno;
	output->final_path = strdup(path);
	return output->final_path ? prove_replaceable(path) : -ENOMEM;
}

int output_prepare(struct output *output, const char *path, int default_fd)
{
	*output = (struct output){ .fd = -1 };
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
	/* In this order, and best effort: a file that became ours is better than none. */
	if (fchown(fd, status.st_uid, status.st_gid) || fchmod(fd, status.st_mode & 0777))
		errno = 0;
}

/* A full disk may show as late as when the file is synced or closed. */
static int write_file(const struct output *output, int fd)
{
	copy_permissions(output->final_path, fd);
	int error = write_all(fd, output->text, output->text_size);

	if (!error && fsync(fd))
		error = -errno;
	if (close(fd) && !error)
		error = -errno;
	return error;
}

/* Claims the space first, so that a full disk leaves the old text. Not every file system can. */
static int overwrite(int fd, const struct output *output)
{
	off_t size = (off_t)output->text_size;

	if (size && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) && errno != EOPNOTSUPP)
		return -errno;
	int error = write_all(fd, output->text, output->text_size);

	return !error && (ftruncate(fd, size) || fsync(fd)) ? -errno : error;
}

/* A file that is a mount point, as containers are given them, can be written to only as it is. */
static int write_mount_point(const struct output *output)
{
	int fd = open(output->final_path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	int error = overwrite(fd, output);

	if (close(fd) && !error)
		error = -errno;
	return error;
}

/* Whether it is the place that refuses the finished file @name, which then is worth keeping. */
static bool is_refused_by_place(int error)
{
	return error == -EPERM || error == -EBUSY || error == -EXDEV;
}

static int move_into_place(struct output *output, char *name)
{
	int error = rename(name, output->final_path) ? -errno : 0;

	if (!error) {
		free(name);
		return 0;
	}
	bool is_worth_keeping = is_refused_by_place(error);

	if (error == -EBUSY)
		error = write_mount_point(output);
	if (error && is_worth_keeping) {
		output->kept_path = name;
		return error;
	}
	unlink(name);
	free(name);
	return error;
}

static int replace_file(struct output *output)
{
	char *name;
	int fd = create_beside(output->final_path, &name);

	if (fd < 0)
		return fd;
	int error = write_file(output, fd);

	if (!error)
		return move_into_place(output, name);
	unlink(name);
	free(name);
	return error;
}

static int stat_directory_of(const char *path, struct stat *status)
{
	char directory[PATH_MAX];
	int len = snprintf(directory, sizeof(directory), "%.*s.",
			   (int)(last_component(path) - path), path);

	return len < PATH_MAX ? stat(directory, status) : -1;
}

/* The files themselves need not exist, but no link is among them. */
static bool is_same_path(const char *path, const char *other)
{
	struct stat at, at_other;

	return !strcmp(last_component(path), last_component(other)) &&
	       !stat_directory_of(path, &at) && !stat_directory_of(other, &at_other) &&
	       at.st_dev == at_other.st_dev && at.st_ino == at_other.st_ino;
}

bool output_is_same(const struct output *output, const struct output *other)
{
	struct stat to, to_other;

	if (output->final_path && other->final_path)
		return is_same_path(output->final_path, other->final_path);
	return output->fd >= 0 && other->fd >= 0 && !fstat(output->fd, &to) &&
	       !fstat(other->fd, &to_other) && to.st_dev == to_other.st_dev &&
	       to.st_ino == to_other.st_ino;
}

FILE *output_begin(struct output *output)
{
	output->stream = open_memstream(&output->text, &output->text_size);
	return output->stream;
}

int output_commit(struct output *output)
{
	int error = fclose(output->stream) ? -errno : 0;

	output->stream = NULL;
	if (error)
		return error;
	return output->final_path ? replace_file(output)
				  : write_all(output->fd, output->text, output->text_size);
}

void output_release(struct output *output)
{
	if (output->stream)
		fclose(output->stream);
	if (output->fd >= 0)
		close(output->fd);
	free(output->text);
	free(output->final_path);
	free(output->kept_path);
	*output = (struct output){ .fd = -1 };
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

void output_explain(const struct output *output, const char *path, int error)
{
	if (!path)
		path = "the report";
	if (output && output->kept_path)
		say("cannot write %s: %s (what was to go there is in %s)", path, strerror(error),
		    output->kept_path);
	else
		say("cannot write %s: %s (%s)", path, strerror(error), remedy_for(error));
}
