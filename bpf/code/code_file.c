/* The set of mapped files; see code_file.h. */
#include "code/code_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "code/elf_segments.h"
#include "code/file_copy.h"
#include "code/map_line.h"

/* Two to four pages on the kernels that there are. */
#define VDSO_BYTES_MAX (64 << 10)

struct identity {
	uint64_t device, inode; /* as maps has them; of the vDSO a hash of its bytes */
	dev_t stat_device;	/* as stat() has them */
	ino_t stat_inode;
	struct timespec changed;
	off_t size;
};

enum keeping {
	KEPT_OPEN,   /* or it never could be opened */
	KEPT_COPIED, /* fd is a copy in memory */
	KEPT_CLOSED, /* fd is -1 until the file is taken out again */
};

struct entry {
	struct code_file file;
	struct identity identity;
	enum keeping keeping;
	bool is_on_own_mount; /* the one that our root is on: it stays as long as we do */
};

struct code_files {
	struct entry *entries[CODE_FILES_MAX];
	size_t cnt;
	int own_mount; /* its number; -1: not known */
	off_t copied_bytes;
};

/* The number of the mount that @fd is on, or -1. */
static int mount_of(int fd)
{
	char path[64], text[64];
	int mount = -1;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	in = fopen(path, "re");
	while (in && fgets(text, sizeof(text), in))
		if (!strncmp(text, "mnt_id:", 7))
			mount = (int)strtol(text + 7, NULL, 10);
	if (in)
		fclose(in);
	return mount;
}

struct code_files *code_files_new(void)
{
	struct code_files *files = calloc(1, sizeof(*files));
	int root = files ? open("/", O_PATH | O_CLOEXEC) : -1;

	if (files)
		files->own_mount = root < 0 ? -1 : mount_of(root);
	if (root >= 0)
		close(root);
	return files;
}

static void entry_free(struct entry *entry)
{
	if (entry->file.fd >= 0)
		close(entry->file.fd);
	free((char *)entry->file.path);
	free(entry);
}

void code_files_free(struct code_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->cnt; i++)
		entry_free(files->entries[i]);
	free(files);
}

size_t code_files_cnt(const struct code_files *files)
{
	return files->cnt;
}

struct code_file *code_files_at(const struct code_files *files, uint32_t number)
{
	return number < files->cnt ? &files->entries[number]->file : NULL;
}

/* As long as it is open an inode's number is not given to another file; but its contents may be
 * written anew. */
static bool is_unchanged(struct entry *entry)
{
	struct stat now;

	if (entry->file.fd < 0 || entry->keeping != KEPT_OPEN)
		return true;
	if (fstat(entry->file.fd, &now) == 0 && now.st_size == entry->identity.size &&
	    now.st_mtim.tv_sec == entry->identity.changed.tv_sec &&
	    now.st_mtim.tv_nsec == entry->identity.changed.tv_nsec)
		return true;
	entry->file.why = "it was written to while it was mapped";
	return false;
}

/* The newest first: a file that was written to is in the set more than once. */
static struct entry *find(const struct code_files *files, uint64_t device, uint64_t inode,
			  const char *path)
{
	for (size_t i = files->cnt; i-- > 0;) {
		struct entry *entry = files->entries[i];

		if (entry->identity.inode != inode || entry->identity.device != device)
			continue;
		/* What was not opened has nothing to hold its inode's number. */
		if (entry->keeping == KEPT_OPEN && entry->file.fd < 0 &&
		    strcmp(entry->file.path, path) != 0)
			continue;
		return is_unchanged(entry) ? entry : NULL;
	}
	return NULL;
}

/* Owns @fd, which may be -1. */
static struct entry *append(struct code_files *files, pid_t pid, const char *path, int fd)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	entry->file.fd = fd;
	entry->file.pid = pid;
	entry->file.path = strdup(path);
	if (!entry->file.path) {
		entry_free(entry);
		return NULL;
	}
	entry->file.number = (uint32_t)files->cnt;
	files->entries[files->cnt++] = entry;
	return entry;
}

static void identify(struct entry *entry, uint64_t device, uint64_t inode,
		     const struct stat *status)
{
	entry->identity = (struct identity){ .device = device,
					     .inode = inode,
					     .stat_device = status->st_dev,
					     .stat_inode = status->st_ino,
					     .changed = status->st_mtim,
					     .size = status->st_size };
	entry->file.why = entry->file.fd < 0 ? "it can't be read from the process"
					     : elf_segments_read(&entry->file);
}

