#include "plot/sums.h"

#include "base/memory.h"
#include "base/own.h"
#include "plot/clock.h"

#define CELLS_A_TICK 32
#define LEAST_CELLS (1u << 14)
#define MOST_CELLS (1u << 22) /* of all groups that are open at once: 32 MiB */

/* Of a group from its first process with rows to its last; of a job's ranks one at a time. */
struct sum {
    double *cells; /* by how much it changes in each; NULL: one process, whose rows are the sum */
    size_t first;  /* the first of them that has a value, maybe 0 */
    struct ml_decimate points;
    int64_t end_ns;
    double at_end; /* of the processes that were there until END_NS */
};

struct group {
    unsigned waiting; /* processes with rows to come */
    bool alone;       /* there is one */
    struct sum *sum;  /* NULL: none has come, or all have */
};

struct sums {
    const struct ml_plot_source *source;
    const int *groups;
    struct group *all;
    size_t columns, n_cells;
    int64_t cell_ns;
    ml_plot_sums_done *done;
    void *context;
    size_t process; /* whose rows come at present; SIZE_MAX: none yet */
    double last;    /* its last value */
};

/* The cell behind whose end a change at TIME_NS is in the sum. */
static size_t cell_of(const struct sums *s, int64_t time_ns)
{
    size_t cell = (size_t)((time_ns - s->source->begin_ns + s->cell_ns - 1) / s->cell_ns);
    return cell < s->n_cells ? cell : s->n_cells - 1;
}

static void add_up(const struct sums *s, struct sum *u)
{
    double sum = 0;
    for (size_t i = u->first; i < s->n_cells; i++) {
        if (u->cells[i] == 0 && i != u->first)
            continue;
        sum += u->cells[i];
        int64_t time_ns = s->source->begin_ns + (int64_t)i * s->cell_ns;
        if (time_ns > s->source->lives.end_ns)
            time_ns = s->source->lives.end_ns;
        ml_decimate_add(&u->points, time_ns, sum > 0 ? sum : 0);
    }
}

/* From the run's own times to those of the picture. */
static void put_on_axis(const struct ml_plot_clock *clock, struct sum *u)
{
    for (size_t i = 0; i < u->points.n_points; i++)
        u->points.points[i].time_ns = ml_plot_clock_at(clock, u->points.points[i].time_ns);
    u->end_ns = ml_plot_clock_at(clock, u->end_ns);
}

static void drop_sum(struct group *g)
{
    if (!g->sum)
        return;
    free(g->sum->cells);
    ml_decimate_free(&g->sum->points);
    free(g->sum);
    g->sum = NULL;
}

static void finish_group(struct sums *s, size_t group)
{
    struct sum *u = s->all[group].sum;
    if (u->cells)
        add_up(s, u);
    ml_decimate_finish(&u->points);
    if (u->end_ns > s->source->lives.end_ns)
        u->end_ns = s->source->lives.end_ns;
    if (u->points.n_points && u->end_ns < u->points.points[u->points.n_points - 1].time_ns)
        u->end_ns = u->points.points[u->points.n_points - 1].time_ns; /* a cell ends later */
    put_on_axis(s->source->clock, u);
    if (u->points.n_points)
        s->done(s->context, group, &u->points, u->end_ns);
    drop_sum(&s->all[group]);
}

/* A group's curve ends with what its last processes had, it does not fall to 0 with them. */
static void leave_group(struct sums *s, struct sum *u, int64_t gone_ns)
{
    if (gone_ns < u->end_ns) {
        u->cells[cell_of(s, gone_ns)] -= s->last;
        return;
    }
    if (gone_ns > u->end_ns) {
        u->cells[cell_of(s, u->end_ns)] -= u->at_end;
        u->end_ns = gone_ns;
        u->at_end = 0;
    }
    u->at_end += s->last;
}

/* The process whose rows came has no more: it leaves its group's sum when it is gone. */
static void end_process(struct sums *s)
{
    if (s->process == SIZE_MAX || s->groups[s->process] < 0)
        return;
    struct group *g = &s->all[s->groups[s->process]];
    int64_t gone_ns = s->source->lives.gone_ns[s->process];
    if (g->sum->cells)
        leave_group(s, g->sum, gone_ns);
    else
        g->sum->end_ns = gone_ns;
    if (--g->waiting == 0)
        finish_group(s, (size_t)s->groups[s->process]);
}

static void begin_process(struct sums *s, size_t process)
{
    struct group *g = &s->all[s->groups[process]];
    if (g->sum)
        return;
    g->sum = ml_alloc(sizeof *g->sum);
    ml_decimate_init(&g->sum->points, s->source->begin_ns, s->source->lives.end_ns, s->columns);
    g->sum->first = s->n_cells;
    if (!g->alone)
        g->sum->cells = ml_alloc(s->n_cells * sizeof *g->sum->cells);
}

