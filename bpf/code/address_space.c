/* Reads the maps of a process; see address_space.h. */
#include "code/address_space.h"
#include <errno.h>

int address_space_read(struct address_space *space, struct code_files *files, pid_t pid)
{
	(void)space;
	(void)files;
	(void)pid;
	return -ENOTSUP;
}

const struct code_mapping *address_space_find(const struct address_space *space, uint64_t address)
{
	(void)space;
	(void)address;
	return NULL;
}

bool code_mapping_address(const struct code_mapping *mapping, uint64_t address,
			  uint64_t *file_address)
{
	(void)mapping;
	*file_address = address;
	return false;
}

void address_space_release(struct address_space *space)
{
	*space = (struct address_space){ 0 };
}
