/* memlog plot: the memory of runs over time, as a picture. */
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "commands/command.h"
#include "commands/plot_flame.h"
#include "commands/plot_labels.h"
#include "commands/plot_run.h"
#include "commands/plot_wish.h"
#include "commands/source.h"
#include "plot/compose.h"
#include "plot/owner.h"
#include "plot/part.h"
#include "report/facts.h"

#include <stdio.h>
#include <string.h>

#define WIDTH_PX 1200
#define HEIGHT_PX 680

/* The runs that are drawn. */
struct opened {
    struct ml_run **runs;
    struct ml_plot_source *sources;
    char **labels;
    size_t n;
};

/* Run I of O, as far as it is to be drawn. */
static enum ml_status open_source(const struct ml_plot_request *r, struct opened *o, size_t i,
                                  struct ml_error *err)
{
    struct ml_ranges ranks;
    struct ml_stacks_choice choice;
    enum ml_status status =
        ml_command_choose(&r->given, ml_facts_origin_ns(o->runs[i]), &ranks, &choice, err);
    if (status)
        return status;
    struct ml_plot_part part = {choice.since_ns, choice.until_ns, choice.ranks, r->nodes};
    status = ml_plot_source_open(o->runs[i], r->paths[i], r->column, &part, &o->sources[i], err);
    ml_ranges_free(&ranks);
    if (!status && r->heap && r->wish.form != ML_PLOT_HEAP) {
        status = ml_plot_owner_take(&o->sources[i], r->owner, err);
        if (status)
            ml_plot_source_close(&o->sources[i]);
    }
    return status;
}

static enum ml_status open_all(const struct ml_plot_request *r, struct opened *o,
                               struct ml_error *err)
{
    enum ml_status status = ML_OK;
    o->runs = ml_alloc(r->n * sizeof *o->runs);
    o->sources = ml_alloc(r->n * sizeof *o->sources);
    o->labels = ml_plot_labels(r->paths, r->labels, r->n, r->n_labels);
    for (; !status && o->n < r->n; o->n++) {
        status = ml_command_open_run(r->paths[o->n], &o->runs[o->n], err);
        if (!status)
            status = open_source(r, o, o->n, err);
    }
    return status;
}

static void close_all(struct opened *o)
{
    for (size_t i = 0; i < o->n; i++) {
        ml_plot_source_close(&o->sources[i]);
        ml_run_close(o->runs[i]);
    }
    free(o->sources);
    free(o->runs);
    ml_plot_labels_free(o->labels);
}

/* Whose memory is added up, where it is not that of all ranks. */
static char *whose(const struct ml_plot_request *r)
{
    const char *rank = r->given.rank;
    ML_AUTO_FREE char *ranks = rank && strcmp(rank, "all") != 0
                                   ? ml_format("rank%s %.40s", strpbrk(rank, ",-") ? "s" : "", rank)
                                   : ml_strdup("all ranks");
    return r->nodes ? ml_format("%s of %.40s", ranks, r->nodes) : ml_strdup(ranks);
}

static enum ml_status compose(const struct ml_plot_request *r, const struct ml_plot_wish *wish,
                              struct ml_plot_page *page, struct ml_error *err)
{
    struct opened o = {0};
    if (wish->form == ML_PLOT_FLAME)
        return ml_plot_flame_compose(r, wish, page, err);
    struct ml_plot_wish on_axis = *wish;
    ML_AUTO_FREE char *axis = NULL;
    enum ml_status status = open_all(r, &o, err);
    if (!status && o.n > 1)
        status = ml_plot_align(o.sources, o.labels, o.n, &r->align, &axis, err);
    on_axis.axis = axis;
    if (!status)
        status = ml_plot_compose(o.sources, o.labels, o.n, &on_axis, page, err);
    close_all(&o);
    return status;
}

static int plot(const struct ml_plot_request *r)
{
    struct ml_error err;
    struct ml_plot_page page = {
        .time = r->time,
        .range = r->range,
        .log = r->log,
        .dark = r->dark,
        .palette = r->palette,
        .tex = r->outfile && strcmp(ml_plot_suffix(r->outfile), "tex") == 0,
        .legend = r->legend,
        .width = r->size.width > 0 ? r->size.width : WIDTH_PX,
        .height = r->size.height > 0 ? r->size.height : HEIGHT_PX,
        .zoom = r->size.zoom,
        .dots = r->size.dots,
        .font = r->font ? ml_strdup(r->font) : NULL,
        .rotate_deg = r->rotate_deg,
        .move_x = r->move_x,
        .move_y = r->move_y,
    };
    ML_AUTO_FREE char *of = whose(r);
    struct ml_plot_wish wish = r->wish;
    wish.whose = of;
    enum ml_status status = compose(r, &wish, &page, &err);
    if (!status)
        status = ml_plot_deliver(r, &page, &err);
    ml_plot_page_free(&page);
    if (status)
        ml_log(ML_LOG_ERROR, "%s", err.text);
    return status ? ML_EXIT_FAILURE : ML_EXIT_OK;
}

static int run_plot(const struct ml_command *command, int argc, char **argv)
{
    struct ml_plot_request r;
    int end = ml_plot_request_parse(command, argc, argv, &r);
    if (end != ML_OPTION_END)
        return end == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    return plot(&r);
}

const struct ml_command ml_command_plot = {
    "plot",
    "FILE...",
    "Draw the memory of runs over time",
    "Without -o it opens a window, or draws in the terminal if there is no display.\n"
    "\n"
    "  memlog plot --by node --pstack run.h5\n"
    "  memlog plot --heap run.h5 -o heap.png\n"
    "  memlog plot --heap --flame run.h5 -o owners.html\n",
    ml_plot_options,
    run_plot,
};
