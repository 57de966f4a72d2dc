#include "commands/time.h"

#include "base/clock.h"
#include "base/units.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

/* "2026-01-31 12:00:00" (or with a T), local time, as the report shows it. */
static bool parse_stamp(const char *text, int64_t *out_wall_ns)
{
    struct tm local = {.tm_isdst = -1};
    const char *end = strptime(text, "%Y-%m-%d", &local);
    if (end && (*end == 'T' || *end == ' '))
        end = strptime(end + 1, "%H:%M:%S", &local);
    if (!end || *end)
        return false;
    *out_wall_ns = (int64_t)mktime(&local) * ML_NS_PER_S;
    return true;
}

enum ml_status ml_command_time(const char *text, int64_t origin_wall_ns, int64_t *out_ns,
                               struct ml_error *err)
{
    int64_t wall_ns;
    if (!text || parse_elapsed(text, out_ns))
        return ML_OK;
    if (parse_stamp(text, &wall_ns)) {
        *out_ns = wall_ns - origin_wall_ns;
        return ML_OK;
    }
    if (ml_duration_parse(text, out_ns, NULL))
        return ml_fail(err, ML_RUN_LOST,
                       "'%.80s' is no time; write 90s, 1:30 or '2026-01-31 12:00:00'", text);
    return ML_OK;
}
