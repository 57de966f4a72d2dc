#include "report/diff_text.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "report/diff_words.h"
#include "report/grid.h"
#include "report/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 12 /* rows of a table, unless all are */
#define RUNS 8   /* of a side, that are named */

#define NOISE "within the noise"

static const char *const quantities[ML_DIFF_QUANTITIES] = {
    [ML_DIFF_PEAK] = "peak",     [ML_DIFF_RANK] = "largest rank", [ML_DIFF_MEAN] = "mean of ranks",
    [ML_DIFF_GROWTH] = "growth", [ML_DIFF_LIMIT] = "least left",  [ML_DIFF_TIME] = "run time",
    [ML_DIFF_GPU] = "GPU peak",
};

static const struct ml_grid_column job_columns[] = {
    {"job", false, 0},  {"old", true, 2},        {"new", true, 0},        {"change", true, 0},
    {"share", true, 1}, {"old spread", true, 4}, {"new spread", true, 3},
};

/* The first title is that of the table. */
static const struct ml_grid_column byte_columns[] = {
    {NULL, false, 0},    {"at", false, 0},   {"old", true, 2},        {"new", true, 0},
    {"change", true, 0}, {"share", true, 1}, {"old spread", true, 5}, {"new spread", true, 4},
};

static const struct ml_grid_column mpi_columns[] = {
    {NULL, false, 0},        {"grew, old", true, 4},  {"grew, new", true, 0}, {"change", true, 0},
    {"time, old", true, 5},  {"time, new", true, 2},  {"change", true, 1},    {"share", true, 3},
    {"calls, old", true, 7}, {"calls, new", true, 7}, {"change", true, 6},
};

struct drawing {
    bool all;
    bool noise; /* a change was marked so */
    bool line;  /* a line in place of a table is the last thing that was said */
    const struct ml_style *style;
    struct ml_buffer *out;
};

#define COLUMNS(c) (sizeof(c) / sizeof *(c))

/* ---- cells ---- */

static void add_value(struct ml_grid *grid, enum ml_diff_unit unit, double value)
{
    char text[ML_DIFF_TEXT];
    ml_grid_add(grid, ml_diff_value_format(text, unit, value));
}

/* Within the noise: with a sign that is explained below. */
static void add_change(struct ml_grid *grid, enum ml_diff_unit unit,
                       const struct ml_diff_change *change, bool *noise)
{
    char text[ML_DIFF_TEXT + 1] = "~";
    bool mark = change->noise;
    ml_diff_change_format(text + mark, unit, change->change);
    ml_grid_add(grid, text);
    if (mark)
        *noise = true;
}

static void add_share(struct ml_grid *grid, const struct ml_diff_change *change)
{
    char text[ML_DIFF_TEXT];
    ml_grid_add(grid, ml_diff_share_format(text, change->share));
}

/* Nothing where all runs have the same. */
static void add_spread(struct ml_grid *grid, enum ml_diff_unit unit,
                       const struct ml_diff_side *side)
{
    char low[ML_DIFF_TEXT], high[ML_DIFF_TEXT], text[2 * ML_DIFF_TEXT + 4] = "";
    if (side->high > side->low) {
        ml_diff_value_format(low, unit, side->low);
        ml_diff_value_format(high, unit, side->high);
        snprintf(text, sizeof text, "%s - %s", low, high);
    }
    ml_grid_add(grid, text);
}

/* ---- the job ---- */

static void add_run(const struct ml_diff_run *run, const char *side, const struct ml_style *style,
                    struct ml_buffer *out)
{
    char ranks[40] = "", length[24];
    if (run->ranks)
        snprintf(ranks, sizeof ranks, ", %d rank%s", run->ranks, run->ranks == 1 ? "" : "s");
    ml_elapsed_format(length, sizeof length, run->length_ns);
    ML_AUTO_FREE char *text = ml_format("%s: %zu node%s%s, ran %s%s%s", run->name, run->n_nodes,
                                        run->n_nodes == 1 ? "" : "s", ranks, length,
                                        run->ended ? ", " : "", run->ended ? run->ended : "");
    ml_buffer_printf(out, "%s%-5s%s", style->colour ? "\033[2m" : "", side,
                     style->colour ? "\033[0m" : "");
    ml_text_wrap(out, text, 5, style->width - 5, 4, style->utf8);
    ml_buffer_printf(out, "\n");
}

