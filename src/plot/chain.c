#include "plot/chain.h"

#include "base/memory.h"
#include "base/own.h"

#include <math.h>
#include <stdlib.h>

/* Unix time of the run's start, ns; -1: unknown. */
static int64_t start_of(const struct ml_plot_source *s)
{
    double start_s = strtod(ml_plot_source_attribute(s, "time_origin"), NULL);
    return start_s > 0 && start_s < 9e9 ? llround(start_s * 1e9) : -1;
}

static enum ml_status find_begins(const struct ml_plot_source *sources, size_t n,
                                  const struct ml_plot_page *page, int64_t *out_begins_ns,
                                  struct ml_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int64_t start_ns = start_of(&sources[i]);
        if (start_ns < 0)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s does not say when the run started: --chain goes by that",
                           sources[i].path);
        out_begins_ns[i] = start_ns - start_of(sources);
        if (i && out_begins_ns[i] < out_begins_ns[i - 1] + page->curves[i - 1].end_ns)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s started before %.300s ended: --chain takes runs in the order in "
                           "which they followed each other",
                           sources[i].path, sources[i - 1].path);
    }
    return ML_OK;
}

enum ml_status ml_plot_chain(const struct ml_plot_source *sources, size_t n,
                             struct ml_plot_page *page, struct ml_error *err)
{
    ML_AUTO_FREE int64_t *begins_ns = ml_realloc_array(NULL, n, sizeof *begins_ns);
    enum ml_status status = find_begins(sources, n, page, begins_ns, err);
    if (status)
        return status;
    for (size_t i = 0; i < page->n_curves; i++) {
        struct ml_plot_curve *c = &page->curves[i];
        for (size_t k = 0; k < c->n_points; k++)
            c->points[k].time_ns += begins_ns[i];
        c->end_ns += begins_ns[i];
    }
    for (size_t i = 0; i < page->n_marks; i++)
        page->marks[i].time_ns += begins_ns[page->marks[i].curve];
    for (size_t i = 0; i < page->n_events; i++)
        page->events[i].time_ns += begins_ns[page->events[i].curve];
    return ML_OK;
}
