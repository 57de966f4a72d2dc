#include "commands/plot_flame.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "commands/source.h"
#include "plot/form_flame.h"
#include "plot/trim.h"
#include "report/facts.h"
#include "report/heap.h"
#include "report/stacks.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COMMAND_SHOWN 60 /* characters */
#define ROW_PX 19        /* where the rows make the height */
#define OTHER_PX 150
#define LEAST_PX 300
#define MOST_PX 4000
#define WINDOW_PX 900 /* at most, of a window */

/* What is drawn, and of what. */
struct drawing {
    const struct ml_plot_request *request;
    const char *whose;
    struct ml_run *run;
    const struct ml_facts *facts;
    struct ml_stacks_choice choice;
    struct ml_plot_page *page;
};

/* "./solver -i core.i   |   2 nodes, 8 ranks   |   WHAT" */
static char *subtitle_of(const struct drawing *d, const char *what)
{
    const struct ml_facts *f = d->facts;
    const char *given = ml_facts_attribute(f, "command");
    ML_AUTO_FREE char *command = given ? ml_plot_trim(given, COMMAND_SHOWN) : NULL;
    return ml_format("%s%s%zu node%s, %d rank%s   |   %s", command ? command : "",
                     command ? "   |   " : "", f->n_nodes, f->n_nodes == 1 ? "" : "s", f->ranks,
                     f->ranks == 1 ? "" : "s", what);
}

static void set_texts(const struct drawing *d, const char *title, const char *what)
{
    const char *own = d->request->wish.title;
    d->page->title = ml_strdup(own ? own : title);
    d->page->title[0] = own ? own[0] : (char)toupper((unsigned char)title[0]);
    d->page->subtitle = subtitle_of(d, what);
}

static enum ml_status draw_heap(const struct drawing *d, struct ml_error *err)
{
    struct ml_heap_choice choice = {.ranks = d->choice.ranks, .churn = d->request->churn};
    struct ml_heap_profile profile;
    int64_t peak_ns = d->facts->total.peak.time_ns;
    const char *at = !d->request->at && choice.churn ? "end" : d->request->at;
    char bytes[24], error[24];
    enum ml_status status =
        ml_command_moment(at, d->facts->origin_wall_ns, peak_ns, &choice.at_ns, err);
    if (!status)
        status = ml_heap_load(d->run, d->facts->processes, d->facts->n_processes, &choice, &profile,
                              err);
    if (status)
        return status;
    const struct ml_heap_sum *sum = ml_heap_weight(&profile, &profile.total);
    d->page->flame = ml_plot_form_flame(&profile.stacks, &profile);
    if (!d->page->flame)
        status = ml_fail(err, ML_RUN_LOST, "%.300s: %s", d->request->paths[0],
                         ml_heap_why_nothing(&profile, &choice));
    ML_AUTO_FREE char *moment = ml_report_heap_moment(&choice, peak_ns);
    ML_AUTO_FREE char *title = ml_format("%s: %s", moment, d->whose);
    int64_t error_B = ml_heap_sum_error(sum);
    ML_AUTO_FREE char *what = ml_format(
        "%s, sampled, ± %s", ml_size_format(bytes, sizeof bytes, sum->bytes),
        ml_size_format(error, sizeof error, error_B < INT64_MAX / 2 ? 2 * error_B : INT64_MAX));
    set_texts(d, title, what);
    ml_heap_profile_free(&profile);
    return status;
}

static enum ml_status none_of_stacks(const struct drawing *d, const struct ml_stacks *stacks,
                                     struct ml_error *err)
{
    if (stacks->n_recorded)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: none of the %zu stacks that were recorded is of these ranks and "
                       "this time",
                       d->request->paths[0], stacks->n_recorded);
    ML_AUTO_FREE char *why = ml_report_why_no_stacks(d->facts);
    return ml_fail(err, ML_RUN_LOST, "%.300s: no stacks: %.300s", d->request->paths[0], why);
}

static enum ml_status draw_stacks(const struct drawing *d, struct ml_error *err)
{
    struct ml_stacks stacks;
    enum ml_status status = ml_stacks_load(d->run, d->facts->processes, d->facts->n_processes,
                                           &d->choice, &stacks, err);
    if (status)
        return status;
    d->page->flame = ml_plot_form_flame(&stacks, NULL);
    if (!d->page->flame)
        status = none_of_stacks(d, &stacks, err);
    ML_AUTO_FREE char *title = ml_format("Stacks of %s", d->whose);
    ML_AUTO_FREE char *what =
        ml_format("%zu sample%s of threads", stacks.n_samples, stacks.n_samples == 1 ? "" : "s");
    set_texts(d, title, what);
    ml_stacks_free(&stacks);
    return status;
}

/* Whether there is a heap profile, and no stack. */
static enum ml_status has_heap_alone(const struct drawing *d, bool *out, struct ml_error *err)
{
    size_t stacks = 0, sites = 0;
    enum ml_status status = ML_OK;
    if (ml_run_has(d->run, ml_table_stack_samples.name, "stack"))
        status = ml_run_count(d->run, &ml_table_stack_samples, &stacks, err);
    if (!status && ml_run_has(d->run, ml_table_heap.name, "site"))
        status = ml_run_count(d->run, &ml_table_heap, &sites, err);
    *out = stacks == 0 && sites > 0;
    return status;
}

static int rows_of(const struct ml_flame *flame)
{
    int rows = 0;
    for (size_t i = 0; i < flame->n; i++)
        rows = flame->frames[i].depth >= rows ? flame->frames[i].depth + 1 : rows;
    return rows;
}

static void set_height(const struct drawing *d)
{
    double high = ROW_PX * (double)rows_of(d->page->flame) + OTHER_PX;
    double most = d->request->outfile ? MOST_PX : WINDOW_PX;
    if (d->request->size.height <= 0)
        d->page->height = high < LEAST_PX ? LEAST_PX : high > most ? most : high;
}

static enum ml_status draw(const struct drawing *d, struct ml_error *err)
{
    bool heap = d->request->heap;
    enum ml_status status = ML_OK;
    if (!heap && !d->request->wish.stacks)
        status = has_heap_alone(d, &heap, err);
    if (!status)
        status = heap ? draw_heap(d, err) : draw_stacks(d, err);
    if (status)
        return status;
    d->page->form = ML_PLOT_FLAME;
    d->page->flame->icicle = d->request->icicle;
    set_height(d);
    return ML_OK;
}

enum ml_status ml_plot_flame_compose(const struct ml_plot_request *r,
                                     const struct ml_plot_wish *wish, struct ml_plot_page *page,
                                     struct ml_error *err)
{
    struct ml_facts facts;
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, 1, 0, false};
    struct ml_ranges ranks;
    struct drawing d = {.request = r, .whose = wish->whose, .facts = &facts, .page = page};
    enum ml_status status = ml_command_open_run(r->paths[0], &d.run, err);
    if (status)
        return status;
    status = ml_facts_gather(d.run, &range, &facts, err);
    if (!status) {
        status = ml_command_choose(&r->given, facts.origin_wall_ns, &ranks, &d.choice, err);
        if (!status) {
            status = draw(&d, err);
            ml_ranges_free(&ranks);
        }
        ml_facts_free(&facts);
    }
    ml_run_close(d.run);
    return status;
}
