#include "probe/shares.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

#define LOOSE_PART 20           /* of the memory */
#define LOOSE_LEAST_B (1 << 20) /* less is not worth a reading */
#define COST_SHARE 200
#define LEAST_GAP_NS (100 * ML_NS_PER_MS)
#define STEADY_COST_SHARE 1000 /* where nothing is loose */
#define STEADY_GAP_NS (10 * ML_NS_PER_S)
#define TICK_NS (5 * ML_NS_PER_MS) /* CPU time for the readings of one tick */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- one process ---- */

/* Page faults fill a page each; one that fills a huge page was no copy of a shared one. */
static int64_t faults_B(const struct ml_procfs *fs, const struct ml_process *p)
{
    return p->minor_faults * fs->page_B;
}

static int64_t mapped_B(const struct ml_process *p)
{
    return larger(p->row.rss_B - larger(p->row.rss_anon_B, 0), 0);
}

/* Pages in common that were copied while the round lasted may have been read as shared yet. */
static int64_t faults_before(const struct ml_procfs *fs, const struct ml_process *p)
{
    int64_t came_B = larger(larger(p->row.rss_anon_B, 0) - p->round_anon_B, 0);
    int64_t before_B = p->round_faults_B + came_B, now_B = faults_B(fs, p);
    return before_B < now_B ? before_B : now_B;
}

/* What was resident before the reading or is after it, whichever is more: what came or went
 * meanwhile then counts too little, not twice. */
static void note_share(const struct ml_procfs *fs, struct ml_process *p,
                       const struct ml_proc_rollup *r, int64_t anon_B, int64_t before_B)
{
    p->is_fresh = true;
    p->fresh = (struct ml_share){
        .pss_B = r->pss_B,
        .private_B = larger(r->private_B, 0),
        .shared_anon_B = larger(r->anonymous_B - larger(r->private_B, 0), 0),
        .shared_hugetlb_B = r->shared_hugetlb_B,
        .anon_B = larger(p->row.rss_anon_B, anon_B),
        .mapped_B = larger(mapped_B(p), before_B),
        .faults_B = faults_before(fs, p),
        .late_B = larger(mapped_B(p) - p->round_mapped_B, 0),
    };
}

static void read_share(struct ml_procfs *fs, struct ml_process *p, int64_t now_ns)
{
    char path[40];
    struct ml_proc_rollup rollup;
    int64_t anon_B = larger(p->row.rss_anon_B, 0), before_B = mapped_B(p);
    snprintf(path, sizeof path, "%d/smaps_rollup", (int)p->pid);
    ssize_t n = ml_procfs_read(fs, fs->root, path);
    /* refused, or Linux before 4.14, which has no smaps_rollup; ESRCH is a process about to end */
    p->share_refused = n < 0 && errno != ESRCH;
    ml_proc_parse_rollup(fs->text, n > 0 ? (size_t)n : 0, &rollup);
    p->stat_ns = 0; /* the faults as of now */
    if (rollup.pss_B >= 0 && ml_process_read(fs, p, now_ns))
        note_share(fs, p, &rollup, anon_B, before_B);
}

/* ---- all ---- */

static bool is_readable(const struct ml_process *p)
{
    return p->seen && !p->ended && !p->share_refused;
}

static void set_memory(const struct ml_procfs *fs, const struct ml_processes *set)
{
    int sharers = 0;
    for (size_t i = 0; i < set->n; i++)
        sharers += set->live[i]->share.shared_hugetlb_B > 0;
    for (size_t i = 0; i < set->n; i++) {
        struct ml_process *p = set->live[i];
        const struct ml_share_now now = {.row = &p->row,
                                         .faults_B = faults_B(fs, p),
                                         .processes = (int)set->n,
                                         .hugetlb_sharers = sharers,
                                         .forked = p->forked};
        struct ml_share_memory memory = ml_share_memory(&p->share, &now);
        p->row.memory_B = memory.memory_B;
        p->memory_error_B = memory.error_B;
    }
}

int64_t ml_shares_error_B(const struct ml_shares *s, const struct ml_processes *set)
{
    int64_t error_B = set->n ? s->orphaned_B : 0;
    for (size_t i = 0; i < set->n; i++)
        error_B += set->live[i]->seen ? set->live[i]->memory_error_B : 0;
    return error_B;
}

static bool is_any_readable(const struct ml_processes *set)
{
    size_t i = 0;
    while (i < set->n && !is_readable(set->live[i]))
        i++;
    return i < set->n;
}

