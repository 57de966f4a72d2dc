#include "read/changes.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "read/file.h"
#include "read/slice.h"

#include <math.h>
#include <stdlib.h>

#define WINDOW_ROWS (1u << 21)
#define MOST_WINDOWS 48
#define TIMES 8192 /* that tell where windows begin */

/* Changes of a window, which take some 10 bytes each. malloc(3) has blocks of more than 32 MiB from
 * the kernel one by one, so this one costs what is used of it; one that grew would leave holes of
 * its size in the heap. */
#define CHANGES_B (16UL * WINDOW_ROWS)

struct change {
    int64_t time_ns;
    int64_t delta_B;
    size_t process;
};

/* What a slice of the samples has of columns. */
struct columns {
    double *time_s;
    int64_t *process, *memory_B;
};

/* Changes whose times ascend: what one process has in a window, mostly. They lie one after the
 * other as varints: by how many bytes and of which process each is, and between two what time
 * passes. */
struct streak {
    int64_t time_ns;  /* of the next one, */
    size_t next, end; /* which lies there */
};

struct summing {
    struct ml_run *run;
    const struct ml_lives *lives;
    const struct ml_total_visitor *visitor;
    size_t rows;
    struct columns columns;
    struct ml_buffer changes; /* of the window */
    int64_t added_ns;         /* of the last one that was added */
    struct streak *streaks;   /* of these; as a heap, the earliest first */
    size_t n_streaks, streaks_capacity;
    int64_t *last_B;            /* of each process */
    int64_t *first_ns, *end_ns; /* of each slice of the samples, as far as they are known */
    int64_t total_B;
};

/* ---- windows ---- */

static int64_t ns_of(double time_s)
{
    return isfinite(time_s) && fabs(time_s) <= 4e9 ? llround(time_s * 1e9) : INT64_MIN;
}

static size_t slice_rows(const struct summing *s, size_t slice)
{
    size_t left = s->rows - slice * ML_SLICE_ROWS;
    return left < ML_SLICE_ROWS ? left : ML_SLICE_ROWS;
}

static enum ml_status read_times(struct summing *s, size_t slice, struct ml_error *err)
{
    size_t first = slice * ML_SLICE_ROWS, count = slice_rows(s, slice);
    enum ml_status status =
        ml_run_column_real(s->run, "samples", "time_s", first, count, s->columns.time_s, err);
    if (!status)
        status = ml_run_column_int64(s->run, "samples", "process", first, count, s->columns.process,
                                     err);
    for (size_t i = 0; !status && i < count; i++) {
        int64_t process = s->columns.process[i];
        if (process < 0 || (uint64_t)process >= s->lives->n)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: row %zu of table samples is of process %lld, of %zu processes",
                           s->run->path, first + i, (long long)process, s->lives->n);
    }
    return status;
}

/* What tells where windows may begin. */
struct survey {
    int64_t *last_ns; /* of each process */
    int64_t *times;   /* of a row of each STRIDE, any one: processes have as many rows, mostly */
    size_t n_times, stride, next;
    bool ascends; /* the times of each process do, and it ends after them */
};

/* One of the STRIDE rows behind those that ROW is among. */
static size_t any_row_behind(const struct survey *survey, size_t row)
{
    size_t block = row / survey->stride + 1;
    return block * survey->stride + (uint32_t)(block * 2654435761U) % survey->stride;
}

static void survey_slice(struct summing *s, size_t slice, struct survey *survey)
{
    size_t first = slice * ML_SLICE_ROWS, count = slice_rows(s, slice);
    s->first_ns[slice] = INT64_MAX;
    s->end_ns[slice] = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        int64_t time_ns = ns_of(s->columns.time_s[i]);
        int64_t *last_ns = &survey->last_ns[s->columns.process[i]];
        bool is_told = first + i == survey->next;
        if (is_told)
            survey->next = any_row_behind(survey, first + i);
        if (time_ns == INT64_MIN)
            continue;
        survey->ascends &= time_ns >= *last_ns;
        *last_ns = time_ns;
        if (time_ns < s->first_ns[slice])
            s->first_ns[slice] = time_ns;
        if (time_ns > s->end_ns[slice])
            s->end_ns[slice] = time_ns;
        if (is_told)
            survey->times[survey->n_times++] = time_ns;
    }
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The begins of the windows but the first one, into BEGINS. */
static size_t place_windows(const struct summing *s, struct survey *survey,
                            int64_t begins[MOST_WINDOWS])
{
    size_t wanted = s->rows / WINDOW_ROWS + 1, n = 0;
    wanted = wanted < MOST_WINDOWS ? wanted : MOST_WINDOWS;
    for (size_t i = 0; i < s->lives->n; i++)
        survey->ascends &= s->lives->gone_ns[i] >= survey->last_ns[i];
    if (!survey->ascends || !survey->n_times)
        return 0;
    qsort(survey->times, survey->n_times, sizeof *survey->times, by_value);
    for (size_t i = 1; i < wanted; i++)
        begins[n++] = survey->times[i * survey->n_times / wanted];
    return n;
}