static void visit(void *context, size_t process, const struct ml_plot_point *points, size_t n)
{
    struct sums *s = context;
    if (process != s->process) {
        end_process(s);
        s->process = process;
        s->last = 0;
        if (s->groups[process] >= 0)
            begin_process(s, process);
    }
    if (s->groups[process] < 0)
        return;
    struct sum *u = s->all[s->groups[process]].sum;
    int64_t gone_ns = s->source->lives.gone_ns[process];
    for (size_t i = 0; i < n && points[i].time_ns <= gone_ns; i++) {
        if (!u->cells) {
            int64_t end_ns = s->source->lives.end_ns, time_ns = points[i].time_ns;
            ml_decimate_add(&u->points, time_ns < end_ns ? time_ns : end_ns, points[i].value);
        } else {
            size_t cell = cell_of(s, points[i].time_ns);
            u->cells[cell] += points[i].value - s->last;
            u->first = cell < u->first ? cell : u->first;
            s->last = points[i].value;
        }
    }
}

/* A group's cells need room for as long as its processes' rows come; those of a node follow one
 * another, so mostly one group is open. */
static void choose_cells(struct sums *s, size_t n_groups)
{
    size_t ticks = s->source->largest_rows, summed = 0;
    for (size_t i = 0; i < s->source->n_nodes; i++) {
        if (s->source->nodes[i].ticks > (int64_t)ticks)
            ticks = (size_t)s->source->nodes[i].ticks;
    }
    for (size_t i = 0; i < n_groups; i++)
        summed += !s->all[i].alone;
    size_t most = MOST_CELLS / (summed ? summed : 1);
    size_t cells = ticks < most / CELLS_A_TICK ? ticks * CELLS_A_TICK : most;
    if (cells < LEAST_CELLS)
        cells = LEAST_CELLS;
    int64_t span_ns = s->source->lives.end_ns - s->source->begin_ns;
    s->cell_ns = span_ns / (int64_t)cells + 1;
    s->n_cells = (size_t)(span_ns / s->cell_ns) + 2;
}

enum ml_status ml_plot_sums(const struct ml_plot_source *source, const int *groups, size_t n_groups,
                            size_t columns, ml_plot_sums_done *done, void *context,
                            struct ml_error *err)
{
    struct sums s = {.source = source,
                     .groups = groups,
                     .columns = columns,
                     .done = done,
                     .context = context,
                     .process = SIZE_MAX};
    s.all = ml_alloc((n_groups + 1) * sizeof *s.all);
    for (size_t i = 0; i < source->n_processes; i++) {
        if (groups[i] >= 0 && source->processes[i].n_rows > 0)
            s.all[groups[i]].waiting++;
    }
    for (size_t i = 0; i < n_groups; i++)
        s.all[i].alone = s.all[i].waiting == 1;
    choose_cells(&s, n_groups);
    enum ml_status status = ml_plot_source_walk(source, visit, &s, err);
    if (!status)
        end_process(&s);
    for (size_t i = 0; i < n_groups; i++) {
        /* A group may wait still: its last process had rows, but no value in them. */
        if (!status && s.all[i].sum)
            finish_group(&s, i);
        drop_sum(&s.all[i]);
    }
    free(s.all);
    return status;
}

struct looking {
    const struct ml_plot_source *source;
    const int *groups;
    const int64_t *times_ns;
    size_t n, next; /* the first time that is not before the present row */
    double *values;
    size_t process;
    double last;
};

static void change(struct looking *l, int64_t time_ns, double value)
{
    while (l->next < l->n && l->times_ns[l->next] < time_ns)
        l->next++;
    if (l->next < l->n)
        l->values[(size_t)l->groups[l->process] * l->n + l->next] += value - l->last;
    l->last = value;
}

static void leave(struct looking *l)
{
    if (l->process == SIZE_MAX || l->groups[l->process] < 0)
        return;
    if (l->source->lives.gone_ns[l->process] <= l->source->lives.end_ns)
        change(l, l->source->lives.gone_ns[l->process], 0);
}

static void look(void *context, size_t process, const struct ml_plot_point *points, size_t n)
{
    struct looking *l = context;
    if (process != l->process) {
        leave(l);
        l->process = process;
        l->next = 0;
        l->last = 0;
    }
    if (l->groups[process] < 0)
        return;
    for (size_t i = 0; i < n && points[i].time_ns <= l->source->lives.gone_ns[process]; i++)
        change(l, points[i].time_ns, points[i].value);
}

enum ml_status ml_plot_sums_at(const struct ml_plot_source *source, const int *groups,
                               size_t n_groups, const int64_t *times_ns, size_t n,
                               double *out_values, struct ml_error *err)
{
    struct looking l = {.source = source,
                        .groups = groups,
                        .times_ns = times_ns,
                        .n = n,
                        .values = out_values,
                        .process = SIZE_MAX};
    for (size_t i = 0; i < n_groups * n; i++)
        out_values[i] = 0;
    enum ml_status status = ml_plot_source_walk(source, look, &l, err);
    if (!status)
        leave(&l);
    for (size_t g = 0; g < n_groups; g++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += out_values[g * n + i];
            out_values[g * n + i] = sum > 0 ? sum : 0;
        }
    }
    return status;
}
