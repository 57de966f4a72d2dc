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

/* All processes are looked at so often, since the search by PID misses some: a process whose PID
 * was chosen (clone3(2), set_tid), or that became wanted when it was no longer young. And the
 * lists of children miss those whose parent has ended. */
#define EVERYTHING_PERIOD_NS (60 * ML_NS_PER_S)
#define EVERYTHING_IN_STORM_NS (5 * ML_NS_PER_S)

/* Up to so many new PIDs are looked up one by one; for more, /proc is listed. */
#define MAX_LOOKUPS 256

/* So many new PIDs are cheap, whatever we have ourselves; beyond, they may be as many as twice our
 * threads: each thread has a list of children, and each PID is looked at twice. */
#define CHEAP_LOOKUPS 32

#define FIRST_YOUNG_WAIT_NS (20 * ML_NS_PER_MS)

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

/* ---- children ---- */

/* The children of thread THREAD of PID, as the kernel lists them. False: it keeps no such list, or
 * the thread has ended. */
static bool examine_children_of(struct ml_procfs *fs, const struct ml_processes *set, pid_t pid,
                                pid_t thread, struct candidates *found)
{
    char path[64];
    pid_t children[MAX_LOOKUPS];
    snprintf(path, sizeof path, "%d/task/%d/children", (int)pid, (int)thread);
    ssize_t size = ml_procfs_read(fs, fs->root, path);
    if (size < 0)
        return false;
    size_t n = ml_proc_parse_pids(fs->text, (size_t)size, children, MAX_LOOKUPS);
    for (size_t i = 0; i < n; i++)
        examine(fs, set, children[i], found);
    return true;
}