/* Looks through all times, where one window is not enough. */
static enum ml_status find_windows(struct summing *s, int64_t begins[MOST_WINDOWS], size_t *out_n,
                                   struct ml_error *err)
{
    struct survey survey = {.stride = s->rows / TIMES + 1, .ascends = true};
    ML_AUTO_FREE int64_t *last_ns = ml_realloc_array(NULL, s->lives->n, sizeof *last_ns);
    ML_AUTO_FREE int64_t *times = ml_realloc_array(NULL, TIMES + 1, sizeof *times);
    *out_n = 0;
    if (s->rows < WINDOW_ROWS)
        return ML_OK;
    survey.last_ns = last_ns;
    survey.times = times;
    for (size_t i = 0; i < s->lives->n; i++)
        last_ns[i] = INT64_MIN;
    enum ml_status status = ML_OK;
    for (size_t slice = 0; !status && slice * ML_SLICE_ROWS < s->rows; slice++) {
        status = read_times(s, slice, err);
        if (!status)
            survey_slice(s, slice, &survey);
    }
    if (!status)
        *out_n = place_windows(s, &survey, begins);
    return status;
}

/* ---- the changes of a window ---- */

static void add(struct summing *s, int64_t time_ns, int64_t delta_B, size_t process)
{
    if (s->n_streaks && time_ns >= s->added_ns) {
        /* of a damaged file it may wrap, here and back */
        ml_varint_append(&s->changes, (int64_t)((uint64_t)time_ns - (uint64_t)s->added_ns));
    } else {
        ML_GROW(s->streaks, s->n_streaks, s->streaks_capacity);
        s->streaks[s->n_streaks++] = (struct streak){time_ns, s->changes.length, 0};
    }
    ml_varint_append(&s->changes, delta_B);
    ml_varint_append(&s->changes, (int64_t)process);
    s->streaks[s->n_streaks - 1].end = s->changes.length;
    s->added_ns = time_ns;
}

/* The samples of a slice from FROM_NS on and before TO_NS. */
static enum ml_status add_slice(struct summing *s, size_t slice, int64_t from_ns, int64_t to_ns,
                                struct ml_error *err)
{
    size_t count = slice_rows(s, slice);
    if (s->end_ns[slice] < from_ns || s->first_ns[slice] >= to_ns)
        return ML_OK;
    enum ml_status status = read_times(s, slice, err);
    if (!status)
        status = ml_run_column_int64(s->run, "samples", ml_total_column(s->run),
                                     slice * ML_SLICE_ROWS, count, s->columns.memory_B, err);
    for (size_t i = 0; !status && i < count; i++) {
        int64_t time_ns = ns_of(s->columns.time_s[i]), memory_B = s->columns.memory_B[i];
        if (time_ns == INT64_MIN || time_ns < from_ns || time_ns >= to_ns || memory_B < 0 ||
            memory_B > INT64_MAX / 2)
            continue;
        size_t process = (size_t)s->columns.process[i];
        add(s, time_ns, memory_B - s->last_B[process], process);
        s->last_B[process] = memory_B;
    }
    return status;
}

static void add_ends(struct summing *s, int64_t from_ns, int64_t to_ns)
{
    for (size_t i = 0; i < s->lives->n; i++) {
        int64_t gone_ns = s->lives->gone_ns[i];
        if (gone_ns != INT64_MAX && gone_ns >= from_ns && gone_ns < to_ns && s->last_B[i] != 0)
            add(s, gone_ns, -s->last_B[i], i);
    }
}

/* ---- in the order of time ---- */

/* Ties go to what stands first in the file. */
static bool is_before(const struct summing *s, size_t a, size_t b)
{
    const struct streak *x = &s->streaks[a], *y = &s->streaks[b];
    return x->time_ns != y->time_ns ? x->time_ns < y->time_ns : x->next < y->next;
}

