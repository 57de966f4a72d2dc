/* Finds the processes that belong to the run: descendants of watched processes, and those that are
 * known by themselves (probe/wanted.h).
 *
 * The kernel gives PIDs out in ascending order and tells the last one, so only PIDs given out
 * since are looked at: processes that are there already cost nothing. Where others fork so much
 * that this would cost more than our own processes' lists of children, these are read instead, and
 * what has left the tree is found by a look at all processes now and then. */
#ifndef ML_PROBE_TREE_H
#define ML_PROBE_TREE_H

#include "probe/processes.h"
#include "probe/wanted.h"

struct ml_young {
    pid_t pid;
    int64_t until_ns, ask_ns; /* it is asked again at ASK_NS, then after twice as long */
    int64_t wait_ns;
};

struct ml_tree {
    int loadavg; /* open file, or -1 */
    struct ml_wanted wanted;
    bool ranks_given; /* ranks are told, so environments are not asked for them */
    bool everything;  /* the next search looks at all processes */
    pid_t newest;     /* last PID given out at the search before */
    pid_t settled;    /* at the one before that: up to here nothing can still be forming */
    int64_t search_due_ns;
    int64_t everything_due_ns;
    struct ml_young *young; /* unrelated processes of our user that may still become wanted */
    size_t n_young;
    size_t young_capacity;
};

void ml_tree_open(struct ml_tree *tree, struct ml_procfs *fs);

/* Adds new processes of the run to SET, if any can have come since the last search and that was
 * long enough ago, or if NOW_AT_ONCE. Those of SET that have ended must be marked so. */
void ml_tree_search(struct ml_tree *tree, struct ml_procfs *fs, struct ml_processes *set,
                    int64_t now_ns, bool now_at_once);

void ml_tree_close(struct ml_tree *tree, struct ml_procfs *fs);

#endif
