/* What a process is: its names, parent, mapped files and runtime. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gil.h"
#include "inspect.h"
#include "maps.h"
#include "observation/observation.h"
#include "proc_file.h"
#include "toolchain.h"

#define COMMAND_BYTES_MAX 4096
#define PATH_BYTES_MAX	  4096

static void set_string(struct observation *obs, const char **member, const char *bytes, size_t len)
{
	const char *copy = observation_intern(obs, bytes, len);

	if (copy)
		*member = copy;
}

/* Arguments end in NUL each; a process may have written anything there. */
static void read_command(struct observation *obs, struct obs_process *process)
{
	char command[COMMAND_BYTES_MAX];
	ssize_t len = proc_file_read(process->pid, "cmdline", command, sizeof(command));

	while (len > 0 && command[len - 1] == '\0')
		len--;
	if (len <= 0)
		return;
	for (ssize_t i = 0; i < len; i++)
		if (command[i] == '\0')
			command[i] = ' ';
	set_string(obs, &process->command, command, (size_t)len);
}

/* Another executable was built with something else. */
static void read_exe(struct observation *obs, struct obs_process *process)
{
	char path[PATH_BYTES_MAX], toolchain[TOOLCHAIN_BYTES];
	ssize_t len = proc_file_readlink(process->pid, "exe", path, sizeof(path));
	const char *before = process->exe;

	if (len <= 0)
		return;
	set_string(obs, &process->exe, path, (size_t)len);
	if (process->exe == before && process->toolchain && process->toolchain[0])
		return;
	toolchain_read(process->pid, toolchain);
	set_string(obs, &process->toolchain, toolchain, strlen(toolchain));
}

static void set_modules(struct observation *obs, struct obs_process *process,
			const struct mapped_files *maps)
{
	const char **modules = calloc(maps->file_cnt + 1, sizeof(*modules));
	size_t cnt = 0;

	if (!modules)
		return;
	for (size_t i = 0; i < maps->file_cnt; i++) {
		const char *path = maps->files[i].path;

		if (process->exe && !strcmp(path, process->exe))
			continue;
		modules[cnt] = observation_intern(obs, path, strlen(path));
		cnt += modules[cnt] != NULL;
	}
	free(process->modules);
	process->modules = modules;
	process->module_cnt = cnt;
}

static void set_runtime(struct obs_process *process, const struct mapped_files *maps,
			struct gil_range *gil)
{
	struct python_runtime runtime;

	python_runtime_find(process->pid, maps, process->exe ? process->exe : "", &runtime);
	process->python_hexversion = runtime.hexversion;
	process->gil_is_known = runtime.gil_is_known;
	process->is_free_threaded = runtime.is_free_threaded;
	*gil = runtime.gil;
}

int inspect_process(struct observation *obs, struct obs_process *process, struct gil_range *gil)
{
	struct proc_stat stat;
	struct mapped_files maps;
	int error = proc_stat_read(process->pid, &stat);

	*gil = (struct gil_range){ 0 };
	if (error)
		return error;
	process->parent_pid = stat.ppid;
	set_string(obs, &process->comm, stat.comm, strlen(stat.comm));
	read_command(obs, process);
	read_exe(obs, process);
	error = mapped_files_read(process->pid, &maps);
	if (!error) {
		set_modules(obs, process, &maps);
		set_runtime(process, &maps, gil);
	}
	mapped_files_release(&maps);
	return error == -EPERM ? -EACCES : error;
}
