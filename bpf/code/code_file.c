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
#include "code/map_line.h"

/* Two to four pages on the kernels that there are. */
#define VDSO_BYTES_MAX (64 << 10)

struct identity {
	uint64_t device, inode; /* as maps has them; of the vDSO a hash of its bytes */
	struct timespec changed;
	off_t size;
};

struct entry {
	struct code_file file;
	struct identity identity;
};

struct code_files {
	struct entry *entries[CODE_FILES_MAX];
	size_t cnt;
};

struct code_files *code_files_new(void)
{
	return calloc(1, sizeof(struct code_files));
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

	if (entry->file.fd < 0)
		return true;
	if (fstat(entry->file.fd, &now) == 0 && now.st_size == entry->identity.size &&
	    now.st_mtim.tv_sec == entry->identity.changed.tv_sec &&
	    now.st_mtim.tv_nsec == entry->identity.changed.tv_nsec)
		return true;
	entry->file.why = "it was written to while it was mapped";
	return false;
}

/* The newest first: a file that was written to is in the set more than once. */
static struct code_file *find(const struct code_files *files, uint64_t device, uint64_t inode,
			      const char *path)
{
	for (size_t i = files->cnt; i-- > 0;) {
		struct entry *entry = files->entries[i];

		if (entry->identity.inode != inode || entry->identity.device != device)
			continue;
		/* What was not opened has nothing to hold its inode's number. */
		if (entry->file.fd < 0 && strcmp(entry->file.path, path) != 0)
			continue;
		return is_unchanged(entry) ? &entry->file : NULL;
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

static struct code_file *add_file(struct code_files *files, pid_t pid, const struct map_line *line)
{
	struct stat status = { 0 };
	int fd = open_mapped(pid, line, &status);

	/* The process, or the mapping, is gone: another process may yet show the file. */
	if (fd < 0 && kill(pid, 0) != 0 && errno == ESRCH)
		return NULL;

	struct entry *entry = append(files, pid, line->path, fd < 0 ? -1 : fd);

	if (!entry)
		return NULL;
	identify(entry, line->device, line->inode, &status);
	if (fd < 0)
		entry->file.why = why_not_opened(fd);
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

/* The kernel's own code in a process is in no file: it is made one. */
static struct code_file *get_vdso(struct code_files *files, pid_t pid, const struct map_line *line)
{
	uint64_t inode = 0;
	int fd =
		line->end - line->start <= VDSO_BYTES_MAX ? copy_memory(pid, line, &inode) : -E2BIG;
	struct code_file *known = find(files, VDSO_DEVICE, inode, line->path);

	if (known || is_full(files)) {
		if (fd >= 0)
			close(fd);
		return known ? known : file_of_others(files, pid);
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
	struct code_file *known;

	if (line->inode == 0)
		return strcmp(line->path, "[vdso]") == 0 ? get_vdso(files, pid, line) : NULL;
	if (is_memory(line->path))
		return NULL;
	known = find(files, line->device, line->inode, line->path);
	if (known)
		return known;
	return is_full(files) ? file_of_others(files, pid) : add_file(files, pid, line);
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
