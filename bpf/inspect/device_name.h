/*
 * What to call the device that holds a file: a block device by its name, a file system without one
 * by its kind and source.
 */
#ifndef CLASSIFY_DEVICE_NAME_H
#define CLASSIFY_DEVICE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DEVICE_NAME_BYTES 96

/* A device as the kernel numbers it; @major is 0 where no block device is behind a file system. */
struct device_number {
	unsigned int major;
	unsigned int minor;
};

/*
 * Names @device as process @pid knows it, or, if that is gone or doesn't, as this process does:
 * "vda1", "dm-0 (root)", "overlay", "nfs host:/export"; "" when nobody does. Untrusted bytes.
 */
void device_name(pid_t pid, struct device_number device, char name[DEVICE_NAME_BYTES]);

/* If @line, of /proc/PID/mountinfo, is of a mount of @device, names it and returns true. */
bool device_name_from_mount(const char *line, struct device_number device,
			    char name[DEVICE_NAME_BYTES]);

#endif
