#include "probe/process.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* stat costs three times as much as statm: the kernel adds up all threads for it. Where no number
 * of statm has changed it is read this often: only the state, the threads and page faults are news.
 */
#define STAT_STEADY_NS ML_NS_PER_S

/* status costs more than stat and statm together, and tells three things that these do not: the
 * peak, swap, and how the shared pages are split. It is read this often while the memory changes,
 * else this often; and at once when a peak may have come and gone since the last tick. */
#define STATUS_CHANGING_NS (2 * ML_NS_PER_S)
#define STATUS_STEADY_NS (10 * ML_NS_PER_S)

/* io is summed up over all threads, under a lock that execve takes too. */
#define IO_NS (2 * ML_NS_PER_S)

/* Pages that were touched since the last tick and are not there any more: so many may be the
 * everyday business of an allocator. */
#define HIDDEN_PAGES 64

#define MAX_COMMAND_B 1024 /* a text of the file has 511 */

static const char *const file_names[ML_N_FILES] = {"stat", "statm", "status"};

static const char *path_of(pid_t pid, const char *name, char path[40])
{
    snprintf(path, 40, "%d/%s", (int)pid, name);
    return path;
}

static ssize_t read_file(struct ml_procfs *fs, const struct ml_process *p, enum ml_process_file f)
{
    char path[40];
    if (p->files[f] >= 0)
        return ml_procfs_reread(fs, p->files[f]);
    return ml_procfs_read(fs, fs->root, path_of(p->pid, file_names[f], path));
}

/* False if the PID is no longer that process. */
static bool read_stat(struct ml_procfs *fs, const struct ml_process *p, struct ml_proc_stat *out)
{
    ssize_t n = read_file(fs, p, ML_FILE_STAT);
    return n > 0 && ml_proc_parse_stat(fs->text, (size_t)n, out) &&
           out->start_ticks == p->start_ticks;
}

/* A leader that called pthread_exit is a zombie while its other threads live on. */
static bool has_ended(const struct ml_proc_stat *stat)
{
    return stat->state == 'X' || stat->state == 'x' || (stat->state == 'Z' && stat->threads <= 1);
}

static bool is_thread(struct ml_procfs *fs, const struct ml_process *p)
{
    struct ml_proc_status status;
    ssize_t n = read_file(fs, p, ML_FILE_STATUS);
    if (n <= 0)
        return false;
    ml_proc_parse_status(fs->text, (size_t)n, &status);
    return status.tgid >= 0 && status.tgid != p->pid;
}

static struct ml_process *new_process(pid_t pid)
{
    struct ml_process *p = ml_alloc(sizeof *p);
    p->pid = pid;
    p->number = p->rank = p->parent = -1;
    p->start_ticks = -1;
    p->share.pss_B = p->data_B = p->stack_B = p->stack_peak_B = ML_NOT_MEASURED;
    p->limits = (struct ml_process_limits){ML_NOT_MEASURED, ML_NOT_MEASURED, ML_NOT_MEASURED};
    p->status_due = true;
    for (int f = 0; f < ML_N_FILES; f++)
        p->files[f] = -1;
    ml_row_clear(&ml_table_samples, &p->row);
    return p;
}

struct ml_process *ml_process_open(struct ml_procfs *fs, pid_t pid, int64_t now_ns)
{
    char path[40];
    struct ml_proc_stat stat;
    struct ml_process *p = new_process(pid);
    for (int f = 0; f < ML_N_FILES; f++)
        p->files[f] = ml_procfs_keep(fs, path_of(pid, file_names[f], path));
    ssize_t n = read_file(fs, p, ML_FILE_STAT);
    if (n <= 0 || !ml_proc_parse_stat(fs->text, (size_t)n, &stat) || is_thread(fs, p))
        goto fail;
    p->start_ticks = stat.start_ticks;
    p->ended = has_ended(&stat);
    p->young_until_ns = now_ns + ML_PROCESS_YOUNG_NS;
    p->has_clock = fs->real && clock_getcpuclockid(pid, &p->clock) == 0;
    strcpy(p->name, stat.name);
    return p;
fail:
    ml_process_close(fs, p);
    return NULL;
}

struct ml_process *ml_process_open_lost(pid_t pid)
{
    struct ml_process *p = new_process(pid);
    p->ended = true;
    return p;
}

static int64_t limit_of(const struct ml_process *p, __rlimit_resource_t resource)
{
    struct rlimit limit;
    bool known = prlimit(p->pid, resource, NULL, &limit) == 0 && limit.rlim_cur < INT64_MAX / 2;
    return known ? (int64_t)limit.rlim_cur : ML_NOT_MEASURED;
}

