#include "probe/numa.h"

#include "base/clock.h"
#include "probe/proc_parse.h"
#include "sums/room.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define YOUNG_LOOK_NS ML_NS_PER_S
#define LOOK_NS (10 * ML_NS_PER_S)
#define FIRST_LINE_B 256 /* of numa_maps, up to the end of the policy */
#define SETS 16          /* different ones that are told apart */

static bool is_one(uint64_t nodes)
{
    return (nodes & (nodes - 1)) == 0;
}

void ml_numa_open(const char *root, struct ml_procfs *fs, struct ml_numa *out_numa)
{
    struct ml_numa numa = {.root = root ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1};
    ssize_t n = numa.root >= 0 ? ml_procfs_read(fs, numa.root, "has_memory") : -1;
    numa.nodes = n > 0 ? ml_proc_parse_nodes(fs->text, (size_t)n) : 0;
    *out_numa = numa;
}

/* numa_maps walks the page tables of each mapping that it shows: its first line is enough, since a
 * policy that the process was started with holds for all of them. */
static uint64_t bound_of(struct ml_procfs *fs, pid_t pid)
{
    char path[40];
    snprintf(path, sizeof path, "%d/status", (int)pid);
    ssize_t n = ml_procfs_read(fs, fs->root, path);
    uint64_t mems = n > 0 ? ml_proc_parse_mems(fs->text, (size_t)n) : 0;
    snprintf(path, sizeof path, "%d/numa_maps", (int)pid);
    n = ml_procfs_read_start(fs, path, FIRST_LINE_B);
    uint64_t policy = n > 0 ? ml_proc_parse_bound(fs->text, (size_t)n) : 0;
    return mems & policy ? mems & policy : mems;
}

static void look(struct ml_procfs *fs, struct ml_process *p, int64_t now_ns)
{
    if (now_ns < p->mems_due_ns)
        return;
    p->mems = bound_of(fs, p->pid);
    p->mems_due_ns = now_ns + (now_ns < p->young_until_ns ? YOUNG_LOOK_NS : LOOK_NS);
}

static void offer(const struct ml_numa *numa, struct ml_procfs *fs, uint64_t nodes,
                  struct ml_node_sample_row *row)
{
    int64_t total_B = 0, left_B = 0;
    for (int node = 0; node < 64; node++) {
        char path[32];
        struct ml_proc_node_meminfo meminfo;
        if (!(nodes >> node & 1))
            continue;
        snprintf(path, sizeof path, "node%d/meminfo", node);
        ssize_t n = ml_procfs_read(fs, numa->root, path);
        ml_proc_parse_node_meminfo(fs->text, n > 0 ? (size_t)n : 0, node, &meminfo);
        if (meminfo.total_B < 0 || meminfo.left_B < 0)
            return;
        total_B += meminfo.total_B;
        left_B += meminfo.left_B;
    }
    ml_room_offer(row, ML_LIMIT_NUMA, left_B, total_B);
}

static bool is_new(uint64_t nodes, uint64_t *sets, size_t *n_sets)
{
    for (size_t i = 0; i < *n_sets; i++) {
        if (sets[i] == nodes)
            return false;
    }
    if (*n_sets == SETS)
        return false;
    sets[(*n_sets)++] = nodes;
    return true;
}

void ml_numa_tick(const struct ml_numa *numa, struct ml_procfs *fs, const struct ml_processes *set,
                  int64_t now_ns, struct ml_node_sample_row *row)
{
    uint64_t sets[SETS];
    size_t n_sets = 0;
    for (size_t i = 0; !is_one(numa->nodes) && i < set->n; i++) {
        struct ml_process *p = set->live[i];
        if (!p->seen)
            continue;
        look(fs, p, now_ns);
        uint64_t nodes = p->mems & numa->nodes;
        if (nodes && nodes != numa->nodes && is_new(nodes, sets, &n_sets))
            offer(numa, fs, nodes, row);
    }
}

void ml_numa_close(struct ml_numa *numa)
{
    if (numa->root >= 0)
        close(numa->root);
    numa->root = -1;
}
