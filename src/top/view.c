#include "top/view.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "draw/canvas.h"
#include "report/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LABEL 11 /* columns of the curve's labels */
#define CELL 32

const char ml_top_help[] =
    "memlog top: keys\n"
    "\n"
    "  Up Down PgUp PgDn Home End  choose a rank\n"
    "  F6 >  sort by memory, growth, peak, rank (< goes back)\n"
    "  F4 /  show only ranks with this in their number, node or MPI call;\n"
    "        Enter keeps it, Esc shows all\n"
    "  s Enter  the last stacks of the chosen rank\n"
    "  space pause, and go on\n"
    "  r     look again now\n"
    "  Left Right  back and on in time by a column of the curve ([ ] by ten),\n"
    "        p to the peak, e to the end (the newest, while it goes on)\n"
    "  F1 h  this text\n"
    "  F10 q Ctrl-C  leave\n"
    "\n"
    "Memory is that of the ranks with the processes that they started; growth is\n"
    "what goes on steadily at the end; peaks are of the whole run; left is what the\n"
    "node can give before its nearest limit.\n"
    "Only the journals are read: the job does not notice.\n";

static const char *const sorts[] = {"memory", "growth", "peak", "rank"};

/* Adds TEXT, cut to the width. Past the height nothing happens. */
static void add(struct ml_top_screen *s, enum ml_top_tone tone, const char *text)
{
    struct ml_buffer line = {0};
    if (s->n >= (size_t)s->height)
        return;
    ml_text_append(&line, text, s->width, s->utf8);
    ml_buffer_append(&line, "", 1);
    s->lines[s->n++] = (struct ml_top_line){ml_strdup(line.data), tone};
    ml_buffer_free(&line);
}

static void add_buffer(struct ml_top_screen *s, enum ml_top_tone tone, struct ml_buffer *b)
{
    ml_buffer_append(b, "", 1);
    add(s, tone, b->data);
    ml_buffer_free(b);
}

/* ---- head ---- */

static void add_title(struct ml_top_screen *s, const struct ml_top_model *m,
                      const struct ml_top_wish *wish)
{
    struct ml_buffer b = {0};
    char length[24], at[24];
    bool moved = m->at_ns >= 0;
    if (moved)
        ml_buffer_printf(&b, "AT %s of ", ml_elapsed_format(at, sizeof at, m->at_ns));
    ml_buffer_printf(&b, "%s  %s%s", ml_elapsed_format(length, sizeof length, m->length_ns),
                     wish->paused    ? "PAUSED"
                     : m->age_ns < 0 ? "ended: "
                                     : "",
                     wish->paused ? "" : m->state);
    if (m->age_ns >= 2000000000 && !wish->paused && !moved)
        ml_buffer_printf(&b, " (%lld s ago)", (long long)(m->age_ns / 1000000000));
    ml_buffer_printf(&b, "  %zu of %zu ranks run  %s", m->n_running, m->n_ranks, m->name);
    add_buffer(s, ML_TOP_BOLD, &b);
}

static void add_trouble(struct ml_top_screen *s, const char *why)
{
    struct ml_buffer b = {0};
    ml_buffer_printf(&b, "NOT NEW: %s", why);
    add_buffer(s, ML_TOP_BOLD, &b);
}

static void add_memory(struct ml_top_screen *s, const struct ml_top_model *m)
{
    struct ml_buffer b = {0};
    char memory[24], peak[24], left[24], gpus[24];
    ml_buffer_printf(&b, "memory %s  peak %s", ml_size_format(memory, sizeof memory, m->memory_B),
                     ml_size_format(peak, sizeof peak, m->peak_B));
    if (m->has_gpus)
        ml_buffer_printf(&b, "  GPUs %s", ml_size_format(gpus, sizeof gpus, m->gpu_B));
    if (m->n_nodes && m->nodes[0].left_B >= 0)
        ml_buffer_printf(&b, "  least left %s on %s",
                         ml_size_format(left, sizeof left, m->nodes[0].left_B), m->nodes[0].name);
    if (m->phase)
        ml_buffer_printf(&b, "  phase %s", m->phase);
    add_buffer(s, ML_TOP_PLAIN, &b);
}

/* ---- curve ---- */

static int height_of(int64_t memory_B, int64_t most_B, int up)
{
    return memory_B <= 0 ? 0 : (int)((double)memory_B / (double)most_B * (up - 1));
}

/* Filled below: what a column of dots had at most, from the point that holds when it begins. */
static void draw(struct ml_canvas *c, const struct ml_top_model *m)
{
    size_t next = 0;
    int64_t held_B = -1;
    for (int x = 0; x < c->across; x++) {
        int64_t end_ns = (int64_t)((double)m->length_ns * (x + 1) / c->across);
        int64_t most_B = held_B;
        for (; next < m->n_curve && m->curve[next].time_ns <= end_ns; next++) {
            held_B = m->curve[next].memory_B;
            most_B = held_B > most_B ? held_B : most_B;
        }
        int top = height_of(most_B, m->peak_B, c->up);
        for (int y = 0; most_B >= 0 && y <= top; y++)
            ml_canvas_dot(c, x, y, 1);
    }
}

