/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cgroup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "pba.h"

enum { CORES, BYTES, LIMITS };

/* Where a limit stands, below the folder of a group. Version 2 has one tree for all controllers,
 * which /proc/self/cgroup gives no name. */
static const struct {
    int limit;
    const char *controller, *mount, *file;
    const char *period; /* the file with what `file` is to be divided by; NULL: none */
} rows[] = {
    {CORES, "", "/sys/fs/cgroup", "cpu.max", NULL},
    {CORES, "cpu", "/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "cpu.cfs_period_us"},
    {BYTES, "", "/sys/fs/cgroup", "memory.max", NULL},
    {BYTES, "memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", NULL},
};

/* Whether `name` is in a list with commas between. */
static bool lists(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (;; list++) {
        if (strncmp(list, name, length) == 0 && (!list[length] || list[length] == ',')) {
            return true;
        }
        list = strchr(list, ',');
        if (!list) {
            return false;
        }
    }
}

/* "/a/b" of "4:cpu,cpuacct:/a/b\n", where the controller is among the line's; else NULL. Cuts the
 * line. */
static const char *group_of(char *line, const char *controller)
{
    char *list = strchr(line, ':'), *group = list ? strchr(list + 1, ':') : NULL;
    if (!group) {
        return NULL;
    }
    *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    return lists(list + 1, controller) ? group : NULL;
}

/* The process's group in a controller's tree; "" where that is not told: the tree's root. */
static void find_group(const char *root, const char *controller, char group[PBA_PATH_MAX])
{
    char path[PBA_PATH_MAX], line[PBA_PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = size < PBA_PATH_MAX ? fopen(path, "re") : NULL;
    const char *found = NULL;
    while (file && !found && fgets(line, sizeof line, file)) {
        found = group_of(line, controller);
    }
    snprintf(group, PBA_PATH_MAX, "%s", found ? found : "");
    if (file) {
        fclose(file);
    }
}

/* How many numbers a group's file begins with, two at most; "max" is none. */
static int read_numbers(const char *folder, const char *name, double numbers[2])
{
    char path[PBA_PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = size < PBA_PATH_MAX ? fopen(path, "re") : NULL;
    int count = file ? fscanf(file, "%lf %lf", &numbers[0], &numbers[1]) : 0;
    if (file) {
        fclose(file);
    }
    return count;
}

/* The limit of one group; 0: none. */
static double limit_of(const char *folder, const char *file, const char *period)
{
    double numbers[2] = {0, 1}, divisor[2];
    if (read_numbers(folder, file, numbers) < 1) {
        return 0;
    }
    if (period) {
        numbers[1] = read_numbers(folder, period, divisor) > 0 ? divisor[0] : 0;
    }
    return numbers[0] > 0 && numbers[1] > 0 ? numbers[0] / numbers[1] : 0;
}

static double lesser(double one, double other)
{
    return one > 0 && (other <= 0 || one < other) ? one : other;
}

/* The least limit of a group and those above it, in one tree; 0: none. A group that is not to be
 * seen, as those outside of a container are not, has no limit here. */
static double limit_up(const char *root, size_t row)
{
    char group[PBA_PATH_MAX], folder[PBA_PATH_MAX];
    double least = 0;
    find_group(root, rows[row].controller, group);
    int top = snprintf(folder, sizeof folder, "%s%s", root, rows[row].mount);
    if ((size_t)top + strlen(group) >= sizeof folder) {
        return 0;
    }
    for (strcat(folder, group);; *strrchr(folder, '/') = 0) {
        least = lesser(limit_of(folder, rows[row].file, rows[row].period), least);
        if (strlen(folder) <= (size_t)top) {
            return least;
        }
    }
}

cgroup_limits cgroup_read(const char *root)
{
    double least[LIMITS] = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        least[rows[i].limit] = lesser(limit_up(root, i), least[rows[i].limit]);
    }
    return (cgroup_limits){.cores = least[CORES], .bytes = least[BYTES]};
}