static void add_runs(const struct ml_diff_run *runs, size_t n, const char *side,
                     const struct ml_style *style, struct ml_buffer *out)
{
    size_t shown = n > RUNS ? RUNS - 1 : n;
    for (size_t i = 0; i < shown; i++)
        add_run(&runs[i], i ? "" : side, style, out);
    if (shown < n)
        ml_buffer_printf(out, "%5s%zu more\n", "", n - shown);
}

static void add_job(struct drawing *drawing, const struct ml_diff *d)
{
    struct ml_grid *grid = ml_grid_new(job_columns, COLUMNS(job_columns));
    ml_grid_keep_first(grid);
    for (size_t q = 0; q < ML_DIFF_QUANTITIES; q++) {
        const struct ml_diff_change *c = &d->job[q];
        enum ml_diff_unit unit = ml_diff_unit_of(q);
        if (!c->old.n && !c->new.n)
            continue;
        ml_grid_add(grid, quantities[q]);
        add_value(grid, unit, c->old.median);
        add_value(grid, unit, c->new.median);
        add_change(grid, unit, c, &drawing->noise);
        add_share(grid, c);
        add_spread(grid, unit, &c->old);
        add_spread(grid, unit, &c->new);
    }
    ml_buffer_printf(drawing->out, "\n");
    ml_grid_print(grid, drawing->style, drawing->out);
    ml_grid_free(grid);
}

/* ---- what is larger, and where ---- */

/* "; most in rank 3 (+40.0 MiB)": the row that changed most, if it changed as the job did. */
static void add_where(const struct ml_diff_table *t, double change, size_t *n,
                      struct ml_buffer *out)
{
    char by[ML_DIFF_TEXT];
    const struct ml_diff_row *row = t->rows;
    if (t->n_rows == t->n_small || row->by[ML_DIFF_BYTES].noise ||
        !(row->by[ML_DIFF_BYTES].change * change > 0))
        return;
    ml_diff_change_format(by, ML_DIFF_B, row->by[ML_DIFF_BYTES].change);
    ml_buffer_printf(out, "%s%s (%s)", (*n)++ ? ", " : "; most in ", row->name, by);
}

static void add_places(const struct ml_diff *d, double change, struct ml_buffer *out)
{
    const struct ml_diff_table *const tables[] = {ml_diff_nodes(d), &d->ranks, &d->phases,
                                                  &d->owners};
    size_t n = 0;
    for (size_t i = 0; i < COLUMNS(tables); i++)
        add_where(tables[i], change, &n, out);
}

/* In a sentence. */
static void add_answer(const struct ml_diff *d, const struct ml_style *style, struct ml_buffer *out)
{
    char by[ML_DIFF_TEXT], share[ML_DIFF_TEXT];
    struct ml_buffer text = {0};
    const struct ml_diff_change *peak = &d->job[ML_DIFF_PEAK];
    ml_diff_value_format(by, ML_DIFF_B, fabs(peak->change));
    ml_diff_share_format(share, peak->share);
    if (isnan(peak->change)) {
        ml_buffer_printf(&text, "peaks cannot be compared: none is known of the %s runs",
                         peak->old.n ? "new" : "old");
    } else if (!(fabs(peak->change) > 0)) {
        ml_buffer_printf(&text, "the peak is the same");
    } else {
        ml_buffer_printf(&text, "the new peak is %s by %s%s%s%s%s",
                         peak->change > 0 ? "larger" : "smaller", by, *share ? " (" : "", share,
                         *share ? ")" : "", peak->noise ? ", " NOISE : "");
        if (!peak->noise)
            add_places(d, peak->change, &text);
    }
    ml_buffer_append(&text, "", 1);
    ml_buffer_printf(out, "\n");
    ml_text_wrap(out, text.data, 0, style->width, 6, style->utf8);
    ml_buffer_printf(out, "\n");
    ml_buffer_free(&text);
}

