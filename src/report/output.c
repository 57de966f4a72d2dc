#include "report/output.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "read/slice.h"
#include "report/stack_text.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOME 3 /* lines that a long one is broken into */
#define ELAPSED 9

struct gathering {
    struct ml_output *output;
    const struct ml_history *history;
    const struct ml_output_choice *choice;
    int32_t largest_rank;
};

static int by_time(const void *a, const void *b)
{
    const struct ml_output_line *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void sort(struct ml_output_lines *l)
{
    if (l->n)
        qsort(l->lines, l->n, sizeof *l->lines, by_time);
}

/* Lines come node by node, so the first ones of a row are known only at the end. */
static void cut(struct ml_output_lines *l, size_t most)
{
    sort(l);
    for (; most && l->n > most; l->n--, l->n_left_out++)
        free(l->lines[l->n - 1].text);
}

static size_t row_of(const struct ml_history *h, int64_t time_ns)
{
    size_t low = 0, high = h->n_rows;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (h->rows[middle].time_ns <= time_ns)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool is_chosen(const struct ml_output_choice *c, const struct ml_output_row *r)
{
    if (r->time_ns < c->since_ns || r->time_ns > c->until_ns)
        return false;
    if (c->ranks && (r->rank < 0 || !ml_ranges_contains(c->ranks, r->rank)))
        return false;
    return !c->most || r->text[strspn(r->text, " \t\r")];
}

static void visit(void *context, const void *row)
{
    struct gathering *g = context;
    const struct ml_output_row *r = row;
    size_t number = g->output->n_recorded++;
    if (!is_chosen(g->choice, r) || g->history->n_rows == 0)
        return;
    struct ml_output_lines *l = &g->output->rows[row_of(g->history, r->time_ns)];
    if (r->rank > g->largest_rank)
        g->largest_rank = r->rank;
    g->output->n_chosen++;
    ML_GROW(l->lines, l->n, l->capacity);
    l->lines[l->n++] = (struct ml_output_line){
        r->time_ns, number, ml_strdup(r->text), r->rank, r->stream, r->continued,
    };
    if (g->choice->most && l->n >= 4 * g->choice->most)
        cut(l, g->choice->most);
}

enum ml_status ml_output_gather(struct ml_run *run, const struct ml_history *history,
                                const struct ml_output_choice *choice, struct ml_output *out_output,
                                struct ml_error *err)
{
    struct ml_output output = {.n_rows = history->n_rows};
    struct gathering g = {&output, history, choice, 0};
    output.rows = ml_alloc((output.n_rows + 1) * sizeof *output.rows);
    enum ml_status status = ml_slice_each(run, &ml_table_output, visit, &g, err);
    if (status) {
        ml_output_free(&output);
        return status;
    }
    for (size_t i = 0; i < output.n_rows; i++)
        cut(&output.rows[i], choice->most);
    output.rank_width = snprintf(NULL, 0, "%d", g.largest_rank);
    *out_output = output;
    return ML_OK;
}

/* "  stderr 12    0:01.5 | ", in as many columns for each line. */
static int add_prefix(const struct ml_output *o, const struct ml_output_line *l,
                      const struct ml_style *style, struct ml_buffer *out)
{
    char rank[16] = "", elapsed[24];
    if (l->rank >= 0)
        snprintf(rank, sizeof rank, "%d", l->rank);
    char *prefix =
        ml_format("  %s %*s %*s%s", ml_code_meaning(ml_stream_codes, l->stream), o->rank_width,
                  rank, style->width < 60 ? 0 : ELAPSED,
                  style->width < 60 ? "" : ml_elapsed_format(elapsed, sizeof elapsed, l->time_ns),
                  l->continued == 1 ? " + " : " | ");
    if (style->colour)
        ml_buffer_printf(out, "\033[2m");
    int used = ml_text_append(out, prefix, style->width, style->utf8);
    if (style->colour)
        ml_buffer_printf(out, "\033[0m");
    free(prefix);
    return used;
}

/* The line without what moves the cursor and means no harm: tabs become blanks. */
static void lay_out(const char *text, struct ml_buffer *out)
{
    int column = 0;
    ml_buffer_clear(out);
    for (; *text; text++) {
        int blanks = *text == '\t' ? 8 - column % 8 : 0;
        if (blanks)
            ml_buffer_printf(out, "%*s", blanks, "");
        else if (*text != '\r' || text[1])
            ml_buffer_append(out, text, 1);
        column += blanks ? blanks : ((unsigned char)*text & 0xc0) != 0x80;
    }
    ml_buffer_append(out, "", 1);
}

void ml_output_print(const struct ml_output *output, size_t row, bool whole,
                     const struct ml_style *style, struct ml_buffer *out)
{
    const struct ml_output_lines *l = &output->rows[row];
    struct ml_buffer text = {0};
    for (size_t i = 0; i < l->n; i++) {
        int used = add_prefix(output, &l->lines[i], style, out);
        int room = style->width - used;
        lay_out(l->lines[i].text, &text);
        ml_text_wrap(out, text.data, used, room < 12 ? 12 : room, whole ? 1 << 20 : SOME,
                     style->utf8);
        ml_buffer_printf(out, "\n");
    }
    ml_buffer_free(&text);
    if (l->n_left_out)
        ml_buffer_printf(out, "  %s %zu more line%s\n", style->utf8 ? "…" : "...", l->n_left_out,
                         l->n_left_out == 1 ? "" : "s");
}

bool ml_output_none(const struct ml_output *output, const struct ml_style *style,
                    struct ml_buffer *out)
{
    if (output->n_chosen)
        return false;
    ml_stack_text_note(output->n_recorded
                           ? "no output: none of what was recorded is of these ranks and this time"
                           : "no output: none was recorded; --no-stdout leaves it alone, and some "
                             "programs write nothing",
                       style, out);
    return true;
}

void ml_output_free(struct ml_output *output)
{
    for (size_t i = 0; output->rows && i < output->n_rows; i++) {
        for (size_t k = 0; k < output->rows[i].n; k++)
            free(output->rows[i].lines[k].text);
        free(output->rows[i].lines);
    }
    free(output->rows);
    *output = (struct ml_output){0};
}
