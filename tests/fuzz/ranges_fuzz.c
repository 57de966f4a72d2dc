/* Lists of ranks: what is taken has ranges in order, and is the same when written and read again.
 */
#include "base/memory.h"
#include "base/own.h"
#include "base/ranges.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_out(const struct ml_ranges *set, struct ml_buffer *out)
{
    for (size_t i = 0; i < set->n; i++)
        ml_buffer_printf(out, "%s%d-%d", i ? "," : "", set->ranges[i].first, set->ranges[i].last);
    ml_buffer_append(out, "", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ML_AUTO_FREE char *text = ml_format("%.*s", (int)size, (const char *)data);
    struct ml_ranges set, again;
    struct ml_buffer written = {0};
    if (ml_ranges_parse(text, &set, NULL))
        return 0;
    for (size_t i = 0; i < set.n; i++) {
        const struct ml_range *r = &set.ranges[i];
        if (r->first < 0 || r->last < r->first || !ml_ranges_contains(&set, r->first) ||
            !ml_ranges_contains(&set, r->last) || (i && ml_ranges_contains(&set, r->first - 1)))
            __builtin_trap();
    }
    write_out(&set, &written);
    if (ml_ranges_parse(written.data, &again, NULL) || again.n != set.n ||
        memcmp(again.ranges, set.ranges, set.n * sizeof *set.ranges) != 0)
        __builtin_trap();
    ml_ranges_free(&set);
    ml_ranges_free(&again);
    ml_buffer_free(&written);
    return 0;
}
