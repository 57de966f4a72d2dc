#include "draw/flame_text.h"

#include "base/memory.h"
#include "base/own.h"
#include "draw/flame_boxes.h"

#include <math.h>
#include <string.h>

struct text {
    const struct ml_flame *flame;
    const struct ml_drawing_style *style;
    struct ml_flame_boxes boxes;
    struct ml_buffer *out;
};

static void put_space(struct ml_buffer *out, int columns)
{
    while (columns-- > 0)
        ml_buffer_append(out, " ", 1);
}

static void end_line(struct ml_buffer *out)
{
    while (out->length && out->data[out->length - 1] == ' ')
        out->length--;
    ml_buffer_append(out, "\n", 1);
}

/* A line before each box, and behind one that has no neighbour. */
static void put_row(const struct text *t, int row)
{
    const char *line = t->style->utf8 ? "│" : "|";
    int at = 0, open = -1; /* where the line behind the last box would stand */
    for (size_t i = 0; i < t->boxes.n; i++) {
        const struct ml_flame_box *box = &t->boxes.boxes[i];
        int from = (int)lround(box->x), to = (int)lround(box->x + box->wide);
        if (box->row != row || to - from < 2)
            continue;
        if (open == at && open < from) {
            ml_buffer_printf(t->out, "%s", line);
            at++;
        }
        put_space(t->out, from - at);
        ml_buffer_printf(t->out, "%s", line);
        const char *name = box->n_small ? "" : t->flame->frames[box->frame].name;
        int used = ml_drawing_text(name, to - from - 1, t->style->utf8, t->out);
        put_space(t->out, to - from - 1 - used);
        at = open = to;
    }
    if (open == at && at < t->style->columns)
        ml_buffer_printf(t->out, "%s", line);
    end_line(t->out);
}

static void put_more(const struct text *t, int hidden)
{
    if (hidden <= 0)
        return;
    ML_AUTO_FREE char *more =
        ml_format("%s %d more rows of calls", t->style->utf8 ? "…" : "...", hidden);
    ml_drawing_text(more, t->style->columns, true, t->out);
    end_line(t->out);
}

/* How sure it is can be read without UTF-8, too. */
static void put_subtitle(const char *text, int columns, bool utf8, struct ml_buffer *out)
{
    const char *sign = utf8 ? NULL : strstr(text, "±");
    ML_AUTO_FREE char *plain =
        sign ? ml_format("%.*s+-%s", (int)(sign - text), text, sign + strlen("±"))
             : ml_strdup(text);
    ml_drawing_text(plain, columns, utf8, out);
    end_line(out);
}

void ml_flame_text_make(const struct ml_plot_page *page, const struct ml_drawing_style *style,
                        struct ml_buffer *out)
{
    struct text t = {.flame = page->flame, .style = style, .out = out};
    int columns = style->columns > 20 ? style->columns : 20, room = style->lines - 3;
    ml_flame_boxes_make(t.flame, columns - 1, 1, &t.boxes);
    int shown = t.boxes.rows > room && room > 1 ? room : t.boxes.rows;
    ml_drawing_text(page->title, columns, style->utf8, out);
    end_line(out);
    put_subtitle(page->subtitle, columns, style->utf8, out);
    if (!t.flame->icicle)
        put_more(&t, t.boxes.rows - shown);
    for (int i = 0; i < shown; i++)
        put_row(&t, t.flame->icicle ? i : shown - 1 - i);
    if (t.flame->icicle)
        put_more(&t, t.boxes.rows - shown);
    ml_flame_boxes_free(&t.boxes);
}
