#include "probe/cgroup.h"

#include "base/own.h"
#include "probe/proc_parse.h"
#include "record/schema.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Where the hierarchies are mounted: each controller of version 1 by its name, version 2 at the
 * root, or beside version 1 in "unified". */
struct hierarchy {
    const char *mount;
    const char *controller; /* in /proc/self/cgroup; "": version 2 */
    const char *usage;
    const char *limit;
    const char *cpus;
};

static const struct hierarchy hierarchies[] = {
    {"memory", "memory", "memory.usage_in_bytes", "memory.limit_in_bytes", NULL},
    {".", "", "memory.current", "memory.max", "cpuset.cpus.effective"},
    {"unified", "", "memory.current", "memory.max", "cpuset.cpus.effective"},
    {"cpuset", "cpuset", NULL, NULL, "cpuset.effective_cpus"},
    {"cpuset", "cpuset", NULL, NULL, "cpuset.cpus"}, /* Linux before 3.18 */
};

/* A path below a mount: "./pbs_jobs/12.head/memory.max". */
struct place {
    const struct hierarchy *hierarchy;
    char path[PATH_MAX / 2]; /* of the cgroup; "" at the mount */
};

/* Reads FILE of the cgroup at PLACE into fs->text. */
static ssize_t read_at(struct ml_procfs *fs, int root, const struct place *place, const char *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s/%s", place->hierarchy->mount, place->path, file);
    return ml_procfs_read(fs, root, path);
}

/* Goes to the cgroup above. False at the mount. */
static bool climb(struct place *place)
{
    char *slash = strrchr(place->path, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

static bool find_place(struct ml_procfs *fs, const struct hierarchy *h, struct place *out_place)
{
    out_place->hierarchy = h;
    ssize_t n = ml_procfs_read(fs, fs->root, "self/cgroup");
    if (n <= 0 || !ml_proc_parse_cgroup(fs->text, (size_t)n, h->controller, out_place->path,
                                        sizeof out_place->path))
        return false;
    size_t length = strlen(out_place->path);
    if (out_place->path[length - 1] == '/')
        out_place->path[length - 1] = 0;
    return true;
}

static int open_usage(int root, const struct place *place)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s/%s", place->hierarchy->mount, place->path,
             place->hierarchy->usage);
    return openat(root, path, O_RDONLY | O_CLOEXEC);
}

/* Climbs from our cgroup to the mount. In a container the path may be the host's, which is not
 * there: the mount itself then is the container's cgroup. */
static bool find_memory(struct ml_procfs *fs, int root, const struct hierarchy *h,
                        struct ml_cgroup *cgroup)
{
    struct place place;
    if (!h->usage || !find_place(fs, h, &place))
        return false;
    do {
        ssize_t n = read_at(fs, root, &place, h->limit);
        int64_t limit_B = n > 0 ? ml_proc_parse_limit(fs->text, (size_t)n) : ML_NOT_MEASURED;
        bool lower = limit_B >= 0 && (cgroup->limit_B < 0 || limit_B < cgroup->limit_B);
        /* the mount of version 1 without a limit is the whole machine, no job's cgroup */
        bool machine = !*place.path && *h->controller && limit_B < 0;
        if (machine || (cgroup->usage >= 0 && !lower))
            continue;
        int usage = open_usage(root, &place);
        if (usage < 0)
            continue;
        if (cgroup->usage >= 0)
            close(cgroup->usage);
        cgroup->usage = usage;
        if (lower)
            cgroup->limit_B = limit_B;
    } while (climb(&place));
    return cgroup->usage >= 0;
}

static int find_cpus(struct ml_procfs *fs, int root, const struct hierarchy *h)
{
    struct place place;
    int cpus = 0;
    if (!h->cpus || !find_place(fs, h, &place))
        return 0;
    do {
        ssize_t n = read_at(fs, root, &place, h->cpus);
        cpus = n > 0 ? ml_proc_count_cpus(fs->text, (size_t)n) : 0;
    } while (!cpus && climb(&place));
    return cpus;
}

void ml_cgroup_open(const char *root, struct ml_procfs *fs, struct ml_cgroup *out_cgroup)
{
    struct ml_cgroup cgroup = {.usage = -1, .limit_B = ML_NOT_MEASURED};
    ML_AUTO_FD int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < sizeof hierarchies / sizeof *hierarchies; i++) {
        const struct hierarchy *h = &hierarchies[i];
        if (cgroup.usage < 0)
            find_memory(fs, fd, h, &cgroup);
        if (!cgroup.cpus)
            cgroup.cpus = find_cpus(fs, fd, h);
    }
    *out_cgroup = cgroup;
}

int64_t ml_cgroup_usage_B(const struct ml_cgroup *cgroup, struct ml_procfs *fs)
{
    ssize_t n = cgroup->usage >= 0 ? ml_procfs_reread(fs, cgroup->usage) : -1;
    return n > 0 ? ml_proc_parse_limit(fs->text, (size_t)n) : ML_NOT_MEASURED;
}

void ml_cgroup_close(struct ml_cgroup *cgroup)
{
    if (cgroup->usage >= 0)
        close(cgroup->usage);
    cgroup->usage = -1;
}
