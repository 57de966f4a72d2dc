/* Memory over time: a line a row of a history. */
#include "base/clock.h"
#include "base/units.h"
#include "report/report.h"
#include "report/text.h"

#include <stdio.h>
#include <string.h>

#define MEMORY 9  /* columns of "1023 MiB", with room */
#define PERCENT 5 /* " 100%" */
#define ELAPSED 9
#define ZONE 6 /* " +0200" */

/* Which columns there is room for. */
struct layout {
    bool date, elapsed;
    bool zone;  /* it changes meanwhile: an hour comes twice, or not at all */
    int digits; /* of the seconds' fraction */
    int stamp;  /* columns of the time stamp */
    int bar;
};

/* Rows that lie closer than a second need a fraction to be told apart. */
static int digits_for(const struct ml_history *h)
{
    int64_t least = INT64_MAX;
    for (size_t i = 1; i < h->n_rows; i++) {
        int64_t gap = h->rows[i].time_ns - h->rows[i - 1].time_ns;
        if (gap < least)
            least = gap;
    }
    return least >= ML_NS_PER_S ? 0 : least >= 100 * ML_NS_PER_MS ? 1 : 3;
}

static bool local_of(const struct ml_facts *f, int64_t time_ns, struct tm *out)
{
    time_t seconds = (time_t)((f->origin_wall_ns + time_ns) / ML_NS_PER_S);
    return localtime_r(&seconds, out);
}

static bool zone_changes(const struct ml_facts *f, const struct ml_history *h)
{
    struct tm first, last;
    return f->origin_wall_ns >= 0 && h->n_rows > 0 && local_of(f, h->rows[0].time_ns, &first) &&
           local_of(f, h->rows[h->n_rows - 1].time_ns, &last) && first.tm_gmtoff != last.tm_gmtoff;
}

static struct layout lay_out(const struct ml_facts *f, const struct ml_history *h, int width)
{
    struct layout l = {.digits = digits_for(h)};
    l.date = f->origin_wall_ns >= 0 && width >= 60;
    l.elapsed = f->origin_wall_ns < 0 || width >= 76;
    l.zone = zone_changes(f, h);
    l.stamp = f->origin_wall_ns < 0 ? 0 : (l.date ? 19 : 8) + (l.digits ? l.digits + 1 : 0);
    l.stamp += l.zone ? ZONE : 0;
    l.bar = width - l.stamp - (l.elapsed ? ELAPSED + 1 : 0) - 1 - MEMORY - 2 - PERCENT;
    if (l.bar < 0)
        l.bar = 0;
    return l;
}

static void add_stamp(const struct ml_facts *f, const struct layout *l, int64_t time_ns,
                      struct ml_buffer *out)
{
    char stamp[32] = "", zone[16] = "", elapsed[24];
    if (l->stamp) {
        int64_t wall_ns = f->origin_wall_ns + time_ns;
        struct tm local;
        if (local_of(f, time_ns, &local)) {
            strftime(stamp, sizeof stamp, l->date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &local);
            strftime(zone, sizeof zone, l->zone ? " %z" : "", &local);
        }
        ml_buffer_printf(out, "%s", stamp);
        if (l->digits)
            ml_buffer_printf(out, ".%0*lld", l->digits,
                             (long long)(wall_ns % ML_NS_PER_S / ML_NS_PER_MS) /
                                 (l->digits == 1 ? 100 : 1));
        ml_buffer_printf(out, "%s%s", zone, l->elapsed ? " " : "");
    }
    if (l->elapsed)
        ml_buffer_printf(out, "%*s", ELAPSED, ml_elapsed_format(elapsed, sizeof elapsed, time_ns));
}

static void add_bar(double share, int width, bool utf8, struct ml_buffer *out)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int used = 0;
    if (utf8) {
        int filled = (int)(share * width * 8 + 0.5);
        for (; used < filled / 8; used++)
            ml_buffer_printf(out, "█");
        ml_buffer_printf(out, "%s", eighths[filled % 8]);
        used += filled % 8 != 0;
    } else {
        int filled = (int)(share * width + 0.5);
        for (; used < filled; used++)
            ml_buffer_printf(out, "#");
    }
    ml_text_pad(out, width - used);
}

/* Red at the peak, yellow while rising, cyan while falling, green where level. */
static const char *colour_of(const struct ml_history *h, size_t i)
{
    int64_t here = h->rows[i].bytes;
    int64_t change = here - (i ? h->rows[i - 1].bytes : 0);
    int64_t level = h->peak.bytes / 100;
    if (here == h->peak.bytes)
        return "\033[31m";
    return change > level ? "\033[33m" : change < -level ? "\033[36m" : "\033[32m";
}

static void add_row(const struct ml_facts *f, const struct ml_history *h, size_t i,
                    const struct layout *l, const struct ml_style *style, struct ml_buffer *out)
{
    const struct ml_history_row *row = &h->rows[i];
    char size[16];
    double share = h->peak.bytes > 0 ? (double)row->bytes / (double)h->peak.bytes : 0;
    add_stamp(f, l, row->time_ns, out);
    ml_buffer_printf(out, " %*s  ", MEMORY, ml_size_format(size, sizeof size, row->bytes));
    if (style->colour)
        ml_buffer_printf(out, "%s", colour_of(h, i));
    add_bar(share, l->bar, style->utf8, out);
    ml_buffer_printf(out, "%s%4.0f%%\n", style->colour ? "\033[0m" : "", 100 * share);
}

void ml_report_history_with(const struct ml_facts *facts, const char *title,
                            const struct ml_history *history, const struct ml_report_below *below,
                            const struct ml_style *style, struct ml_buffer *out)
{
    struct layout l = lay_out(facts, history, style->width);
    ml_buffer_printf(out, "\n");
    ml_text_append(out, title, style->width, style->utf8);
    ml_buffer_printf(out, "\n");
    if (history->n_rows == 0)
        ml_buffer_printf(out, "(nothing was measured then)\n");
    for (size_t i = 0; i < history->n_rows; i++) {
        add_row(facts, history, i, &l, style, out);
        if (below)
            below->add(below->context, i, out);
    }
}

void ml_report_history(const struct ml_facts *facts, const char *title,
                       const struct ml_history *history, const struct ml_style *style,
                       struct ml_buffer *out)
{
    ml_report_history_with(facts, title, history, NULL, style, out);
}