static void sink(struct summing *s, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->n_streaks; child++) {
            if (is_before(s, child, least))
                least = child;
        }
        if (least == i)
            return;
        struct streak streak = s->streaks[i];
        s->streaks[i] = s->streaks[least];
        s->streaks[least] = streak;
        i = least;
    }
}

/* Takes the next change in time; false: there is none. */
static bool take(struct summing *s, struct change *out)
{
    if (!s->n_streaks)
        return false;
    struct streak *first = &s->streaks[0];
    const uint8_t *bytes = (const uint8_t *)s->changes.data;
    const uint8_t *p = bytes + first->next, *end = bytes + first->end;
    int64_t process = 0, passed_ns = 0;
    *out = (struct change){.time_ns = first->time_ns};
    ml_varint_read(&p, end, &out->delta_B);
    ml_varint_read(&p, end, &process);
    out->process = (size_t)process;
    if (p < end) {
        ml_varint_read(&p, end, &passed_ns);
        first->time_ns = (int64_t)((uint64_t)first->time_ns + (uint64_t)passed_ns);
        first->next = (size_t)(p - bytes);
    } else {
        *first = s->streaks[--s->n_streaks];
    }
    sink(s, 0);
    return true;
}

static void emit(struct summing *s)
{
    const struct ml_total_visitor *visitor = s->visitor;
    for (size_t i = s->n_streaks; i-- > 0;)
        sink(s, i);
    struct change c, next;
    for (bool more = take(s, &c); more; c = next) {
        if (visitor->change)
            visitor->change(visitor->context, c.time_ns, c.process, c.delta_B);
        if (__builtin_add_overflow(s->total_B, c.delta_B, &s->total_B))
            s->total_B = INT64_MAX;
        more = take(s, &next);
        if (!more || next.time_ns != c.time_ns)
            visitor->total(visitor->context, c.time_ns, s->total_B > 0 ? s->total_B : 0);
    }
}

static enum ml_status sum_window(struct summing *s, int64_t from_ns, int64_t to_ns,
                                 struct ml_error *err)
{
    enum ml_status status = ML_OK;
    ml_buffer_clear(&s->changes);
    s->n_streaks = 0;
    for (size_t slice = 0; !status && slice * ML_SLICE_ROWS < s->rows; slice++)
        status = add_slice(s, slice, from_ns, to_ns, err);
    if (status)
        return status;
    add_ends(s, from_ns, to_ns);
    emit(s);
    return ML_OK;
}

static enum ml_status sum_windows(struct summing *s, struct ml_error *err)
{
    int64_t begins[MOST_WINDOWS];
    size_t n;
    enum ml_status status = find_windows(s, begins, &n, err);
    for (size_t i = 0; !status && i <= n; i++)
        status = sum_window(s, i ? begins[i - 1] : INT64_MIN, i < n ? begins[i] : INT64_MAX, err);
    return status;
}

enum ml_status ml_changes_each(struct ml_run *run, const struct ml_lives *lives, size_t rows,
                               const struct ml_total_visitor *visitor, struct ml_error *err)
{
    size_t n_slices = rows / ML_SLICE_ROWS + 1;
    struct summing s = {.run = run, .lives = lives, .visitor = visitor, .rows = rows};
    ML_AUTO_FREE double *time_s = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *time_s);
    ML_AUTO_FREE int64_t *process = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *process);
    ML_AUTO_FREE int64_t *memory_B = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *memory_B);
    ML_AUTO_FREE int64_t *last_B = ml_alloc(lives->n * sizeof *last_B);
    ML_AUTO_FREE int64_t *first_ns = ml_realloc_array(NULL, n_slices, sizeof *first_ns);
    ML_AUTO_FREE int64_t *end_ns = ml_realloc_array(NULL, n_slices, sizeof *end_ns);
    s.columns = (struct columns){time_s, process, memory_B};
    s.last_B = last_B;
    s.first_ns = first_ns;
    s.end_ns = end_ns;
    for (size_t i = 0; i < n_slices; i++) {
        first_ns[i] = INT64_MIN;
        end_ns[i] = INT64_MAX;
    }
    if (rows >= WINDOW_ROWS)
        ml_buffer_reserve(&s.changes, CHANGES_B);
    enum ml_status status = sum_windows(&s, err);
    ml_buffer_free(&s.changes);
    free(s.streaks);
    return status;
}
