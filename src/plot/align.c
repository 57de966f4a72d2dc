#include "plot/align.h"

#include "base/memory.h"
#include "base/own.h"
#include "plot/align_phases.h"
#include "plot/clock.h"
#include "read/phases.h"

#include <stdio.h>
#include <string.h>

#define MOST_NAMED 160 /* characters of the phases in a message */

static void name_phases(const struct ml_run_phases *phases, char *out, size_t size)
{
    out[0] = 0;
    for (size_t i = 0; i < phases->n && strlen(out) < size / 2; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++)
            told = strcmp(phases->list[k].name, phases->list[i].name) == 0;
        if (!told)
            snprintf(out + strlen(out), size - strlen(out), "%s%.40s", *out ? ", " : "; it has ",
                     phases->list[i].name);
    }
}

static enum ml_status find_phase(const struct ml_plot_source *s, const char *name, int64_t *out_ns,
                                 struct ml_error *err)
{
    struct ml_run_phases phases = {0};
    char known[MOST_NAMED];
    enum ml_status status =
        ml_run_phases_read(s->run, s->ranks, s->n_processes, s->lives.end_ns, &phases, err);
    size_t i = 0;
    while (!status && i < phases.n && strcmp(phases.list[i].name, name) != 0)
        i++;
    if (!status && i < phases.n) {
        *out_ns = phases.list[i].begin_ns;
    } else if (!status) {
        name_phases(&phases, known, sizeof known);
        status = ml_fail(err, ML_RUN_LOST, "%.300s: --align phase=%.80s: it has no such phase%s",
                         s->path, name, phases.n ? known : ", nor any other");
    }
    ml_run_phases_free(&phases);
    return status;
}

struct seeking {
    const char *text;
    int64_t first_ns; /* -1: nowhere yet */
    size_t lines;
};

static void read_line(void *context, const void *row)
{
    struct seeking *s = context;
    const struct ml_output_row *r = row;
    s->lines++;
    if (r->time_ns >= 0 && (s->first_ns < 0 || r->time_ns < s->first_ns) &&
        strstr(r->text, s->text))
        s->first_ns = r->time_ns;
}

static enum ml_status find_line(const struct ml_plot_source *s, const char *text, int64_t *out_ns,
                                struct ml_error *err)
{
    struct seeking seeking = {text, -1, 0};
    enum ml_status status = ml_slice_each(s->run, &ml_table_output, read_line, &seeking, err);
    if (!status && seeking.first_ns < 0)
        return ml_fail(err, ML_RUN_LOST, "%.300s: --align line=%.80s: %s", s->path, text,
                       seeking.lines ? "no line of its output has that"
                                     : "no output of it was recorded");
    *out_ns = seeking.first_ns;
    return status;
}

/* What is at FOUND_NS of each run comes together where it is in the run that comes there last. */
static char *move(struct ml_plot_source *sources, char *const *labels, size_t n,
                  const int64_t *found_ns, const struct ml_plot_alignment *how)
{
    size_t last = 0;
    for (size_t i = 1; i < n; i++) {
        if (found_ns[i] > found_ns[last])
            last = i;
    }
    for (size_t i = 0; i < n; i++) {
        struct ml_plot_clock *clock = sources[i].clock;
        clock->anchors = ml_alloc(sizeof *clock->anchors);
        clock->anchors[0] = (struct ml_plot_anchor){found_ns[i], found_ns[last]};
        clock->n = 1;
    }
    const char *what = how->by == ML_PLOT_ALIGN_PHASE ? "the begin of"
                       : *how->text                   ? "the output"
                                                      : "the first output";
    return ml_format("aligned at %s%s%.40s, elapsed in %.40s", what, *how->text ? " " : "",
                     how->text, labels[last]);
}

static enum ml_status move_all(struct ml_plot_source *sources, char *const *labels, size_t n,
                               const struct ml_plot_alignment *how, char **out_axis,
                               struct ml_error *err)
{
    ML_AUTO_FREE int64_t *found_ns = ml_alloc(n * sizeof *found_ns);
    enum ml_status status = ML_OK;
    for (size_t i = 0; !status && i < n; i++)
        status = how->by == ML_PLOT_ALIGN_PHASE
                     ? find_phase(&sources[i], how->text, &found_ns[i], err)
                     : find_line(&sources[i], how->text, &found_ns[i], err);
    if (!status)
        *out_axis = move(sources, labels, n, found_ns, how);
    return status;
}

/* The axis has room for all runs. */
static void set_span(struct ml_plot_source *sources, size_t n)
{
    int64_t begin_ns = INT64_MAX, end_ns = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        int64_t from_ns = ml_plot_clock_at(sources[i].clock, sources[i].begin_ns);
        int64_t to_ns = ml_plot_clock_at(sources[i].clock, sources[i].end_ns);
        begin_ns = from_ns < begin_ns ? from_ns : begin_ns;
        end_ns = to_ns > end_ns ? to_ns : end_ns;
    }
    for (size_t i = 0; i < n; i++) {
        sources[i].clock->begin_ns = begin_ns;
        sources[i].clock->end_ns = end_ns;
    }
}

enum ml_status ml_plot_align(struct ml_plot_source *sources, char *const *labels, size_t n,
                             const struct ml_plot_alignment *how, char **out_axis,
                             struct ml_error *err)
{
    enum ml_status status = ML_OK;
    *out_axis = NULL;
    for (size_t i = 0; i < n; i++)
        sources[i].clock = ml_alloc(sizeof *sources[i].clock);
    if (how->by != ML_PLOT_ALIGN_TIME && how->text)
        status = move_all(sources, labels, n, how, out_axis, err);
    else if (how->by == ML_PLOT_ALIGN_PHASE)
        status = ml_plot_align_phases(sources, labels, n, out_axis, err);
    if (!status)
        set_span(sources, n);
    return status;
}
