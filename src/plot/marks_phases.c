/* What the program did meanwhile, along the time axis. */
#include "base/memory.h"
#include "plot/clock.h"
#include "plot/marks.h"
#include "read/phases.h"

#include <stdlib.h>
#include <string.h>

#define MOST_PHASES 40
#define LEAST 0.004 /* of the time axis: shorter ones are no more than a line */

static int longest_first(const void *a, const void *b)
{
    const struct ml_plot_phase *x = a, *y = b;
    int64_t of_x = x->end_ns - x->begin_ns, of_y = y->end_ns - y->begin_ns;
    if (of_x != of_y)
        return of_x < of_y ? 1 : -1;
    return x->begin_ns < y->begin_ns ? -1 : x->begin_ns > y->begin_ns;
}

static int first_first(const void *a, const void *b)
{
    const struct ml_plot_phase *x = a, *y = b;
    if (x->begin_ns != y->begin_ns)
        return x->begin_ns < y->begin_ns ? -1 : 1;
    return x->end_ns < y->end_ns ? 1 : x->end_ns > y->end_ns ? -1 : 0;
}

/* The longest of those that can be seen, in order. */
static void choose(struct ml_plot_page *page)
{
    if (page->n_phases == 0)
        return;
    qsort(page->phases, page->n_phases, sizeof *page->phases, longest_first);
    for (; page->n_phases > MOST_PHASES; page->n_phases--)
        free(page->phases[page->n_phases - 1].name);
    qsort(page->phases, page->n_phases, sizeof *page->phases, first_first);
}

enum ml_status ml_plot_marks_phases(const struct ml_plot_source *source, struct ml_plot_page *page,
                                    struct ml_error *err)
{
    struct ml_run_phases found = {0};
    struct ml_plot_extent extent = ml_plot_extent_of(page);
    double least_ns = LEAST * (double)(extent.end_ns - extent.begin_ns);
    enum ml_status status = ml_run_phases_read(source->run, source->ranks, source->n_processes,
                                               source->lives.end_ns, &found, err);
    if (status)
        return status;
    page->phases = ml_realloc_array(NULL, found.n + 1, sizeof *page->phases);
    for (size_t i = 0; i < found.n; i++) {
        struct ml_run_phase *p = &found.list[i];
        int64_t begin_ns = ml_plot_clock_at(source->clock, p->begin_ns);
        int64_t end_ns = ml_plot_clock_at(source->clock, p->end_ns);
        int64_t last_ns = end_ns < extent.end_ns ? end_ns : extent.end_ns;
        int64_t first_ns = begin_ns > extent.begin_ns ? begin_ns : extent.begin_ns;
        bool mpi = strncmp(p->name, "MPI_", 4) == 0; /* one of each: MPI_Finalize may be short */
        if (p->begin_ns < 0 || last_ns < first_ns ||
            (!mpi && (double)(last_ns - first_ns) < least_ns))
            continue;
        page->phases[page->n_phases++] =
            (struct ml_plot_phase){first_ns, last_ns, ml_strdup(p->name)};
    }
    ml_run_phases_free(&found);
    choose(page);
    return ML_OK;
}
