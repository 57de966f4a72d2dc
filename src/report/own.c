#include "report/own.h"

static int64_t own_of(const struct ml_sample_row *row)
{
    if (row->memory_B < 0 || row->rss_anon_B < 0)
        return ML_NOT_MEASURED;
    int64_t own_B = row->rss_anon_B + (row->hugetlb_B > 0 ? row->hugetlb_B : 0);
    return own_B < row->memory_B ? own_B : row->memory_B; /* a child has pages of its parent */
}

static void visit(void *context, const void *item)
{
    struct ml_facts *f = context;
    const struct ml_sample_row *row = item;
    if (row->process < 0 || (size_t)row->process >= f->n_processes)
        return;
    struct ml_process_facts *p = &f->by_process[row->process];
    int64_t own_B = own_of(row);
    p->own_B = own_B > p->own_B ? own_B : p->own_B;
}

/* Processes of a rank may have had theirs one after the other: together no more than its peak. */
static void add_helpers(struct ml_facts *f)
{
    for (size_t i = 0; i < f->n_processes; i++) {
        const struct ml_process_facts *p = &f->by_process[i];
        if (p->owner < 0 || (size_t)p->owner == i || p->own_B < 0)
            continue;
        struct ml_process_facts *rank = &f->by_process[p->owner];
        rank->own_B += rank->own_B >= 0 ? p->own_B : 0;
        if (rank->own_B > rank->peak_B)
            rank->own_B = rank->peak_B;
    }
}

enum ml_status ml_own_gather(struct ml_run *run, struct ml_facts *facts, struct ml_error *err)
{
    static const char *const wanted[] = {"process", "memory_B", "rss_anon_B", "hugetlb_B", NULL};
    struct ml_column columns[4];
    struct ml_table samples;
    ml_slice_pick(&ml_table_samples, wanted, columns, &samples);
    enum ml_status status = ml_slice_each(run, &samples, visit, facts, err);
    if (!status)
        add_helpers(facts);
    return status;
}
