#include "probe/node.h"

#include "base/memory.h"
#include "probe/cgroup.h"
#include "probe/proc_parse.h"
#include "probe/procfs.h"

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
    struct ml_node_probe *n = ml_alloc(sizeof *n);
    enum ml_status status = ml_procfs_open(proc_root, &n->fs, err);
    if (status != ML_OK) {
        free(n);
        return status;
    }
    n->meminfo = ml_procfs_keep(&n->fs, "meminfo");
    ml_cgroup_open(cgroup_root, &n->fs, &n->cgroup);
    *out_probe = n;
    return ML_OK;
}

static struct ml_proc_meminfo read_meminfo(struct ml_node_probe *n)
{
    struct ml_proc_meminfo meminfo;
    ssize_t size = n->meminfo >= 0 ? ml_procfs_reread(&n->fs, n->meminfo) : -1;
    ml_proc_parse_meminfo(n->fs.text, size > 0 ? (size_t)size : 0, &meminfo);
    return meminfo;
}

void ml_node_probe_describe(struct ml_node_probe *n, struct ml_node_row *row)
{
    struct ml_proc_meminfo meminfo = read_meminfo(n);
    row->memory_B = meminfo.total_B;
    row->swap_B = meminfo.swap_total_B;
    row->cgroup_limit_B = n->cgroup.limit_B;
    row->cpus = n->cgroup.cpus ? n->cgroup.cpus : (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

void ml_node_probe_tick(struct ml_node_probe *n, struct ml_node_sample_row *row)
{
    struct ml_proc_meminfo meminfo = read_meminfo(n);
    row->cgroup_B = ml_cgroup_usage_B(&n->cgroup, &n->fs);
    row->available_B = meminfo.available_B;
    row->swap_free_B = meminfo.swap_free_B;
}

void ml_node_probe_close(struct ml_node_probe *n)
{
    if (!n)
        return;
    ml_cgroup_close(&n->cgroup);
    ml_procfs_release(&n->fs, n->meminfo);
    ml_procfs_close(&n->fs);
    free(n);
}