/* A program or its shell may set them before it calls execve. */
static void read_limits(const struct ml_procfs *fs, struct ml_process *p)
{
    if (fs->real)
        p->limits = (struct ml_process_limits){limit_of(p, RLIMIT_AS), limit_of(p, RLIMIT_DATA),
                                               limit_of(p, RLIMIT_STACK)};
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The numbers of status are of one instant, so they replace statm's. */
static void read_status(struct ml_procfs *fs, struct ml_process *p, int64_t now_ns)
{
    struct ml_proc_status status;
    ssize_t n = read_file(fs, p, ML_FILE_STATUS);
    if (n <= 0)
        return;
    ml_proc_parse_status(fs->text, (size_t)n, &status);
    /* processes that were found together take turns */
    p->status_ns = p->status_ns ? now_ns : now_ns - p->pid % 8 * (STATUS_CHANGING_NS / 8);
    p->status_due = p->status_stale = false;
    if (status.rss_B < 0)
        return; /* the memory went away since statm was read */
    struct ml_sample_row *row = &p->row;
    row->rss_B = status.rss_B;
    if (status.anon_B >= 0) /* else statm's stands */
        row->rss_anon_B = status.anon_B;
    row->rss_file_B = status.file_B;
    row->rss_shmem_B = status.shmem_B;
    row->hugetlb_B = status.hugetlb_B;
    row->swap_B = status.swap_B;
    row->vsize_B = status.vsize_B;
    p->data_B = status.data_B;
    p->stack_B = status.stack_B;
    read_limits(fs, p);
    /* Linux 6.2 to 6.15 count pages per CPU and sum up loosely: the peak may lag behind */
    row->peak_rss_B = p->stack_peak_B = larger(status.peak_rss_B, status.rss_B);
}

static bool needs_status(struct ml_process *p, const struct ml_proc_statm *now, int64_t new_faults,
                         int64_t now_ns)
{
    const struct ml_proc_statm *before = &p->statm;
    int64_t growth = now->resident_pages - before->resident_pages;
    bool shrank = growth < -before->resident_pages / 64;
    bool near_data = p->limits.data_B > 0 && now->size_pages != before->size_pages;
    bool hidden = new_faults - (growth > 0 ? growth : 0) > HIDDEN_PAGES;
    /* huge pages are in no number of statm: a fault is all that is seen of them */
    p->status_stale |= growth != 0 || now->size_pages != before->size_pages || new_faults > 0;
    int64_t period_ns = p->status_stale ? STATUS_CHANGING_NS : STATUS_STEADY_NS;
    return p->status_due || now->shared_pages != before->shared_pages || shrank || hidden ||
           near_data || now_ns - p->status_ns >= period_ns;
}

static void read_io(struct ml_procfs *fs, struct ml_process *p, int64_t now_ns)
{
    char path[40];
    struct ml_proc_io io;
    if (p->io_ns && now_ns - p->io_ns < IO_NS)
        return;
    p->io_ns = p->io_ns ? now_ns : now_ns - p->pid % 8 * (IO_NS / 8); /* they take turns */
    ssize_t n = ml_procfs_read(fs, fs->root, path_of(p->pid, "io", path));
    ml_proc_parse_io(fs->text, n > 0 ? (size_t)n : 0, &io);
    if (io.read_B < 0 || io.written_B < 0)
        return; /* refused, or a kernel without it: what is known stands */
    p->row.read_B = io.read_B;
    p->row.written_B = io.written_B;
}

/* False if the memory is gone, or the process. */
static bool read_statm(struct ml_procfs *fs, const struct ml_process *p,
                       struct ml_proc_statm *out_statm)
{
    ssize_t n = read_file(fs, p, ML_FILE_STATM);
    return n > 0 && ml_proc_parse_statm(fs->text, (size_t)n, out_statm) &&
           out_statm->size_pages > 0;
}

static void note_memory(struct ml_procfs *fs, struct ml_process *p,
                        const struct ml_proc_statm *statm, int64_t new_faults, int64_t now_ns)
{
    struct ml_sample_row *row = &p->row;
    row->rss_B = statm->resident_pages * fs->page_B;
    row->rss_anon_B = (statm->resident_pages - statm->shared_pages) * fs->page_B;
    row->vsize_B = statm->size_pages * fs->page_B;
    row->peak_rss_B = larger(row->peak_rss_B, row->rss_B);
    if (needs_status(p, statm, new_faults, now_ns))
        read_status(fs, p, now_ns);
    p->statm = *statm;
}

/* Processes that were found together take turns. */
static int64_t turn_of(const struct ml_process *p, int64_t ns)
{
    return (ns + p->pid % 8 * (STAT_STEADY_NS / 8)) / STAT_STEADY_NS;
}

/* Whether stat has to be read too. A file that is kept open is of this process, whoever has its PID
 * by now. What a process has in common with others since a fork becomes its own without a change of
 * statm: only faults tell. */
static bool needs_stat(const struct ml_process *p, const struct ml_proc_statm *now, int64_t now_ns)
{
    const struct ml_proc_statm *before = &p->statm;
    bool same = p->seen && now->size_pages == before->size_pages &&
                now->resident_pages == before->resident_pages &&
                now->shared_pages == before->shared_pages;
    bool shares = p->forked || p->share.shared_anon_B > 0;
    return !same || shares || p->files[ML_FILE_STATM] < 0 || now_ns < p->young_until_ns ||
           turn_of(p, now_ns) != turn_of(p, p->stat_ns);
}

static void execve_was_called(struct ml_process *p, const char *name, int64_t now_ns)
{
    strcpy(p->name, name);
    p->announced = false;
    p->young_until_ns = now_ns + ML_PROCESS_YOUNG_NS;
    p->status_due = true; /* a new peak has begun */
    p->share.pss_B = ML_NOT_MEASURED;
    p->is_fresh = p->forked = false;
}

/* Page faults since the last time; -1: the process has ended. */
static int64_t take_stat(struct ml_procfs *fs, struct ml_process *p, int64_t now_ns)
{
    struct ml_proc_stat stat;
    if (!read_stat(fs, p, &stat) || has_ended(&stat))
        return -1;
    if (strcmp(p->name, stat.name) != 0)
        execve_was_called(p, stat.name, now_ns);
    int64_t new_faults = larger(stat.minor_faults - p->minor_faults, 0);
    p->stat_ns = now_ns;
    p->minor_faults = stat.minor_faults;
    p->row.cpu_ns = stat.cpu_ticks * fs->clock_tick_ns;
    p->row.threads = stat.threads;
    p->row.major_faults = stat.major_faults;
    p->row.state = (int8_t)stat.state;
    return new_faults;
}

bool ml_process_read(struct ml_procfs *fs, struct ml_process *p, int64_t now_ns)
{
    struct ml_proc_statm statm;
    int64_t new_faults = 0;
    if (p->ended)
        return false;
    bool has_memory = read_statm(fs, p, &statm);
    if (!has_memory || needs_stat(p, &statm, now_ns))
        new_faults = take_stat(fs, p, now_ns);
    p->ended = new_faults < 0;
    if (p->ended)
        return false;
    if (p->row.state == 'Z')
        return p->seen; /* statm of a dead leader shows nothing: keep what it was */
    p->seen = has_memory;
    if (!has_memory)
        return false;
    note_memory(fs, p, &statm, new_faults, now_ns);
    read_io(fs, p, now_ns);
    return true;
}

/* In the unit of stat, for a third of its price. */
void ml_process_read_clock(const struct ml_procfs *fs, struct ml_process *p, int64_t now_ns)
{
    struct timespec used;
    if (!p->has_clock || p->stat_ns == now_ns || clock_gettime(p->clock, &used) < 0)
        return;
    int64_t ns = used.tv_sec * ML_NS_PER_S + used.tv_nsec;
    p->row.cpu_ns = larger(p->row.cpu_ns, ns - ns % fs->clock_tick_ns);
}

bool ml_process_is_there(struct ml_procfs *fs, const struct ml_process *p)
{
    struct ml_proc_stat stat;
    return !p->ended && read_stat(fs, p, &stat) && !has_ended(&stat);
}

struct ml_probe_last ml_process_last(const struct ml_process *p)
{
    return (struct ml_probe_last){p->stack_B, p->limits.stack_B, p->stack_peak_B};
}

bool ml_process_stat(struct ml_procfs *fs, pid_t pid, struct ml_proc_stat *out_stat)
{
    char path[40];
    ssize_t n = ml_procfs_read(fs, fs->root, path_of(pid, file_names[ML_FILE_STAT], path));
    return n > 0 && ml_proc_parse_stat(fs->text, (size_t)n, out_stat);
}

const char *ml_process_read_command(struct ml_procfs *fs, pid_t pid)
{
    char path[40];
    ssize_t n = ml_procfs_read_start(fs, path_of(pid, "cmdline", path), MAX_COMMAND_B);
    for (ssize_t i = 0; i + 1 < n; i++) {
        if (!fs->text[i])
            fs->text[i] = ' ';
    }
    return n > 0 ? fs->text : "";
}

ssize_t ml_process_read_environ(struct ml_procfs *fs, pid_t pid)
{
    char path[40];
    return ml_procfs_read(fs, fs->root, path_of(pid, "environ", path));
}

void ml_process_close(struct ml_procfs *fs, struct ml_process *p)
{
    if (!p)
        return;
    for (int f = 0; f < ML_N_FILES; f++)
        ml_procfs_release(fs, p->files[f]);
    free(p);
}
