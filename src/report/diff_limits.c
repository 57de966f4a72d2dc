#include "report/diff_limits.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "report/diff_words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES "peak, rank, mean, gpu, growth, limit or time"

static const char *const names[ML_DIFF_QUANTITIES] = {
    [ML_DIFF_PEAK] = "peak",     [ML_DIFF_RANK] = "rank",   [ML_DIFF_MEAN] = "mean",
    [ML_DIFF_GROWTH] = "growth", [ML_DIFF_LIMIT] = "limit", [ML_DIFF_TIME] = "time",
    [ML_DIFF_GPU] = "gpu",
};

const char *ml_diff_quantity_name(enum ml_diff_quantity quantity)
{
    return names[quantity];
}

/* A number and '%', also over 100. */
static bool parse_percent(const char *text, double *out_share)
{
    char *end;
    size_t digits = strspn(text, "0123456789.");
    double percent = strtod(text, &end);
    if (!digits || end != text + digits || strcmp(end, "%") != 0 || !isfinite(percent))
        return false;
    *out_share = percent / 100;
    return true;
}

static enum ml_status parse_time(const char *text, double *out_s)
{
    int64_t ns;
    if (ml_duration_parse(text, &ns, NULL))
        return ML_RUN_LOST;
    *out_s = (double)ns / ML_NS_PER_S;
    return ML_OK;
}

/* A size; of growth in a second, which may be said. */
static enum ml_status parse_size(const char *text, bool rate, double *out_B)
{
    char size[32];
    int64_t bytes;
    size_t n = strlen(text);
    if (rate && n > 2 && strcmp(text + n - 2, "/s") == 0)
        n -= 2;
    if (n >= sizeof size)
        return ML_RUN_LOST;
    snprintf(size, sizeof size, "%.*s", (int)n, text);
    if (ml_size_parse(size, &bytes, NULL))
        return ML_RUN_LOST;
    *out_B = (double)bytes;
    return ML_OK;
}

/* A number alone may be meant as percents or as anything else. */
static enum ml_status parse_amount(const char *text, struct ml_diff_limit *limit)
{
    limit->relative = parse_percent(text, &limit->amount);
    if (limit->relative)
        return ML_OK;
    if (!text[strspn(text, "0123456789.")])
        return ML_RUN_LOST;
    if (limit->quantity == ML_DIFF_TIME)
        return parse_time(text, &limit->amount);
    return parse_size(text, limit->quantity == ML_DIFF_GROWTH, &limit->amount);
}

enum ml_status ml_diff_limit_parse(const char *text, struct ml_diff_limit *out_limit,
                                   struct ml_error *err)
{
    struct ml_diff_limit limit = {.text = text, .quantity = ML_DIFF_QUANTITIES};
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    for (size_t q = 0; q < ML_DIFF_QUANTITIES; q++) {
        if (strlen(names[q]) == n && strncmp(text, names[q], n) == 0)
            limit.quantity = q;
    }
    if (limit.quantity == ML_DIFF_QUANTITIES)
        return ml_fail(err, ML_RUN_LOST, "'%.80s' begins with none of " NAMES, text);
    if (text[n] != '+' || parse_amount(text + n + 1, &limit))
        return ml_fail(err, ML_RUN_LOST, "'%.80s': write %s+5%% or %s+%s", text,
                       names[limit.quantity], names[limit.quantity],
                       limit.quantity == ML_DIFF_TIME     ? "30s"
                       : limit.quantity == ML_DIFF_GROWTH ? "1MiB/s"
                                                          : "100MiB");
    *out_limit = limit;
    return ML_OK;
}

struct ml_diff_verdict ml_diff_limit_judge(const struct ml_diff_limit *limit,
                                           const struct ml_diff_change *change)
{
    struct ml_diff_verdict v = {ML_DIFF_UNTOLD, NAN, NAN};
    if (isnan(change->change))
        return v;
    double may = limit->relative ? limit->amount * fabs(change->old.median) : limit->amount;
    v.worse = limit->quantity == ML_DIFF_LIMIT ? -change->change : change->change;
    v.over = v.worse - may;
    v.outcome = !(v.over > 0) ? ML_DIFF_KEPT : change->noise ? ML_DIFF_IN_NOISE : ML_DIFF_EXCEEDED;
    return v;
}

static const char *sides_unknown(const struct ml_diff_change *c)
{
    return c->old.n ? "new" : c->new.n ? "old" : "old and new";
}

char *ml_diff_limit_words(const struct ml_diff_limit *limit, const struct ml_diff_change *change)
{
    char was[ML_DIFF_TEXT], is[ML_DIFF_TEXT], by[ML_DIFF_TEXT], over[ML_DIFF_TEXT];
    char share[ML_DIFF_TEXT];
    enum ml_diff_unit unit = ml_diff_unit_of(limit->quantity);
    struct ml_diff_verdict v = ml_diff_limit_judge(limit, change);
    if (v.outcome == ML_DIFF_KEPT)
        return NULL;
    if (v.outcome == ML_DIFF_UNTOLD)
        return ml_format("%s cannot be judged: it is not known of the %s runs", limit->text,
                         sides_unknown(change));
    ml_diff_value_format(was, unit, change->old.median);
    ml_diff_value_format(is, unit, change->new.median);
    ml_diff_change_format(by, unit, change->change);
    ml_diff_value_format(over, unit, v.over);
    ml_diff_share_format(share, change->share);
    if (v.outcome == ML_DIFF_IN_NOISE)
        return ml_format("%s would be exceeded, from %s to %s, but that is within the noise",
                         limit->text, was, is);
    return ml_format("%s is exceeded by %s: from %s to %s, %s%s%s", limit->text, over, was, is, by,
                     *share ? ", " : "", share);
}