/* ---- tables ---- */

/* What a name may take of the width. */
#define OF_OWNER 4
#define OF_OTHERS 3

static void add_name(struct drawing *drawing, struct ml_grid *grid, const char *name, int part)
{
    struct ml_buffer text = {0};
    ml_text_append(&text, name, drawing->style->width / part, drawing->style->utf8);
    ml_buffer_append(&text, "", 1);
    ml_grid_add(grid, text.data);
    ml_buffer_free(&text);
}

/* "solve at core.c:12" in two cells. */
static void add_owner_name(struct drawing *drawing, struct ml_grid *grid, const char *name)
{
    const char *place = NULL;
    for (const char *at = name; (at = strstr(at, " at ")); at++)
        place = at;
    ML_AUTO_FREE char *function =
        ml_format("%.*s", place ? (int)(place - name) : (int)strlen(name), name);
    add_name(drawing, grid, function, OF_OWNER);
    ml_grid_add(grid, place ? place + strlen(" at ") : "");
}

static void add_byte_row(struct drawing *drawing, struct ml_grid *grid,
                         const struct ml_diff_row *row)
{
    const struct ml_diff_change *c = &row->by[ML_DIFF_BYTES];
    add_value(grid, ML_DIFF_B, c->old.median);
    add_value(grid, ML_DIFF_B, c->new.median);
    add_change(grid, ML_DIFF_B, c, &drawing->noise);
    add_share(grid, c);
    add_spread(grid, ML_DIFF_B, &c->old);
    add_spread(grid, ML_DIFF_B, &c->new);
}

static void add_mpi_row(struct drawing *drawing, struct ml_grid *grid,
                        const struct ml_diff_row *row)
{
    static const enum ml_diff_unit units[ML_DIFF_MEASURES] = {ML_DIFF_B, ML_DIFF_S, ML_DIFF_TIMES};
    for (size_t m = 0; m < ML_DIFF_MEASURES; m++) {
        const struct ml_diff_change *c = &row->by[m];
        add_value(grid, units[m], c->old.median);
        add_value(grid, units[m], c->new.median);
        add_change(grid, units[m], c, &drawing->noise);
        if (m == ML_DIFF_SECONDS)
            add_share(grid, c);
    }
}

/* What changed and is not among the first rows; NULL: nothing. */
static char *words_of_rest(const struct ml_diff_table *t, size_t shown)
{
    char by[ML_DIFF_TEXT];
    size_t n = 0;
    double sum_B = 0;
    for (size_t i = shown; i < t->n_rows; i++) {
        const struct ml_diff_change *c = t->rows[i].by;
        n += fabs(c[ML_DIFF_BYTES].change) > 0 || fabs(c[ML_DIFF_SECONDS].change) > 0;
        sum_B += c[ML_DIFF_BYTES].change;
    }
    if (!n)
        return NULL;
    ml_diff_change_format(by, ML_DIFF_B, sum_B);
    return ml_format("%zu %s, %s together; --all shows %s", n,
                     shown ? "more changed" : "changed a little", by, n == 1 ? "it" : "them");
}

static char *words_of_others(const struct ml_diff_table *t)
{
    if (t->n_old_only && t->n_new_only)
        return ml_format("not compared: %zu of the old runs alone, %zu of the new ones alone",
                         t->n_old_only, t->n_new_only);
    if (t->n_old_only || t->n_new_only)
        return ml_format("not compared: %zu of the %s runs alone", t->n_old_only + t->n_new_only,
                         t->n_old_only ? "old" : "new");
    return NULL;
}

/* TEXT is freed; NULL: no line. */
static void add_note(struct ml_grid *grid, char *text)
{
    ML_AUTO_FREE char *note = ml_format("(%s)", text ? text : "");
    if (text)
        ml_grid_note(grid, note);
    free(text);
}

