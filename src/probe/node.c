#include "probe/node.h"

#include "base/clock.h"
#include "base/memory.h"
#include "probe/cgroup.h"
#include "probe/proc_parse.h"
#include "probe/procfs.h"
#include "sums/room.h"

#include <stdlib.h>
#include <unistd.h>

struct ml_node_probe {
    struct ml_procfs fs;
    struct ml_cgroup cgroup;
    int meminfo; /* open file, or -1 */
};

enum ml_status ml_node_probe_open(const char *proc_root, const char *cgroup_root,
                                  struct ml_node_probe **out_probe, struct ml_error *err)
{
    struct ml_node_probe *probe = ml_alloc(sizeof *probe);
    enum ml_status status = ml_procfs_open(proc_root, &probe->fs, err);
    if (status != ML_OK) {
        free(probe);
        return status;
    }
    probe->meminfo = ml_procfs_keep(&probe->fs, "meminfo");
    ml_cgroup_open(cgroup_root, &probe->fs, &probe->cgroup);
    *out_probe = probe;
    return ML_OK;
}

static struct ml_proc_meminfo read_meminfo(struct ml_node_probe *probe)
{
    struct ml_proc_meminfo meminfo;
    ssize_t size = probe->meminfo >= 0 ? ml_procfs_reread(&probe->fs, probe->meminfo) : -1;
    ml_proc_parse_meminfo(probe->fs.text, size > 0 ? (size_t)size : 0, &meminfo);
    return meminfo;
}

void ml_node_probe_describe(struct ml_node_probe *probe, struct ml_node_row *row)
{
    struct ml_proc_meminfo meminfo = read_meminfo(probe);
    row->memory_B = meminfo.total_B;
    row->swap_B = meminfo.swap_total_B;
    row->cgroup_limit_B = ml_cgroup_limit_B(&probe->cgroup);
    row->cpus = probe->cgroup.cpus ? probe->cgroup.cpus : (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

void ml_node_probe_tick(struct ml_node_probe *probe, struct ml_node_sample_row *row)
{
    struct ml_proc_meminfo meminfo = read_meminfo(probe);
    row->available_B = meminfo.available_B;
    row->swap_free_B = meminfo.swap_free_B;
    ml_room_offer(row, ML_LIMIT_NODE, meminfo.available_B, meminfo.total_B);
    ml_cgroup_tick(&probe->cgroup, &probe->fs, ml_mono_now().ns, row);
}

void ml_node_probe_close(struct ml_node_probe *probe)
{
    if (!probe)
        return;
    ml_cgroup_close(&probe->cgroup);
    ml_procfs_release(&probe->fs, probe->meminfo);
    ml_procfs_close(&probe->fs);
    free(probe);
}
