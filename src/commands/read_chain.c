/* memlog read --chain: runs that followed each other, as a restart does, as one. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "commands/read.h"
#include "commands/source.h"
#include "report/grid.h"
#include "report/report.h"
#include "report/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FINER 16 /* rows of a run for each that is shown of all */

struct link {
    const char *path;
    struct ml_run *run;
    struct ml_facts facts;
    int64_t begin_ns, end_ns; /* since the first one's start */
};

static int by_start(const void *a, const void *b)
{
    int64_t x = ((const struct link *)a)->facts.origin_wall_ns;
    int64_t y = ((const struct link *)b)->facts.origin_wall_ns;
    return x < y ? -1 : x > y;
}

static enum ml_status open_link(struct link *l, size_t rows, struct ml_error *err)
{
    struct ml_facts_range range = {INT64_MIN, INT64_MAX, rows * FINER, 0, false};
    enum ml_status status = ml_command_open_run(l->path, &l->run, err);
    if (status)
        return status;
    status = ml_facts_gather(l->run, &range, &l->facts, err);
    if (!status && l->facts.origin_wall_ns < 0) {
        status = ml_fail(err, ML_RUN_LOST,
                         "%.300s does not say when the run started: --chain goes "
                         "by that",
                         l->path);
        ml_facts_free(&l->facts);
    }
    if (status)
        ml_run_close(l->run);
    return status;
}

static void close_links(struct link *links, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ml_facts_free(&links[i].facts);
        ml_run_close(links[i].run);
    }
    free(links);
}

static enum ml_status place_links(struct link *links, size_t n, struct ml_error *err)
{
    qsort(links, n, sizeof *links, by_start);
    for (size_t i = 0; i < n; i++) {
        struct link *l = &links[i];
        l->begin_ns = l->facts.origin_wall_ns - links->facts.origin_wall_ns;
        l->end_ns = l->begin_ns + l->facts.length_ns;
        if (i && l->begin_ns < links[i - 1].end_ns)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s started while %.300s ran: --chain is for runs that follow each "
                           "other",
                           l->path, links[i - 1].path);
    }
    return ML_OK;
}

static const struct link *largest_of(const struct link *links, size_t n)
{
    const struct link *largest = links;
    for (size_t i = 1; i < n; i++) {
        if (links[i].facts.total.peak.bytes > largest->facts.total.peak.bytes)
            largest = &links[i];
    }
    return largest;
}

static void add_line(const char *name, char *text, const struct ml_style *style,
                     struct ml_buffer *out)
{
    ml_buffer_printf(out, "%-18s", name);
    ml_text_append(out, text, style->width - 18, style->utf8);
    ml_buffer_printf(out, "\n");
    free(text);
}

static void add_summary(const struct link *links, size_t n, const struct ml_style *style,
                        struct ml_buffer *out)
{
    char size[16], at[24], length[24];
    const struct link *l = largest_of(links, n);
    ml_elapsed_format(length, sizeof length, links[n - 1].end_ns);
    add_line("chain", ml_format("%zu runs, %s from the first's start to the last's end", n, length),
             style, out);
    if (l->facts.total.peak.bytes >= 0) {
        ml_size_format(size, sizeof size, l->facts.total.peak.bytes);
        ml_elapsed_format(at, sizeof at, l->begin_ns + l->facts.total.peak.time_ns);
        add_line("peak", ml_format("%s at %s, in %s", size, at, l->path), style, out);
    }
    for (size_t i = 1; i < n; i++) {
        ml_elapsed_format(length, sizeof length, links[i].begin_ns - links[i - 1].end_ns);
        add_line("gap", ml_format("%s between %s and %s", length, links[i - 1].path, links[i].path),
                 style, out);
    }
}

static void add_run(struct ml_grid *grid, const struct link *l)
{
    char started[32] = "?", text[24];
    struct tm local;
    time_t seconds = (time_t)(l->facts.origin_wall_ns / ML_NS_PER_S);
    if (localtime_r(&seconds, &local))
        strftime(started, sizeof started, "%Y-%m-%d %H:%M:%S", &local);
    const struct ml_history_row *peak = &l->facts.total.peak;
    const char *verdict = ml_facts_attribute(&l->facts, "verdict");
    ml_grid_add(grid, l->path);
    ml_grid_add(grid, started);
    ml_grid_add(grid, ml_elapsed_format(text, sizeof text, l->facts.length_ns));
    ml_grid_add(grid, peak->bytes < 0 ? "" : ml_size_format(text, sizeof text, peak->bytes));
    ml_grid_add(grid, peak->bytes < 0 ? "" : ml_elapsed_format(text, sizeof text, peak->time_ns));
    ml_grid_add(grid, verdict ? verdict : "");
}

static void add_runs(const struct link *links, size_t n, const struct ml_style *style,
                     struct ml_buffer *out)
{
    static const struct ml_grid_column columns[] = {{"run", false, 0}, {"started", false, 3},
                                                    {"ran", true, 1},  {"peak", true, 0},
                                                    {"at", true, 4},   {"ended", false, 2}};
    struct ml_grid *grid = ml_grid_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < n; i++)
        add_run(grid, &links[i]);
    ml_buffer_printf(out, "\n");
    ml_grid_print(grid, style, out);
    ml_grid_free(grid);
}

/* One curve; between two runs there is none of the job's memory. */
static void add_curve(const struct link *links, size_t n, const struct ml_read_request *r,
                      const struct ml_style *style, struct ml_buffer *out)
{
    struct ml_history all;
    ml_history_init(&all, 0, links[n - 1].end_ns, r->rows);
    for (size_t i = 0; i < n; i++) {
        const struct ml_history *h = &links[i].facts.total;
        int64_t last_ns = links[i].end_ns;
        for (size_t k = 0; k < h->n_rows; k++) {
            int64_t time_ns = links[i].begin_ns + h->rows[k].time_ns;
            ml_history_add(&all, time_ns, h->rows[k].bytes);
            last_ns = time_ns > last_ns ? time_ns : last_ns;
        }
        if (i + 1 < n)
            ml_history_add(&all, last_ns, 0);
    }
    ml_history_finish(&all);
    ml_report_history(&links->facts, "memory of all processes, run after run; 0 B between runs",
                      &all, style, out);
    ml_history_free(&all);
}

enum ml_status ml_read_chain(char *const *paths, size_t n, const struct ml_read_request *r,
                             const struct ml_style *style, struct ml_buffer *out,
                             struct ml_error *err)
{
    struct link *links = ml_alloc(n * sizeof *links);
    size_t n_open = 0;
    enum ml_status status = ML_OK;
    while (!status && n_open < n) {
        links[n_open].path = paths[n_open];
        status = open_link(&links[n_open], r->rows, err);
        n_open += !status;
    }
    if (!status)
        status = place_links(links, n, err);
    if (!status) {
        add_summary(links, n, style, out);
        add_runs(links, n, style, out);
        add_curve(links, n, r, style, out);
    }
    close_links(links, n_open);
    return status;
}
