/*
 * A file with call frame information, and registers and a stack that may say anything. The input is
 * the file; its last bytes are the registers and the stack as well, so that every ELF file is a
 * seed.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "code/address_space.h"
#include "code/code_file.h"
#include "code/elf_segments.h"
#include "fuzz_harness.h"
#include "unwind/frame_info.h"
#include "unwind/unwind.h"

#define BASE	     0x10000000UL
#define STACK	     0x7fff00000000UL
#define STACK_BYTES  1024
#define ADDRESSES    8
#define REGISTER_RSP 7
#define REGISTER_RBP 6

static void check(const uint64_t *addresses, size_t cnt, size_t capacity)
{
	assert(cnt >= 1 && cnt <= capacity);
	for (size_t i = 1; i < cnt; i++)
		assert(addresses[i] >= BASE);
}

/* Points words that could be return addresses or frame pointers to where such things lie. */
static void make_plausible(uint64_t *words, size_t cnt, size_t code_bytes)
{
	for (size_t i = 0; i < cnt; i++) {
		if (words[i] % 4 == 1)
			words[i] = BASE + words[i] / 4 % (code_bytes + 1);
		else if (words[i] % 4 == 2)
			words[i] = STACK + (words[i] / 4 % STACK_BYTES & ~7UL);
	}
}

static void unwind_at(struct unwinder *unwinder, const struct address_space *space,
		      struct stack_copy *copy, uint64_t *registers, uint64_t address)
{
	uint64_t addresses[UNWIND_FRAMES_MAX];
	enum unwind_end end;

	registers[UNWIND_REGISTER_CNT - 1] = address;
	check(addresses, unwind(unwinder, space, copy, addresses, UNWIND_FRAMES_MAX, &end),
	      UNWIND_FRAMES_MAX);
}

static void run(struct code_files *files, struct code_file *file, const uint8_t *bytes,
		size_t byte_cnt)
{
	struct unwinder *unwinder = unwinder_new(files);
	uint64_t words[STACK_BYTES / 8 + UNWIND_REGISTER_CNT] = { 0 };
	size_t tail = byte_cnt < sizeof(words) ? byte_cnt : sizeof(words);
	struct code_mapping mapping = { .start = BASE, .end = BASE + byte_cnt, .file = file };
	struct address_space space = { .mappings = &mapping, .mapping_cnt = 1 };
	struct stack_copy copy = { .registers = words,
				   .bytes = (const uint8_t *)(words + UNWIND_REGISTER_CNT),
				   .byte_cnt = STACK_BYTES };
	size_t start = file->segment_cnt ? (size_t)file->segments[0].offset : 0;
	size_t size = file->segment_cnt ? (size_t)file->segments[0].size : byte_cnt;

	memcpy(words, bytes + byte_cnt - tail, tail);
	make_plausible(words, sizeof(words) / sizeof(words[0]), byte_cnt);
	words[REGISTER_RSP] = STACK;
	for (size_t i = 0; unwinder && i < ADDRESSES; i++)
		unwind_at(unwinder, &space, &copy, words, BASE + start + size * i / ADDRESSES);
	frame_info_free(file->unwinding);
	unwinder_free(unwinder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_cnt)
{
	struct code_file file = { .path = "fuzz", .fd = memfd_create("fuzz", MFD_CLOEXEC) };
	struct code_files *files = code_files_new();

	if (files && file.fd >= 0 && byte_cnt &&
	    write(file.fd, bytes, byte_cnt) == (ssize_t)byte_cnt) {
		file.why = elf_segments_read(&file);
		run(files, &file, bytes, byte_cnt);
	}
	close(file.fd);
	code_files_free(files);
	return 0;
}
