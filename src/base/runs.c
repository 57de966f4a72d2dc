#include "base/runs.h"

#include "base/memory.h"

#include <stdlib.h>

static int value_in(const struct ml_run *run, int member)
{
    return (int)(run->value + (int64_t)(member - run->first) * run->step);
}

static int length_of(const struct ml_runs *r, size_t i)
{
    return (i + 1 < r->n_list ? r->list[i + 1].first : r->n) - r->list[i].first;
}

/* Two members make a run only if they are equal or neighbours: else the second one would be lost
 * for the run that it begins. */
static bool goes_on(const struct ml_runs *r, const struct ml_run *last, int value)
{
    int64_t step = (int64_t)value - last->value;
    if (r->n - last->first > 1)
        return value == last->value + (int64_t)(r->n - last->first) * last->step;
    return step == 0 || step == 1;
}

void ml_runs_append(struct ml_runs *r, int value)
{
    struct ml_run *last = r->n_list ? &r->list[r->n_list - 1] : NULL;
    if (last && goes_on(r, last, value)) {
        if (r->n - last->first == 1)
            last->step = value - last->value;
    } else {
        ML_GROW(r->list, r->n_list, r->capacity);
        r->list[r->n_list++] = (struct ml_run){.first = r->n, .value = value};
    }
    r->n++;
}

struct ml_runs ml_runs_of(const int *values, int n)
{
    struct ml_runs runs = {0};
    for (int i = 0; i < n; i++)
        ml_runs_append(&runs, values[i]);
    return runs;
}

int ml_runs_at(const struct ml_runs *r, int member)
{
    size_t low = 0, high = r->n_list;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (r->list[middle].first <= member)
            low = middle;
        else
            high = middle;
    }
    return value_in(&r->list[low], member);
}

int ml_runs_count(const struct ml_runs *r, int end, int value)
{
    int n = 0;
    for (size_t i = 0; i < r->n_list && r->list[i].first < end; i++) {
        const struct ml_run *run = &r->list[i];
        int length = length_of(r, i), left = end - run->first;
        int64_t at = (int64_t)value - run->value; /* where steps are of one */
        length = length < left ? length : left;
        if (run->step == 0)
            n += run->value == value ? length : 0;
        else
            n += at >= 0 && at < length;
    }
    return n;
}

void ml_runs_pack(const struct ml_runs *r, struct ml_buffer *out)
{
    ml_pack_int(out, r->n);
    ml_pack_int(out, (int64_t)r->n_list);
    for (size_t i = 0; i < r->n_list; i++) {
        ml_pack_int(out, length_of(r, i));
        ml_pack_int(out, r->list[i].value);
        ml_pack_int(out, r->list[i].step);
    }
}

/* Of the members that are LEFT; their number, 0: it is no run. */
static int64_t unpack_run(struct ml_unpacker *u, int left, int limit, struct ml_run *run)
{
    int64_t length = ml_unpack_int(u), value = ml_unpack_int(u), step = ml_unpack_int(u);
    if (u->failed || length < 1 || length > left || value < 0 || value >= limit)
        return 0;
    if ((step != 0 && step != 1) || value + (length - 1) * step >= limit)
        return 0;
    run->value = (int)value;
    run->step = (int)step;
    return length;
}

bool ml_runs_unpack(struct ml_unpacker *u, int most, int limit, struct ml_runs *out)
{
    int64_t n = ml_unpack_int(u), n_list = ml_unpack_int(u);
    *out = (struct ml_runs){0};
    bool sane = !u->failed && n >= 0 && n <= most && n_list >= 0 && n_list <= u->end - u->cursor;
    for (int64_t i = 0; sane && i < n_list; i++) {
        struct ml_run run = {.first = out->n};
        int64_t length = unpack_run(u, (int)n - out->n, limit, &run);
        sane = length > 0;
        ML_GROW(out->list, out->n_list, out->capacity);
        out->list[out->n_list++] = run;
        out->n += (int)length;
    }
    sane = sane && out->n == n;
    if (!sane)
        ml_runs_free(out);
    return sane;
}

void ml_runs_free(struct ml_runs *r)
{
    free(r->list);
    *r = (struct ml_runs){0};
}
