#include "probe/tree.h"

#include "base/clock.h"
#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEARCH_PERIOD_NS (20 * ML_NS_PER_MS)

/* For what gets by: a PID that was chosen (clone3 with set_tid), a mark that was taken on late. */
#define EVERYTHING_PERIOD_NS (60 * ML_NS_PER_S)

/* Up to so many new PIDs are looked up one by one; for more, /proc is listed. */
#define MAX_LOOKUPS 256

struct candidate {
    pid_t pid; /* 0: taken */
    pid_t parent;
    int64_t start_ns;
};

struct candidates {
    struct candidate *items;
    size_t n;
    size_t capacity;
};

void ml_tree_open(struct ml_tree *tree, struct ml_procfs *fs)
{
    *tree = (struct ml_tree){.loadavg = ml_procfs_keep(fs, "loadavg"), .everything = true};
}

/* Parents come before their children, and ranks before helpers that inherited their environment. */
static int compare_starts(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->start_ns != y->start_ns)
        return x->start_ns < y->start_ns ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void examine(struct ml_procfs *fs, const struct ml_processes *set, pid_t pid,
                    struct candidates *found)
{
    char path[40];
    struct ml_proc_stat stat;
    if (ml_processes_find(set, pid))
        return;
    snprintf(path, sizeof path, "%d/stat", (int)pid);
    ssize_t n = ml_procfs_read(fs, fs->root, path);
    if (n <= 0 || !ml_proc_parse_stat(fs->text, (size_t)n, &stat) || stat.state == 'Z')
        return;
    ML_GROW(found->items, found->n, found->capacity);
    found->items[found->n++] =
        (struct candidate){pid, stat.parent, ml_procfs_start_ns(fs, stat.start_ticks)};
}

/* Whether PID was given out after FROM and not after TO; the count wraps around. */
static bool is_between(pid_t pid, pid_t from, pid_t to)
{
    return from <= to ? pid > from && pid <= to : pid > from || pid <= to;
}

static pid_t parse_pid(const char *name)
{
    char *end;
    long pid = strtol(name, &end, 10);
    return *name >= '1' && *name <= '9' && !*end && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static void examine_listed(struct ml_procfs *fs, const struct ml_processes *set, bool everything,
                           pid_t from, pid_t to, struct candidates *found)
{
    int fd = openat(fs->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    if (!directory) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(directory))) {
        pid_t pid = parse_pid(entry->d_name);
        if (pid && (everything || is_between(pid, from, to)))
            examine(fs, set, pid, found);
    }
    closedir(directory);
}

static void examine_new(struct ml_tree *tree, struct ml_procfs *fs, const struct ml_processes *set,
                        int64_t now_ns, bool regular, struct candidates *found)
{
    pid_t last = 0;
    ssize_t n = tree->loadavg >= 0 ? ml_procfs_reread(fs, tree->loadavg) : -1;
    bool known = n > 0 && ml_proc_parse_last_pid(fs->text, (size_t)n, &last);
    pid_t from = tree->settled;
    bool whole_round = from <= last && last < tree->newest;
    bool everything =
        tree->everything || !known || whole_round || now_ns >= tree->everything_due_ns;
    if (everything || last < from || last - from > MAX_LOOKUPS) {
        examine_listed(fs, set, everything, from, last, found);
    } else {
        for (pid_t pid = from + 1; pid <= last; pid++)
            examine(fs, set, pid, found);
    }
    /* A PID is given out a moment before its process can be seen, so each is looked at in two
     * searches that lie a period apart. */
    if (regular) {
        tree->settled = tree->newest;
        tree->newest = last;
    }
    tree->everything = false;
    if (everything)
        tree->everything_due_ns = now_ns + EVERYTHING_PERIOD_NS;
}

static bool environ_has_mark(const struct ml_tree *tree, struct ml_procfs *fs, pid_t pid,
                             int *out_rank)
{
    ssize_t n = ml_process_read_environ(fs, pid);
    if (n <= 0 || !ml_proc_environ_has(fs->text, (size_t)n, tree->mark))
        return false;
    *out_rank = ml_proc_environ_rank(fs->text, (size_t)n);
    return true;
}

/* The rank that P's environment claims, unless it is inherited from a process that has it. */
static void take_rank(struct ml_tree *tree, struct ml_processes *set, struct ml_process *p,
                      int rank)
{
    const struct ml_rank_process *holder = rank < 0 ? NULL : ml_processes_of_rank(set, rank);
    if (rank < 0 || tree->ranks_given || p->under_rank || p->rank >= 0)
        return;
    if (!holder || !holder->live || holder->live->ended)
        ml_processes_set_rank(set, p, rank);
}

