/* Reads /proc/PID/maps; see maps.h. */
#include "maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc_file.h"

bool maps_parse_line(char *line, struct mapped_file *file)
{
	char permissions[8];
	int path_at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%lx-%lx %7s %lx %*s %*u %n", &file->start, &file->end, permissions,
		   &file->offset, &path_at) != 4 ||
	    path_at == 0)
		return false;
	file->path = line + path_at;
	/* "[vdso]", "//anon" and the like are no files. */
	return strlen(permissions) == 4 && permissions[2] == 'x' && file->path[0] == '/' &&
	       file->path[1] != '/';
}

static bool is_listed(const struct mapped_files *maps, const char *path)
{
	for (size_t i = 0; i < maps->file_cnt; i++)
		if (!strcmp(maps->files[i].path, path))
			return true;
	return false;
}

static int append(struct mapped_files *maps, const struct mapped_file *file)
{
	if (!maps->files)
		maps->files = calloc(MAPS_FILES_MAX, sizeof(*maps->files));
	if (!maps->files)
		return -ENOMEM;

	struct mapped_file copy = *file;

	copy.path = strdup(file->path);
	if (!copy.path)
		return -ENOMEM;
	maps->files[maps->file_cnt++] = copy;
	return 0;
}

int mapped_files_read(pid_t pid, struct mapped_files *maps)
{
	FILE *in = proc_file_open(pid, "maps");
	struct mapped_file file;
	char *line = NULL;
	size_t line_size = 0;
	int error = 0;

	memset(maps, 0, sizeof(*maps));
	if (!in)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!error && maps->file_cnt < MAPS_FILES_MAX && getline(&line, &line_size, in) > 0)
		if (maps_parse_line(line, &file) && !is_listed(maps, file.path))
			error = append(maps, &file);
	free(line);
	fclose(in);
	return error;
}

void mapped_files_release(struct mapped_files *maps)
{
	for (size_t i = 0; i < maps->file_cnt; i++)
		free(maps->files[i].path);
	free(maps->files);
	memset(maps, 0, sizeof(*maps));
}
