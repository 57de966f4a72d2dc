#include "sums/share.h"

static int64_t at_least_0(int64_t value)
{
    return value > 0 ? value : 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t mapped_of(const struct ml_sample_row *row)
{
    return at_least_0(row->rss_B) - least(at_least_0(row->rss_anon_B), at_least_0(row->rss_B));
}

/* Pages that another process may have too. */
static void add_mapped(struct ml_share_memory *m, int64_t bytes, int processes)
{
    if (processes > 1)
        m->error_B += bytes;
    else
        m->memory_B += bytes;
}

static struct ml_share_memory never_read(const struct ml_share_now *now)
{
    struct ml_share_memory m = {0};
    int64_t anon_B = at_least_0(now->row->rss_anon_B);
    if (now->forked)
        m.error_B = anon_B;
    else
        m.memory_B = anon_B;
    add_mapped(&m, mapped_of(now->row), now->processes);
    return m;
}

static struct ml_share_memory since_reading(const struct ml_share *s,
                                            const struct ml_share_now *now)
{
    int64_t late_B = least(s->late_B, at_least_0(s->pss_B - s->private_B));
    struct ml_share_memory m = {s->pss_B - late_B, late_B};
    int64_t came_B = now->row->rss_anon_B - s->anon_B;
    int64_t mapped_B = mapped_of(now->row) - s->mapped_B;
    int64_t filled_B = now->faults_B - s->faults_B - at_least_0(came_B);
    m.memory_B += came_B;
    m.error_B += least(s->shared_anon_B, at_least_0(filled_B));
    if (mapped_B >= 0)
        add_mapped(&m, mapped_B, now->processes);
    else
        m.memory_B += mapped_B;
    /* what went may have been shared: then less has gone than was taken off */
    int64_t went_B = at_least_0(-came_B) + at_least_0(-mapped_B);
    m.error_B += least(went_B, at_least_0(s->anon_B + s->mapped_B - s->private_B));
    m.memory_B = at_least_0(m.memory_B);
    return m;
}

struct ml_share_memory ml_share_memory(const struct ml_share *share, const struct ml_share_now *now)
{
    const struct ml_sample_row *row = now->row;
    if (row->rss_B < 0)
        return (struct ml_share_memory){ML_NOT_MEASURED, 0};
    struct ml_share_memory m = share->pss_B < 0 ? never_read(now) : since_reading(share, now);
    int64_t most_B = row->rss_B;
    m.memory_B = least(m.memory_B, most_B);
    m.error_B = least(m.error_B, most_B - m.memory_B);
    int64_t hugetlb_B = at_least_0(row->hugetlb_B);
    int64_t shared_B = least(at_least_0(share->shared_hugetlb_B), hugetlb_B);
    m.memory_B += hugetlb_B - shared_B;
    m.memory_B += shared_B / (now->hugetlb_sharers > 1 ? now->hugetlb_sharers : 1);
    return m;
}
