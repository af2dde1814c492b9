/* Checks call frame information; see cfi_check.h. */
#include "unwind/cfi_check.h"

#include <dwarf.h>
#include <stdint.h>
#include <string.h>

/* The highest register of x86-64 with a number is the mask register 7: 125. */
#define REGISTERS_MAX 128
/* Compilers nest them one or two deep. */
#define REMEMBERED_MAX	32
#define BLOCK_BYTES_MAX 4096

/*
 * Operands of instructions: r a register, n a number (LEB128), b a block, 1 2 4 so many bytes, a an
 * address. NULL: not for this machine, or unknown.
 */
static const char *const operands[0x30] = {
	[DW_CFA_nop] = "",
	[DW_CFA_set_loc] = "a",
	[DW_CFA_advance_loc1] = "1",
	[DW_CFA_advance_loc2] = "2",
	[DW_CFA_advance_loc4] = "4",
	[DW_CFA_offset_extended] = "rn",
	[DW_CFA_restore_extended] = "r",
	[DW_CFA_undefined] = "r",
	[DW_CFA_same_value] = "r",
	[DW_CFA_register] = "rr",
	[DW_CFA_remember_state] = "",
	[DW_CFA_restore_state] = "",
	[DW_CFA_def_cfa] = "rn",
	[DW_CFA_def_cfa_register] = "r",
	[DW_CFA_def_cfa_offset] = "n",
	[DW_CFA_def_cfa_expression] = "b",
	[DW_CFA_expression] = "rb",
	[DW_CFA_offset_extended_sf] = "rn",
	[DW_CFA_def_cfa_sf] = "rn",
	[DW_CFA_def_cfa_offset_sf] = "n",
	[DW_CFA_val_offset] = "rn",
	[DW_CFA_val_offset_sf] = "rn",
	[DW_CFA_val_expression] = "rb",
	[DW_CFA_GNU_args_size] = "n",
	[DW_CFA_GNU_negative_offset_extended] = "rn",
};

struct reader {
	const uint8_t *at, *end;
	unsigned int address_bytes;
};

static bool skip(struct reader *reader, uint64_t size)
{
	if ((uint64_t)(reader->end - reader->at) < size)
		return false;
	reader->at += size;
	return true;
}

