#include "probe/node.h"

#include "base/clock.h"
#include "base/memory.h"
#include "probe/cgroup.h"
#include "probe/proc_parse.h"
#include "probe/procfs.h"
#include "sums/room.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define KILL_EXPLAINS_NS (5 * ML_NS_PER_S)
#define RECENT_NS (2 * ML_NS_PER_S)
#define SHARED_MEMORY "/dev/shm"
#define TROUBLE_NS (500 * ML_NS_PER_MS)

struct ml_node_probe {
    struct ml_procfs fs;
    struct ml_cgroup cgroup;
    int meminfo, vmstat, pressure; /* open files, or -1 */
    int64_t trouble_ns;            /* when these two were read last */
    int64_t stalled_ns, swap_in_B, swap_out_B;
    int64_t tmpfs_full_ns, hugetlb_empty_ns; /* when that was seen last */
    int64_t n_kills; /* for want of memory, of all processes, as last read */
    struct {         /* kills that have explained no death yet */
        int64_t on_node, ours, limit_B;
        int64_t seen_ns;
    } open;
};

/* Since Linux 4.13. */
static int64_t read_kills(struct ml_procfs *fs)
{
    ssize_t n = ml_procfs_read(fs, fs->root, "vmstat");
    return ml_proc_parse_counter(fs->text, n > 0 ? (size_t)n : 0, "oom_kill ");
}

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
    probe->vmstat = ml_procfs_keep(&probe->fs, "vmstat");
    probe->pressure = ml_procfs_keep(&probe->fs, "pressure/memory");
    probe->stalled_ns = probe->swap_in_B = probe->swap_out_B = ML_NOT_MEASURED;
    probe->n_kills = read_kills(&probe->fs);
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

static bool is_full(const char *folder)
{
    struct statvfs st;
    return statvfs(folder, &st) == 0 && st.f_blocks > 0 && st.f_bavail == 0;
}

static int64_t counter(struct ml_procfs *fs, int fd, const char *name)
{
    ssize_t n = fd >= 0 ? ml_procfs_reread(fs, fd) : -1;
    return ml_proc_parse_counter(fs->text, n > 0 ? (size_t)n : 0, name);
}

/* Linux/accounting/psi.rst; proc_vmstat(5). Long texts, and nothing that is short of memory is so
 * for a tick only. */
static void read_trouble(struct ml_node_probe *probe, int64_t now_ns)
{
    struct ml_procfs *fs = &probe->fs;
    if (now_ns - probe->trouble_ns < TROUBLE_NS)
        return;
    probe->trouble_ns = now_ns;
    ssize_t n = probe->pressure >= 0 ? ml_procfs_reread(fs, probe->pressure) : -1;
    int64_t stalled_us = ml_proc_parse_stalled_us(fs->text, n > 0 ? (size_t)n : 0);
    probe->stalled_ns = stalled_us < 0 ? ML_NOT_MEASURED : stalled_us * 1000;
    int64_t in = counter(fs, probe->vmstat, "pswpin "),
            out = counter(fs, probe->vmstat, "pswpout ");
    probe->swap_in_B = in < 0 ? ML_NOT_MEASURED : in * fs->page_B;
    probe->swap_out_B = out < 0 ? ML_NOT_MEASURED : out * fs->page_B;
}

void ml_node_probe_tick(struct ml_node_probe *probe, struct ml_node_sample_row *row)
{
    struct ml_proc_meminfo meminfo = read_meminfo(probe);
    row->available_B = meminfo.available_B;
    row->swap_free_B = meminfo.swap_free_B;
    int64_t now_ns = ml_mono_now().ns;
    if (is_full(SHARED_MEMORY))
        probe->tmpfs_full_ns = now_ns;
    if (meminfo.hugetlb_pages > 0 && meminfo.hugetlb_free == 0)
        probe->hugetlb_empty_ns = now_ns;
    read_trouble(probe, now_ns);
    row->stalled_ns = probe->stalled_ns;
    row->swap_in_B = probe->swap_in_B;
    row->swap_out_B = probe->swap_out_B;
    ml_room_offer(row, ML_LIMIT_NODE, meminfo.available_B, meminfo.total_B);
    ml_cgroup_tick(&probe->cgroup, &probe->fs, now_ns, row);
}

static void count_kills(struct ml_node_probe *probe)
{
    int64_t before = probe->n_kills, now_ns = ml_mono_now().ns;
    struct ml_cgroup_kills ours = ml_cgroup_kills(&probe->cgroup, &probe->fs);
    probe->n_kills = read_kills(&probe->fs);
    int64_t on_node = before >= 0 && probe->n_kills > before ? probe->n_kills - before : 0;
    if (now_ns - probe->open.seen_ns > KILL_EXPLAINS_NS)
        probe->open.on_node = probe->open.ours = 0;
    if (!on_node && !ours.n)
        return;
    probe->open.on_node += on_node;
    probe->open.ours += ours.n;
    probe->open.limit_B = ours.limit_B;
    probe->open.seen_ns = now_ns;
}

void ml_node_probe_ask(struct ml_node_probe *probe, struct ml_node_state *out_state)
{
    int64_t now_ns = ml_mono_now().ns;
    count_kills(probe);
    *out_state = (struct ml_node_state){
        .killed = probe->open.on_node > 0,
        .killed_ours = probe->open.ours > 0,
        .limit_B = probe->open.limit_B,
        .memory_B = read_meminfo(probe).total_B,
        .tmpfs_full = is_full(SHARED_MEMORY) || now_ns - probe->tmpfs_full_ns < RECENT_NS,
        .hugetlb_empty = now_ns - probe->hugetlb_empty_ns < RECENT_NS,
    };
    probe->open.on_node -= probe->open.on_node > 0;
    probe->open.ours -= probe->open.ours > 0;
}

void ml_node_probe_close(struct ml_node_probe *probe)
{
    if (!probe)
        return;
    ml_cgroup_close(&probe->cgroup);
    ml_procfs_release(&probe->fs, probe->meminfo);
    ml_procfs_release(&probe->fs, probe->vmstat);
    ml_procfs_release(&probe->fs, probe->pressure);
    ml_procfs_close(&probe->fs);
    free(probe);
}