int ml_top_curve_columns(int width)
{
    return width < LABEL + 8 ? 0 : width - LABEL - 1;
}

/* A line through the curve at the moment that is shown. */
static void draw_moment(struct ml_canvas *c, const struct ml_top_model *m)
{
    if (m->at_ns < 0 || m->length_ns <= 0)
        return;
    double share = fmin((double)m->at_ns / (double)m->length_ns, 1);
    for (int y = 0; y < c->up; y++)
        ml_canvas_sign(c, (int)(share * (c->across - 1)), y, c->braille ? 0x2502 : '|', 0);
}

static void add_curve(struct ml_top_screen *s, const struct ml_top_model *m, int lines)
{
    struct ml_canvas canvas;
    char peak[24];
    int columns = ml_top_curve_columns(s->width);
    if (lines < 2 || columns == 0 || m->peak_B <= 0)
        return;
    ml_canvas_init(&canvas, columns, lines, s->utf8);
    draw(&canvas, m);
    draw_moment(&canvas, m);
    ml_size_format(peak, sizeof peak, m->peak_B);
    for (int i = 0; i < lines; i++) {
        struct ml_buffer b = {0};
        ml_buffer_printf(&b, "%*s ", LABEL, i == 0 ? peak : i == lines - 1 ? "0" : "");
        ml_canvas_line(&canvas, i, false, &b);
        add_buffer(s, ML_TOP_CURVE, &b);
    }
    ml_canvas_free(&canvas);
}

/* ---- ranks ---- */

enum column { RANK, MEMORY, PEAK, GPUS, GROWTH, PID, NODE, CALL, COLUMNS };

static const struct {
    const char *title;
    int width; /* at least; negative: to the left */
} columns[] = {
    [RANK] = {"RANK", 7},   [MEMORY] = {"MEMORY", 10},  [PEAK] = {"PEAK", 10},
    [GPUS] = {"GPUS", 10},  [GROWTH] = {"GROWTH", 13},  [PID] = {"PID", 8},
    [NODE] = {"NODE", -12}, [CALL] = {"MPI CALL", -14},
};

static const char *cell(const struct ml_top_rank *r, enum column column, char *room)
{
    *room = 0;
    switch (column) {
    case RANK:
        snprintf(room, CELL, "%d", r->rank);
        return room;
    case MEMORY:
        return r->ended ? "ended" : ml_size_format(room, CELL, r->memory_B);
    case PEAK:
        return ml_size_format(room, CELL, r->peak_B);
    case GPUS:
        return r->gpu_B > 0 ? ml_size_format(room, CELL, r->gpu_B) : "-";
    case GROWTH:
        return isnan(r->growth_B_per_s) ? "-"
               : r->growth_B_per_s == 0 ? "level"
                                        : ml_rate_format(room, CELL, r->growth_B_per_s);
    case PID:
        snprintf(room, CELL, "%d", r->pid);
        return room;
    case NODE:
        return r->node;
    case CALL:
        return r->call;
    case COLUMNS:
        break;
    }
    return room;
}

/* A wide screen has room for longer names. */
static int width_of(enum column column, int screen)
{
    int width = columns[column].width;
    return width < 0 && screen > 100 ? width - (screen - 100) / 8 : width;
}

static void append_cell(struct ml_buffer *b, const char *text, int width, bool utf8)
{
    struct ml_buffer shown = {0};
    int wide = abs(width), used = ml_text_append(&shown, text, wide, utf8);
    if (width > 0)
        ml_text_pad(b, wide - used);
    ml_buffer_append(b, shown.data, shown.length);
    if (width < 0)
        ml_text_pad(b, wide - used);
    ml_buffer_free(&shown);
}

/* R NULL: the titles. Columns that do not fit whole are left out, and that of GPUs where M has
 * none. */
static void add_rank(struct ml_top_screen *s, const struct ml_top_model *m,
                     const struct ml_top_rank *r, enum ml_top_tone tone)
{
    struct ml_buffer b = {0};
    char room[CELL];
    int used = 0;
    for (enum column c = 0; c < COLUMNS; c++) {
        int width = width_of(c, s->width);
        if (c == GPUS && !m->has_gpus)
            continue;
        if (used + abs(width) + (c > 0) > s->width)
            break;
        ml_text_pad(&b, c > 0);
        append_cell(&b, r ? cell(r, c, room) : columns[c].title, width, s->utf8);
        used += abs(width) + (c > 0);
    }
    ml_text_pad(&b, s->width - used);
    add_buffer(s, tone, &b);
}

