#include "probe/cgroup.h"

#include "base/clock.h"
#include "base/own.h"
#include "probe/proc_parse.h"
#include "record/schema.h"
#include "sums/room.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAT_NS (200 * ML_NS_PER_MS)
#define MOVED_PART 64

/* Where the hierarchies are mounted: each controller of version 1 by its name, version 2 at the
 * root, or beside version 1 in "unified". */
struct hierarchy {
    const char *mount;
    const char *controller; /* in /proc/self/cgroup; "": version 2 */
    const char *usage;
    const char *limit;
    const char *high;
    const char *cpus;
};

static const struct hierarchy hierarchies[] = {
    {"memory", "memory", "memory.usage_in_bytes", "memory.limit_in_bytes", NULL, NULL},
    {".", "", "memory.current", "memory.max", "memory.high", "cpuset.cpus.effective"},
    {"unified", "", "memory.current", "memory.max", "memory.high", "cpuset.cpus.effective"},
    {"cpuset", "cpuset", NULL, NULL, NULL, "cpuset.effective_cpus"},
    {"cpuset", "cpuset", NULL, NULL, NULL, "cpuset.cpus"}, /* Linux before 3.18 */
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

static int open_at(int root, const struct place *place, const char *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s/%s", place->hierarchy->mount, place->path, file);
    return openat(root, path, O_RDONLY | O_CLOEXEC);
}

static int64_t read_limit(struct ml_procfs *fs, int root, const struct place *place,
                          const char *file)
{
    ssize_t n = file ? read_at(fs, root, place, file) : -1;
    return n > 0 ? ml_proc_parse_limit(fs->text, (size_t)n) : ML_NOT_MEASURED;
}

/* Version 2, cgroup-v2.rst: memory.events has "oom_kill", processes of the cgroup and those below
 * it that any OOM killer killed, and "oom", how often the limit was reached and nothing could be
 * taken back. Version 1 has "oom_kill" in memory.oom_control (since Linux 4.13), and
 * memory.failcnt. */
static void count_kills(struct ml_cgroup_level *level, struct ml_procfs *fs, bool version_1)
{
    ssize_t n = level->kills >= 0 ? ml_procfs_reread(fs, level->kills) : -1;
    level->n_kills = ml_proc_parse_counter(fs->text, n > 0 ? (size_t)n : 0, "oom_kill ");
    n = level->hits >= 0 ? ml_procfs_reread(fs, level->hits) : -1;
    level->n_hits = version_1 ? ml_proc_parse_limit(fs->text, n > 0 ? (size_t)n : 0)
                              : ml_proc_parse_counter(fs->text, n > 0 ? (size_t)n : 0, "oom ");
}

static void add_level(struct ml_procfs *fs, int root, const struct place *place,
                      struct ml_cgroup *cgroup)
{
    const struct hierarchy *h = place->hierarchy;
    struct ml_cgroup_level level = {
        .file_B = ML_NOT_MEASURED, .shmem_B = ML_NOT_MEASURED, .kernel_B = ML_NOT_MEASURED};
    level.limit_B = read_limit(fs, root, place, h->limit);
    level.high_B = read_limit(fs, root, place, h->high);
    bool limited = level.limit_B >= 0 || level.high_B >= 0;
    /* the mount of version 1 without a limit is the whole machine, no job's cgroup */
    bool machine = !*place->path && *h->controller && !limited;
    bool wanted = cgroup->n_levels == 0 || limited;
    if (machine || !wanted || cgroup->n_levels == ML_CGROUP_LEVELS)
        return;
    int usage = open_at(root, place, h->usage);
    if (usage < 0)
        return;
    level.usage = usage;
    level.stat = open_at(root, place, "memory.stat");
    level.kills = open_at(root, place, *h->controller ? "memory.oom_control" : "memory.events");
    level.hits = open_at(root, place, *h->controller ? "memory.failcnt" : "memory.events");
    count_kills(&level, fs, *h->controller);
    int64_t lowest_B = ml_cgroup_limit_B(cgroup);
    if (level.limit_B >= 0 && (lowest_B < 0 || level.limit_B < lowest_B))
        cgroup->charged = cgroup->n_levels;
    cgroup->levels[cgroup->n_levels++] = level;
}

/* Climbs from our cgroup to the mount. In a container the path may be the host's, which is not
 * there: the mount itself then is the container's cgroup. */
static void find_memory(struct ml_procfs *fs, int root, const struct hierarchy *h,
                        struct ml_cgroup *cgroup)
{
    struct place place;
    if (!h->usage || !find_place(fs, h, &place))
        return;
    do
        add_level(fs, root, &place, cgroup);
    while (climb(&place));
    cgroup->version_1 = *h->controller;
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

int64_t ml_cgroup_limit_B(const struct ml_cgroup *cgroup)
{
    return cgroup->n_levels ? cgroup->levels[cgroup->charged].limit_B : ML_NOT_MEASURED;
}

void ml_cgroup_open(const char *root, struct ml_procfs *fs, struct ml_cgroup *out_cgroup)
{
    struct ml_cgroup cgroup = {0};
    ML_AUTO_FD int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < sizeof hierarchies / sizeof *hierarchies; i++) {
        const struct hierarchy *h = &hierarchies[i];
        if (!cgroup.n_levels)
            find_memory(fs, fd, h, &cgroup);
        if (!cgroup.cpus)
            cgroup.cpus = find_cpus(fs, fd, h);
    }
    *out_cgroup = cgroup;
}

/* Page cache that came since would count as used. */
static bool has_moved(const struct ml_cgroup_level *level, int64_t used_B)
{
    int64_t limit_B = level->high_B >= 0 ? level->high_B : level->limit_B;
    return limit_B >= 0 && llabs(used_B - level->stat_used_B) > limit_B / MOVED_PART;
}

static void read_stat(struct ml_cgroup_level *level, struct ml_procfs *fs, bool version_1,
                      int64_t used_B)
{
    struct ml_proc_memory_stat stat;
    ssize_t n = level->stat >= 0 ? ml_procfs_reread(fs, level->stat) : -1;
    ml_proc_parse_memory_stat(fs->text, n > 0 ? (size_t)n : 0, version_1, &stat);
    level->file_B = stat.file_B;
    level->shmem_B = stat.shmem_B;
    level->kernel_B = stat.kernel_B;
    level->stat_used_B = used_B;
}

/* USED_B of a limit, of which FILE_B could be taken back. */
static int64_t left_of(int64_t limit_B, int64_t used_B, int64_t file_B)
{
    if (limit_B < 0 || used_B < 0)
        return ML_NOT_MEASURED;
    int64_t kept_B = used_B - (file_B > 0 ? file_B : 0);
    int64_t left_B = limit_B - (kept_B > 0 ? kept_B : 0);
    return left_B > 0 ? left_B : 0;
}

void ml_cgroup_tick(struct ml_cgroup *cgroup, struct ml_procfs *fs, int64_t now_ns,
                    struct ml_node_sample_row *row)
{
    bool due = now_ns - cgroup->stat_ns >= STAT_NS;
    for (int i = 0; i < cgroup->n_levels; i++) {
        struct ml_cgroup_level *level = &cgroup->levels[i];
        ssize_t n = ml_procfs_reread(fs, level->usage);
        int64_t used_B = n > 0 ? ml_proc_parse_limit(fs->text, (size_t)n) : ML_NOT_MEASURED;
        if (due || has_moved(level, used_B))
            read_stat(level, fs, cgroup->version_1, used_B);
        ml_room_offer(row, ML_LIMIT_CGROUP, left_of(level->limit_B, used_B, level->file_B),
                      level->limit_B);
        ml_room_offer(row, ML_LIMIT_CGROUP_HIGH, left_of(level->high_B, used_B, level->file_B),
                      level->high_B);
        if (i != cgroup->charged)
            continue;
        row->cgroup_B = used_B;
        row->cgroup_file_B = level->file_B;
        row->cgroup_shmem_B = level->shmem_B;
        row->cgroup_kernel_B = level->kernel_B;
    }
    if (due)
        cgroup->stat_ns = now_ns;
}

struct ml_cgroup_kills ml_cgroup_kills(struct ml_cgroup *cgroup, struct ml_procfs *fs)
{
    struct ml_cgroup_kills found = {.limit_B = ML_NOT_MEASURED};
    for (int i = 0; i < cgroup->n_levels; i++) {
        struct ml_cgroup_level *level = &cgroup->levels[i];
        int64_t kills = level->n_kills, hits = level->n_hits;
        count_kills(level, fs, cgroup->version_1);
        int64_t n = kills >= 0 ? level->n_kills - kills : 0;
        found.n = n > found.n ? n : found.n;
        if (n > 0 && hits >= 0 && level->n_hits > hits && found.limit_B < 0)
            found.limit_B = level->limit_B;
    }
    return found;
}

static void close_file(int fd)
{
    if (fd >= 0)
        close(fd);
}

void ml_cgroup_close(struct ml_cgroup *cgroup)
{
    for (int i = 0; i < cgroup->n_levels; i++) {
        close_file(cgroup->levels[i].usage);
        close_file(cgroup->levels[i].stat);
        close_file(cgroup->levels[i].kills);
        close_file(cgroup->levels[i].hits);
    }
    cgroup->n_levels = 0;
}
