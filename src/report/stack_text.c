#include "report/stack_text.h"

#include "base/ranges.h"
#include "report/text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_RUNS 14
#define FIRST_RUNS 9 /* of a stack that has more */
#define LAST_RUNS 4
#define LEAST_EQUAL 3
#define LEAST_FOR_PLACE 30 /* columns; with fewer the name alone is shown */

/* " at file.c:12 (inlined)", with its NUL; "" where nothing is known. */
static void describe_place(const struct ml_frame_row *frame, enum ml_stack_place place,
                           struct ml_buffer *out)
{
    const char *slash = strrchr(frame->file, '/');
    const char *file = slash && slash[1] && place != ML_PLACE_PATH ? slash + 1 : frame->file;
    if (*file)
        ml_buffer_printf(out, " at %s", file);
    if (*file && place != ML_PLACE_FILE && frame->line > 0)
        ml_buffer_printf(out, ":%d", frame->line);
    if (frame->inlined == 1)
        ml_buffer_printf(out, " (inlined)");
    ml_buffer_append(out, "", 1);
}

static int width_of(const char *text, bool utf8)
{
    struct ml_buffer scratch = {0};
    int width = ml_text_append(&scratch, text, INT_MAX / 2, utf8);
    ml_buffer_free(&scratch);
    return width;
}

void ml_stack_text_frame(const struct ml_frame_row *frame, enum ml_stack_place place, int width,
                         const struct ml_style *style, struct ml_buffer *out)
{
    struct ml_buffer name = {0}, where = {0};
    ml_stacks_name(frame, &name);
    if (width >= LEAST_FOR_PLACE)
        describe_place(frame, place, &where);
    else
        ml_buffer_append(&where, "", 1);
    int wanted = width_of(where.data, style->utf8);
    if (place == ML_PLACE_PATH && wanted > width / 2) { /* the end of a path says most */
        ml_buffer_clear(&where);
        describe_place(frame, ML_PLACE_LINE, &where);
        wanted = width_of(where.data, style->utf8);
    }
    int room = wanted > width / 2 ? width / 2 : wanted;
    int used = ml_text_append(out, name.data, width - room, style->utf8);
    ml_text_append(out, where.data, width - used, style->utf8);
    ml_buffer_free(&name);
    ml_buffer_free(&where);
}

size_t ml_stack_text_runs(const int32_t *numbers, size_t n, bool all, struct ml_stack_run *out_runs)
{
    size_t n_runs = 0;
    for (size_t i = 0; i < n; i += out_runs[n_runs++].n) {
        size_t equal = 1;
        while (i + equal < n && numbers[i + equal] == numbers[i])
            equal++;
        out_runs[n_runs] = (struct ml_stack_run){i, all || equal < LEAST_EQUAL ? 1 : equal, false};
    }
    if (all || n_runs <= MOST_RUNS)
        return n_runs;
    struct ml_stack_run *middle = &out_runs[FIRST_RUNS];
    const struct ml_stack_run *after = &out_runs[n_runs - LAST_RUNS];
    middle->n = after->first - middle->first;
    middle->hidden = true;
    memmove(middle + 1, after, LAST_RUNS * sizeof *after);
    return FIRST_RUNS + 1 + LAST_RUNS;
}

static int by_number(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

int ml_stack_text_ranks(int32_t *ranks, size_t n, int width, const struct ml_style *style,
                        struct ml_buffer *out)
{
    struct ml_buffer list = {0};
    size_t others = 0;
    qsort(ranks, n, sizeof *ranks, by_number);
    while (others < n && ranks[others] < 0)
        others++;
    ml_ranges_append(&list, ranks + others, n - others);
    if (others)
        ml_buffer_printf(&list, "%sother", others < n ? "," : "");
    ml_buffer_append(&list, "", 1);
    int used = ml_text_append(out, list.data, width, style->utf8);
    ml_buffer_free(&list);
    return used;
}

void ml_stack_text_note(const char *text, const struct ml_style *style, struct ml_buffer *out)
{
    ml_buffer_printf(out, "\n");
    ml_text_wrap(out, text, 2, style->width - 2, 6, style->utf8);
    ml_buffer_printf(out, "\n");
}
