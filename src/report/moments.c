#include "report/moments.h"

#include "base/clock.h"
#include "base/memory.h"
#include "read/total.h"

#include <stdlib.h>

#define LENGTH_NS (250 * ML_NS_PER_MS)

/* What was taken of one process at once. */
struct taking {
    int64_t time_ns;
    size_t first, n; /* samples */
    int32_t process;
};

static int by_time(const void *a, const void *b)
{
    const struct taking *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static struct taking *list_takings(const struct ml_stacks *s, size_t *out_n)
{
    struct taking *takings = NULL;
    size_t n = 0, capacity = 0;
    for (size_t i = 0; i < s->n_samples; i++) {
        const struct ml_stacks_sample *sample = &s->samples[i];
        if (i == 0 || sample->taking != sample[-1].taking) {
            ML_GROW(takings, n, capacity);
            takings[n++] = (struct taking){sample->time_ns, i, 0, sample->process};
        }
        takings[n - 1].n++;
    }
    if (n)
        qsort(takings, n, sizeof *takings, by_time);
    *out_n = n;
    return takings;
}

/* Cuts takings into moments, which are short and have no process twice. */
static void cut(const struct taking *takings, size_t n, size_t n_processes, struct ml_moments *m)
{
    size_t capacity = 0, used = 0;
    size_t *last = ml_alloc(n_processes * sizeof *last); /* moment of each process, plus 1 */
    for (size_t i = 0; i < n; i++) {
        const struct taking *t = &takings[i];
        if (m->n == 0 || t->time_ns - m->moments[m->n - 1].time_ns > LENGTH_NS ||
            last[t->process] == m->n) {
            ML_GROW(m->moments, m->n, capacity);
            m->moments[m->n++] = (struct ml_moment){t->time_ns, -1, used, 0};
        }
        last[t->process] = m->n;
        for (size_t k = 0; k < t->n; k++)
            m->samples[used++] = (uint32_t)(t->first + k);
        m->moments[m->n - 1].n += t->n;
    }
    m->n_all = m->n;
    free(last);
}

struct reading {
    struct ml_moments *moments;
    size_t next; /* the first moment whose total is not known yet */
    int64_t total_B;
};

static void visit_total(void *context, int64_t time_ns, int64_t memory_B)
{
    struct reading *r = context;
    struct ml_moments *m = r->moments;
    for (; r->next < m->n && m->moments[r->next].time_ns < time_ns; r->next++)
        m->moments[r->next].total_B = r->total_B;
    r->total_B = memory_B;
}

static void leave_out(struct ml_moments *m, size_t most)
{
    if (!most || m->n <= most)
        return;
    size_t kept = 0;
    for (size_t part = 0; part < most; part++) {
        size_t best = part * m->n_all / most, end = (part + 1) * m->n_all / most;
        for (size_t i = best + 1; i < end; i++) {
            if (m->moments[i].total_B > m->moments[best].total_B)
                best = i;
        }
        m->moments[kept++] = m->moments[best];
    }
    m->n = kept;
}

enum ml_status ml_moments_gather(struct ml_run *run, const struct ml_facts *facts,
                                 const struct ml_stacks *stacks, size_t most,
                                 struct ml_moments *out_moments, struct ml_error *err)
{
    struct ml_moments m = {0};
    struct reading reading = {&m, 0, -1};
    size_t n;
    struct taking *takings = list_takings(stacks, &n);
    m.samples = ml_realloc_array(NULL, stacks->n_samples, sizeof *m.samples);
    cut(takings, n, facts->n_processes, &m);
    free(takings);
    const struct ml_total_visitor visitor = {.total = visit_total, .context = &reading};
    enum ml_status status = ml_total_each(run, &facts->lives, &visitor, err);
    if (status) {
        ml_moments_free(&m);
        return status;
    }
    visit_total(&reading, INT64_MAX, -1);
    leave_out(&m, most);
    *out_moments = m;
    return ML_OK;
}

void ml_moments_free(struct ml_moments *moments)
{
    free(moments->moments);
    free(moments->samples);
    *moments = (struct ml_moments){0};
}