static bool read_number(struct reader *reader, uint64_t *number)
{
	*number = 0;
	for (unsigned int shift = 0; reader->at < reader->end && shift < 64; shift += 7) {
		uint8_t byte = *reader->at++;

		*number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool check_operand(struct reader *reader, char kind)
{
	uint64_t number;

	if (kind == 'a')
		return skip(reader, reader->address_bytes);
	if (kind >= '1' && kind <= '4')
		return skip(reader, (uint64_t)(kind - '0'));
	if (!read_number(reader, &number))
		return false;
	if (kind == 'b')
		return number && number <= BLOCK_BYTES_MAX && skip(reader, number);
	return kind != 'r' || number < REGISTERS_MAX;
}

static bool check_instruction(struct reader *reader, uint8_t code)
{
	const char *kinds = NULL;

	switch (code & 0xc0) {
	case DW_CFA_advance_loc:
	case DW_CFA_restore:
		return true;
	case DW_CFA_offset:
		kinds = "n";
		break;
	default:
		if (code < sizeof(operands) / sizeof(operands[0]))
			kinds = operands[code];
		break;
	}
	for (; kinds && *kinds; kinds++)
		if (!check_operand(reader, *kinds))
			return false;
	return kinds;
}

static bool check_instructions(struct reader reader)
{
	unsigned int remembered = 0;

	while (reader.at < reader.end) {
		uint8_t code = *reader.at++;

		if (!check_instruction(&reader, code))
			return false;
		if (code == DW_CFA_remember_state && ++remembered > REMEMBERED_MAX)
			return false;
		if (code == DW_CFA_restore_state && remembered-- == 0)
			return false;
	}
	return true;
}

/* Bytes of an address in @encoding; 0: not fixed. */
static unsigned int address_bytes(uint8_t encoding)
{
	switch (encoding & 0x07) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
		return 8;
	case DW_EH_PE_udata2:
		return 2;
	case DW_EH_PE_udata4:
		return 4;
	default:
		return 0;
	}
}

/* What 'P' has: how it is encoded, and a pointer. */
static bool skip_pointer(struct reader *data)
{
	unsigned int size = data->at < data->end ? address_bytes(*data->at) : 0;

	/* Aligned ones have padding, which only a loaded file would tell. */
	return size && *data->at != DW_EH_PE_aligned && skip(data, 1 + size);
}

/* Each letter tells of a piece of @data. */
static bool check_augmentation(const char *letters, struct reader data, unsigned int *address_size)
{
	for (; *letters; letters++) {
		switch (*letters) {
		case 'R':
			if (data.at == data.end || *data.at == DW_EH_PE_aligned)
				return false;
			*address_size = address_bytes(*data.at++);
			break;
		case 'P':
			if (!skip_pointer(&data))
				return false;
			break;
		case 'L':
			if (!skip(&data, 1))
				return false;
			break;
		case 'S':
		case 'B':
			break;
		default:
			return false;
		}
	}
	return true;
}

static bool check_cie(struct cfi_check *check, const Dwarf_CIE *cie, Dwarf_Off offset)
{
	struct reader data = { .at = cie->augmentation_data,
			       .end = cie->augmentation_data + cie->augmentation_data_size };
	unsigned int size = 8;
	bool is_sized = cie->augmentation[0] == 'z';

	if (!is_sized && cie->augmentation[0])
		return false;
	if (is_sized && !check_augmentation(cie->augmentation + 1, data, &size))
		return false;
	if (!size || cie->return_address_register >= REGISTERS_MAX ||
	    !check_instructions((struct reader){ .at = cie->initial_instructions,
						 .end = cie->initial_instructions_end,
						 .address_bytes = size }))
		return false;
	check->address_bytes = size;
	check->is_sized = is_sized;
	check->good_cie = offset + 1;
	return true;
}

static int read_entry(const struct cfi_check *check, Dwarf_Off offset, Dwarf_Off *next,
		      Dwarf_CFI_Entry *entry)
{
	/* libdw takes an offset near the end of its type to be before the end. */
	if (offset >= check->data->d_size)
		return 1;
	return dwarf_next_cfi(check->ident, check->data, check->is_exceptions, offset, next, entry);
}

static bool check_fde(struct cfi_check *check, const Dwarf_FDE *fde)
{
	struct reader reader = { .at = fde->start, .end = fde->end };
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;
	uint64_t size = 0;

	if (check->good_cie != fde->CIE_pointer + 1 &&
	    (read_entry(check, fde->CIE_pointer, &next, &entry) != 0 || !dwarf_cfi_cie_p(&entry) ||
	     !check_cie(check, &entry.cie, fde->CIE_pointer)))
		return false;
	reader.address_bytes = check->address_bytes;
	if (!skip(&reader, 2ULL * check->address_bytes))
		return false;
	if (check->is_sized && (!read_number(&reader, &size) || !skip(&reader, size)))
		return false;
	return check_instructions(reader);
}

bool cfi_check_entry(struct cfi_check *check, Dwarf_Off offset)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;

	return read_entry(check, offset, &next, &entry) == 0 && !dwarf_cfi_cie_p(&entry) &&
	       check_fde(check, &entry.fde);
}

bool cfi_check_all(struct cfi_check *check)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off next, offset = 0;

	for (;; offset = next) {
		int result = read_entry(check, offset, &next, &entry);

		if (result != 0)
			return result > 0;
		if (dwarf_cfi_cie_p(&entry) ? !check_cie(check, &entry.cie, offset)
					    : !check_fde(check, &entry.fde))
			return false;
	}
}