static void add_notes(struct drawing *drawing, const struct ml_diff_table *t, const char *title,
                      size_t shown, struct ml_grid *grid)
{
    ML_AUTO_FREE char *rest = words_of_rest(t, shown);
    if (shown) {
        add_note(grid, ML_TAKE_POINTER(rest));
        add_note(grid, words_of_others(t));
        ml_grid_print(grid, drawing->style, drawing->out);
        return;
    }
    ML_AUTO_FREE char *others = words_of_others(t);
    ML_AUTO_FREE char *text = ml_format("%s: %s%s%s", title, rest ? rest : "no change",
                                        others ? "; " : "", others ? others : "");
    ml_text_wrap(drawing->out, text, 2, drawing->style->width, 3, drawing->style->utf8);
    ml_buffer_printf(drawing->out, "\n");
    drawing->line = true;
}

enum form { BYTES_ROWS, OWNER_ROWS, MPI_ROWS };

static void add_row(struct drawing *drawing, struct ml_grid *grid, const struct ml_diff_row *row,
                    enum form form)
{
    if (form == OWNER_ROWS)
        add_owner_name(drawing, grid, row->name);
    else
        add_name(drawing, grid, row->name, OF_OTHERS);
    if (form == BYTES_ROWS)
        ml_grid_add(grid, "");
    if (form == MPI_ROWS)
        add_mpi_row(drawing, grid, row);
    else
        add_byte_row(drawing, grid, row);
}

static void add_table(struct drawing *drawing, const struct ml_diff_table *t, const char *title,
                      enum form form)
{
    struct ml_grid_column columns[COLUMNS(mpi_columns)];
    size_t n_columns = form == MPI_ROWS ? COLUMNS(mpi_columns) : COLUMNS(byte_columns);
    size_t shown = t->n_rows - t->n_small < SHOWN ? t->n_rows - t->n_small : SHOWN;
    if (!t->comparable)
        return;
    memcpy(columns, form == MPI_ROWS ? mpi_columns : byte_columns, n_columns * sizeof *columns);
    columns[0].title = title;
    struct ml_grid *grid = ml_grid_new(columns, n_columns);
    ml_grid_keep_first(grid);
    shown = drawing->all ? t->n_rows : shown;
    for (size_t i = 0; i < shown; i++)
        add_row(drawing, grid, &t->rows[i], form);
    if (shown || !drawing->line)
        ml_buffer_printf(drawing->out, "\n");
    drawing->line = false;
    add_notes(drawing, t, title, shown, grid);
    ml_grid_free(grid);
}

/* Owners are compared where both sides have a heap profile. */
static void add_owners(struct drawing *drawing, const struct ml_diff *d)
{
    const struct ml_diff_table *t = &d->owners;
    bool old = false, new = false;
    for (size_t i = 0; i < d->n_old + d->n_new; i++) {
        old |= i < d->n_old && t->recorded[i];
        new |= i >= d->n_old && t->recorded[i];
    }
    if (old != new)
        ml_buffer_printf(drawing->out, "\nowner: only the %s runs have a profile\n",
                         old ? "old" : "new");
    add_table(drawing, t, "owner", OWNER_ROWS);
}

void ml_diff_text(const struct ml_diff *diff, bool all, const struct ml_style *style,
                  struct ml_buffer *out)
{
    struct drawing drawing = {.all = all, .style = style, .out = out};
    add_runs(diff->runs, diff->n_old, "old", style, out);
    add_runs(diff->runs + diff->n_old, diff->n_new, "new", style, out);
    add_answer(diff, style, out);
    add_job(&drawing, diff);
    add_table(&drawing, ml_diff_nodes(diff), "node", BYTES_ROWS);
    add_table(&drawing, &diff->ranks, "rank", BYTES_ROWS);
    add_table(&drawing, &diff->phases, "phase", MPI_ROWS);
    add_table(&drawing, &diff->calls, "MPI call", MPI_ROWS);
    add_owners(&drawing, diff);
    if (drawing.noise)
        ml_buffer_printf(out, "\n~ " NOISE ": spreads meet\n");
}
