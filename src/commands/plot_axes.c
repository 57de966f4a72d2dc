#include "commands/plot_axes.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool parse_number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end && isfinite(*out);
}

/* A size, or a number of what the column counts; either may be below 0, as growth is. */
static bool parse_side(const char *text, bool *out_has, double *out)
{
    int64_t bytes;
    bool negative = text[0] == '-';
    *out_has = text[0] != 0;
    if (!*out_has || parse_number(text, out))
        return true;
    if (ml_size_parse(text + negative, &bytes, NULL))
        return false;
    *out = negative ? -(double)bytes : (double)bytes;
    return true;
}

enum ml_status ml_plot_range_parse(const char *text, struct ml_plot_range *out_range,
                                   struct ml_error *err)
{
    struct ml_plot_range r = {0};
    ML_AUTO_FREE char *low = ml_strdup(text);
    char *colon = strchr(low, ':'), *high = colon ? colon + 1 : low;
    if (colon)
        *colon = 0;
    if (!colon || !parse_side(low, &r.has_low, &r.low) || !parse_side(high, &r.has_high, &r.high) ||
        !(r.has_low || r.has_high))
        return ml_fail(err, ML_RUN_LOST,
                       "--yrange %.80s: low and high, as in 0:4GiB; one may be left out", text);
    if (r.has_low && r.has_high && r.low >= r.high)
        return ml_fail(err, ML_RUN_LOST, "--yrange %.80s: nothing is between", text);
    *out_range = r;
    return ML_OK;
}

enum ml_status ml_plot_time_parse(const char *text, enum ml_plot_time *out_told,
                                  struct ml_error *err)
{
    static const char *const words[] = {
        [ML_PLOT_IN_S] = "s", [ML_PLOT_IN_MIN] = "min", [ML_PLOT_IN_H] = "h"};
    for (int i = ML_PLOT_IN_S; i <= ML_PLOT_IN_H; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out_told = (enum ml_plot_time)i;
            return ML_OK;
        }
    }
    return ml_fail(err, ML_RUN_LOST, "--time %.60s: s, min and h go", text);
}
