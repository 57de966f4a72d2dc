#include "probe/pss.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>

#define FIRST_AFTER_NS ML_NS_PER_S
#define LEAST_PERIOD_NS (10 * ML_NS_PER_S)
#define PERIOD_PER_COST 2000
#define TOTAL_PER_COST 1000
#define NS_PER_KIB 10 /* of 4 KiB pages, until this process's own cost is known */

/* What a reading costs by now: as the last one, in proportion to the memory. */
static int64_t expected_cost_ns(const struct ml_process *p)
{
    if (p->pss.cost_ns < 0 || p->pss.rss_B <= 0)
        return p->row.rss_B / 1024 * NS_PER_KIB;
    return (int64_t)((double)p->pss.cost_ns * (double)p->row.rss_B / (double)p->pss.rss_B);
}

static bool is_due_by_cost(const struct ml_process *p, int64_t now_ns)
{
    int64_t period_ns = PERIOD_PER_COST * expected_cost_ns(p);
    int64_t least_ns = p->pss.cost_ns < 0 ? FIRST_AFTER_NS : LEAST_PERIOD_NS;
    return now_ns - p->pss.read_ns >= (period_ns > least_ns ? period_ns : least_ns);
}

struct ml_process *ml_pss_pick(const struct ml_pss *pss, const struct ml_processes *set,
                               int64_t now_ns)
{
    struct ml_process *picked = NULL;
    if (pss->period_ns >= 0 || now_ns < pss->next_due_ns)
        return NULL;
    for (size_t i = 0; i < set->n; i++) {
        struct ml_process *p = set->live[i];
        if (p->pss.refused || !p->seen || !is_due_by_cost(p, now_ns))
            continue;
        if (!picked || p->pss.read_ns < picked->pss.read_ns)
            picked = p;
    }
    return picked;
}

static void read_rollup(struct ml_pss *pss, struct ml_procfs *fs, struct ml_process *p,
                        int64_t now_ns)
{
    char path[40];
    snprintf(path, sizeof path, "%d/smaps_rollup", (int)p->pid);
    int64_t begin_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID);
    ssize_t n = ml_procfs_read(fs, fs->root, path);
    int64_t cost_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
    pss->next_due_ns = now_ns + TOTAL_PER_COST * cost_ns;
    p->pss.read_ns = now_ns;
    p->pss.cost_ns = cost_ns;
    p->pss.rss_B = p->row.rss_B;
    /* refused, or Linux before 4.14, which has no smaps_rollup; ESRCH is a process about to end */
    p->pss.refused = n < 0 && errno != ESRCH;
    int64_t pss_B = n > 0 ? ml_proc_parse_pss(fs->text, (size_t)n) : ML_NOT_MEASURED;
    if (pss_B >= 0 && ml_process_is_there(fs, p))
        p->row.pss_B = pss_B;
}

void ml_pss_read(struct ml_pss *pss, struct ml_procfs *fs, struct ml_process *p,
                 const struct ml_process *picked, int64_t now_ns)
{
    bool periodic = pss->period_ns > 0 && !p->pss.refused &&
                    (p->pss.cost_ns < 0 || now_ns - p->pss.read_ns >= pss->period_ns);
    if (p == picked || periodic)
        read_rollup(pss, fs, p, now_ns);
}

int64_t ml_pss_sum(const struct ml_processes *set)
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
