#include "report/growth.h"

#include "base/clock.h"
#include "base/memory.h"
#include "sums/memory.h"
#include "sums/pace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELLS 128 /* equal spans of time for which the memory of a rank is known */
/* Who lives until the last twentieth of the application's time, or its last two seconds, lives on:
 * a rank that fails takes the others with it a little later. */
#define LAST_SHARE 20
#define LAST_NS (2 * ML_NS_PER_S)
/* Nobody believes a forecast past a day, or past many times what it was made from. */
#define FORECAST_MAX_NS (24 * 3600.0 * ML_NS_PER_S)
#define FORECAST_MAX_SPANS 20

/* The memory of a rank over its time, as the mean of each cell: a rank and its helpers add up. */
struct series {
    int64_t begin_ns, end_ns;
    double cell_ns;
    double *cells;
    size_t n; /* 0: it has no series */
};

/* When a rank was through its last MPI_Init, and began MPI_Finalize after that; 0, INT64_MAX: not.
 */
struct between {
    int64_t init_ns, finalize_ns;
};

struct gathering {
    struct ml_facts *f;
    struct between *between;  /* of each rank */
    struct series *series;    /* of each process; of those that have a growth */
    int64_t *time_ns, *now_B; /* of each process: its last row; now_B -1: none yet */
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The process whose memory that of process I is; where nothing has a rank, each is its own. */
static size_t whose(const struct ml_facts *f, size_t i)
{
    int64_t owner = f->by_process[i].owner;
    return owner < 0 ? i : (size_t)owner;
}

/* A rank may be a script that starts one MPI program after the other. */
static void visit_event(void *context, const void *item)
{
    struct gathering *g = context;
    const struct ml_event_row *row = item;
    if (row->process < 0 || (size_t)row->process >= g->f->n_processes)
        return;
    struct between *between = &g->between[whose(g->f, (size_t)row->process)];
    if (row->kind == ML_EVENT_PHASE_END && strcmp(row->text, "MPI_Init") == 0)
        *between = (struct between){row->time_ns, INT64_MAX};
    if (row->kind == ML_EVENT_PHASE_BEGIN && strcmp(row->text, "MPI_Finalize") == 0)
        between->finalize_ns = row->time_ns;
}

/* No finer than its node was sampled. */
static void open_series(struct gathering *g, size_t i)
{
    const struct ml_lives *lives = &g->f->lives;
    const struct ml_process_row *p = &g->f->processes[i];
    int node = lives->node_of[i];
    if ((size_t)node >= lives->n_nodes || lives->node_samples[node] < 2)
        return;
    int64_t node_ns = lives->node_end_ns[node] - lives->node_begin_ns[node];
    double period_ns = (double)node_ns / (double)(lives->node_samples[node] - 1);
    struct series s = {
        .begin_ns = later(later(p->start_ns, g->between[i].init_ns), lives->node_begin_ns[node]),
        .end_ns = earlier(g->between[i].finalize_ns, earlier(lives->gone_ns[i], lives->end_ns)),
    };
    if (p->end_ns >= 0)
        s.end_ns = earlier(s.end_ns, p->end_ns);
    double span_ns = (double)s.end_ns - (double)s.begin_ns;
    if (!(span_ns >= ML_PACE_FEWEST * period_ns) || !(span_ns > 0))
        return;
    s.n = (size_t)fmin(CELLS, span_ns / period_ns);
    s.cell_ns = span_ns / (double)s.n;
    s.cells = ml_alloc(s.n * sizeof *s.cells);
    g->series[i] = s;
}

/* BYTES from FROM_NS to TO_NS. */
static void add(struct series *s, int64_t from_ns, int64_t to_ns, int64_t bytes)
{
    if (!s->n)
        return;
    from_ns = later(from_ns, s->begin_ns);
    to_ns = earlier(to_ns, s->end_ns);
    if (from_ns >= to_ns)
        return;
    double from = (double)(from_ns - s->begin_ns) / s->cell_ns;
    double to = (double)(to_ns - s->begin_ns) / s->cell_ns;
    for (size_t i = (size_t)from; i < s->n && (double)i < to; i++)
        s->cells[i] += (double)bytes * (fmin(to, (double)i + 1) - fmax(from, (double)i));
}

static void visit_sample(void *context, const void *item)
{
    struct gathering *g = context;
    const struct ml_sample_row *row = item;
    size_t i = (size_t)row->process;
    int64_t now_B = ml_memory_of(row);
    if (row->process < 0 || i >= g->f->n_processes || now_B < 0 || row->time_ns < 0)
        return;
    struct series *s = &g->series[whose(g->f, i)];
    if (g->now_B[i] >= 0)
        add(s, g->time_ns[i], row->time_ns, g->now_B[i]);
    else if (s == &g->series[i])
        add(s, s->begin_ns, row->time_ns, now_B); /* what it had before nobody knows */
    g->time_ns[i] = row->time_ns;
    g->now_B[i] = now_B;
}

static enum ml_status fill(struct ml_run *run, struct gathering *g, struct ml_error *err)
{
    static const char *const wanted[] = {"time_s", "process", ML_MEMORY_COLUMN,
                                         ML_MEMORY_COLUMN_BEFORE, NULL};
    struct ml_column columns[4];
    struct ml_table samples;
    ml_slice_pick(&ml_table_samples, wanted, columns, &samples);
    enum ml_status status = ml_slice_each(run, &samples, visit_sample, g, err);
    for (size_t i = 0; i < g->f->n_processes; i++) {
        if (g->now_B[i] >= 0)
            add(&g->series[whose(g->f, i)], g->time_ns[i], g->f->lives.gone_ns[i], g->now_B[i]);
    }
    return status;
}

static void find(struct gathering *g, size_t i)
{
    const struct series *s = &g->series[i];
    struct ml_process_facts *p = &g->f->by_process[i];
    struct ml_pace pace = ml_pace_find(s->cells, s->n);
    p->growth_B_per_s = pace.slope / s->cell_ns * ML_NS_PER_S;
    p->since_ns = s->begin_ns + (int64_t)((double)pace.since * s->cell_ns);
}

static void increase(double *sum, double by)
{
    *sum = isnan(*sum) ? by : *sum + by;
}

/* Process I lives on, and its growth is known. */
static void count(struct gathering *g, size_t i)
{
    struct ml_facts *f = g->f;
    const struct ml_process_facts *p = &f->by_process[i];
    struct ml_node_facts *node = &f->by_node[f->lives.node_of[i]];
    increase(&f->growth_B_per_s, p->growth_B_per_s);
    increase(&node->growth_B_per_s, p->growth_B_per_s);
    if (!(p->growth_B_per_s > 0))
        return;
    node->grown_ns = later(node->grown_ns, g->series[i].end_ns - p->since_ns);
    if (f->growing < 0 || p->growth_B_per_s > f->by_process[f->growing].growth_B_per_s)
        f->growing = (ptrdiff_t)i;
}

static void conclude(struct gathering *g)
{
    struct ml_facts *f = g->f;
    int64_t end_ns = 0;
    for (size_t i = 0; i < f->n_processes; i++)
        end_ns = later(end_ns, g->series[i].end_ns);
    int64_t last_ns = end_ns - later(end_ns / LAST_SHARE, LAST_NS);
    for (size_t i = 0; i < f->n_processes; i++) {
        if (g->series[i].n == 0)
            continue;
        find(g, i);
        if (g->series[i].end_ns >= last_ns)
            count(g, i);
    }
}

static enum ml_status gather(struct ml_run *run, struct gathering *g, struct ml_error *err)
{
    const struct ml_facts *f = g->f;
    for (size_t i = 0; i < f->n_processes; i++) {
        g->between[i] = (struct between){0, INT64_MAX};
        g->now_B[i] = -1;
    }
    enum ml_status status = ml_slice_each(run, &ml_table_events, visit_event, g, err);
    for (size_t i = 0; i < f->n_processes; i++) {
        if (whose(f, i) == i && (f->processes[i].rank >= 0 || f->ranks == 0))
            open_series(g, i);
    }
    if (!status)
        status = fill(run, g, err);
    if (!status)
        conclude(g);
    return status;
}

enum ml_status ml_growth_gather(struct ml_run *run, struct ml_facts *facts, struct ml_error *err)
{
    size_t n = facts->n_processes;
    struct gathering g = {
        .f = facts,
        .series = ml_alloc(n * sizeof *g.series),
        .between = ml_realloc_array(NULL, n, sizeof *g.between),
        .time_ns = ml_realloc_array(NULL, n, sizeof *g.time_ns),
        .now_B = ml_realloc_array(NULL, n, sizeof *g.now_B),
    };
    enum ml_status status = gather(run, &g, err);
    for (size_t i = 0; i < n; i++)
        free(g.series[i].cells);
    free(g.series);
    free(g.between);
    free(g.time_ns);
    free(g.now_B);
    return status;
}

int64_t ml_growth_full_ns(const struct ml_node_facts *node)
{
    double most_ns = fmin(FORECAST_MAX_NS, FORECAST_MAX_SPANS * (double)node->grown_ns);
    double in_ns = (double)node->last_left_B / node->growth_B_per_s * ML_NS_PER_S;
    bool soon = node->last_left_B >= 0 && node->growth_B_per_s > 0 && in_ns < most_ns;
    return soon ? (int64_t)in_ns : -1;
}

const struct ml_node_facts *ml_growth_full_first(const struct ml_facts *facts)
{
    const struct ml_node_facts *first = NULL;
    int64_t least_ns = INT64_MAX;
    for (size_t i = 0; i < facts->n_nodes; i++) {
        int64_t full_ns = ml_growth_full_ns(&facts->by_node[i]);
        if (full_ns < 0 || full_ns >= least_ns)
            continue;
        least_ns = full_ns;
        first = &facts->by_node[i];
    }
    return first;
}
