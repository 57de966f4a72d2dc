#include "report/heap_flat.h"

#include "base/intern.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/sum.h"
#include "base/units.h"
#include "report/stack_text.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES = 30 };                             /* unless all are shown */
enum { NARROW = 60, FIGURES = 20, BLOCKS = 12 }; /* columns */
#define LEAST 0.01

void ml_heap_add_sum(const struct ml_heap_sum *sum, int64_t whole_B, struct ml_buffer *out)
{
    char bytes[24], error[16];
    double share = whole_B > 0 ? (double)sum->bytes / (double)whole_B : 0;
    double uncertain = sum->bytes > 0 ? 2 * (double)ml_heap_sum_error(sum) / (double)sum->bytes : 0;
    ml_size_format(bytes, sizeof bytes, sum->bytes);
    snprintf(error, sizeof error, "%.0f%%", 100 * uncertain);
    ml_buffer_printf(out, "%9s%4.0f%%%6s", bytes, 100 * share, error);
}

static int by_weight(const void *a, const void *b, void *context)
{
    const struct ml_heap_line *x = a, *y = b;
    int64_t p = ml_heap_weight(context, &x->sum)->bytes,
            q = ml_heap_weight(context, &y->sum)->bytes;
    return p == q ? x->frame - y->frame : p > q ? -1 : 1;
}

struct ml_heap_line *ml_heap_lines(const struct ml_heap_profile *p, size_t *out_n)
{
    struct ml_intern intern = {0};
    struct ml_heap_line *lines = ml_realloc_array(NULL, p->stacks.n_samples + 1, sizeof *lines);
    size_t n = 0;
    for (size_t i = 0; i < p->stacks.n_samples; i++) {
        int32_t frame = ml_heap_owner_frame(&p->stacks, p->stacks.samples[i].stack);
        uint32_t number = ml_heap_owner_number(&intern, &p->stacks.frames[frame], true);
        if (number >= n)
            lines[n++] = (struct ml_heap_line){.frame = frame};
        ml_heap_sum_add(&lines[number].sum.live, &p->owners[i].live);
        ml_heap_sum_add(&lines[number].sum.allocated, &p->owners[i].allocated);
    }
    ml_intern_free(&intern);
    qsort_r(lines, n, sizeof *lines, by_weight, (void *)p);
    *out_n = n;
    return lines;
}

/* There is no room for the number of blocks. */
static bool is_narrow(const struct ml_style *style)
{
    return style->width < NARROW;
}

static int width_left(const struct ml_style *style)
{
    return style->width - FIGURES - 2 - (is_narrow(style) ? 0 : BLOCKS);
}

static void add_line(const struct ml_heap_view *view, const struct ml_heap_line *line,
                     const struct ml_style *style, struct ml_buffer *out)
{
    const struct ml_heap_profile *p = view->profile;
    const struct ml_heap_sum *sum = ml_heap_weight(p, &line->sum);
    ml_heap_add_sum(sum, ml_heap_weight(p, &p->total)->bytes, out);
    if (!is_narrow(style))
        ml_buffer_printf(out, "%*lld", BLOCKS, (long long)sum->blocks);
    ml_text_pad(out, 2);
    ml_stack_text_frame(&p->stacks.frames[line->frame], ML_PLACE_LINE, width_left(style), style,
                        out);
    ml_buffer_printf(out, "\n");
}

static void add_rest(const struct ml_heap_profile *p, const struct ml_heap_line *lines, size_t n,
                     const struct ml_style *style, struct ml_buffer *out)
{
    char bytes[24];
    int64_t rest_B = 0;
    for (size_t i = 0; i < n; i++)
        ml_sum_add(&rest_B, ml_heap_weight(p, &lines[i].sum)->bytes);
    ml_size_format(bytes, sizeof bytes, rest_B);
    ML_AUTO_FREE char *words = ml_format("%zu more; --all shows them", n);
    ml_buffer_printf(out, "%9s", bytes);
    ml_text_pad(out, style->width - width_left(style) - 9);
    ml_text_append(out, words, width_left(style), style->utf8);
    ml_buffer_printf(out, "\n");
}

static void add_title(const struct ml_style *style, struct ml_buffer *out)
{
    const char *dim = style->colour ? "\033[2m" : "", *plain = style->colour ? "\033[0m" : "";
    ml_buffer_printf(out, "%s%9s%5s%6s", dim, "bytes", "", "error");
    if (!is_narrow(style))
        ml_buffer_printf(out, "%*s", BLOCKS, "blocks");
    ml_buffer_printf(out, "  function%s\n", plain);
}

void ml_report_heap_flat(const struct ml_heap_view *view, const struct ml_style *style,
                         struct ml_buffer *out)
{
    const struct ml_heap_profile *p = view->profile;
    size_t n, shown = 0;
    struct ml_heap_line *lines = ml_heap_lines(p, &n);
    double least_B = LEAST * (double)ml_heap_weight(p, &p->total)->bytes;
    add_title(style, out);
    while (shown < n &&
           (view->all ||
            (shown < LINES && (double)ml_heap_weight(p, &lines[shown].sum)->bytes >= least_B)))
        add_line(view, &lines[shown++], style, out);
    if (shown < n)
        add_rest(p, lines + shown, n - shown, style, out);
    free(lines);
}
