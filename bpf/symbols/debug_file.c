/* Files and their separate debug files; see debug_file.h. */
#include "symbols/debug_file.h"
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "clock.h"
#include "code/code_file.h"

/* A debug link may name anything: what isn't a file (a pipe) must not make us wait. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -1;
}

/* Is @fd what the build id of @module asks for? A module without one takes what its link names. */
static bool is_of_module(int fd, Dwfl_Module *module)
{
	const unsigned char *wanted;
	const void *got;
	GElf_Addr address;
	int wanted_len = dwfl_module_build_id(module, &wanted, &address);
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	ssize_t got_len = elf ? dwelf_elf_gnu_build_id(elf, &got) : -1;
	bool is_same = elf && (wanted_len <= 0 ||
			       (got_len == wanted_len && !memcmp(got, wanted, wanted_len)));

	elf_end(elf);
	return is_same;
}

static int try_open(Dwfl_Module *module, char **found, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int try_open(Dwfl_Module *module, char **found, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	int len, fd;

	va_start(arguments, format);
	len = vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	fd = len < (int)sizeof(path) ? open_regular(path) : -1;
	if (fd < 0)
		return -1;
	if (is_of_module(fd, module)) {
		*found = strdup(path);
		return fd;
	}
	close(fd);
	return -1;
}

/* Where gdb and distributions look for the file that a debug link names. */
static int find_linked(Dwfl_Module *module, const char *path, const char *link, char **found)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) : 0, fd;

	if (!slash || strchr(link, '/'))
		return -1;
	fd = try_open(module, found, "%.*s/%s", dir_len, path, link);
	if (fd < 0)
		fd = try_open(module, found, "%.*s/.debug/%s", dir_len, path, link);
	if (fd < 0)
		fd = try_open(module, found, "/usr/lib/debug%.*s/%s", dir_len, path, link);
	return fd;
}

/* debuginfod is asked only when the user has set it, and not waited for without end. */
static int find_online(Dwfl_Module *module, uint64_t *online_ns, char **found)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC), passed_ns;
	int fd;

	if (!urls || !*urls || !online_ns || !*online_ns)
		return -1;
	setenv("DEBUGINFOD_TIMEOUT", "5", 0);
	setenv("DEBUGINFOD_MAXTIME", "20", 0);
	setenv("DEBUGINFOD_RETRY_LIMIT", "1", 0);
	/* It looks for files first, so it is given a name that none has. */
	fd = dwfl_standard_find_debuginfo(module, NULL, NULL, 0, "/nonexistent/none", NULL, 0,
					  found);
	passed_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
	*online_ns = passed_ns < *online_ns ? *online_ns - passed_ns : 0;
	return fd;
}

static int find_debug_file(Dwfl_Module *module, void **online_ns, const char *name, Dwarf_Addr base,
			   const char *file_name, const char *link, GElf_Word link_crc,
			   char **found)
{
	int fd = dwfl_build_id_find_debuginfo(module, NULL, name, base, file_name, link, link_crc,
					      found);

	if (fd < 0 && file_name && link)
		fd = find_linked(module, file_name, link, found);
	if (fd < 0) {
		fd = find_online(module, *online_ns, found);
		*online_ns = NULL; /* libdwfl asks again, for symbols: once is enough */
	}
	return fd;
}

static int find_no_file(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			char **file_name, Elf **elf)
{
	(void)module;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file_name;
	(void)elf;
	return -1;
}

Dwfl *debug_file_open(const struct code_file *file, Dwfl_Module **module, uint64_t *online_ns)
{
	static const Dwfl_Callbacks callbacks = { .find_elf = find_no_file,
						  .find_debuginfo = find_debug_file };
	Dwfl *dwfl = dwfl_begin(&callbacks);
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
	void **userdata;

	if (dwfl && fd >= 0) {
		dwfl_report_begin(dwfl);
		*module = dwfl_report_elf(dwfl, file->path, file->path, fd, 0, true);
		dwfl_report_end(dwfl, NULL, NULL);
		if (*module) {
			dwfl_module_info(*module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
			*userdata = online_ns;
			return dwfl;
		}
	}
	if (fd >= 0)
		close(fd);
	dwfl_end(dwfl);
	return NULL;
}

bool debug_file_is_plain(const char *directory, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int len = snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : directory,
			   *name == '/' ? "" : "/", name);

	return len < (int)sizeof(path) && (stat(path, &st) < 0 || S_ISREG(st.st_mode));
}

Dwarf *debug_file_dwarf(Dwfl_Module *module, const char *directory, Dwarf_Addr *bias)
{
	Dwarf *dwarf = dwfl_module_getdwarf(module, bias);
	const char *alt_name;
	const void *alt_id;

	if (!dwarf)
		return NULL;
	/* libdw opens what dwz has moved into a common file when the first name in it is read. */
	if (dwelf_dwarf_gnu_debugaltlink(dwarf, &alt_name, &alt_id) > 0 &&
	    !debug_file_is_plain(directory, alt_name))
		return NULL;
	return dwarf;
}
