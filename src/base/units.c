#include "base/units.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit time_units[] = {
    {"", 1e9},     {"s", 1e9},  {"ms", 1e6},   {"us", 1e3}, {"ns", 1},
    {"min", 6e10}, {"m", 6e10}, {"h", 3.6e12}, {NULL, 0},
};

static const struct unit size_units[] = {
    {"", 1},         {"B", 1},        {"KiB", 0x1p10}, {"MiB", 0x1p20},
    {"GiB", 0x1p30}, {"TiB", 0x1p40}, {"K", 0x1p10},   {"M", 0x1p20},
    {"G", 0x1p30},   {"T", 0x1p40},   {"kB", 1e3},     {"KB", 1e3},
    {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12},    {NULL, 0},
};

static const struct unit percent_units[] = {{"", 0.01}, {"%", 0.01}, {NULL, 0}};

/* A plain decimal number (no hexadecimal, no "inf", no sign) and one of UNITS. */
static bool parse_quantity(const char *text, const struct unit *units, double *out)
{
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    if (strspn(text, "0123456789.eE+-") == 0 || text[1] == 'x' || text[1] == 'X')
        return false;
    char *end;
    double number = strtod(text, &end);
    if (end == text || !isfinite(number) || number < 0)
        return false;
    while (*end == ' ')
        end++;
    for (const struct unit *u = units; u->name; u++) {
        if (strcmp(end, u->name) == 0) {
            *out = number * u->factor;
            return true;
        }
    }
    return false;
}

enum ml_status ml_duration_parse(const char *text, int64_t *out_ns, struct ml_error *err)
{
    double ns;
    if (!parse_quantity(text, time_units, &ns) || ns > 3.2e18)
        return ml_fail(err, ML_RUN_LOST, "'%.80s' is not a duration; write 0.25, 10ms, 2s or 3min",
                       text);
    *out_ns = llround(ns);
    return ML_OK;
}

enum ml_status ml_size_parse(const char *text, int64_t *out_bytes, struct ml_error *err)
{
    double bytes;
    if (!parse_quantity(text, size_units, &bytes) || bytes > 0x1p62)
        return ml_fail(err, ML_RUN_LOST, "'%.80s' is not a size; write 512, 64KiB, 16MiB or 2GB",
                       text);
    *out_bytes = llround(bytes);
    return ML_OK;
}

enum ml_status ml_percent_parse(const char *text, double *out_share, struct ml_error *err)
{
    double share;
    if (!parse_quantity(text, percent_units, &share) || share <= 0 || share > 1)
        return ml_fail(err, ML_RUN_LOST, "'%.80s' is not a share; write 1%% or 0.5%%", text);
    *out_share = share;
    return ML_OK;
}

enum ml_status ml_integer_parse(const char *text, int64_t low, int64_t high, int64_t *out_value,
                                struct ml_error *err)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool plain = isdigit((unsigned char)text[0]) || (text[0] == '-' && low < 0);
    if (!plain || *end || errno || value < low || value > high)
        return ml_fail(err, ML_RUN_LOST, "'%.80s' is not a whole number from %lld to %lld", text,
                       (long long)low, (long long)high);
    *out_value = value;
    return ML_OK;
}

char *ml_size_format(char *out, size_t size, int64_t bytes)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t i = 0;
    for (; value >= 1000 && i + 1 < sizeof names / sizeof *names; i++)
        value /= 1024;
    int digits = i == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
    if (bytes < 0)
        snprintf(out, size, "-");
    else
        snprintf(out, size, "%.*f %s", digits, value, names[i]);
    return out;
}

char *ml_rate_format(char *out, size_t size, double bytes_per_s)
{
    char amount[16];
    ml_size_format(amount, sizeof amount, llround(fmin(fabs(bytes_per_s), 1e18)));
    snprintf(out, size, "%s%s/s", bytes_per_s < 0 ? "-" : "", amount);
    return out;
}

char *ml_seconds_format(char *out, size_t size, double s)
{
    if (s >= 100)
        snprintf(out, size, "%.0f s", s);
    else if (s >= 1)
        snprintf(out, size, "%.2f s", s);
    else if (s >= 1e-3)
        snprintf(out, size, "%.2f ms", 1e3 * s);
    else
        snprintf(out, size, "%.2f us", 1e6 * s);
    return out;
}

char *ml_elapsed_format(char *out, size_t size, int64_t ns)
{
    long long s = ns / ML_NS_PER_S;
    if (s >= 3600)
        snprintf(out, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%lld:%02lld.%lld", s / 60, s % 60, ns / (100 * ML_NS_PER_MS) % 10);
    return out;
}
