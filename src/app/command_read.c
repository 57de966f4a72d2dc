/* memlog read: a run as text. */
#include "app/command.h"
#include "app/command_choice.h"
#include "app/command_source.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/units.h"
#include "report/report.h"
#include "report/stacks.h"

#include <getopt.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define ROWS 30    /* of memory over time, unless --all */
#define MOMENTS 12 /* whose stacks are shown, unless --all */

enum { ALL, RANKS, SEPARATE, PSTACK, TREE, RANK, SINCE, UNTIL, NO_COLOR };

static const struct ml_command_option options[] = {
    [ALL] = {"all", 'a', NULL, "memory over time at each sample, all of the stacks"},
    [RANKS] = {"ranks", 0, NULL, "each rank (and node), its helper processes below it"},
    [SEPARATE] = {"separate", 0, NULL, "memory over time of each node too"},
    [PSTACK] = {"pstack", 0, NULL, "stacks below the memory at which they were taken"},
    [TREE] = {"tree", 0, NULL, "stacks merged from the root: samples, memory, ranks"},
    [RANK] = {"rank", 0, "LIST", "stacks of these ranks only: 0,4-7"},
    [SINCE] = {"since", 0, "TIME", "memory and stacks from then on: 90s, 5min, 1:30,"},
    [UNTIL] = {"until", 0, "TIME", "... and until then; or '2026-01-31 12:00:00'"},
    [NO_COLOR] = {"no-color", 0, NULL, "no colours (as does NO_COLOR)"},
    {0},
};

struct request {
    bool all, ranks, separate, pstack, tree, no_color;
    struct ml_command_choice choice;
};

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
                    const struct ml_style *style, struct ml_buffer *out)
{
    ml_report_header(facts, name, style, out);
    ml_report_summary(facts, style, out);
    if (!r->pstack || r->ranks) {
        ml_report_nodes(facts, r->ranks, style, out);
        ml_report_ranks(facts, r->ranks, style, out);
    }
    if (!r->pstack)
        ml_report_history(facts, "memory of all processes (resident set)", &facts->total, style,
                          out);
    for (size_t i = 0; r->separate && i < facts->n_nodes; i++)
        ml_report_history(facts, facts->nodes[i].name, &facts->by_node[i].history, style, out);
}

static enum ml_status compose_stacks(struct ml_run *run, const struct ml_facts *facts,
                                     const struct ml_stacks_choice *choice, const struct request *r,
                                     const struct ml_style *style, struct ml_buffer *out,
                                     struct ml_error *err)
{
    struct ml_stacks stacks;
    struct ml_moments moments = {0};
    enum ml_status status =
        ml_stacks_load(run, facts->processes, facts->n_processes, choice, &stacks, err);
    if (status)
        return status;
    if (ml_report_no_stacks(&stacks, style, out))
        goto done;
    if (r->tree) {
        ml_report_stack_tree(&stacks, r->all, style, out);
        goto done;
    }
    status = ml_moments_gather(run, facts, &stacks, r->all ? 0 : MOMENTS, &moments, err);
    if (!status)
        ml_report_stacks(facts, &stacks, &moments, r->all, style, out);
    ml_moments_free(&moments);
done:
    ml_stacks_free(&stacks);
    return status;
}

static int print(const struct ml_buffer *text)
{
    if (fwrite(text->data, 1, text->length, stdout) == text->length && fflush(stdout) == 0)
        return ML_EXIT_OK;
    ml_log(ML_LOG_ERROR, "the report cannot be written: %m");
    return ML_EXIT_FAILURE;
}

static int show(const struct request *r, const struct ml_stacks_choice *choice, struct ml_run *run,
                const char *name)
{
    struct ml_error err;
    struct ml_facts facts;
    struct ml_facts_range range = {choice->since_ns, choice->until_ns, r->all ? 0 : ROWS,
                                   r->separate};
    struct ml_style style = style_of(r);
    struct ml_buffer text = {0};
    int code = ML_EXIT_FAILURE;
    enum ml_status status = ml_facts_gather(run, &range, &facts, &err);
    if (!status) {
        compose(&facts, name, r, &style, &text);
        if (r->pstack)
            status = compose_stacks(run, &facts, choice, r, &style, &text, &err);
        ml_facts_free(&facts);
    }
    if (status)
        ml_log(ML_LOG_ERROR, "%s", err.text);
    else
        code = print(&text);
    ml_buffer_free(&text);
    return code;
}

static int choose_and_show(const struct ml_command *command, const struct request *r,
                           struct ml_run *run, const char *name)
{
    struct ml_error err;
    struct ml_ranges ranks;
    struct ml_stacks_choice choice;
    if (ml_command_choose(&r->choice, ml_facts_origin_ns(run), &ranks, &choice, &err))
        return ml_command_misuse(command, "%s", err.text);
    int code = show(r, &choice, run, name);
    ml_ranges_free(&ranks);
    return code;
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
    int code = choose_and_show(command, r, run, paths[0]);
    ml_run_close(run);
    return code;
}

static void take(struct request *r, int option, const char *value)
{
    r->all |= option == ALL;
    r->ranks |= option == RANKS;
    r->separate |= option == SEPARATE;
    r->pstack |= option == PSTACK || option == TREE;
    r->tree |= option == TREE;
    r->no_color |= option == NO_COLOR;
    if (option == RANK)
        r->choice.rank = value;
    if (option == SINCE)
        r->choice.since = value;
    if (option == UNTIL)
        r->choice.until = value;
}

static int run_read(const struct ml_command *command, int argc, char **argv)
{
    struct request r = {0};
    struct ml_error err;
    const char *value;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0)
        take(&r, option, value);
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    if (r.choice.rank && !r.pstack)
        return ml_command_misuse(command, "--rank goes with --pstack or --tree");
    if (ml_command_check_choice(&r.choice, &err))
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
    "  memlog read --pstack --tree --rank 0-3 run.h5\n"
    "  memlog read run.h5.n01.journal\n",
    options,
    run_read,
};
