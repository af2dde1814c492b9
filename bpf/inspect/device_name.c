/* Names devices from /sys/dev/block and mountinfo; see device_name.h. */
#include "device_name.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A block device's name, and of a device mapper's the name that its maker gave it. */
static void name_block_device(struct device_number device, char name[DEVICE_NAME_BYTES])
{
	char path[64], link[PATH_MAX], mapped[64] = "";
	const char *last;
	ssize_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", device.major, device.minor);
	len = readlink(path, link, sizeof(link) - 1);
	if (len <= 0)
		return;
	link[len] = '\0';
	last = strrchr(link, '/');
	last = last ? last + 1 : link;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/dm/name", device.major, device.minor);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%63[^\n]", mapped) != 1)
			mapped[0] = '\0';
		fclose(file);
	}
	snprintf(name, DEVICE_NAME_BYTES, mapped[0] ? "%.24s (%s)" : "%.24s", last, mapped);
}

/* Undoes mountinfo's escapes (blank, tab, newline, backslash as three octal digits). */
static void unescape(char *text)
{
	char *to = text;
	unsigned int byte;

	while (*text) {
		if (*text == '\\' && sscanf(text + 1, "%3o", &byte) == 1 && byte) {
			*to++ = (char)byte;
			text += strnlen(text, 4);
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

bool device_name_from_mount(const char *line, struct device_number device,
			    char name[DEVICE_NAME_BYTES])
{
	char kind[32], source[64]; /* a longer source is cut */
	struct device_number found;
	const char *rest;

	if (sscanf(line, "%*d %*d %u:%u ", &found.major, &found.minor) != 2 ||
	    found.major != device.major || found.minor != device.minor)
		return false;
	rest = strstr(line, " - "); /* before it the number of fields varies; none is "-" */
	if (!rest || sscanf(rest, " - %31s %63s", kind, source) != 2)
		return false;
	unescape(source);
	if (!strncmp(source, "/dev/", 5))
		snprintf(name, DEVICE_NAME_BYTES, "%s", source + 5);
	else if (!strcmp(source, kind) || !strcmp(source, "none"))
		snprintf(name, DEVICE_NAME_BYTES, "%s", kind);
	else
		snprintf(name, DEVICE_NAME_BYTES, "%s %s", kind, source);
	return true;
}

/* Looks among the mounts that /proc/@process shows. */
static void name_mounted(const char *process, struct device_number device,
			 char name[DEVICE_NAME_BYTES])
{
	char path[64], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", process);
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &size, file) > 0)
		if (device_name_from_mount(line, device, name))
			break;
	free(line);
	fclose(file);
}

void device_name(pid_t pid, struct device_number device, char name[DEVICE_NAME_BYTES])
{
	char process[16];

	name[0] = '\0';
	if (device.major)
		name_block_device(device, name);
	snprintf(process, sizeof(process), "%d", (int)pid);
	if (!name[0])
		name_mounted(process, device, name);
	if (!name[0])
		name_mounted("self", device, name);
}