static struct ml_process *adopt(struct ml_procfs *fs, struct ml_processes *set, pid_t pid,
                                const struct ml_process *parent, int64_t now_ns)
{
    struct ml_process *p = ml_process_open(fs, pid, now_ns);
    if (!p)
        return NULL;
    p->parent = parent ? parent->number : -1;
    p->under_rank = parent && (parent->under_rank || parent->rank >= 0);
    ml_processes_add(set, p);
    return p;
}

/* One pass over the candidates, for children of watched processes. */
static bool adopt_children(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                           struct candidates *found, int64_t now_ns)
{
    bool any = false;
    for (size_t i = 0; i < found->n; i++) {
        struct candidate *c = &found->items[i];
        const struct ml_process *parent = c->pid ? ml_processes_find(set, c->parent) : NULL;
        if (!parent)
            continue;
        struct ml_process *p = adopt(fs, set, c->pid, parent, now_ns);
        int rank;
        if (p && tree->mark && !p->under_rank && environ_has_mark(tree, fs, p->pid, &rank))
            take_rank(tree, set, p, rank);
        any |= p != NULL;
        c->pid = 0;
    }
    return any;
}

static bool is_ours(struct ml_procfs *fs, pid_t pid)
{
    char path[40];
    struct stat status;
    snprintf(path, sizeof path, "%d", (int)pid);
    return pid > 1 && pid != getpid() && fstatat(fs->root, path, &status, 0) == 0 &&
           status.st_uid == geteuid();
}

/* Between fork and execve a process has its parent's environment: ask again for a while. */
static void remember_young(struct ml_tree *tree, const struct candidate *c, int64_t now_ns)
{
    int64_t until_ns = c->start_ns + ML_PROCESS_YOUNG_NS;
    for (size_t i = 0; i < tree->n_young; i++) {
        if (tree->young[i].pid == c->pid)
            return;
    }
    if (now_ns >= until_ns)
        return;
    ML_GROW(tree->young, tree->n_young, tree->young_capacity);
    tree->young[tree->n_young++] = (struct ml_young){c->pid, until_ns};
}

/* One pass over the candidates, for those that bear the mark. */
static bool adopt_marked(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                         struct candidates *found, int64_t now_ns)
{
    bool any = false;
    for (size_t i = 0; i < found->n; i++) {
        struct candidate *c = &found->items[i];
        int rank;
        if (!c->pid || !is_ours(fs, c->pid))
            continue;
        if (!environ_has_mark(tree, fs, c->pid, &rank)) {
            remember_young(tree, c, now_ns);
            continue;
        }
        struct ml_process *p = adopt(fs, set, c->pid, ml_processes_find(set, c->parent), now_ns);
        if (p)
            take_rank(tree, set, p, rank);
        any |= p != NULL;
        c->pid = 0;
    }
    return any;
}

static void examine_young(struct ml_tree *tree, struct ml_procfs *fs,
                          const struct ml_processes *set, int64_t now_ns, struct candidates *found)
{
    size_t n = 0;
    for (size_t i = 0; i < tree->n_young; i++) {
        if (now_ns >= tree->young[i].until_ns)
            continue;
        examine(fs, set, tree->young[i].pid, found);
        tree->young[n++] = tree->young[i];
    }
    tree->n_young = n;
}

/* Watched processes that were forked but had not called execve yet when they were found. */
static void rank_young(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                       int64_t now_ns)
{
    for (size_t i = 0; i < set->n; i++) {
        struct ml_process *p = set->live[i];
        int rank;
        if (p->rank < 0 && !p->under_rank && !p->ended && now_ns < p->young_until_ns &&
            environ_has_mark(tree, fs, p->pid, &rank))
            take_rank(tree, set, p, rank);
    }
}

void ml_tree_search(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                    int64_t now_ns, bool now_at_once)
{
    struct candidates found = {0};
    bool regular = now_ns >= tree->search_due_ns;
    if (!regular && !tree->everything && !now_at_once)
        return;
    if (regular)
        tree->search_due_ns = now_ns + SEARCH_PERIOD_NS;
    if (tree->mark && !tree->ranks_given)
        rank_young(tree, fs, set, now_ns);
    examine_new(tree, fs, set, now_ns, regular, &found);
    if (tree->mark)
        examine_young(tree, fs, set, now_ns, &found);
    if (found.n)
        qsort(found.items, found.n, sizeof *found.items, compare_starts);
    bool marked;
    do {
        while (adopt_children(tree, fs, set, &found, now_ns))
            ;
        marked = tree->mark && adopt_marked(tree, fs, set, &found, now_ns);
        tree->everything |= marked; /* children that were looked at before are its too */
    } while (marked);
    free(found.items);
}

void ml_tree_close(struct ml_tree *tree, struct ml_procfs *fs)
{
    ml_procfs_release(fs, tree->loadavg);
    free(tree->mark);
    free(tree->young);
    *tree = (struct ml_tree){.loadavg = -1};
}
