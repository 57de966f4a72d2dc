/* Marks where the application spoke. */
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "plot/places.h"
#include "plot/trim.h"

#include <stdio.h>
#include <string.h>

#define MOST_TEXT_B 4000 /* of a mark */
#define BRIEF_GAP 0.07   /* of the time axis between two texts */

struct said {
    struct ml_buffer text;
    int64_t first_ns;
    size_t lines, left_out;
    int last_rank;
    char *brief;
};

struct listening {
    struct ml_plot_places places;
    struct said *all;   /* by place */
    size_t *process_of; /* of each rank */
    size_t anyone;      /* a process that is drawn, for output that is of no rank */
    int trim;
};

/* Tables of numbers, which solvers print at each step, say nothing beside a mark. */
static bool has_word(const char *text)
{
    int letters = 0;
    for (; *text && letters < 3; text++)
        letters = (*text | 32) >= 'a' && (*text | 32) <= 'z' ? letters + 1 : 0;
    return letters >= 3;
}

static void hear(void *context, const void *row)
{
    struct listening *l = context;
    const struct ml_output_row *r = row;
    const struct ml_plot_source *source = l->places.source;
    size_t process = r->rank < 0                 ? source->is_part ? SIZE_MAX : l->anyone
                     : r->rank < source->n_ranks ? l->process_of[r->rank]
                                                 : SIZE_MAX;
    size_t place = ml_plot_places_find(&l->places, process, r->time_ns);
    if (place == SIZE_MAX)
        return;
    struct said *s = &l->all[place];
    if (s->lines++ == 0 || r->time_ns < s->first_ns)
        s->first_ns = r->time_ns;
    if (s->text.length > MOST_TEXT_B) {
        s->left_out++;
        return;
    }
    if (r->rank >= 0 && (s->text.length == 0 || s->last_rank != r->rank))
        ml_buffer_printf(&s->text, "rank %d:\n", r->rank);
    s->last_rank = r->rank;
    ml_buffer_printf(&s->text, "%s\n", r->text);
    if (!s->brief && !r->continued && has_word(r->text))
        s->brief = ml_plot_trim(r->text, l->trim);
}

static void add_mark(const struct listening *l, size_t place)
{
    struct said *s = &l->all[place];
    char at[24];
    if (s->left_out)
        ml_buffer_printf(&s->text, "and %zu more lines\n", s->left_out);
    ml_buffer_append(&s->text, "", 1);
    char *text =
        ml_format("output at %s, %s", ml_elapsed_format(at, sizeof at, s->first_ns), s->text.data);
    ml_plot_places_mark(&l->places, place, s->first_ns, ML_PLOT_SAID, text,
                        ML_TAKE_POINTER(s->brief));
}

static size_t find_anyone(const struct ml_plot_places *places)
{
    for (size_t i = 0; i < places->source->n_processes; i++) {
        if (ml_plot_places_find(places, i, places->source->begin_ns) != SIZE_MAX)
            return i;
    }
    return SIZE_MAX;
}

static int by_time(const void *a, const void *b)
{
    const struct ml_plot_mark *x = a, *y = b;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* Texts that would stand upon one another are left out; the marks stay. */
static void thin_out(struct ml_plot_page *page)
{
    struct ml_plot_extent extent = ml_plot_extent_of(page);
    double gap_ns = (double)(extent.end_ns - extent.begin_ns) * BRIEF_GAP, last_ns = -gap_ns;
    if (page->n_marks)
        qsort(page->marks, page->n_marks, sizeof *page->marks, by_time);
    for (size_t i = 0; i < page->n_marks; i++) {
        struct ml_plot_mark *m = &page->marks[i];
        if (!m->brief)
            continue;
        if ((double)m->time_ns < last_ns + gap_ns) {
            free(m->brief);
            m->brief = NULL;
        } else {
            last_ns = (double)m->time_ns;
        }
    }
}

enum ml_status ml_plot_marks_output(const struct ml_plot_source *source,
                                    const struct ml_plot_target *target, int trim,
                                    struct ml_error *err)
{
    struct listening l = {.trim = trim};
    ml_plot_places_init(&l.places, source, target);
    l.anyone = find_anyone(&l.places);
    l.all = ml_alloc((l.places.n + 1) * sizeof *l.all);
    l.process_of = ml_realloc_array(NULL, (size_t)source->n_ranks + 1, sizeof *l.process_of);
    for (int i = 0; i < source->n_ranks; i++)
        l.process_of[i] = SIZE_MAX;
    for (size_t i = 0; i < source->n_processes; i++) {
        if (source->processes[i].rank >= 0)
            l.process_of[source->processes[i].rank] = i;
    }
    enum ml_status status = ml_slice_each(source->run, &ml_table_output, hear, &l, err);
    for (size_t i = 0; i < l.places.n; i++) {
        if (!status && l.all[i].lines)
            add_mark(&l, i);
        ml_buffer_free(&l.all[i].text);
        free(l.all[i].brief);
    }
    thin_out(target->page);
    free(l.all);
    free(l.process_of);
    return status;
}
