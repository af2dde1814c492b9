/* Reads instructions around return addresses; see call_site.h. */
#include "unwind/call_site.h"

#include "code/address_space.h"

/* The longest call: FF /2 with a SIB byte and four bytes of distance. */
#define CALL_BYTES_MAX 7

/* The length of FF /2 with @modrm and @sib after it, or 0: no call through memory or a register. */
static size_t indirect_length(uint8_t modrm, uint8_t sib)
{
	size_t has_sib = (modrm & 7) == 4;

	if ((modrm >> 3 & 7) != 2)
		return 0;
	switch (modrm >> 6) {
	case 0:
		if ((modrm & 7) == 5 || (has_sib && (sib & 7) == 5))
			return 6 + has_sib;
		return 2 + has_sib;
	case 1:
		return 3 + has_sib;
	case 2:
		return 6 + has_sib;
	default:
		return 2;
	}
}

bool call_site_is_call(const uint8_t *bytes, size_t byte_cnt)
{
	const uint8_t *end = bytes + byte_cnt;

	if (byte_cnt >= 5 && end[-5] == 0xe8)
		return true;
	for (size_t length = 2; length <= CALL_BYTES_MAX && length <= byte_cnt; length++)
		if (end[-(ptrdiff_t)length] == 0xff &&
		    indirect_length(end[1 - (ptrdiff_t)length],
				    length > 2 ? end[2 - (ptrdiff_t)length] : 0) == length)
			return true;
	return false;
}

bool call_site_follows_call(const struct code_mapping *mapping, uint64_t return_address)
{
	uint8_t bytes[CALL_BYTES_MAX];
	uint64_t room = return_address - mapping->start;
	size_t size = room < sizeof(bytes) ? (size_t)room : sizeof(bytes);

	return code_mapping_read(mapping, return_address - size, bytes, size) == size &&
	       call_site_is_call(bytes, size);
}

/* runtime.goexit is: nop; call runtime.goexit1; nop. */
bool call_site_is_goroutine_end(const struct code_mapping *mapping, uint64_t return_address)
{
	uint8_t bytes[7];

	return return_address > mapping->start &&
	       code_mapping_read(mapping, return_address - 1, bytes, sizeof(bytes)) ==
		       sizeof(bytes) &&
	       bytes[0] == 0x90 && bytes[1] == 0xe8 && bytes[6] == 0x90;
}
