#include "report/history.h"

#include "base/memory.h"

#include <stdlib.h>

void ml_history_init(struct ml_history *h, int64_t from_ns, int64_t to_ns, size_t n_slices)
{
    *h = (struct ml_history){.from_ns = from_ns, .to_ns = to_ns, .n_slices = n_slices};
    h->peak.bytes = h->last.bytes = h->before.bytes = -1;
    h->slice = n_slices;
    h->room = ml_realloc_array(NULL, n_slices + 2, sizeof *h->room);
    h->slices = h->room + 1;
}

void ml_history_init_every(struct ml_history *h, int64_t from_ns, int64_t to_ns, int64_t every_ns)
{
    int64_t span_ns = to_ns > from_ns ? to_ns - from_ns : 0;
    int64_t slices = span_ns / every_ns + (span_ns % every_ns != 0);
    ml_history_init(h, from_ns, to_ns, slices ? (size_t)slices : 1);
    h->every_ns = every_ns;
}

static int64_t slice_start(const struct ml_history *h, size_t i)
{
    if (h->every_ns)
        return h->from_ns + (int64_t)i * h->every_ns;
    double share = (double)i / (double)h->n_slices;
    return h->from_ns + (int64_t)(share * (double)(h->to_ns - h->from_ns));
}

static size_t slice_of(const struct ml_history *h, int64_t time_ns)
{
    double span = (double)(h->to_ns - h->from_ns);
    if (span <= 0)
        return 0;
    size_t i = h->every_ns ? (size_t)((time_ns - h->from_ns) / h->every_ns)
                           : (size_t)((double)(time_ns - h->from_ns) / span * (double)h->n_slices);
    return i < h->n_slices ? i : h->n_slices - 1;
}

/* Starts slices up to I; what held at the start of each is its first value. */
static void go_to_slice(struct ml_history *h, size_t i)
{
    size_t next = h->slice == h->n_slices ? 0 : h->slice + 1;
    for (; next <= i; next++)
        h->slices[next] = (struct ml_history_row){slice_start(h, next), h->before.bytes};
    h->slice = i;
}

static void add_to_slice(struct ml_history *h, int64_t time_ns, int64_t bytes)
{
    size_t i = slice_of(h, time_ns);
    if (h->slice == h->n_slices || i > h->slice)
        go_to_slice(h, i);
    if (bytes > h->slices[i].bytes)
        h->slices[i] = (struct ml_history_row){h->every_ns ? slice_start(h, i) : time_ns, bytes};
}

static void add_to_all(struct ml_history *h, int64_t time_ns, int64_t bytes)
{
    if (h->n_slices && h->n_every > h->n_slices)
        return; /* too many to show one by one */
    ML_GROW(h->every, h->n_every, h->every_capacity);
    h->every[h->n_every++] = (struct ml_history_row){time_ns, bytes};
}

/* What held when the range began is the range's first value. */
static void begin(struct ml_history *h)
{
    if (h->n_every || h->before.bytes < 0 || h->from_ns > h->to_ns)
        return;
    add_to_all(h, h->from_ns, h->before.bytes);
    if (h->n_slices)
        add_to_slice(h, h->from_ns, h->before.bytes);
}

void ml_history_add(struct ml_history *h, int64_t time_ns, int64_t bytes)
{
    h->last = (struct ml_history_row){time_ns, bytes};
    if (bytes > h->peak.bytes)
        h->peak = h->last;
    if (time_ns > h->to_ns)
        return;
    if (time_ns >= h->from_ns) {
        if (time_ns > h->from_ns)
            begin(h);
        add_to_all(h, time_ns, bytes);
        if (h->n_slices)
            add_to_slice(h, time_ns, bytes);
    }
    h->before = (struct ml_history_row){time_ns, bytes};
}

/* Where the last value holds for long, a row says so at the end of the range. */
static void hold(struct ml_history *h)
{
    if (h->before.bytes < 0 || h->from_ns > h->to_ns || h->to_ns == INT64_MAX)
        return;
    int64_t silent_ns = h->to_ns - h->before.time_ns;
    if (silent_ns > (h->every_ns ? 0 : (h->to_ns - h->from_ns) / 20))
        ml_history_add(h, h->to_ns, h->before.bytes);
}

void ml_history_finish(struct ml_history *h)
{
    begin(h);
    hold(h);
    h->rows = h->every;
    h->n_rows = h->n_every;
    if (h->n_slices == 0 || h->n_every == 0 || (h->n_every <= h->n_slices && !h->every_ns))
        return;
    size_t first = 0;
    while (first <= h->slice && h->slices[first].bytes < 0)
        first++;
    h->rows = h->slices + first;
    h->n_rows = h->slice + 1 - first;
    if (h->every_ns)
        return;
    if (h->every[0].time_ns < h->rows[0].time_ns) {
        *--h->rows = h->every[0];
        h->n_rows++;
    }
    if (h->rows[h->n_rows - 1].time_ns < h->before.time_ns)
        h->rows[h->n_rows++] = h->before;
}

void ml_history_free(struct ml_history *h)
{
    free(h->every);
    free(h->room);
    *h = (struct ml_history){0};
}
