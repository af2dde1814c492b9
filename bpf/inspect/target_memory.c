/* Reads a process's memory; see target_memory.h. */
#include "target_memory.h"

#include <sys/uio.h>

bool target_memory_read(pid_t pid, uint64_t address, void *bytes, size_t len)
{
	struct iovec local = { bytes, len };
	struct iovec remote = { (void *)(uintptr_t)address, len };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}
