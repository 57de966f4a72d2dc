/* memlog read: a run as text. */
#include "commands/read.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/units.h"
#include "commands/command.h"
#include "commands/pager.h"
#include "commands/source.h"
#include "commands/terminal.h"
#include "report/facts.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define ROWS 30 /* of memory over time, where nothing else says how many */
#define FEWEST_ROWS 16
#define MOST_ROWS 60

enum {
    FOLLOW,
    CHAIN,
    ALL,
    EVERY,
    RANKS,
    SEPARATE,
    STDOUT,
    MPI,
    PSTACK,
    TREE,
    MAIN_THREADS,
    HEAP,
    FLAT,
    CHURN,
    LEAKS,
    PHASE,
    AT,
    RANK,
    SINCE,
    UNTIL,
    JSON,
    NO_COLOR
};

static const struct ml_command_option options[] = {
    [FOLLOW] = {"follow", 0, NULL, "a line every 2 s while it runs, then as without"},
    [CHAIN] = {"chain", 0, NULL, "runs that followed each other (restarts) as one"},
    [ALL] = {"all", 'a', NULL, "memory at each sample, all output and stacks"},
    [EVERY] = {"every", 0, "TIME", "memory over time in rows of 10s, 5min, ..."},
    [RANKS] = {"ranks", 0, NULL, "each rank (and node), its helper processes below it"},
    [SEPARATE] = {"separate", 0, NULL, "memory over time of each node too"},
    [STDOUT] = {"stdout", 0, NULL, "what the application wrote, below the memory then"},
    [MPI] = {"mpi", 0, NULL, "all MPI functions, and phases of the program"},
    [PSTACK] = {"pstack", 0, NULL, "stacks below the memory at which they were taken"},
    [TREE] = {"tree", 0, NULL, "stacks merged from the root: samples, memory, ranks"},
    [MAIN_THREADS] = {"main-threads", 0, NULL, "stacks of the first thread of each process only"},
    [HEAP] = {"heap", 0, NULL, "who owns the memory, by the calls that allocated it"},
    [FLAT] = {"flat", 0, NULL, NULL},
    [CHURN] = {"churn", 0, NULL, "... by function and line; all, freed or not"},
    [LEAKS] = {"leaks", 0, NULL, "... what grows and is not given back"},
    [PHASE] = {"phase", 0, "NAME", "... at the peak in that phase; leaks by it"},
    [AT] = {"at", 0, "WHEN", "heap or --pstack at the peak, end, or 90s, 1:30"},
    [RANK] = {"rank", 0, "LIST", "output, stacks, heap of these ranks only: 0,4-7"},
    [SINCE] = {"since", 0, "TIME", "memory, output, stacks from then on: 90s, 1:30,"},
    [UNTIL] = {"until", 0, "TIME", "... and until then; or '2026-01-31 12:00:00'"},
    [JSON] = {"json", 0, NULL, "for scripts"},
    [NO_COLOR] = {"no-color", 0, NULL, "no colours (as does NO_COLOR)"},
    {0},
};

/* As many rows as a screen shows at once. */
static size_t rows_of_terminal(void)
{
    struct winsize window;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) || !window.ws_row)
        return ROWS;
    size_t rows = window.ws_row > 4 ? window.ws_row - 4u : 0;
    return rows < FEWEST_ROWS ? FEWEST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
}

static enum ml_status print(const struct ml_read_request *r, const struct ml_buffer *text,
                            struct ml_error *err)
{
    if (!r->json)
        return ml_command_page(text->data, text->length, err);
    if (fwrite(text->data, 1, text->length, stdout) == text->length && fflush(stdout) == 0)
        return ML_OK;
    return ml_fail_errno(err, ML_RUN_LOST, "the report cannot be written");
}

static int show(const struct ml_read_request *r, struct ml_run *run)
{
    struct ml_error err;
    struct ml_style style = ml_command_style(r->no_color);
    struct ml_buffer text = {0};
    enum ml_status status =
        r->json ? ml_read_json(run, r, &text, &err) : ml_read_text(run, r, &style, &text, &err);
    if (!status)
        status = print(r, &text, &err);
    if (status)
        ml_log(ML_LOG_ERROR, "%s", err.text);
    ml_buffer_free(&text);
    return status ? ML_EXIT_FAILURE : ML_EXIT_OK;
}

static int choose_and_show(const struct ml_command *command, struct ml_read_request *r,
                           struct ml_run *run)
{
    struct ml_error err;
    struct ml_ranges ranks;
    if (ml_command_choose(&r->given, ml_facts_origin_ns(run), &ranks, &r->choice, &err))
        return ml_command_misuse(command, "%s", err.text);
    r->choice.threads = r->main_threads                  ? ML_THREADS_FIRST
                        : r->tree && !r->all && !r->json ? ML_THREADS_OWN
                                                         : ML_THREADS_ALL;
    int code = show(r, run);
    ml_ranges_free(&ranks);
    return code;
}

