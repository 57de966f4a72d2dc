#include "plot/runs.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdlib.h>
#include <string.h>

#define BAND_CURVES 3
#define BAND_MEAN 2 /* of them */

void ml_plot_runs_name(struct ml_plot_page *page, char *const *labels, size_t n)
{
    page->run_names = ml_alloc(n * sizeof *page->run_names);
    for (; page->n_runs < n; page->n_runs++)
        page->run_names[page->n_runs] = ml_strdup(labels[page->n_runs]);
}

static void rename_curve(struct ml_plot_curve *c, char *label)
{
    free(c->label);
    c->label = label;
}

/* Curves that are told apart, from the full colour to a pale one; of many the last is the largest.
 */
static void shade(struct ml_plot_curve *curves, size_t n)
{
    size_t told = 0, next = 0;
    for (size_t i = 0; i < n; i++)
        told += !curves[i].quiet;
    for (size_t i = 0; i < n; i++) {
        if (curves[i].quiet || told < 2)
            continue;
        double share = (double)next++ / (double)(told - 1);
        curves[i].shade = told < n ? 1 - share : share;
    }
}

void ml_plot_runs_tell(struct ml_plot_page *page, size_t first, int run)
{
    const char *name = page->run_names[run];
    size_t n = page->n_curves - first;
    struct ml_plot_curve *curves = page->curves + first;
    for (size_t i = 0; i < n; i++) {
        struct ml_plot_curve *c = &curves[i];
        c->run = run;
        c->quiet |= page->form == ML_PLOT_BAND && i % BAND_CURVES == 0;
        const char *rank = strstr(c->label, "rank "); /* of a band, who is the largest */
        if (page->form == ML_PLOT_BAND && i % BAND_CURVES == BAND_MEAN)
            rename_curve(c, ml_strdup(name));
        else if (page->form == ML_PLOT_BAND && rank)
            rename_curve(c, ml_format("%.40s %s", name, rank));
        else if (page->form != ML_PLOT_MULTIPLES)
            rename_curve(c, ml_format("%.40s %s", name, c->label));
    }
    if (page->form == ML_PLOT_LINES && n)
        shade(curves, n);
}

void ml_plot_runs_tell_events(struct ml_plot_page *page, size_t first, int run, const char *label)
{
    for (size_t i = first; i < page->n_events; i++) {
        struct ml_plot_event *e = &page->events[i];
        char *text = ml_format("%.40s: %s", label, e->text);
        free(e->text);
        e->text = text;
        e->run = run;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct ml_plot_event *x = a, *y = b;
    return x->time_ns != y->time_ns ? (x->time_ns < y->time_ns ? -1 : 1) : x->run - y->run;
}

void ml_plot_runs_sort_events(struct ml_plot_page *page)
{
    if (page->n_events)
        qsort(page->events, page->n_events, sizeof *page->events, by_time);
}

/* Names of the panels, of which each is the first node's of that name. */
struct panels {
    const char **names;
    size_t n;
};

static int panel_of(struct panels *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->names[i], name) == 0)
            return (int)i;
    }
    p->names[p->n] = name;
    return (int)p->n++;
}

/* Whether a node of a later run is called as one of an earlier. */
static bool share_names(const struct ml_plot_source *sources, size_t n)
{
    for (size_t run = 1; run < n; run++) {
        for (size_t i = 0; i < sources[run].n_nodes; i++) {
            for (size_t k = 0; k < sources->n_nodes; k++) {
                if (strcmp(sources[run].nodes[i].name, sources->nodes[k].name) == 0)
                    return true;
            }
        }
    }
    return false;
}

static int by_panel(const void *a, const void *b)
{
    const struct ml_plot_curve *x = a, *y = b;
    return x->group != y->group ? (x->group < y->group ? -1 : 1) : x->run - y->run;
}

void ml_plot_runs_panels(const struct ml_plot_source *sources, size_t n, struct ml_plot_page *page)
{
    ML_AUTO_FREE const char **names = ml_alloc((page->n_curves + 1) * sizeof *names);
    struct panels panels = {names, 0};
    bool named = share_names(sources, n);
    for (size_t i = 0; named && i < page->n_curves; i++)
        page->curves[i].group = panel_of(&panels, page->curves[i].label);
    if (page->n_curves)
        qsort(page->curves, page->n_curves, sizeof *page->curves, by_panel);
}