static bool is_loose(const struct ml_shares *s, const struct ml_processes *set)
{
    int64_t memory_B = 0, error_B = s->orphaned_B;
    for (size_t i = 0; i < set->n; i++) {
        if (is_readable(set->live[i])) {
            memory_B += larger(set->live[i]->row.memory_B, 0);
            error_B += set->live[i]->memory_error_B;
        }
    }
    return error_B > larger(memory_B / LOOSE_PART, LOOSE_LEAST_B);
}

/* ---- rounds ---- */

/* Who comes later waits for the next round: the pages of its parent may have been read already. */
static void begin(struct ml_shares *s, const struct ml_procfs *fs, const struct ml_processes *set,
                  int64_t now_ns)
{
    for (size_t i = 0; i < set->n; i++) {
        struct ml_process *p = set->live[i];
        p->round_mapped_B = mapped_B(p);
        p->round_anon_B = larger(p->row.rss_anon_B, 0);
        p->round_faults_B = faults_B(fs, p);
    }
    s->under_way = true;
    s->next = 0;
    s->end = set->n_numbers;
    s->begin_ns = now_ns;
    s->cost_ns = s->worst_ns = 0;
    s->settled_B = s->orphaned_B;
}

/* All readings of the round count from now on: in between, pages would be another's already and not
 * yet. */
static void end(struct ml_shares *s, const struct ml_processes *set, int64_t now_ns)
{
    s->orphaned_B -= s->settled_B;
    for (size_t i = 0; i < set->n; i++) {
        struct ml_process *p = set->live[i];
        if (!p->is_fresh)
            continue;
        p->share = p->fresh;
        p->row.pss_B = p->fresh.pss_B;
        p->is_fresh = false;
    }
    int64_t cost_ns = larger(s->cost_ns / (s->cpus > 0 ? s->cpus : 1), s->worst_ns);
    s->under_way = false;
    s->due_loose_ns = now_ns + larger(COST_SHARE * cost_ns, LEAST_GAP_NS);
    s->due_ns = s->period_ns > 0 ? s->begin_ns + s->period_ns
                                 : now_ns + larger(STEADY_COST_SHARE * s->cost_ns, STEADY_GAP_NS);
}

/* The part of the round for this tick: one process at least. Processes are by number. */
static void go_on(struct ml_shares *s, struct ml_procfs *fs, const struct ml_processes *set,
                  int64_t now_ns)
{
    int64_t spent_ns = 0;
    for (size_t i = 0; i < set->n; i++) {
        struct ml_process *p = set->live[i];
        if (p->number < s->next || p->number >= s->end || !is_readable(p))
            continue;
        if (spent_ns >= TICK_NS)
            return;
        int64_t begin_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID);
        read_share(fs, p, now_ns);
        int64_t cost_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
        s->next = p->number + 1;
        s->cost_ns += cost_ns;
        s->worst_ns = larger(s->worst_ns, cost_ns);
        spent_ns += cost_ns;
    }
    end(s, set, now_ns);
}

void ml_shares_tick(struct ml_shares *s, struct ml_procfs *fs, const struct ml_processes *set,
                    int64_t now_ns)
{
    set_memory(fs, set);
    if (!s->under_way && s->period_ns != 0 && is_any_readable(set)) {
        bool loose = s->period_ns < 0 && now_ns >= s->due_loose_ns && is_loose(s, set);
        if (loose || now_ns >= s->due_ns)
            begin(s, fs, set, now_ns);
    }
    if (!s->under_way)
        return;
    go_on(s, fs, set, now_ns);
    set_memory(fs, set);
}

void ml_shares_left(struct ml_shares *s, const struct ml_process *p)
{
    if (p->share.pss_B > p->share.private_B)
        s->orphaned_B += p->share.pss_B - p->share.private_B;
}

int64_t ml_shares_pss_B(const struct ml_processes *set)
{
    int64_t sum_B = 0;
    bool any = false;
    for (size_t i = 0; i < set->n; i++) {
        const struct ml_process *p = set->live[i];
        if (!p->seen)
            continue;
        if (p->row.pss_B < 0 && p->rank >= 0)
            return ML_NOT_MEASURED;
        if (p->row.pss_B >= 0) {
            sum_B += p->row.pss_B;
            any = true;
        }
    }
    return any ? sum_B : ML_NOT_MEASURED;
}
