/* Go and Rust, told by sections of the executable; see toolchain.h. */
#include "toolchain.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTIONS_MAX   128
#define NAMES_MAX      4096
#define COMMENT_MAX    1024
#define BUILDINFO_SIZE 96

struct file {
	int fd;
	size_t section_cnt;
	Elf64_Shdr sections[SECTIONS_MAX];
	char names[NAMES_MAX + 1];
};

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

static bool open_executable(pid_t pid, struct file *file)
{
	struct stat status;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return file->fd >= 0 && !fstat(file->fd, &status) && S_ISREG(status.st_mode);
}

static bool read_sections(struct file *file)
{
	Elf64_Ehdr header;
	size_t name_bytes;

	if (!read_at(file->fd, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum > SECTIONS_MAX ||
	    header.e_shstrndx >= header.e_shnum)
		return false;
	file->section_cnt = header.e_shnum;
	if (!read_at(file->fd, file->sections, file->section_cnt * sizeof(Elf64_Shdr),
		     header.e_shoff))
		return false;
	name_bytes = file->sections[header.e_shstrndx].sh_size;
	if (name_bytes > NAMES_MAX)
		name_bytes = NAMES_MAX;
	memset(file->names, 0, sizeof(file->names));
	return read_at(file->fd, file->names, name_bytes,
		       file->sections[header.e_shstrndx].sh_offset);
}

static const Elf64_Shdr *find_section(const struct file *file, const char *name)
{
	for (size_t i = 0; i < file->section_cnt; i++)
		if (file->sections[i].sh_name < NAMES_MAX &&
		    !strcmp(file->names + file->sections[i].sh_name, name))
			return &file->sections[i];
	return NULL;
}

/* "@name" and the version that @version begins with, as far as it looks like one. */
static void set(char text[TOOLCHAIN_BYTES], const char *name, const char *version)
{
	int len = (int)strspn(version, "0123456789.");

	if (len > 0 && len < 16)
		snprintf(text, TOOLCHAIN_BYTES, "%s %.*s", name, len, version);
	else
		snprintf(text, TOOLCHAIN_BYTES, "%s", name);
}

/* Since Go 1.18 the version stands in the section itself, at 32, after its length. */
static bool find_go(const struct file *file, char text[TOOLCHAIN_BYTES])
{
	const Elf64_Shdr *section = find_section(file, ".go.buildinfo");
	char info[BUILDINFO_SIZE + 1] = "";

	if (!section)
		return find_section(file, ".note.go.buildid") ? (set(text, "go", ""), true) : false;
	if (!read_at(file->fd, info, BUILDINFO_SIZE, section->sh_offset))
		memset(info, 0, sizeof(info));
	set(text, "go", (info[15] & 2) && !strncmp(info + 33, "go", 2) ? info + 35 : "");
	return true;
}

static void find_rust(const struct file *file, char text[TOOLCHAIN_BYTES])
{
	static const char mark[] = "rustc version ";
	const Elf64_Shdr *section = find_section(file, ".comment");
	char comment[COMMENT_MAX + 1] = "";
	size_t size;
	const char *at;

	if (!section)
		return;
	size = section->sh_size < COMMENT_MAX ? section->sh_size : COMMENT_MAX;
	if (!read_at(file->fd, comment, size, section->sh_offset))
		return;
	at = memmem(comment, size, mark, sizeof(mark) - 1);
	if (at)
		set(text, "rust", at + sizeof(mark) - 1);
}

void toolchain_read(pid_t pid, char text[TOOLCHAIN_BYTES])
{
	struct file file;

	text[0] = '\0';
	if (open_executable(pid, &file) && read_sections(&file) && !find_go(&file, text))
		find_rust(&file, text);
	if (file.fd >= 0)
		close(file.fd);
}
