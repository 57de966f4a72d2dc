#include "draw/flame_boxes.h"

#include "base/memory.h"
#include "base/sum.h"
#include "base/utf8.h"

#include <stdlib.h>

struct laying {
    const struct ml_flame *flame;
    double wide, least;
    struct ml_flame_boxes *out;
    size_t capacity;
};

static double wide_of(const struct laying *l, int64_t weight)
{
    return l->wide * (double)weight / (double)l->flame->frames[0].weight;
}

static void add_box(struct laying *l, struct ml_flame_box box, int64_t from)
{
    box.x = wide_of(l, from);
    box.wide = wide_of(l, box.weight);
    ML_GROW(l->out->boxes, l->out->n, l->capacity);
    l->out->boxes[l->out->n++] = box;
    if (box.row >= l->out->rows)
        l->out->rows = box.row + 1;
}

/* What PARENT called, from FROM on. Recursion ends at the depth of the deepest stack. */
static void lay_family(struct laying *l, size_t parent, int64_t from)
{
    const struct ml_flame_frame *frames = l->flame->frames;
    struct ml_flame_box small = {.frame = parent, .row = frames[parent].depth + 1};
    int64_t left = frames[parent].weight;
    for (size_t i = parent + 1; i < frames[parent].end; i = frames[i].end) {
        int64_t weight = frames[i].weight < left ? frames[i].weight : left;
        left -= weight;
        if (wide_of(l, weight) < l->least) {
            small.n_small++;
            ml_sum_add(&small.weight, weight);
            continue;
        }
        add_box(l, (struct ml_flame_box){.frame = i, .weight = weight, .row = frames[i].depth},
                from);
        lay_family(l, i, from);
        from += weight;
    }
    if (small.n_small && wide_of(l, small.weight) >= l->least)
        add_box(l, small, from);
}

void ml_flame_boxes_make(const struct ml_flame *flame, double wide, double least,
                         struct ml_flame_boxes *out_boxes)
{
    struct laying l = {flame, wide, least, out_boxes, 0};
    *out_boxes = (struct ml_flame_boxes){0};
    if (flame->n == 0 || flame->frames[0].weight <= 0)
        return;
    add_box(&l, (struct ml_flame_box){.weight = flame->frames[0].weight}, 0);
    lay_family(&l, 0, 0);
}

void ml_flame_boxes_free(struct ml_flame_boxes *boxes)
{
    free(boxes->boxes);
    *boxes = (struct ml_flame_boxes){0};
}

void ml_flame_cut(const char *name, int columns, struct ml_buffer *out)
{
    uint32_t point;
    size_t n, whole = 0, cut = 0; /* bytes, in one column less */
    int used = 0;
    for (; (n = ml_utf8_decode(name + whole, &point)); whole += n) {
        used += point == ML_UTF8_INVALID || ml_utf8_is_hidden(point) ? 1 : ml_utf8_width(point);
        if (used > columns)
            break;
        if (used < columns)
            cut = whole + n;
    }
    if (columns < 3)
        return;
    ml_buffer_append(out, name, n ? cut : whole);
    if (n)
        ml_buffer_printf(out, "…");
}
