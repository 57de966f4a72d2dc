#include "report/diff_words.h"

#include "base/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_B 9e18

enum ml_diff_unit ml_diff_unit_of(enum ml_diff_quantity quantity)
{
    return quantity == ML_DIFF_TIME     ? ML_DIFF_S
           : quantity == ML_DIFF_GROWTH ? ML_DIFF_B_PER_S
                                        : ML_DIFF_B;
}

static void format_amount(char *out, size_t size, enum ml_diff_unit unit, double amount)
{
    if (unit == ML_DIFF_B)
        ml_size_format(out, size, (int64_t)llround(fmin(amount, MOST_B)));
    else if (unit == ML_DIFF_B_PER_S)
        ml_rate_format(out, size, amount);
    else if (unit == ML_DIFF_S && amount > 0)
        ml_seconds_format(out, size, amount);
    else
        snprintf(out, size, "%.0f%s", fmin(amount, MOST_B), unit == ML_DIFF_S ? " s" : "");
}

static char *format_signed(char *out, enum ml_diff_unit unit, double value, const char *plus)
{
    if (isnan(value)) {
        strcpy(out, "-");
        return out;
    }
    const char *sign = value < 0 ? "-" : value > 0 ? plus : "";
    strcpy(out, sign);
    format_amount(out + strlen(sign), ML_DIFF_TEXT - strlen(sign), unit, fabs(value));
    return out;
}

char *ml_diff_value_format(char *out, enum ml_diff_unit unit, double value)
{
    return format_signed(out, unit, value, "");
}

char *ml_diff_change_format(char *out, enum ml_diff_unit unit, double change)
{
    return format_signed(out, change < 0 || change > 0 ? unit : ML_DIFF_TIMES, change, "+");
}

char *ml_diff_share_format(char *out, double share)
{
    out[0] = 0;
    if (isfinite(share) && fabs(share) >= 9.995)
        snprintf(out, ML_DIFF_TEXT, fabs(share) < 1e6 ? "%+.0f%%" : "%+.1e%%", 100 * share);
    else if (isfinite(share) && fabs(share) >= 0.0005)
        snprintf(out, ML_DIFF_TEXT, "%+.1f%%", 100 * share);
    return out;
}