static bool examine_children(struct ml_procfs *fs, const struct ml_processes *set,
                             const struct ml_process *p, struct candidates *found)
{
    char path[40];
    bool listed = examine_children_of(fs, set, p->pid, p->pid, found);
    if (!listed || p->row.threads <= 1)
        return listed;
    snprintf(path, sizeof path, "%d/task", (int)p->pid);
    int fd = openat(fs->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    if (!directory) {
        if (fd >= 0)
            close(fd);
        return listed;
    }
    while ((entry = readdir(directory))) {
        pid_t thread = parse_pid(entry->d_name);
        if (thread && thread != p->pid)
            examine_children_of(fs, set, p->pid, thread, found);
    }
    closedir(directory);
    return listed;
}

/* Whether others fork so much that looking at each new PID costs more than our own lists. */
static bool is_storm(const struct ml_processes *set, int64_t n_pids)
{
    int64_t threads = 0;
    for (size_t i = 0; i < set->n; i++)
        threads += set->live[i]->row.threads > 0 ? set->live[i]->row.threads : 1;
    return n_pids > CHEAP_LOOKUPS + 2 * threads;
}

/* False: there is none, or this kernel keeps no lists (CONFIG_PROC_CHILDREN). */
static bool examine_in_storm(const struct ml_tree *tree, struct ml_procfs *fs,
                             const struct ml_processes *set, pid_t last, struct candidates *found)
{
    int64_t n_pids = last >= tree->settled ? last - tree->settled : INT32_MAX;
    bool listed = false;
    if (!is_storm(set, n_pids))
        return false;
    for (size_t i = 0; i < set->n; i++)
        listed |= !set->live[i]->ended && examine_children(fs, set, set->live[i], found);
    return listed;
}

/* ---- new PIDs ---- */

/* True: by lists of children. */
static bool examine_new(struct ml_tree *tree, struct ml_procfs *fs, const struct ml_processes *set,
                        int64_t now_ns, bool regular, struct candidates *found)
{
    pid_t last = 0;
    ssize_t n = tree->loadavg >= 0 ? ml_procfs_reread(fs, tree->loadavg) : -1;
    bool known = n > 0 && ml_proc_parse_last_pid(fs->text, (size_t)n, &last);
    pid_t from = tree->settled;
    bool whole_round = from <= last && last < tree->newest;
    bool everything =
        tree->everything || !known || whole_round || now_ns >= tree->everything_due_ns;
    bool storm = !everything && examine_in_storm(tree, fs, set, last, found);
    if (storm) {
        if (tree->everything_due_ns > now_ns + EVERYTHING_IN_STORM_NS)
            tree->everything_due_ns = now_ns + EVERYTHING_IN_STORM_NS;
    } else if (everything || last < from || last - from > MAX_LOOKUPS) {
        examine_listed(fs, set, everything, from, last, found);
    } else {
        for (pid_t pid = from + 1; pid <= last; pid++)
            examine(fs, set, pid, found);
    }
    /* A PID is given out a moment before its process can be seen, so each is looked at in two
     * searches that lie a period apart. */
    if (regular) {
        tree->settled = storm ? last : tree->newest;
        tree->newest = last;
    }
    tree->everything = false;
    if (everything)
        tree->everything_due_ns = now_ns + EVERYTHING_PERIOD_NS;
    return storm;
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

/* A PID may be among the candidates twice: as a new one and as a young one. */
static struct ml_process *adopt(struct ml_procfs *fs, struct ml_processes *set, pid_t pid,
                                const struct ml_process *parent, int64_t now_ns)
{
    struct ml_process *p = ml_processes_find(set, pid) ? NULL : ml_process_open(fs, pid, now_ns);
    if (!p)
        return NULL;
    p->parent = parent ? parent->number : -1;
    p->forked = parent && strcmp(parent->name, p->name) == 0;
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
        if (!parent || ml_wanted_never(&tree->wanted, fs, c->pid))
            continue;
        struct ml_process *p = adopt(fs, set, c->pid, parent, now_ns);
        if (p && !p->under_rank)
            take_rank(tree, set, p, ml_wanted_rank(&tree->wanted, fs, p->pid));
        any |= p != NULL;
        c->pid = 0;
    }
    return any;
}

/* Between fork and execve a process has its parent's environment: ask again for a while. Only where
 * ranks are not given: whatever descends from one has had the mark from its first moment. */
static void remember_young(struct ml_tree *tree, const struct candidate *c, int64_t now_ns)
{
    int64_t until_ns = c->start_ns + ML_PROCESS_YOUNG_NS;
    for (size_t i = 0; i < tree->n_young; i++) {
        if (tree->young[i].pid == c->pid)
            return;
    }
    if (now_ns >= until_ns || tree->ranks_given)
        return;
    ML_GROW(tree->young, tree->n_young, tree->young_capacity);
    tree->young[tree->n_young++] =
        (struct ml_young){c->pid, until_ns, now_ns + FIRST_YOUNG_WAIT_NS, FIRST_YOUNG_WAIT_NS};
}

/* One pass over the candidates, for those that are wanted by themselves. */
static bool adopt_wanted(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                         struct candidates *found, int64_t now_ns)
{
    bool any = false;
    for (size_t i = 0; i < found->n; i++) {
        struct candidate *c = &found->items[i];
        if (!c->pid)
            continue;
        if (!ml_wanted_is(&tree->wanted, fs, c->pid)) {
            if (ml_wanted_may_become(&tree->wanted, fs, c->pid))
                remember_young(tree, c, now_ns);
            continue;
        }
        struct ml_process *p = adopt(fs, set, c->pid, ml_processes_find(set, c->parent), now_ns);
        if (p)
            take_rank(tree, set, p, ml_wanted_rank(&tree->wanted, fs, p->pid));
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
        struct ml_young *y = &tree->young[i];
        if (now_ns >= y->until_ns || ml_processes_find(set, y->pid))
            continue;
        if (now_ns >= y->ask_ns) {
            examine(fs, set, y->pid, found);
            y->wait_ns *= 2;
            y->ask_ns = now_ns + y->wait_ns;
        }
        tree->young[n++] = *y;
    }
    tree->n_young = n;
}

/* Watched processes that were forked but had not called execve yet when they were found. */
static void rank_young(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                       int64_t now_ns)
{
    for (size_t i = 0; i < set->n; i++) {
        struct ml_process *p = set->live[i];
        if (p->rank < 0 && !p->under_rank && !p->ended && now_ns < p->young_until_ns)
            take_rank(tree, set, p, ml_wanted_rank(&tree->wanted, fs, p->pid));
    }
}

static void adopt_all(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                      struct candidates *found, int64_t now_ns)
{
    bool wanted;
    if (found->n)
        qsort(found->items, found->n, sizeof *found->items, compare_starts);
    do {
        while (adopt_children(tree, fs, set, found, now_ns))
            ;
        wanted = tree->wanted.by && adopt_wanted(tree, fs, set, found, now_ns);
        tree->everything |= wanted; /* children that were looked at before are its too */
    } while (wanted);
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
    if (tree->wanted.by && !tree->ranks_given)
        rank_young(tree, fs, set, now_ns);
    size_t n_before = set->n;
    bool by_children = examine_new(tree, fs, set, now_ns, regular, &found);
    if (tree->wanted.by)
        examine_young(tree, fs, set, now_ns, &found);
    adopt_all(tree, fs, set, &found, now_ns);
    while (by_children && set->n > n_before) { /* the next generation */
        found.n = 0;
        for (size_t n = set->n; n_before < n; n_before++)
            examine_children(fs, set, set->live[n_before], &found);
        adopt_all(tree, fs, set, &found, now_ns);
    }
    free(found.items);
}

void ml_tree_close(struct ml_tree *tree, struct ml_procfs *fs)
{
    ml_procfs_release(fs, tree->loadavg);
    free(tree->young);
    *tree = (struct ml_tree){.loadavg = -1};
}