static void add_ranks(struct ml_top_screen *s, const struct ml_top_model *m,
                      const struct ml_top_wish *wish, int lines)
{
    ML_AUTO_FREE size_t *order = ml_realloc_array(NULL, m->n_ranks, sizeof *order);
    size_t n = ml_top_order(m, wish, order), room = lines > 0 ? (size_t)lines : 0;
    size_t selected = n && wish->selected >= n ? n - 1 : wish->selected;
    size_t first = selected >= room ? selected - room + 1 : 0;
    for (size_t i = first; i < first + room; i++) {
        if (i < n)
            add_rank(s, m, &m->ranks[order[i]], i == selected ? ML_TOP_CHOSEN : ML_TOP_PLAIN);
        else if (i == 0)
            add(s, ML_TOP_DIM, m->n_ranks ? "no rank matches the filter" : "no ranks yet");
        else
            add(s, ML_TOP_PLAIN, "");
    }
    s->rows = room ? room : 1;
}

/* ---- nodes, output ---- */

static void add_nodes(struct ml_top_screen *s, const struct ml_top_model *m, int lines)
{
    char left[24];
    for (int i = 0; i < lines; i++) {
        struct ml_buffer b = {0};
        ml_buffer_printf(&b, "%10s left on %s",
                         ml_size_format(left, sizeof left, m->nodes[i].left_B), m->nodes[i].name);
        add_buffer(s, ML_TOP_PLAIN, &b);
    }
}

static void add_output(struct ml_top_screen *s, const struct ml_top_model *m, int lines)
{
    size_t n = m->n_output < (size_t)lines ? m->n_output : (size_t)lines;
    for (size_t i = m->n_output - n; i < m->n_output; i++) {
        struct ml_buffer b = {0};
        char at[24];
        const struct ml_top_output *o = &m->output[i];
        ml_buffer_printf(&b, "%s ", ml_elapsed_format(at, sizeof at, o->time_ns));
        if (o->rank >= 0)
            ml_buffer_printf(&b, "[%d] ", o->rank);
        ml_buffer_printf(&b, "%s", o->text);
        add_buffer(s, ML_TOP_DIM, &b);
    }
}

static void add_keys(struct ml_top_screen *s, const struct ml_top_wish *wish)
{
    struct ml_buffer b = {0};
    while (s->n + 1 < (size_t)s->height)
        add(s, ML_TOP_PLAIN, "");
    if (wish->typing)
        ml_buffer_printf(&b, "filter: %s_  (Enter keeps it, Esc shows all)", wish->filter);
    else if (wish->page)
        ml_buffer_printf(&b, "q back  Up Down PgUp PgDn");
    else
        ml_buffer_printf(&b,
                         "h help  q quit  > sort: %s  / filter%s%s  s stacks  space %s  <- -> time",
                         sorts[wish->sort], *wish->filter ? ": " : "", wish->filter,
                         wish->paused ? "go on" : "pause");
    add_buffer(s, ML_TOP_HEAD, &b);
}

/* ---- the whole ---- */

static int at_most(size_t n, int most)
{
    return most < 0 ? 0 : n < (size_t)most ? (int)n : most;
}

static void add_all(struct ml_top_screen *s, const struct ml_top_model *m,
                    const struct ml_top_wish *wish)
{
    bool tall = s->height >= 16;
    int curve = tall ? s->height / 4 : 0;
    int nodes = tall && m->n_nodes > 1 ? at_most(m->n_nodes, s->height / 8) : 0;
    int output = tall ? at_most(m->n_output, s->height / 5) : 0;
    add_title(s, m, wish);
    if (wish->trouble)
        add_trouble(s, wish->trouble);
    if (s->height >= 5)
        add_memory(s, m);
    add_curve(s, m, curve);
    add_nodes(s, m, nodes);
    add_rank(s, m, NULL, ML_TOP_HEAD);
    add_ranks(s, m, wish, s->height - 1 - (int)s->n - output);
    add_output(s, m, output);
}

static void add_page(struct ml_top_screen *s, const struct ml_top_wish *wish)
{
    ML_AUTO_FREE char *text = ml_strdup(wish->page);
    char *rest = text, *line;
    for (size_t i = 0; (line = strsep(&rest, "\n")) && s->n + 1 < (size_t)s->height; i++) {
        if (i >= wish->scrolled)
            add(s, ML_TOP_PLAIN, line);
    }
    s->rows = s->height > 1 ? (size_t)s->height - 1 : 1;
}

void ml_top_view(const struct ml_top_model *model, const struct ml_top_wish *wish, int width,
                 int height, bool utf8, struct ml_top_screen *out_screen)
{
    struct ml_top_screen s = {.width = width < 4 ? 4 : width, .height = height < 1 ? 1 : height};
    s.utf8 = utf8;
    s.lines = ml_realloc_array(NULL, (size_t)s.height, sizeof *s.lines);
    if (wish->page)
        add_page(&s, wish);
    else
        add_all(&s, model, wish);
    add_keys(&s, wish);
    *out_screen = s;
}

void ml_top_screen_free(struct ml_top_screen *screen)
{
    for (size_t i = 0; i < screen->n; i++)
        free(screen->lines[i].text);
    free(screen->lines);
    *screen = (struct ml_top_screen){0};
}