/* Opens a regular file and nothing else: devices and pipes do things when they are opened. */
static int open_regular(const char *path, struct stat *status)
{
	int fd;

	if (stat(path, status) != 0)
		return -errno;
	if (!S_ISREG(status->st_mode))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, status) == 0 && S_ISREG(status->st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

/* btrfs and overlayfs number their devices differently in maps and in stat: both have no major. */
static bool is_same_device(dev_t device, uint64_t of_maps)
{
	unsigned int major = (unsigned int)(device >> 8 & 0xfff);
	unsigned int minor = (unsigned int)((device & 0xff) | (device >> 12 & 0xfff00));

	return ((uint64_t)major << 32 | minor) == of_maps || (major == 0 && of_maps >> 32 == 0);
}

/* map_files leads to the mapped file itself, wherever it lies and whatever has its name now, but
 * may need more rights than the path does. */
static int open_mapped(pid_t pid, const struct map_line *line, struct stat *status)
{
	char path[4096 + 64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", pid, (unsigned long)line->start,
		 (unsigned long)line->end);
	fd = open_regular(path, status);
	if (fd >= 0 || fd == -EMFILE || fd == -ENFILE || fd == -EINVAL)
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "/proc/%d/root%s", pid, line->path) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	fd = open_regular(path, status);
	if (fd < 0 ||
	    (status->st_ino == line->inode && is_same_device(status->st_dev, line->device)))
		return fd;
	close(fd);
	return -ESTALE;
}

static const char *why_not_opened(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return "it may not be opened";
	case -EMFILE:
	case -ENFILE:
		return "too many files are open";
	case -ESTALE:
	case -ENOENT:
		return "it was deleted or replaced";
	default:
		return "it can't be opened";
	}
}

static bool is_same(const struct entry *entry, const struct stat *status)
{
	const struct identity *identity = &entry->identity;

	return status->st_dev == identity->stat_device && status->st_ino == identity->stat_inode &&
	       status->st_size == identity->size &&
	       status->st_mtim.tv_sec == identity->changed.tv_sec &&
	       status->st_mtim.tv_nsec == identity->changed.tv_nsec;
}

/* Goes on with @fd, which is the file of @entry, and which it owns. */
static void take_out(struct entry *entry, int fd)
{
	if (entry->keeping == KEPT_COPIED) {
		close(fd);
		return;
	}
	entry->file.fd = fd;
	entry->keeping = KEPT_OPEN;
}

static bool is_full(const struct code_files *files)
{
	return files->cnt >= CODE_FILES_MAX - 1;
}

/* What all files are for which there is no room. */
static struct code_file *file_of_others(struct code_files *files, pid_t pid)
{
	struct entry *entry = files->cnt == CODE_FILES_MAX
				      ? files->entries[CODE_FILES_MAX - 1]
				      : append(files, pid, "(other files)", -1);

	if (!entry)
		return NULL;
	entry->file.why = "more files are mapped than are kept: these are not named";
	return &entry->file;
}

/* @away: one that was put away and may be the same; or NULL. */
static struct code_file *add_file(struct code_files *files, pid_t pid, const struct map_line *line,
				  struct entry *away)
{
	struct stat status = { 0 };
	struct entry *entry;
	int fd;

	if (!away && is_full(files))
		return file_of_others(files, pid);
	fd = open_mapped(pid, line, &status);
	/* The process, or the mapping, is gone: another process may yet show the file. */
	if (fd < 0 && kill(pid, 0) != 0 && errno == ESRCH)
		return NULL;
	if (away && fd >= 0 && is_same(away, &status)) {
		take_out(away, fd);
		return &away->file;
	}
	if (is_full(files)) {
		if (fd >= 0)
			close(fd);
		return file_of_others(files, pid);
	}
	entry = append(files, pid, line->path, fd < 0 ? -1 : fd);
	if (!entry)
		return NULL;
	identify(entry, line->device, line->inode, &status);
	if (fd < 0)
		entry->file.why = why_not_opened(fd);
	else
		entry->is_on_own_mount = files->own_mount >= 0 && mount_of(fd) == files->own_mount;
	return &entry->file;
}

/* FNV-1a. */
static uint64_t hash(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		value = (value ^ bytes[i]) * 0x100000001b3;
	return value;
}

static int memory_file(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("classify-vdso", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, bytes, size) == (ssize_t)size)
		return fd;
	close(fd);
	return -EIO;
}

#define VDSO_DEVICE UINT64_MAX /* no file's */

