#include "report/grid.h"

#include "base/memory.h"
#include "report/text.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2
#define MAX_TEXT 40 /* columns of a text; a longer one is cut */
#define MIN_TEXT 12 /* columns that a text keeps */

struct ml_grid {
    const struct ml_grid_column *columns;
    size_t n_columns;
    char **cells; /* row by row, the titles first; a note is a row whose first cell begins with 1 */
    size_t n, capacity;
    bool keeps_first;
};

#define NOTE '\1'

struct ml_grid *ml_grid_new(const struct ml_grid_column *columns, size_t n_columns)
{
    struct ml_grid *grid = ml_alloc(sizeof *grid);
    grid->columns = columns;
    grid->n_columns = n_columns;
    for (size_t i = 0; i < n_columns; i++)
        ml_grid_add(grid, columns[i].title);
    return grid;
}

static void push(struct ml_grid *grid, char *text)
{
    ML_GROW(grid->cells, grid->n, grid->capacity);
    grid->cells[grid->n++] = text;
}

void ml_grid_keep_first(struct ml_grid *grid)
{
    grid->keeps_first = true;
}

void ml_grid_add(struct ml_grid *grid, const char *text)
{
    struct ml_buffer shown = {0};
    ml_text_append(&shown, text, MAX_TEXT, true);
    push(grid, ml_format("%.*s", (int)shown.length, shown.length ? shown.data : ""));
    ml_buffer_free(&shown);
}

void ml_grid_note(struct ml_grid *grid, const char *text)
{
    push(grid, ml_format("%c%s", NOTE, text));
    for (size_t i = 1; i < grid->n_columns; i++)
        push(grid, ml_strdup(""));
}

static int width_of(const char *cell, bool utf8)
{
    struct ml_buffer scratch = {0};
    int width = ml_text_append(&scratch, cell, MAX_TEXT, utf8);
    ml_buffer_free(&scratch);
    return width;
}

static void measure(const struct ml_grid *grid, bool utf8, int *out_widths)
{
    for (size_t column = 0; column < grid->n_columns; column++) {
        out_widths[column] = 0;
        for (size_t i = column + grid->n_columns; i < grid->n; i += grid->n_columns) {
            int width = grid->cells[i][0] == NOTE ? 0 : width_of(grid->cells[i], utf8);
            if (width > out_widths[column])
                out_widths[column] = width;
        }
        int title = width_of(grid->cells[column], utf8);
        if (out_widths[column] > 0 && title > out_widths[column])
            out_widths[column] = title;
    }
}

static int sum(const struct ml_grid *grid, const int *widths)
{
    int total = 0;
    for (size_t i = 0; i < grid->n_columns; i++)
        total += widths[i] ? widths[i] + GAP : 0;
    return total - GAP;
}

/* Cuts the widest texts, then leaves columns out, until WIDTH is enough. */
static void fit(const struct ml_grid *grid, int width, int *widths)
{
    for (;;) {
        int too_much = sum(grid, widths) - width;
        size_t widest = grid->n_columns, least = grid->n_columns;
        for (size_t i = 0; i < grid->n_columns; i++) {
            const struct ml_grid_column *c = &grid->columns[i];
            if (!c->right && widths[i] > MIN_TEXT &&
                (widest == grid->n_columns || widths[i] > widths[widest]))
                widest = i;
            if (widths[i] && c->priority &&
                (least == grid->n_columns || c->priority > grid->columns[least].priority))
                least = i;
        }
        if (too_much <= 0)
            return;
        if (widest == 0 && grid->keeps_first && least < grid->n_columns)
            widest = grid->n_columns;
        int spare = widest < grid->n_columns ? widths[widest] - MIN_TEXT : 0;
        if (spare > 0)
            widths[widest] -= too_much < spare ? too_much : spare;
        else if (least < grid->n_columns)
            widths[least] = 0;
        else
            return;
    }
}

static void print_row(const struct ml_grid *grid, char **cells, const int *widths,
                      const struct ml_style *style, struct ml_buffer *out)
{
    int pending = 0; /* blanks, not written at the end of a line */
    for (size_t i = 0; i < grid->n_columns; i++) {
        if (!widths[i])
            continue;
        struct ml_buffer cell = {0};
        int used = ml_text_append(&cell, cells[i], widths[i], style->utf8);
        int room = widths[i] - used;
        ml_text_pad(out, pending + (grid->columns[i].right ? room : 0));
        ml_buffer_append(out, cell.data, cell.length);
        pending = GAP + (grid->columns[i].right ? 0 : room);
        ml_buffer_free(&cell);
    }
    ml_buffer_printf(out, "\n");
}

void ml_grid_print(const struct ml_grid *grid, const struct ml_style *style, struct ml_buffer *out)
{
    int *widths = ml_realloc_array(NULL, grid->n_columns, sizeof *widths);
    measure(grid, style->utf8, widths);
    fit(grid, style->width, widths);
    for (size_t i = 0; i + grid->n_columns <= grid->n; i += grid->n_columns) {
        if (grid->cells[i][0] == NOTE) {
            ml_text_append(out, grid->cells[i] + 1, style->width, style->utf8);
            ml_buffer_printf(out, "\n");
            continue;
        }
        if (i == 0 && style->colour)
            ml_buffer_printf(out, "\033[2m");
        print_row(grid, grid->cells + i, widths, style, out);
        if (i == 0 && style->colour)
            ml_buffer_printf(out, "\033[0m");
    }
    free(widths);
}

void ml_grid_free(struct ml_grid *grid)
{
    if (!grid)
        return;
    for (size_t i = 0; i < grid->n; i++)
        free(grid->cells[i]);
    free(grid->cells);
    free(grid);
}
