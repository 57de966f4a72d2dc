/* memlog diff: which run is larger, by how much, where. */
#include "report/diff.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "commands/command.h"
#include "commands/pager.h"
#include "commands/source.h"
#include "commands/terminal.h"
#include "report/diff_json.h"
#include "report/diff_text.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { AGAINST, FAIL_IF, ALL, JSON, NO_COLOR };

static const struct ml_command_option options[] = {
    [AGAINST] = {"against", 0, NULL, "files before it are old, files behind it new"},
    [FAIL_IF] = {"fail-if", 0, "LIMIT", "exit with 1 if worse by more: peak+5%, rank+1GiB"},
    [ALL] = {"all", 'a', NULL, "small changes too"},
    [JSON] = {"json", 0, NULL, "for scripts"},
    [NO_COLOR] = {"no-color", 0, NULL, "no colours (as does NO_COLOR)"},
    {0},
};

struct request {
    bool all, json, no_color;
    char **paths; /* the old ones first */
    size_t n_old, n_new;
    struct ml_diff_limit *limits;
    size_t n_limits, capacity;
};

static enum ml_status take(struct request *r, int option, const char *value, struct ml_error *err)
{
    r->all |= option == ALL;
    r->json |= option == JSON;
    r->no_color |= option == NO_COLOR;
    if (option != FAIL_IF)
        return ML_OK;
    ML_GROW(r->limits, r->n_limits, r->capacity);
    return ml_diff_limit_parse(value, &r->limits[r->n_limits++], err);
}

/* Options and paths of ARGV, whose first word is none of them. Returns as ml_command_next. */
static int take_side(const struct ml_command *command, struct request *r, int argc, char **argv,
                     size_t *out_n)
{
    struct ml_error err;
    const char *value;
    int option;
    optind = 0; /* getopt begins anew */
    while ((option = ml_command_next(command, argc, argv, &value)) >= 0) {
        if (option == AGAINST) {
            ml_command_misuse(command, "--against is written whole, once, between old and new");
            return ML_OPTION_BAD;
        }
        if (take(r, option, value, &err)) {
            ml_command_misuse(command, "--fail-if %s", err.text);
            return ML_OPTION_BAD;
        }
    }
    for (int i = optind; i < argc && option == ML_OPTION_END; i++, (*out_n)++)
        r->paths[r->n_old + r->n_new] = argv[i];
    return option;
}

/* Without --against the first file is the old one. */
static int take_all(const struct ml_command *command, struct request *r, int argc, char **argv)
{
    int at = 1;
    while (at < argc && strcmp(argv[at], "--against") != 0)
        at++;
    int end = take_side(command, r, at, argv, &r->n_old);
    if (end != ML_OPTION_END)
        return end;
    if (at < argc)
        return take_side(command, r, argc - at, argv + at, &r->n_new);
    r->n_new = r->n_old ? r->n_old - 1 : 0;
    r->n_old -= r->n_new;
    return end;
}

static enum ml_status add(struct ml_diff *diff, size_t i, const char *path, struct ml_error *err)
{
    struct ml_run *run;
    struct ml_error why;
    enum ml_status status = ml_command_open_run(path, &run, err);
    if (status)
        return status;
    status = ml_diff_add(diff, i, path, run, &why);
    ml_run_close(run);
    if (status)
        ml_fail(err, status, "%.100s: %.390s", path, why.text);
    return status;
}

static enum ml_status print(const struct request *r, const struct ml_diff *diff,
                            struct ml_error *err)
{
    struct ml_buffer text = {0};
    struct ml_style style = ml_command_style(r->no_color);
    enum ml_status status = ML_OK;
    if (r->json)
        status = ml_diff_json(diff, r->limits, r->n_limits, &text, err);
    else
        ml_diff_text(diff, r->all, &style, &text);
    if (!status && !r->json)
        status = ml_command_page(text.data, text.length, err);
    else if (!status &&
             (fwrite(text.data, 1, text.length, stdout) != text.length || fflush(stdout)))
        status = ml_fail_errno(err, ML_RUN_LOST, "the comparison cannot be written");
    ml_buffer_free(&text);
    return status;
}

/* Says which limits are not kept. */
static int judge(const struct request *r, const struct ml_diff *diff)
{
    int code = ML_EXIT_OK;
    for (size_t i = 0; i < r->n_limits; i++) {
        const struct ml_diff_limit *limit = &r->limits[i];
        const struct ml_diff_change *change = &diff->job[limit->quantity];
        bool noise = ml_diff_limit_judge(limit, change).outcome == ML_DIFF_IN_NOISE;
        ML_AUTO_FREE char *words = ml_diff_limit_words(limit, change);
        if (!words)
            continue;
        ml_log(noise ? ML_LOG_WARNING : ML_LOG_ERROR, "%s", words);
        if (!noise)
            code = ML_EXIT_FAILURE;
    }
    return code;
}

static int compare(const struct request *r)
{
    struct ml_error err;
    struct ml_diff diff;
    enum ml_status status = ML_OK;
    ml_diff_init(&diff, r->n_old, r->n_new);
    for (size_t i = 0; !status && i < r->n_old + r->n_new; i++)
        status = add(&diff, i, r->paths[i], &err);
    if (!status) {
        ml_diff_finish(&diff);
        status = print(r, &diff, &err);
    }
    int code = status ? ML_EXIT_FAILURE : judge(r, &diff);
    if (status)
        ml_log(ML_LOG_ERROR, "%s", err.text);
    ml_diff_free(&diff);
    return code;
}

static int run_diff(const struct ml_command *command, int argc, char **argv)
{
    struct request r = {.paths = ml_realloc_array(NULL, (size_t)argc, sizeof *r.paths)};
    int end = take_all(command, &r, argc, argv), code;
    if (end != ML_OPTION_END)
        code = end == ML_OPTION_HELP ? ML_EXIT_OK : ML_EXIT_USAGE;
    else if (!r.n_old || !r.n_new)
        code = ml_command_misuse(command, "name an old and a new file");
    else
        code = compare(&r);
    free(r.paths);
    free(r.limits);
    return code;
}

const struct ml_command ml_command_diff = {
    "diff",
    "OLD NEW...",
    "Compare runs: which is larger, by how much, where",
    "With --against, several old runs: medians and spreads are compared. A LIMIT is\n"
    "peak, rank (the largest), mean (of ranks), gpu (peak), growth, limit (what is\n"
    "left before it) or time, a + and a share of the old one or an amount.\n"
    "\n"
    "  memlog diff old.h5 new.h5\n"
    "  memlog diff old-*.h5 --against new-*.h5\n"
    "  memlog diff --fail-if peak+5% --fail-if rank+100MiB old.h5 new.h5\n",
    options,
    run_diff,
};
