#include "base/ranges.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PIECES 4096

/* A number at *CURSOR, which moves behind it. */
static bool read_number(const char **cursor, int32_t *out)
{
    const char *p = *cursor;
    int64_t value = 0;
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        value = 10 * value + (*p - '0');
        if (value > INT32_MAX)
            return false;
    }
    *cursor = p;
    *out = (int32_t)value;
    return true;
}

static bool read_piece(const char **cursor, struct ml_range *out)
{
    if (!read_number(cursor, &out->first))
        return false;
    out->last = out->first;
    if (**cursor != '-')
        return true;
    ++*cursor;
    return read_number(cursor, &out->last) && out->last >= out->first;
}

static int by_first(const void *a, const void *b)
{
    const struct ml_range *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Those that touch or overlap become one. */
static void merge(struct ml_ranges *set)
{
    size_t kept = 0;
    qsort(set->ranges, set->n, sizeof *set->ranges, by_first);
    for (size_t i = 1; i < set->n; i++) {
        struct ml_range *last = &set->ranges[kept], *next = &set->ranges[i];
        if ((int64_t)next->first > (int64_t)last->last + 1)
            set->ranges[++kept] = *next;
        else if (next->last > last->last)
            last->last = next->last;
    }
    set->n = kept + 1;
}

enum ml_status ml_ranges_parse(const char *text, struct ml_ranges *out_set, struct ml_error *err)
{
    struct ml_ranges set = {0};
    size_t capacity = 0;
    const char *p = strcmp(text, "all") == 0 ? "0-2147483647" : text;
    for (;; p++) {
        struct ml_range piece;
        if (set.n == MAX_PIECES || !read_piece(&p, &piece) || (*p && *p != ','))
            break;
        ML_GROW(set.ranges, set.n, capacity);
        set.ranges[set.n++] = piece;
        if (*p)
            continue;
        merge(&set);
        *out_set = set;
        return ML_OK;
    }
    bool many = set.n == MAX_PIECES;
    ml_ranges_free(&set);
    return many ? ml_fail(err, ML_RUN_LOST, "'%.80s...' has more than %d pieces", text, MAX_PIECES)
                : ml_fail(err, ML_RUN_LOST, "'%.80s' is no list of ranks; write 3, 0,4-7 or all",
                          text);
}

bool ml_ranges_contains(const struct ml_ranges *set, int32_t number)
{
    size_t low = 0, high = set->n; /* the last range that begins at NUMBER or before is low - 1 */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->ranges[middle].first <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && number <= set->ranges[low - 1].last;
}

void ml_ranges_free(struct ml_ranges *set)
{
    free(set->ranges);
    *set = (struct ml_ranges){0};
}

void ml_ranges_append(struct ml_buffer *out, const int32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t last = i;
        while (last + 1 < n && (int64_t)numbers[last + 1] <= (int64_t)numbers[last] + 1)
            last++;
        ml_buffer_printf(out, "%s%d", i ? "," : "", numbers[i]);
        if (numbers[last] != numbers[i])
            ml_buffer_printf(out, "-%d", numbers[last]);
        i = last + 1;
    }
}
