#include "commands/time.h"

#include "base/clock.h"
#include "base/units.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* "1:30" or "1:02:03.5", as the report shows elapsed time. */
static bool parse_elapsed(const char *text, int64_t *out_ns)
{
    double h = 0, m = 0, s = 0;
    char end;
    if (strspn(text, "0123456789:.") != strlen(text))
        return false;
    if (sscanf(text, "%lf:%lf:%lf%c", &h, &m, &s, &end) != 3) {
        h = 0;
        if (sscanf(text, "%lf:%lf%c", &m, &s, &end) != 2)
            return false;
    }
    double total_s = h * 3600 + m * 60 + s;
    *out_ns = total_s < 1e9 ? (int64_t)(total_s * 1e9) : INT64_MAX;
    return true;
}

/* A time of day as somebody wrote it. */
struct stamp {
    struct tm fields;
    int64_t fraction_ns;
    bool has_zone;
    int zone_s; /* east of Greenwich */
};

/* "", "Z", "+0200", "+02:00"; a blank may stand before it. */
static bool parse_zone(const char *text, struct stamp *s)
{
    int hours, minutes, end = 0;
    text += *text == ' ';
    s->has_zone = *text;
    if (!*text || strcmp(text, "Z") == 0)
        return true;
    if ((*text != '+' && *text != '-') ||
        (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 &&
         sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &end) != 2))
        return false;
    s->zone_s = (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return hours >= 0 && minutes >= 0 && !text[1 + end];
}

/* "", ".6", ".614" */
static const char *parse_fraction(const char *text, int64_t *out_ns)
{
    if (*text != '.')
        return text;
    for (int64_t unit_ns = ML_NS_PER_S / 10; isdigit((unsigned char)*++text); unit_ns /= 10)
        *out_ns += (*text - '0') * unit_ns;
    return text;
}

/* "2026-01-31 12:00:00", or with a T, a fraction, a zone. */
static bool parse_stamp(const char *text, struct stamp *s)
{
    *s = (struct stamp){.has_zone = false};
    const char *end = strptime(text, "%Y-%m-%d", &s->fields);
    if (end && (*end == 'T' || *end == ' '))
        end = strptime(end + 1, "%H:%M:%S", &s->fields);
    else
        end = NULL;
    return end && parse_zone(parse_fraction(end, &s->fraction_ns), s);
}

static bool zone_at(time_t seconds, long *out_zone_s)
{
    struct tm local;
    if (!localtime_r(&seconds, &local))
        return false;
    *out_zone_s = local.tm_gmtoff;
    return true;
}

/* The moments at which a local clock shows what would be UTC_S on a clock in Greenwich: two in the
 * hour that comes twice when the clock is set back, none in the one that it skips. The zones of the
 * day before and of the day after are all that there can be. */
static size_t local_moments(time_t utc_s, time_t out[2])
{
    long zones[2], now;
    size_t n = 0;
    if (!zone_at(utc_s - 86400, &zones[0]) || !zone_at(utc_s + 86400, &zones[1]))
        return 0;
    for (int i = 0; i < 1 + (zones[0] != zones[1]); i++) {
        if (zone_at(utc_s - zones[i], &now) && now == zones[i])
            out[n++] = utc_s - zones[i];
    }
    return n;
}

static const char *zone_text(time_t seconds, char *text, size_t size)
{
    struct tm local;
    *text = 0;
    if (localtime_r(&seconds, &local))
        strftime(text, size, "%z", &local);
    return text;
}

static enum ml_status wall_of(const char *text, const struct stamp *s, int64_t *out_wall_ns,
                              struct ml_error *err)
{
    struct tm fields = s->fields;
    time_t utc_s = timegm(&fields), moments[2] = {utc_s - s->zone_s};
    char first[16], second[16];
    size_t n = s->has_zone ? 1 : local_moments(utc_s, moments);
    if (n == 0)
        return ml_fail(err, ML_RUN_LOST,
                       "'%.80s' is a time that the clock skipped when it was set on", text);
    if (n == 2)
        return ml_fail(
            err, ML_RUN_LOST,
            "'%.80s' was twice, since the clock was set back; write its zone too: '%s' or "
            "'%s'",
            text, zone_text(moments[0], first, sizeof first),
            zone_text(moments[1], second, sizeof second));
    *out_wall_ns = (int64_t)moments[0] * ML_NS_PER_S + s->fraction_ns;
    return ML_OK;
}

enum ml_status ml_command_time(const char *text, int64_t origin_wall_ns, int64_t *out_ns,
                               struct ml_error *err)
{
    struct stamp stamp;
    int64_t wall_ns = 0;
    if (!text || parse_elapsed(text, out_ns))
        return ML_OK;
    if (parse_stamp(text, &stamp)) {
        enum ml_status status = wall_of(text, &stamp, &wall_ns, err);
        if (!status)
            *out_ns = wall_ns - origin_wall_ns;
        return status;
    }
    if (ml_duration_parse(text, out_ns, NULL))
        return ml_fail(err, ML_RUN_LOST,
                       "'%.80s' is no time; write 90s, 1:30 or '2026-01-31 12:00:00'", text);
    return ML_OK;
}
