#include "report/mpi.h"

#include "base/units.h"
#include "report/grid.h"

#include <stdio.h>

#define SHOWN 6 /* functions, unless all are */

static const struct ml_grid_column call_columns[] = {
    {"MPI call", false, 0}, {"calls", true, 1},    {"time", true, 0}, {"share", true, 0},
    {"longest", true, 3},   {"messages", true, 4}, {"sent", true, 2}, {"grew", true, 5},
};

static const struct ml_grid_column phase_columns[] = {
    {"phase", false, 0}, {"MPI calls", true, 1}, {"time in them", true, 0}, {"messages", true, 3},
    {"sent", true, 2},   {"grew", true, 0},      {"in MPI", true, 0},
};

#define COLUMNS(c) (c), sizeof(c) / sizeof *(c)

static void add_number(struct ml_grid *grid, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    ml_grid_add(grid, text);
}

static void add_seconds(struct ml_grid *grid, double s)
{
    char text[32];
    ml_grid_add(grid, ml_seconds_format(text, sizeof text, s));
}

/* Bytes that may be fewer than before; nothing is a blank. */
static void add_bytes(struct ml_grid *grid, int64_t bytes)
{
    char text[24] = "-";
    if (bytes < 0)
        ml_size_format(text + 1, sizeof text - 1, bytes == INT64_MIN ? INT64_MAX : -bytes);
    else
        ml_size_format(text, sizeof text, bytes);
    ml_grid_add(grid, bytes ? text : "");
}

static void add_share(struct ml_grid *grid, double part, double whole)
{
    char text[16] = "-";
    if (whole > 0)
        snprintf(text, sizeof text, "%.1f%%", 100 * part / whole);
    ml_grid_add(grid, text);
}

static void report_calls(const struct ml_mpi_sums *sums, bool all, const struct ml_style *style,
                         struct ml_buffer *out)
{
    struct ml_grid *grid = ml_grid_new(COLUMNS(call_columns));
    ml_grid_keep_first(grid);
    for (size_t i = 0; i < sums->n_calls && (all || i < SHOWN); i++) {
        const struct ml_mpi_sum *c = &sums->calls[i];
        ml_grid_add(grid, c->name);
        add_number(grid, c->calls);
        add_seconds(grid, c->time_s);
        add_share(grid, c->time_s, sums->rank_s);
        add_seconds(grid, c->longest_s);
        add_number(grid, c->messages);
        add_bytes(grid, c->sent_B);
        add_bytes(grid, c->inside_B);
    }
    if (!all && sums->n_calls > SHOWN)
        ml_grid_note(grid, "(those with the most time; --mpi shows all, and phases)");
    ml_buffer_printf(out, "\n");
    ml_grid_print(grid, style, out);
    ml_grid_free(grid);
}

static void report_phases(const struct ml_mpi_sums *sums, const struct ml_style *style,
                          struct ml_buffer *out)
{
    struct ml_grid *grid = ml_grid_new(COLUMNS(phase_columns));
    ml_grid_keep_first(grid);
    for (size_t i = 0; i < sums->n_phases; i++) {
        const struct ml_mpi_sum *p = &sums->phases[i];
        ml_grid_add(grid, p->name);
        add_number(grid, p->calls);
        add_seconds(grid, p->time_s);
        add_number(grid, p->messages);
        add_bytes(grid, p->sent_B);
        add_bytes(grid, p->grown_B);
        add_bytes(grid, p->inside_B);
    }
    ml_buffer_printf(out, "\n");
    ml_grid_print(grid, style, out);
    ml_grid_free(grid);
}

void ml_report_mpi(const struct ml_mpi_sums *sums, bool all, const struct ml_style *style,
                   struct ml_buffer *out)
{
    if (sums->n_calls)
        report_calls(sums, all, style, out);
    if (sums->n_phases && (all || !sums->n_calls))
        report_phases(sums, style, out);
}

bool ml_report_no_mpi(const struct ml_mpi_sums *sums, struct ml_buffer *out)
{
    if (sums->n_phases)
        return false;
    ml_buffer_printf(out, "\nNo MPI calls were recorded: the program made none, memlog-mpi had "
                          "--no-hooks, or\nits hooks could not be loaded.\n");
    return true;
}