/* --chain shows what runs have in common, and no more. */
static const char *find_chain_conflict(const struct ml_read_request *r, size_t n)
{
    if (n < 2)
        return "--chain: name the runs that followed each other, two or more";
    if (r->follow || r->all || r->ranks || r->separate || r->mpi || r->pstack || r->output ||
        r->json || r->heap || r->every_ns || r->given.since || r->given.until)
        return "--chain goes with --no-color only; read each run for more";
    return NULL;
}

static int show_chain(const struct ml_command *command, const struct ml_read_request *r,
                      char **paths, size_t n)
{
    struct ml_error err;
    struct ml_style style = ml_command_style(r->no_color);
    struct ml_buffer text = {0};
    const char *conflict = find_chain_conflict(r, n);
    if (conflict)
        return ml_command_misuse(command, "%s", conflict);
    enum ml_status status = ml_read_chain(paths, n, r, &style, &text, &err);
    if (!status)
        status = print(r, &text, &err);
    if (status)
        ml_log(ML_LOG_ERROR, "%s", err.text);
    ml_buffer_free(&text);
    return status ? ML_EXIT_FAILURE : ML_EXIT_OK;
}

static int show_arguments(const struct ml_command *command, struct ml_read_request *r, char **paths,
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
    if (n > 1 && r->follow)
        return ml_command_misuse(command, "--follow: name the file, not its journals");
    enum ml_status status = r->follow ? ml_read_follow(paths[0], ML_FOLLOW_NS, &err) : ML_OK;
    if (!status)
        status = journals ? ml_command_open_journals(paths, n, &run, &err)
                          : ml_command_open_run(paths[0], &run, &err);
    if (status) {
        ml_log(ML_LOG_ERROR, "%s", err.text);
        return ML_EXIT_FAILURE;
    }
    r->name = paths[0];
    int code = choose_and_show(command, r, run);
    ml_run_close(run);
    return code;
}

static void take(struct ml_read_request *r, int option, const char *value)
{
    const char **const texts[] = {[AT] = &r->wish.at,
                                  [PHASE] = &r->wish.phase,
                                  [RANK] = &r->given.rank,
                                  [SINCE] = &r->given.since,
                                  [UNTIL] = &r->given.until};
    r->follow |= option == FOLLOW;
    r->chain |= option == CHAIN;
    r->all |= option == ALL;
    r->ranks |= option == RANKS;
    r->separate |= option == SEPARATE;
    r->output |= option == STDOUT;
    r->mpi |= option == MPI;
    r->pstack |= option == PSTACK || option == TREE || option == MAIN_THREADS;
    r->tree |= option == TREE;
    r->heap |= option >= HEAP && option <= PHASE;
    r->flat |= option == FLAT || option == CHURN;
    r->wish.churn |= option == CHURN;
    r->wish.leaks |= option == LEAKS;
    r->json |= option == JSON;
    r->no_color |= option == NO_COLOR;
    r->main_threads |= option == MAIN_THREADS;
    if (option == AT || option == PHASE || option == RANK || option == SINCE || option == UNTIL)
        *texts[option] = value;
}

static enum ml_status take_every(struct ml_read_request *r, const char *value, struct ml_error *err)
{
    struct ml_error why;
    if (ml_duration_parse(value, &r->every_ns, &why) || r->every_ns < ML_NS_PER_MS)
        return ml_fail(err, ML_RUN_LOST, "--every '%.80s': write a time from 1ms on, as 10s, 5min",
                       value);
    return ML_OK;
}

static int run_read(const struct ml_command *command, int argc, char **argv)
{
    struct ml_read_request r = {.rows = rows_of_terminal()};
    struct ml_error err;
    const char *value;
    int64_t ignored_ns;
    int option;
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        take(&r, option, value);
        if (option == EVERY && take_every(&r, value, &err))
            return ml_command_misuse(command, "%s", err.text);
    }
    if (option != ML_OPTION_END)
        return option == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    r.heap |= r.wish.at && !r.pstack;
    if (r.given.rank && !r.pstack && !r.output && !r.heap)
        return ml_command_misuse(command, "--rank goes with --stdout, --pstack, --tree or --heap");
    const char *conflict = ml_command_heap_conflict(&r.wish);
    if (conflict)
        return ml_command_misuse(command, "%s", conflict);
    if (ml_command_moment(r.wish.at, 0, 0, &ignored_ns, &err))
        return ml_command_misuse(command, "%s", err.text);
    if (ml_command_check_choice(&r.given, &err))
        return ml_command_misuse(command, "%s", err.text);
    if (r.chain)
        return show_chain(command, &r, argv + optind, (size_t)(argc - optind));
    return show_arguments(command, &r, argv + optind, (size_t)(argc - optind));
}

const struct ml_command ml_command_read = {
    "read",
    "FILE",
    "Say what a run did: peaks, nodes, ranks, over time",
    "FILE is what memlog-mpi wrote, or its journals, or a log of memory_logger.py.\n"
    "\n"
    "  memlog read run.h5\n"
    "  memlog read --json run.h5 | jq .summary.peak_B\n",
    options,
    run_read,
};
