#include "probe/wanted.h"

#include "base/memory.h"
#include "probe/proc_parse.h"
#include "probe/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No chain of parents is longer: they are read one after the other, so it may have no end. */
enum { MOST_ANCESTORS = 1000 };

enum { NAME_KEPT = 15 }; /* bytes of a name, by the kernel: TASK_COMM_LEN without the NUL */

/* False for a zombie too. */
static bool read_stat(struct ml_procfs *fs, pid_t pid, struct ml_proc_stat *out)
{
    return ml_process_stat(fs, pid, out) && !strchr("ZXx", out->state);
}

/* ---- whose ---- */

/* Of the process's folder: that of root where the process is not to be looked into. */
static bool has_our_folder(struct ml_procfs *fs, pid_t pid)
{
    char path[40];
    struct stat status;
    snprintf(path, sizeof path, "%d", (int)pid);
    return fstatat(fs->root, path, &status, 0) == 0 && status.st_uid == geteuid();
}

static bool is_of_our_user(struct ml_procfs *fs, pid_t pid)
{
    char path[40];
    struct ml_proc_status status;
    snprintf(path, sizeof path, "%d/status", (int)pid);
    ssize_t n = ml_procfs_read(fs, fs->root, path);
    if (n <= 0)
        return false;
    ml_proc_parse_status(fs->text, (size_t)n, &status);
    return status.uid >= 0 && status.uid == (int64_t)getuid();
}

/* ---- never ---- */

/* Whether ABOVE is PID or one of its ancestors. */
static bool is_at_or_below(struct ml_procfs *fs, pid_t pid, pid_t above)
{
    struct ml_proc_stat stat;
    for (int i = 0; i < MOST_ANCESTORS && pid > 1; i++) {
        if (pid == above)
            return true;
        pid = read_stat(fs, pid, &stat) ? stat.parent : 0;
    }
    return false;
}

/* Debuggers, and what they start. */
static bool is_below_stack_server(struct ml_procfs *fs, pid_t pid)
{
    struct ml_proc_stat stat;
    for (int i = 0; i < MOST_ANCESTORS && pid > 1 && read_stat(fs, pid, &stat); i++) {
        if (strcmp(stat.name, "memlog-stacks") == 0)
            return true;
        pid = stat.parent;
    }
    return false;
}

static bool is_recorder(struct ml_procfs *fs, pid_t pid)
{
    static const char *const names[] = {"memlog-mpi", "memlog-start", "memlog-host", "memlog-gpus"};
    struct ml_proc_stat stat;
    bool is = false, there = read_stat(fs, pid, &stat);
    for (size_t i = 0; there && i < sizeof names / sizeof *names; i++)
        is = is || strcmp(stat.name, names[i]) == 0;
    return is || is_below_stack_server(fs, pid);
}

/* It starts a recording that joins, as ours is. */
static bool is_above_starter(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    for (size_t i = 0; i < w->n_starters; i++) {
        if (is_at_or_below(fs, w->starters[i], pid))
            return true;
    }
    return false;
}

bool ml_wanted_never(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    if (w->by < ML_WANTED_BY_PIDS)
        return false;
    return pid <= 1 || is_at_or_below(fs, pid, w->own) || is_at_or_below(fs, w->own, pid) ||
           is_above_starter(w, fs, pid) || is_recorder(fs, pid);
}

/* ---- which ---- */

static bool has_entry(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    ssize_t n = ml_process_read_environ(fs, pid);
    return n > 0 && ml_proc_environ_has(fs->text, (size_t)n, w->text);
}

static bool has_pid(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    struct ml_proc_stat stat;
    for (size_t i = 0; i < w->n_pids; i++) {
        if (w->pids[i].pid == pid)
            return read_stat(fs, pid, &stat) && stat.start_ticks == w->pids[i].start_ticks;
    }
    return false;
}

static bool has_name(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    struct ml_proc_stat stat;
    return read_stat(fs, pid, &stat) && strncmp(stat.name, w->text, NAME_KEPT) == 0;
}

static bool has_job(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    ssize_t n = ml_process_read_environ(fs, pid);
    for (const char *const *v = w->variables; n > 0 && *v; v++) {
        if (ml_proc_environ_has_id(fs->text, (size_t)n, *v, w->text))
            return true;
    }
    return false;
}

