#include "probe/frequency.h"

#include "base/clock.h"
#include "probe/proc_parse.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LOOK_NS (10 * ML_NS_PER_S)
#define LATER_NS ML_NS_PER_S /* where no process was running */
#define MOST_KHZ 100000000LL

void ml_frequency_open(const char *root, struct ml_frequency *out_frequency)
{
    int dir = root ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir >= 0 && faccessat(dir, "cpufreq", R_OK, 0) < 0) {
        close(dir);
        dir = -1;
    }
    *out_frequency = (struct ml_frequency){.root = dir, .mean_Hz = ML_NOT_MEASURED};
}

/* kHz; -1: not known. */
static int64_t frequency_of(const struct ml_frequency *f, struct ml_procfs *fs,
                            const struct ml_process *p)
{
    char path[64];
    snprintf(path, sizeof path, "%d/stat", (int)p->pid);
    ssize_t n = ml_procfs_read(fs, fs->root, path);
    int cpu = n > 0 ? ml_proc_parse_cpu(fs->text, (size_t)n) : -1;
    if (cpu < 0)
        return -1;
    snprintf(path, sizeof path, "cpu%d/cpufreq/scaling_cur_freq", cpu);
    n = ml_procfs_read(fs, f->root, path);
    int64_t kHz = n > 0 ? ml_proc_parse_limit(fs->text, (size_t)n) : -1;
    return kHz > 0 && kHz <= MOST_KHZ ? kHz : -1;
}

static void look(struct ml_frequency *f, struct ml_procfs *fs, const struct ml_processes *set,
                 int64_t now_ns)
{
    int64_t sum_kHz = 0, known = 0, running = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct ml_process *p = set->live[i];
        if (!p->seen || p->row.state != 'R')
            continue;
        int64_t kHz = frequency_of(f, fs, p);
        sum_kHz += kHz > 0 ? kHz : 0;
        known += kHz > 0;
        running++;
    }
    f->due_ns = now_ns + (running ? LOOK_NS : LATER_NS);
    if (known)
        f->mean_Hz = sum_kHz / known * 1000;
}

void ml_frequency_tick(struct ml_frequency *frequency, struct ml_procfs *fs,
                       const struct ml_processes *set, int64_t now_ns,
                       struct ml_node_sample_row *row)
{
    if (frequency->root >= 0 && now_ns >= frequency->due_ns)
        look(frequency, fs, set, now_ns);
    row->cpu_Hz = frequency->mean_Hz;
}

void ml_frequency_close(struct ml_frequency *frequency)
{
    if (frequency->root >= 0)
        close(frequency->root);
    frequency->root = -1;
}