/* Returns a file with what lies at @line in the memory of @pid and its hash, or -errno. */
static int copy_memory(pid_t pid, const struct map_line *line, uint64_t *hash_value)
{
	size_t size = line->end - line->start;
	uint8_t *bytes = malloc(size);
	struct iovec here = { .iov_base = bytes, .iov_len = size };
	struct iovec there = { .iov_base = (void *)line->start, .iov_len = size };
	int fd = -ENOMEM;

	if (bytes && process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size) {
		*hash_value = hash(bytes, size);
		fd = memory_file(bytes, size);
	} else if (bytes) {
		fd = -EIO;
	}
	free(bytes);
	return fd;
}

/* The kernel's own code in a process is in no file: it is made one. */
static struct code_file *get_vdso(struct code_files *files, pid_t pid, const struct map_line *line)
{
	uint64_t inode = 0;
	int fd =
		line->end - line->start <= VDSO_BYTES_MAX ? copy_memory(pid, line, &inode) : -E2BIG;
	struct entry *known = find(files, VDSO_DEVICE, inode, line->path);

	if (known || is_full(files)) {
		if (fd >= 0)
			close(fd);
		return known ? &known->file : file_of_others(files, pid);
	}

	struct entry *entry = append(files, pid, line->path, fd < 0 ? -1 : fd);
	struct stat status = { 0 };

	if (!entry)
		return NULL;
	if (fd >= 0)
		fstat(fd, &status);
	identify(entry, VDSO_DEVICE, inode, &status);
	return &entry->file;
}

/* Memory that has an inode but that programs compile code into: what is in it changes. */
static bool is_memory(const char *path)
{
	static const char *const names[] = { "/memfd:", "/dev/zero", "/SYSV", "/anon_hugepage" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(path, names[i], strlen(names[i])))
			return true;
	return false;
}

struct code_file *code_files_get(struct code_files *files, pid_t pid, const struct map_line *line)
{
	struct entry *known;

	if (line->inode == 0)
		return strcmp(line->path, "[vdso]") == 0 ? get_vdso(files, pid, line) : NULL;
	if (is_memory(line->path))
		return NULL;
	known = find(files, line->device, line->inode, line->path);
	if (known && known->keeping == KEPT_OPEN)
		return &known->file;
	return add_file(files, pid, line, known);
}

/* --- files that nobody maps any more --- */

/* Returns a copy of the file in memory, or -1. What was written to since isn't what ran. */
static int copy_file(struct code_files *files, struct entry *entry)
{
	off_t size = entry->identity.size;
	int copy;

	if (!is_unchanged(entry) || size > CODE_FILE_COPY_BYTES ||
	    size > CODE_FILES_COPY_BYTES - files->copied_bytes)
		return -1;
	code_file_reading(&entry->file);
	copy = file_copy(entry->file.fd, size);
	if (copy < 0)
		return -1;
	files->copied_bytes += size;
	return copy;
}

bool code_file_put_away(struct code_files *files, struct code_file *file)
{
	struct entry *entry = files->entries[file->number];
	struct stat status;

	if (file->fd < 0 || entry->keeping != KEPT_OPEN || entry->identity.device == VDSO_DEVICE)
		return false;
	/* There it hinders nobody as long as it has a name. */
	if (entry->is_on_own_mount && fstat(file->fd, &status) == 0 && status.st_nlink)
		return false;

	int copy = file->is_met ? copy_file(files, entry) : -1;

	entry->keeping = copy < 0 ? KEPT_CLOSED : KEPT_COPIED;
	close(file->fd);
	file->fd = copy;
	return true;
}

void code_files_take_out(struct code_files *files)
{
	for (size_t i = 0; i < files->cnt; i++) {
		struct entry *entry = files->entries[i];
		struct stat status;
		int fd;

		if (entry->keeping != KEPT_CLOSED || !entry->file.is_met)
			continue;
		fd = open_regular(entry->file.path, &status);
		if (fd >= 0 && is_same(entry, &status)) {
			take_out(entry, fd);
			continue;
		}
		if (fd >= 0)
			close(fd);
		if (!entry->file.why)
			entry->file.why = "gone before it could be named";
	}
}

static uint32_t unwatched;
static uint32_t *reading = &unwatched;

void code_files_watch(uint32_t *number)
{
	reading = number;
}

void code_file_reading(const struct code_file *file)
{
	__atomic_store_n(reading, file->number + 1, __ATOMIC_RELAXED);
}