/* Of what bears the mark of our run no more is asked: we have started it. */
bool ml_wanted_is(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    bool is = false;
    if (pid <= 1 || pid == getpid())
        return false;
    switch (w->by) {
    case ML_WANTED_BY_NOTHING:
        return false;
    case ML_WANTED_BY_ENTRY:
        return has_our_folder(fs, pid) && has_entry(w, fs, pid);
    case ML_WANTED_BY_PIDS:
        is = has_pid(w, fs, pid);
        break;
    case ML_WANTED_BY_NAME:
        is = has_name(w, fs, pid) && is_of_our_user(fs, pid);
        break;
    case ML_WANTED_BY_JOB:
        is = is_of_our_user(fs, pid) && has_job(w, fs, pid);
        break;
    }
    return is && !ml_wanted_never(w, fs, pid);
}

bool ml_wanted_may_become(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    return w->by != ML_WANTED_BY_PIDS && has_our_folder(fs, pid);
}

int ml_wanted_rank(const struct ml_wanted *w, struct ml_procfs *fs, pid_t pid)
{
    ssize_t n = w->by == ML_WANTED_BY_NOTHING ? -1 : ml_process_read_environ(fs, pid);
    if (n <= 0)
        return -1;
    if (w->by == ML_WANTED_BY_ENTRY && !ml_proc_environ_has(fs->text, (size_t)n, w->text))
        return -1;
    return ml_proc_environ_rank(fs->text, (size_t)n);
}

/* ---- at the start ---- */

enum ml_status ml_wanted_add_pid(struct ml_wanted *w, struct ml_procfs *fs, pid_t pid,
                                 struct ml_error *err)
{
    struct ml_proc_stat stat;
    w->by = ML_WANTED_BY_PIDS;
    if (!read_stat(fs, pid, &stat))
        return ml_fail(err, ML_RUN_LOST, "there is no process %d", (int)pid);
    if (geteuid() != 0 && !is_of_our_user(fs, pid))
        return ml_fail(err, ML_RUN_LOST, "process %d is another user's", (int)pid);
    if (ml_wanted_never(w, fs, pid))
        return ml_fail(err, ML_RUN_LOST, "process %d is a recorder's own, or has started this one",
                       (int)pid);
    w->pids = ml_realloc_array(w->pids, w->n_pids + 1, sizeof *w->pids);
    w->pids[w->n_pids++] = (struct ml_wanted_pid){pid, stat.start_ticks};
    return ML_OK;
}

/* Calls VISIT with each process that there is. */
static void each_process(const struct ml_procfs *fs, void (*visit)(void *context, pid_t pid),
                         void *context)
{
    int fd = openat(fs->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    for (const struct dirent *e; directory && (e = readdir(directory));) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 0)
            visit(context, pid);
    }
    if (directory)
        closedir(directory);
    else if (fd >= 0)
        close(fd);
}

struct look {
    struct ml_wanted *wanted;
    struct ml_procfs *fs;
};

static void add_starter(void *context, pid_t pid)
{
    const struct look *l = context;
    struct ml_wanted *w = l->wanted;
    char path[40];
    snprintf(path, sizeof path, "%d/cmdline", (int)pid);
    ssize_t n = ml_procfs_read(l->fs, l->fs->root, path);
    if (n <= 0 || !ml_proc_cmdline_attaches(l->fs->text, (size_t)n))
        return;
    w->starters = ml_realloc_array(w->starters, w->n_starters + 1, sizeof *w->starters);
    w->starters[w->n_starters++] = pid;
}

void ml_wanted_find_starters(struct ml_wanted *w, struct ml_procfs *fs)
{
    struct look look = {w, fs};
    each_process(fs, add_starter, &look);
}

struct count {
    const struct ml_wanted *wanted;
    struct ml_procfs *fs;
    int n;
    pid_t first;
    int64_t first_ticks;
};

static void count_wanted(void *context, pid_t pid)
{
    struct count *c = context;
    struct ml_proc_stat stat;
    if (!ml_wanted_is(c->wanted, c->fs, pid) || !read_stat(c->fs, pid, &stat))
        return;
    if (!c->n++ || stat.start_ticks < c->first_ticks) {
        c->first = pid;
        c->first_ticks = stat.start_ticks;
    }
}

int ml_wanted_count(const struct ml_wanted *w, struct ml_procfs *fs, pid_t *out_first)
{
    struct count count = {.wanted = w, .fs = fs};
    each_process(fs, count_wanted, &count);
    *out_first = count.first;
    return count.n;
}

void ml_wanted_free(struct ml_wanted *w)
{
    free(w->pids);
    free(w->starters);
    *w = (struct ml_wanted){0};
}
