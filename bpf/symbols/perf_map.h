/*
 * The map that a process writes of the code it compiled as it ran, /tmp/perf-PID.map: lines of
 * address, size and name, which grow. Anyone may write into /tmp, so the file has to belong to the
 * process's user or to root.
 */
#ifndef CLASSIFY_PERF_MAP_H
#define CLASSIFY_PERF_MAP_H

#include <stdint.h>
#include <sys/types.h>

struct perf_map;

/* Returns NULL when out of memory. */
struct perf_map *perf_map_new(void);
void perf_map_free(struct perf_map *map);

/* Reads what process @pid has added to its map since the last time. Returns 0, -ENOENT when there
 * is none, -EPERM when it is another user's, or another -errno. Also reads on, from the file that
 * it keeps open, when the process has gone. */
int perf_map_read(struct perf_map *map, pid_t pid);

/* Reads what follows in @fd, a file of which the map has read the beginning. For tests;
 * perf_map_read does it. */
int perf_map_read_file(struct perf_map *map, int fd);

/* Reads what was added since and lets go of the file. */
void perf_map_close(struct perf_map *map);

/* The name of the code at @address, NULL if it isn't known. Of several lines about one address the
 * last one counts: compilers free code and use its place again. Lives as long as @map. */
const char *perf_map_find(struct perf_map *map, uint64_t address);

#endif
