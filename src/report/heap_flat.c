#include "report/heap_flat.h"

#include "base/memory.h"
#include "base/units.h"
#include "report/stack_text.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES = 30 }; /* unless all are shown */
#define LEAST 0.01

/* A function and a line. */
struct line {
    int32_t frame; /* one of those that are the same */
    struct ml_heap_owner sum;
};

void ml_heap_add_sum(const struct ml_heap_sum *sum, int64_t whole_B, struct ml_buffer *out)
{
    char bytes[24], error[16];
    double share = whole_B > 0 ? (double)sum->bytes / (double)whole_B : 0;
    double uncertain = sum->bytes > 0 ? 2 * (double)ml_heap_sum_error(sum) / (double)sum->bytes : 0;
    ml_size_format(bytes, sizeof bytes, sum->bytes);
    snprintf(error, sizeof error, "%.0f%%", 100 * uncertain);
    ml_buffer_printf(out, "%9s%4.0f%%%6s", bytes, 100 * share, error);
}

static struct line *gather(const struct ml_heap_profile *p, size_t *out_n)
{
    struct ml_intern intern = {0};
    struct line *lines = ml_realloc_array(NULL, p->stacks.n_samples + 1, sizeof *lines);
    size_t n = 0;
    for (size_t i = 0; i < p->stacks.n_samples; i++) {
        int32_t frame = ml_heap_owner_frame(&p->stacks, p->stacks.samples[i].stack);
        uint32_t number = ml_heap_owner_number(&intern, &p->stacks.frames[frame], true);
        if (number >= n)
            lines[n++] = (struct line){.frame = frame};
        ml_heap_sum_add(&lines[number].sum.live, &p->owners[i].live);
        ml_heap_sum_add(&lines[number].sum.allocated, &p->owners[i].allocated);
    }
    ml_intern_free(&intern);
    *out_n = n;
    return lines;
}

static int64_t bytes_of(const struct line *line, bool churn)
{
    return churn ? line->sum.allocated.bytes : line->sum.live.bytes;
}

static int by_bytes(const void *a, const void *b, void *context)
{
    const bool *churn = context;
    int64_t x = bytes_of(a, *churn), y = bytes_of(b, *churn);
    return x == y ? 0 : x > y ? -1 : 1;
}

static void add_line(const struct ml_heap_view *view, const struct line *line,
                     const struct ml_style *style, struct ml_buffer *out)
{
    const struct ml_heap_profile *p = view->profile;
    bool churn = view->choice.churn;
    const struct ml_heap_sum *sum = churn ? &line->sum.allocated : &line->sum.live;
    int64_t whole_B = churn ? p->total.allocated.bytes : p->total.live.bytes;
    ml_heap_add_sum(sum, whole_B, out);
    ml_buffer_printf(out, "%12lld  ", (long long)sum->blocks);
    ml_stack_text_frame(&p->stacks.frames[line->frame], ML_PLACE_LINE, style->width - 34, style,
                        out);
    ml_buffer_printf(out, "\n");
}

static void add_rest(const struct line *lines, size_t n, bool churn, struct ml_buffer *out)
{
    char bytes[24];
    int64_t rest_B = 0;
    for (size_t i = 0; i < n; i++)
        rest_B += bytes_of(&lines[i], churn);
    ml_size_format(bytes, sizeof bytes, rest_B);
    ml_buffer_printf(out, "%9s", bytes);
    ml_text_pad(out, 25);
    ml_buffer_printf(out, "%zu more; --all shows them\n", n);
}

void ml_report_heap_flat(const struct ml_heap_view *view, const struct ml_style *style,
                         struct ml_buffer *out)
{
    const char *dim = style->colour ? "\033[2m" : "", *plain = style->colour ? "\033[0m" : "";
    bool churn = view->choice.churn;
    size_t n, shown = 0;
    struct line *lines = gather(view->profile, &n);
    double least_B = LEAST * (double)(churn ? view->profile->total.allocated.bytes
                                            : view->profile->total.live.bytes);
    qsort_r(lines, n, sizeof *lines, by_bytes, &churn);
    ml_buffer_printf(out, "%s%9s%5s%6s%12s  function%s\n", dim, "bytes", "", "error", "blocks",
                     plain);
    while (shown < n &&
           (view->all || (shown < LINES && (double)bytes_of(&lines[shown], churn) >= least_B)))
        add_line(view, &lines[shown++], style, out);
    if (shown < n)
        add_rest(lines + shown, n - shown, churn, out);
    free(lines);
}
