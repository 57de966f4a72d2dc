#include "plot/owner.h"

#include "base/memory.h"
#include "base/own.h"
#include "plot/heap_changes.h"
#include "plot/values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NAMED 3 /* owners in a message */

/* A change of one of the owners that are meant; LIVE_B and VARIANCE are by how much. */
struct step {
    int64_t time_ns;
    size_t process, number; /* in the order in which they came */
    double bytes, variance;
};

struct loading {
    const struct ml_plot_source *source;
    const bool *meant; /* of each owner */
    bool *profiled;    /* of each process: it has some heap */
    struct step *steps;
    size_t n, capacity;
};

static void see(void *context, const struct ml_heap_change *c)
{
    struct loading *l = context;
    l->profiled[c->process] = true;
    if (!l->meant[c->owner] || c->time_ns >= l->source->lives.gone_ns[c->process])
        return; /* a curve ends with its process, it does not fall to 0 with it */
    ML_GROW(l->steps, l->n, l->capacity);
    l->steps[l->n] = (struct step){c->time_ns, c->process, l->n, c->bytes, c->variance};
    l->n++;
}

static int by_process(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->process != y->process)
        return x->process < y->process ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int64_t at(const struct ml_plot_source *s, int64_t time_ns)
{
    return time_ns > s->begin_ns ? time_ns : s->begin_ns;
}

/* Whether step I is not one of several at one time. */
static bool is_last_then(const struct loading *l, size_t i)
{
    return i + 1 == l->n || l->steps[i + 1].process != l->steps[i].process ||
           l->steps[i + 1].time_ns != l->steps[i].time_ns;
}

/* From what changes to what each process has: until it has some of it, 0 from its start on. */
static void add_up(const struct loading *l, struct ml_plot_owner *o, struct ml_plot_values *v)
{
    const struct ml_plot_source *s = l->source;
    size_t next = 0, n = 0;
    double most = 0;
    v->points = ml_realloc_array(NULL, l->n + s->n_processes + 1, sizeof *v->points);
    v->first = ml_realloc_array(NULL, s->n_processes + 1, sizeof *v->first);
    for (size_t p = 0; p < s->n_processes; p++) {
        double bytes = 0, variance = 0;
        v->first[p] = n;
        if (l->profiled[p])
            ml_plot_values_add(v, n, &n, at(s, s->processes[p].start_ns), 0);
        for (; next < l->n && l->steps[next].process == p; next++) {
            bytes += l->steps[next].bytes;
            variance += l->steps[next].variance;
            ml_plot_values_add(v, v->first[p], &n, at(s, l->steps[next].time_ns), bytes);
            if (bytes > most && is_last_then(l, next)) {
                most = bytes;
                o->uncertain = 2 * sqrt(fmax(variance, 0)) / bytes;
            }
        }
    }
    v->first[s->n_processes] = n;
}

static enum ml_status load(struct ml_heap_changes *h, const bool *meant, struct ml_plot_owner *out,
                           struct ml_plot_values *out_values, struct ml_error *err)
{
    size_t n = h->source->n_processes;
    ML_AUTO_FREE bool *profiled = ml_alloc(n + 1);
    struct loading l = {.source = h->source, .meant = meant, .profiled = profiled};
    enum ml_status status = ml_heap_changes_walk(h, see, &l, err);
    if (!status) {
        if (l.n)
            qsort(l.steps, l.n, sizeof *l.steps, by_process);
        add_up(&l, out, out_values);
    }
    free(l.steps);
    return status;
}

static enum ml_status mean_largest(struct ml_heap_changes *h, bool *meant, char **out_name,
                                   struct ml_error *err)
{
    struct ml_heap_peak peak = {0};
    uint32_t largest = 0;
    enum ml_status status = ml_heap_find_peak(h, &peak, err);
    for (uint32_t i = 0; !status && i < h->n_owners; i++) {
        if (peak.of[i] > peak.of[largest])
            largest = i;
    }
    bool none = !status && !(peak.of[largest] > 0);
    ml_heap_peak_free(&peak);
    if (none)
        status = ml_fail(err, ML_RUN_LOST, "%.300s: %s", h->source->path, ML_HEAP_NOTHING_THEN);
    if (status)
        return status;
    meant[largest] = true;
    *out_name = ml_heap_owner_name(h, largest);
    return ML_OK;
}

static enum ml_status mean_named(const struct ml_heap_changes *h, const char *name, bool *meant,
                                 char **out_name, struct ml_error *err)
{
    size_t n = 0;
    char found[240] = "";
    for (int exact = 1; exact >= 0 && !*out_name; exact--) {
        for (uint32_t i = 0; i < h->n_owners; i++) {
            ML_AUTO_FREE char *own = ml_heap_owner_name(h, i);
            if (exact ? strcmp(own, name) != 0 : !strstr(own, name))
                continue;
            meant[i] = true;
            if (*out_name && strcmp(*out_name, own) == 0)
                continue; /* of another module */
            if (n++ < MOST_NAMED)
                snprintf(found + strlen(found), sizeof found - strlen(found), "%s%.60s",
                         *found ? ", " : "", own);
            if (!*out_name)
                *out_name = ML_TAKE_POINTER(own);
        }
    }
    if (n == 0)
        return ml_fail(err, ML_RUN_LOST,
                       "%.300s: --owner %.80s: nothing is owned by a function with such a name; "
                       "memlog read --heap --flat names them",
                       h->source->path, name);
    if (n > 1)
        return ml_fail(err, ML_RUN_LOST, "%.300s: --owner %.80s: which of %s%s?", h->source->path,
                       name, found, n > MOST_NAMED ? ", ..." : "");
    return ML_OK;
}

enum ml_status ml_plot_owner_take(struct ml_plot_source *source, const char *name,
                                  struct ml_error *err)
{
    struct ml_heap_changes h;
    struct ml_plot_owner *owner = ml_alloc(sizeof *owner);
    struct ml_plot_values *values = ml_alloc(sizeof *values);
    enum ml_status status = ml_heap_changes_open(source, &h, err);
    ML_AUTO_FREE bool *meant = ml_alloc(h.n_owners + 1);
    if (!status)
        status = name ? mean_named(&h, name, meant, &owner->name, err)
                      : mean_largest(&h, meant, &owner->name, err);
    if (!status)
        status = load(&h, meant, owner, values, err);
    ml_heap_changes_close(&h);
    if (status) {
        ml_plot_owner_free(owner);
        ml_plot_values_free(values);
        return status;
    }
    source->owner = owner;
    source->values = values;
    return ML_OK;
}

void ml_plot_owner_free(struct ml_plot_owner *owner)
{
    if (!owner)
        return;
    free(owner->name);
    free(owner);
}
