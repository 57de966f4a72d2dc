#include "base/memory.h"
#include "base/own.h"
#include "top/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key {
    double value; /* the largest first */
    int32_t rank;
    size_t index;
};

static bool is_wanted(const struct ml_top_rank *r, const char *filter)
{
    char number[12];
    snprintf(number, sizeof number, "%d", r->rank);
    return strstr(number, filter) || strcasestr(r->node, filter) || strcasestr(r->call, filter);
}

static double value_of(const struct ml_top_rank *r, enum ml_top_sort sort)
{
    switch (sort) {
    case ML_TOP_BY_MEMORY:
        return r->ended ? -1 : (double)r->memory_B;
    case ML_TOP_BY_GROWTH:
        return isnan(r->growth_B_per_s) ? -INFINITY : r->growth_B_per_s;
    case ML_TOP_BY_PEAK:
        return (double)r->peak_B;
    case ML_TOP_BY_RANK:
    case ML_TOP_SORTS:
        break;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

size_t ml_top_order(const struct ml_top_model *model, const struct ml_top_wish *wish,
                    size_t *out_order)
{
    size_t n = 0;
    ML_AUTO_FREE struct key *keys = ml_realloc_array(NULL, model->n_ranks, sizeof *keys);
    for (size_t i = 0; i < model->n_ranks; i++) {
        const struct ml_top_rank *r = &model->ranks[i];
        if (is_wanted(r, wish->filter))
            keys[n++] = (struct key){value_of(r, wish->sort), r->rank, i};
    }
    qsort(keys, n, sizeof *keys, compare);
    for (size_t i = 0; i < n; i++)
        out_order[i] = keys[i].index;
    return n;
}
