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

struct ml_process *ml_processes_numbered(const struct ml_processes *set, int number)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->live[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->n && set->live[low]->number == number ? set->live[low] : NULL;
}

/* ---- ranks ---- */

static void note_last(struct ml_last_places *last, int number, size_t place)
{
    size_t n = last->numbers.n, i = ml_intern_add(&last->numbers, &number, sizeof number);
    if (i == n)
        ML_GROW(last->places, n, last->capacity);
    last->places[i] = place;
}

static const struct ml_rank_process *last_of(const struct ml_processes *set,
                                             const struct ml_last_places *last, int number)
{
    uint32_t i = ml_intern_find(&last->numbers, &number, sizeof number);
    return i == ML_INTERN_NONE ? NULL : &set->ranks[last->places[i]];
}

static void free_last(struct ml_last_places *last)
{
    ml_intern_free(&last->numbers);
    free(last->places);
}

void ml_processes_set_rank(struct ml_processes *set, struct ml_process *p, int rank)
{
    ML_GROW(set->ranks, set->n_ranks, set->ranks_capacity);
    note_last(&set->by_rank, rank, set->n_ranks);
    note_last(&set->by_pid, (int)p->pid, set->n_ranks);
    set->ranks[set->n_ranks++] = (struct ml_rank_process){
        .rank = rank, .pid = p->pid, .number = p->number, .live = p, .before = p->given};
    p->given = set->n_ranks;
    p->rank = p->row.rank = rank;
    p->announced = false;
}

const struct ml_rank_process *ml_processes_of_rank(const struct ml_processes *set, int rank)
{
    return last_of(set, &set->by_rank, rank);
}

const struct ml_rank_process *ml_processes_of_pid(const struct ml_processes *set, pid_t pid)
{
    return last_of(set, &set->by_pid, (int)pid);
}

static void forget(struct ml_processes *set, struct ml_procfs *fs, struct ml_process *p)
{
    for (size_t at = p->given; at > 0; at = set->ranks[at - 1].before) {
        set->ranks[at - 1].live = NULL;
        set->ranks[at - 1].last = ml_process_last(p);
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
    free_last(&set->by_rank);
    free_last(&set->by_pid);
    *set = (struct ml_processes){0};
}
