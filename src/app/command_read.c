/* memlog read: a run as text. */
#include "app/command.h"
#include "app/command_source.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "report/report.h"

#include <getopt.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define ROWS 30 /* of memory over time, unless --all */

enum { ALL, RANKS, SEPARATE, SINCE, UNTIL, NO_COLOR };

static const struct ml_command_option options[] = {
    [ALL] = {"all", 'a', NULL, "memory over time at each sample"},
    [RANKS] = {"ranks", 0, NULL, "each rank (and node), its helper processes below it"},
    [SEPARATE] = {"separate", 0, NULL, "memory over time of each node too"},
    [SINCE] = {"since", 0, "TIME", "memory over time from then on: 90s, 5min, 1:30,"},
    [UNTIL] = {"until", 0, "TIME", "... and until then; or '2026-01-31 12:00:00'"},
    [NO_COLOR] = {"no-color", 0, NULL, "no colours (as does NO_COLOR)"},
    {0},
};

struct request {
    bool all, ranks, separate, no_color;
    const char *since, *until;
};

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

static enum ml_status parse_time(const char *text, int64_t origin_wall_ns, int64_t *out_ns,
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

static enum ml_status find_range(const struct request *r, int64_t origin_wall_ns,
                                 struct ml_facts_range *out_range, struct ml_error *err)
{
    *out_range = (struct ml_facts_range){INT64_MIN, INT64_MAX, r->all ? 0 : ROWS, r->separate};
    enum ml_status status = parse_time(r->since, origin_wall_ns, &out_range->since_ns, err);
    if (!status)
        status = parse_time(r->until, origin_wall_ns, &out_range->until_ns, err);
    return status;
}

static struct ml_style style_of(const struct request *r)
{
    struct ml_style style = {.width = 80};
    struct winsize window;
    int64_t columns;
    const char *wanted = getenv("COLUMNS"), *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (wanted && !ml_integer_parse(wanted, 20, 1000, &columns, NULL))
        style.width = (int)columns;
    else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 20)
        style.width = window.ws_col;
    style.colour = isatty(STDOUT_FILENO) && !r->no_color && !(no_color && *no_color) &&
                   !(terminal && strcmp(terminal, "dumb") == 0);
    style.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return style;
}

static void compose(const struct ml_facts *facts, const char *name, const struct request *r,
                    struct ml_buffer *out)
{
    struct ml_style style = style_of(r);
    ml_report_header(facts, name, &style, out);
    ml_report_summary(facts, &style, out);
    ml_report_nodes(facts, r->ranks, &style, out);
    ml_report_ranks(facts, r->ranks, &style, out);
    ml_report_history(facts, "memory of all processes (resident set)", &facts->total, &style, out);
    for (size_t i = 0; r->separate && i < facts->n_nodes; i++)
        ml_report_history(facts, facts->nodes[i].name, &facts->by_node[i].history, &style, out);
}

static int show(const struct ml_command *command, const struct request *r, struct ml_run *run,
                const char *name)
{
    struct ml_error err;
    struct ml_facts_range range;
    struct ml_facts facts;
    struct ml_buffer text = {0};
    if (find_range(r, ml_facts_origin_ns(run), &range, &err))
        return ml_command_misuse(command, "%s", err.text);
    if (range.since_ns > range.until_ns)
        return ml_command_misuse(command, "--since %.80s is after --until %.80s", r->since,
                                 r->until);
    if (ml_facts_gather(run, &range, &facts, &err)) {
        ml_log(ML_LOG_ERROR, "%s", err.text);
        return ML_EXIT_FAILURE;
    }
    compose(&facts, name, r, &text);
    bool written = fwrite(text.data, 1, text.length, stdout) == text.length && fflush(stdout) == 0;
    if (!written)
        ml_log(ML_LOG_ERROR, "the report cannot be written: %m");
    ml_buffer_free(&text);
    ml_facts_free(&facts);
    return written ? ML_EXIT_OK : ML_EXIT_FAILURE;
}

static int show_arguments(const struct ml_command *command, const struct request *r, char **paths,
                          size_t n)
{
    struct ml_error err;
    struct ml_run *run;
    bool journals = true;
    for (size_t i = 0; i < n; i++)
        journals = journals && ml_command_is_journal(paths[i]);
    if (n == 0)
        return ml_command_misuse(command, "no file is named");
    if (n > 1 && !journals)
        return ml_command_misuse(command, "one file at a time, or several journals of one run");
    enum ml_status status = journals ? ml_command_open_journals(paths, n, &run, &err)
                                     : ml_command_open_run(paths[0], &run, &err);
    if (status) {
        ml_log(ML_LOG_ERROR, "%s", err.text);
        return ML_EXIT_FAILURE;
    }
    int code = show(command, r, run, paths[0]);
    ml_run_close(run);
    return code;
}

static int run_read(const struct ml_command *command, int argc, char **argv)
{
    struct request r = {0};
    struct ml_facts_range range;
    struct ml_error err;
    const char *value;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        r.all |= option == ALL;
        r.ranks |= option == RANKS;
        r.separate |= option == SEPARATE;
        r.no_color |= option == NO_COLOR;
        if (option == SINCE)
            r.since = value;
        if (option == UNTIL)
            r.until = value;
    }
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    if (find_range(&r, 0, &range, &err))
        return ml_command_misuse(command, "%s", err.text);
    return show_arguments(command, &r, argv + optind, (size_t)(argc - optind));
}

const struct ml_command ml_command_read = {
    "read",
    "FILE",
    "Say what a run did: peaks, nodes, ranks, over time",
    "FILE is what memlog-mpi wrote. Where it is not there yet, because the job still runs or\n"
    "has died, its journals beside it are read; so are journals that are named.\n"
    "\n"
    "  memlog read run.h5\n"
    "  memlog read --all --since 10min run.h5 | less\n"
    "  memlog read run.h5.n01.journal\n",
    options,
    run_read,
};
