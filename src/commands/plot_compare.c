#include "commands/plot_compare.h"

#include <string.h>

#define MOST_RUNS 6 /* with several curves each: as there are colours */

enum ml_status ml_plot_align_parse(const char *text, struct ml_plot_alignment *out_alignment,
                                   struct ml_error *err)
{
    static const char *const words[] = {[ML_PLOT_ALIGN_TIME] = "time",
                                        [ML_PLOT_ALIGN_PHASE] = "phase",
                                        [ML_PLOT_ALIGN_LINE] = "line"};
    const char *value = strchr(text, '=');
    size_t n = value ? (size_t)(value - text) : strlen(text);
    for (int i = value ? 1 : 0; i <= ML_PLOT_ALIGN_LINE; i++) {
        if (strlen(words[i]) != n || strncmp(words[i], text, n) != 0 || (value && !value[1]))
            continue;
        const char *any = i == ML_PLOT_ALIGN_LINE ? "" : NULL;
        *out_alignment =
            (struct ml_plot_alignment){(enum ml_plot_align_by)i, value ? value + 1 : any};
        return ML_OK;
    }
    return ml_fail(err, ML_RUN_LOST,
                   "--align %.60s: time, phase, phase=NAME, line and line=TEXT go", text);
}

static const char *difference_conflict(const struct ml_plot_request *r)
{
    const struct ml_plot_wish *w = &r->wish;
    if (r->n != 2)
        return "--diff takes two files: the old one, then the new one";
    if (w->chain)
        return "--diff compares runs, --chain joins them: one at a time";
    if (w->rate)
        return "--diff draws values, --rate their growth: one at a time";
    if (r->log)
        return "--log has no place for differences below 0: leave out --diff";
    if (w->stacks || w->output)
        return "--diff has no run's own line for --pstack and --stdout to mark";
    return NULL;
}

static bool is_total(const struct ml_plot_request *r)
{
    return r->wish.form == ML_PLOT_LINES && r->wish.by == ML_PLOT_BY_TOTAL;
}

const char *ml_plot_compare_conflict(const struct ml_plot_request *r)
{
    const struct ml_plot_wish *w = &r->wish;
    bool aligned = r->align.by != ML_PLOT_ALIGN_TIME;
    const char *conflict = w->diff ? difference_conflict(r) : NULL;
    if (conflict)
        return conflict;
    if (w->chain && r->n < 2)
        return "--chain: name the runs that followed each other, two or more";
    if (w->chain && (r->given.since || r->given.until))
        return "--chain draws whole runs: leave out --since and --until";
    if (w->chain && (aligned || !is_total(r)))
        return "--chain draws totals by the clock: leave out --by, --align and other forms";
    if (aligned && r->n < 2)
        return "--align: name the runs that are to be aligned, two or more";
    if (aligned && (r->given.since || r->given.until))
        return "--align moves whole runs: leave out --since and --until";
    if (r->n < 2)
        return NULL;
    if (w->form == ML_PLOT_STACKED || w->form == ML_PLOT_HEAP)
        return "layers of several files would hide one another: draw one file, or use --by node or "
               "--band";
    if (w->by == ML_PLOT_BY_PROCESS)
        return "--by process draws one file; several go by total, node or rank";
    if (r->n > MOST_RUNS && !is_total(r))
        return "more than 6 files are told apart by total only";
    return NULL;
}
