#include "orders/stack_rules.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>

#define LOW_SHARE 50 /* a 50th: 2 % */
#define LOW_B (64 << 20)
#define LOW_SHARE_MAX 8

/* The share is kept over such a time: the first stack, for which all names are read, may cost more
 * than those that follow. */
#define BURST_NS (60 * ML_NS_PER_S)

static int64_t *base_of(struct ml_growth_rule *r, int process)
{
    if ((size_t)process >= r->n) {
        size_t n = 2 * (size_t)process + 16;
        r->base_B = ml_realloc_array(r->base_B, n, sizeof *r->base_B);
        while (r->n < n)
            r->base_B[r->n++] = ML_NOT_MEASURED;
    }
    return &r->base_B[process];
}

bool ml_growth_seen(struct ml_growth_rule *r, int process, int64_t rss_B)
{
    int64_t *base_B = base_of(r, process);
    if (*base_B < 0 || rss_B < *base_B / 2) { /* new, or another program (execve), or much freed */
        *base_B = rss_B;
        return false;
    }
    int64_t grown_B = rss_B - *base_B;
    return (r->growth.size_B > 0 && grown_B >= r->growth.size_B) ||
           (r->growth.share > 0 && grown_B > 0 &&
            (double)grown_B >= r->growth.share * (double)*base_B);
}

void ml_growth_taken(struct ml_growth_rule *r, int process, int64_t rss_B)
{
    *base_of(r, process) = rss_B;
}

void ml_growth_free(struct ml_growth_rule *r)
{
    free(r->base_B);
    *r = (struct ml_growth_rule){0};
}

/* Taking stacks itself wants some MiB, for names: it must not come too late. */
static int64_t low_mark(int64_t whole_B)
{
    int64_t mark_B = whole_B / LOW_SHARE > LOW_B ? whole_B / LOW_SHARE : LOW_B;
    return mark_B < whole_B / LOW_SHARE_MAX ? mark_B : whole_B / LOW_SHARE_MAX;
}

bool ml_low_memory_seen(struct ml_low_memory_rule *r, const struct ml_node_sample_row *row)
{
    int64_t whole_B = row->limit_B, left_B = row->left_B;
    if (left_B < 0)
        return false;
    int64_t fall_B = r->left_B > left_B ? r->left_B - left_B : 0;
    bool low = (whole_B > 0 && left_B < low_mark(whole_B)) || left_B < 2 * fall_B;
    r->left_B = left_B + 1; /* one more, since 0 stands for none yet */
    if (!low) {
        r->told_B = 0;
        return false;
    }
    if (r->told_B > 0 && left_B + 1 > r->told_B / 2)
        return false;
    r->told_B = left_B + 1;
    return true;
}

bool ml_stack_budget_allows(const struct ml_stack_budget *b, int64_t now_ns)
{
    return now_ns >= b->free_ns;
}

void ml_stack_budget_spend(struct ml_stack_budget *b, int64_t now_ns, int64_t cost_ns, double share)
{
    b->cost_ns = b->cost_ns ? (3 * b->cost_ns + cost_ns) / 4 : cost_ns;
    int64_t from_ns = b->free_ns > now_ns - BURST_NS ? b->free_ns : now_ns - BURST_NS;
    b->free_ns = from_ns + (int64_t)((double)cost_ns / share);
}

int64_t ml_stack_budget_period(const struct ml_stack_budget *b, double share)
{
    return (int64_t)((double)b->cost_ns / share);
}
