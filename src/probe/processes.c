#include "probe/processes.h"

#include "base/memory.h"

#include <stdlib.h>

static struct ml_process **bucket_of(const struct ml_processes *set, pid_t pid)
{
    return &set->buckets[(uint32_t)pid * 2654435761u & (set->n_buckets - 1)];
}

static void link_process(const struct ml_processes *set, struct ml_process *p)
{
    struct ml_process **bucket = bucket_of(set, p->pid);
    p->next = *bucket;
    *bucket = p;
}

static void unlink_process(const struct ml_processes *set, const struct ml_process *p)
{
    struct ml_process **link = bucket_of(set, p->pid);
    while (*link && *link != p)
        link = &(*link)->next;
    if (*link)
        *link = p->next;
}

static void grow_buckets(struct ml_processes *set)
{
    free(set->buckets);
    set->n_buckets = set->n_buckets ? 2 * set->n_buckets : 256;
    set->buckets = ml_alloc(set->n_buckets * sizeof *set->buckets);
    for (size_t i = 0; i < set->n; i++)
        link_process(set, set->live[i]);
}

void ml_processes_add(struct ml_processes *set, struct ml_process *p)
{
    if (set->n >= set->n_buckets)
        grow_buckets(set);
    ML_GROW(set->live, set->n, set->capacity);
    set->live[set->n++] = p;
    p->number = set->n_numbers++;
    link_process(set, p);
}

/* One that has ended may still be there when its PID is already another process's. */
struct ml_process *ml_processes_find(const struct ml_processes *set, pid_t pid)
{
    struct ml_process *p = set->n_buckets ? *bucket_of(set, pid) : NULL;
    while (p && (p->pid != pid || p->ended))
        p = p->next;
    return p;
}

void ml_processes_set_rank(struct ml_processes *set, struct ml_process *p, int rank)
{
    ML_GROW(set->ranks, set->n_ranks, set->ranks_capacity);
    set->ranks[set->n_ranks++] =
        (struct ml_rank_process){.rank = rank, .pid = p->pid, .number = p->number, .live = p};
    p->rank = p->row.rank = rank;
    p->announced = false;
}

const struct ml_rank_process *ml_processes_of_rank(const struct ml_processes *set, int rank)
{
    for (size_t i = set->n_ranks; i-- > 0;) {
        if (set->ranks[i].rank == rank)
            return &set->ranks[i];
    }
    return NULL;
}

const struct ml_rank_process *ml_processes_of_pid(const struct ml_processes *set, pid_t pid)
{
    for (size_t i = set->n_ranks; i-- > 0;) {
        if (set->ranks[i].pid == pid)
            return &set->ranks[i];
    }
    return NULL;
}

static void forget(struct ml_processes *set, struct ml_procfs *fs, struct ml_process *p)
{
    for (size_t i = 0; p->rank >= 0 && i < set->n_ranks; i++) {
        if (set->ranks[i].live != p)
            continue;
        set->ranks[i].live = NULL;
        set->ranks[i].last = ml_process_last(p);
    }
    unlink_process(set, p);
    ml_process_close(fs, p);
}

void ml_processes_sweep(struct ml_processes *set, struct ml_procfs *fs)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (set->live[i]->ended)
            forget(set, fs, set->live[i]);
        else
            set->live[n++] = set->live[i];
    }
    set->n = n;
}

void ml_processes_close(struct ml_processes *set, struct ml_procfs *fs)
{
    for (size_t i = 0; i < set->n; i++)
        ml_process_close(fs, set->live[i]);
    free(set->live);
    free(set->buckets);
    free(set->ranks);
    *set = (struct ml_processes){0};
}
