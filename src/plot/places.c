#include "plot/places.h"

#include "base/memory.h"
#include "plot/clock.h"

#include <stdlib.h>

void ml_plot_places_init(struct ml_plot_places *places, const struct ml_plot_source *source,
                         const struct ml_plot_target *target)
{
    *places = (struct ml_plot_places){source, target, target->page->n_curves * ML_PLOT_PLACES};
}

static int group_of(const struct ml_plot_places *places, size_t process)
{
    if (places->target->page->form == ML_PLOT_MULTIPLES)
        return places->source->lives.node_of[process];
    switch (places->target->by) {
    case ML_PLOT_BY_NODE:
        return places->source->lives.node_of[process];
    case ML_PLOT_BY_RANK:
        return places->source->ranks[process];
    case ML_PLOT_BY_PROCESS:
        return (int)process;
    case ML_PLOT_BY_TOTAL:
    default:
        return -1;
    }
}

static size_t curve_of(const struct ml_plot_places *places, size_t process)
{
    const struct ml_plot_page *page = places->target->page;
    int group = group_of(places, process);
    if (page->form == ML_PLOT_BAND || page->form == ML_PLOT_STACKED)
        return page->n_curves - 1; /* the band's mean, or the uppermost layer */
    if (group < 0)
        return places->target->first;
    for (size_t i = places->target->first; i < page->n_curves; i++) {
        bool own = page->form != ML_PLOT_MULTIPLES || !page->curves[i].quiet;
        if (page->curves[i].group == group && own)
            return i;
    }
    return SIZE_MAX;
}

size_t ml_plot_places_find(const struct ml_plot_places *places, size_t process, int64_t time_ns)
{
    const struct ml_plot_source *s = places->source;
    if (process >= s->n_processes || !s->drawn[process] || places->n == 0 ||
        time_ns < s->begin_ns || time_ns > s->until_ns)
        return SIZE_MAX;
    size_t curve = curve_of(places, process);
    double share = (double)(time_ns - s->begin_ns) / (double)(s->lives.end_ns - s->begin_ns + 1);
    size_t column = share < 1 ? (size_t)(share * ML_PLOT_PLACES) : ML_PLOT_PLACES - 1;
    return curve == SIZE_MAX ? SIZE_MAX : curve * ML_PLOT_PLACES + column;
}

static double value_at(const struct ml_plot_page *page, size_t curve, int64_t time_ns)
{
    double value = 0;
    for (size_t i = page->form == ML_PLOT_STACKED ? 0 : curve; i <= curve; i++) {
        const struct ml_plot_point *p = ml_plot_at(&page->curves[i], time_ns);
        value += p ? p->value : page->curves[i].n_points ? page->curves[i].points[0].value : 0;
    }
    return value;
}

void ml_plot_places_mark(const struct ml_plot_places *places, size_t place, int64_t time_ns,
                         enum ml_plot_mark_kind kind, char *text, char *brief)
{
    struct ml_plot_page *page = places->target->page;
    size_t curve = place / ML_PLOT_PLACES;
    if (time_ns > places->source->lives.end_ns)
        time_ns = places->source->lives.end_ns;
    time_ns = ml_plot_clock_at(places->source->clock, time_ns);
    page->marks = ml_realloc_array(page->marks, page->n_marks + 1, sizeof *page->marks);
    page->marks[page->n_marks++] = (struct ml_plot_mark){
        .kind = kind,
        .curve = curve,
        .time_ns = time_ns,
        .value = value_at(page, curve, time_ns),
        .text = text,
        .brief = brief,
    };
}
