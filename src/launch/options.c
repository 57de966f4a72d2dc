#include "launch/options.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/ranges.h"
#include "base/similar.h"
#include "base/units.h"
#include "launch/attach.h"
#include "launch/binding.h"
#include "launch/habits.h"

#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    TEXT,
    DURATION,
    SIZE,
    PERCENT,
    COUNT,
    PSS,
    FLAG,
    BIND,
    LAUNCH,
    ATTACH,
    DEBUGGER,
    GROWTH,
    RANKS,
    SIGNAL,
};

struct option_row {
    enum kind kind;
    size_t offset;
    const char *name;
    char letter;
    const char *argument, *standard, *description;
};

#define PREFIX "MEMLOG_"
enum { VARIABLE_B = 64, FIRST_ROW = 1000, FIRST_HABIT = 2000 };

#define ROW(kind, field, name, letter, argument, standard, description)                            \
    {kind, offsetof(struct ml_options, field), name, letter, argument, standard, description},

static const struct option_row rows[] = {ML_OPTIONS(ROW)};
enum { N_ROWS = ML_OPTIONS_N };

static const char *const bind_words[] = {"auto", "core", "socket", "none", NULL};
static const char *const launch_words[] = {"auto", "ranks", "once", NULL};
static const char *const debugger_words[] = {"auto", "unwind", "gdb", "lldb", NULL};

static enum ml_status parse_word(const char *text, const char *const *words, int *out,
                                 struct ml_error *err)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return ML_OK;
        }
    }
    return ml_fail(err, ML_RUN_LOST, "'%.80s' is none of %s, %s, %s%s%s", text, words[0], words[1],
                   words[2], words[3] ? ", " : "", words[3] ? words[3] : "");
}

static enum ml_status parse_count(const char *text, int64_t *out, struct ml_error *err)
{
    if (!*text) {
        *out = ML_RANKS_AS_MPIEXEC;
        return ML_OK;
    }
    if (strcmp(text, "slots") == 0) {
        *out = ML_RANKS_BY_SLOTS;
        return ML_OK;
    }
    return ml_integer_parse(text, 1, 10000000, out, err);
}

static enum ml_status parse_duration(const char *text, int64_t *out, struct ml_error *err)
{
    return ml_duration_parse(text, out, err);
}

/* "5%" or "100MiB"; "0": never. */
static enum ml_status parse_growth(const char *text, struct ml_growth *out, struct ml_error *err)
{
    struct ml_growth growth = {0};
    enum ml_status status = strchr(text, '%') ? ml_percent_parse(text, &growth.share, err)
                                              : ml_size_parse(text, &growth.size_B, err);
    if (status == ML_OK)
        *out = growth;
    return status;
}

static enum ml_status parse_ranks(const char *text, const char **out, struct ml_error *err)
{
    struct ml_ranges ranks = {0};
    enum ml_status status = ml_ranges_parse(text, &ranks, err);
    ml_ranges_free(&ranks);
    if (status == ML_OK)
        *out = text;
    return status;
}

static enum ml_status parse_attach(const char *text, const char **out, struct ml_error *err)
{
    struct ml_attach attach;
    if (*text && ml_attach_parse(text, &attach, err) != ML_OK)
        return ML_RUN_LOST;
    *out = text;
    return ML_OK;
}

static enum ml_status parse_signal(const char *text, int *out, struct ml_error *err)
{
    const char *name = strncmp(text, "SIG", 3) == 0 ? text + 3 : text;
    *out = strcmp(name, "USR1") == 0 ? SIGUSR1 : strcmp(name, "USR2") == 0 ? SIGUSR2 : 0;
    if (!*out && *text)
        return ml_fail(err, ML_RUN_LOST, "'%.80s' is none of USR1, USR2", text);
    return ML_OK;
}

static enum ml_status set(struct ml_options *o, const struct option_row *row, const char *text,
                          struct ml_error *err)
{
    void *field = (char *)o + row->offset;
    switch (row->kind) {
    case TEXT:
        *(const char **)field = text;
        return ML_OK;
    case DURATION:
        return parse_duration(text, field, err);
    case SIZE:
        return ml_size_parse(text, field, err);
    case PERCENT:
        return ml_percent_parse(text, field, err);
    case COUNT:
        return parse_count(text, field, err);
    case PSS:
        if (strcmp(text, "auto") == 0) {
            *(int64_t *)field = -1;
            return ML_OK;
        }
        return parse_duration(text, field, err);
    case FLAG:
        *(bool *)field = *text && strcmp(text, "0") != 0;
        return ML_OK;
    case BIND:
        return parse_word(text, bind_words, field, err);
    case LAUNCH:
        return parse_word(text, launch_words, field, err);
    case ATTACH:
        return parse_attach(text, field, err);
    case DEBUGGER:
        return parse_word(text, debugger_words, field, err);
    case GROWTH:
        return parse_growth(text, field, err);
    case RANKS:
        return parse_ranks(text, field, err);
    case SIGNAL:
        return parse_signal(text, field, err);
    }
    return ML_OK;
}

static enum ml_status set_named(struct ml_options *o, const struct option_row *row,
                                const char *text, const char *written, struct ml_error *err)
{
    struct ml_error why;
    enum ml_status status = set(o, row, text, &why);
    o->written[row - rows] = text;
    if (status != ML_OK)
        ml_fail(err, status, "%s: %.400s", written, why.text);
    return status;
}

static void name_variable(const struct option_row *row, char out[VARIABLE_B])
{
    size_t n = (size_t)snprintf(out, VARIABLE_B, PREFIX);
    for (const char *p = row->name; *p && n + 1 < VARIABLE_B; p++)
        out[n++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    out[n] = 0;
}

static enum ml_status set_from_environment(struct ml_options *o, const struct option_row *row,
                                           struct ml_error *err)
{
    char variable[VARIABLE_B];
    name_variable(row, variable);
    const char *value = getenv(variable);
    return value ? set_named(o, row, value, variable, err) : ML_OK;
}

bool ml_options_misspelt(char *const *environment, char *out, size_t size)
{
    char names[N_ROWS][VARIABLE_B];
    const char *known[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        name_variable(&rows[i], names[i]);
        known[i] = names[i] + strlen(PREFIX);
    }
    for (; *environment; environment++) {
        if (strncmp(*environment, PREFIX, strlen(PREFIX)) != 0)
            continue;
        ML_AUTO_FREE char *name = strndup(*environment, strcspn(*environment, "="));
        const char *word = name ? name + strlen(PREFIX) : "", *meant = NULL;
        bool right = false;
        for (int i = 0; i < N_ROWS; i++)
            right |= strcmp(known[i], word) == 0;
        if (!right)
            meant = ml_similar(word, known, N_ROWS);
        if (meant) {
            snprintf(out, size, "%.60s is no variable of ours; did you mean " PREFIX "%s?", name,
                     meant);
            return true;
        }
    }
    return false;
}

static int argument_of(const struct option_row *row)
{
    if (!row->argument)
        return no_argument;
    return row->argument[0] == '[' ? optional_argument : required_argument;
}

static void fill_getopt(struct option *longs, char *letters)
{
    *letters++ = '+'; /* stop at the application's name */
    *letters++ = ':';
    for (int i = 0; i < N_ROWS; i++) {
        longs[i] = (struct option){rows[i].name, argument_of(&rows[i]), NULL, FIRST_ROW + i};
        if (rows[i].letter) {
            *letters++ = rows[i].letter;
            if (rows[i].argument)
                *letters++ = ':';
        }
    }
    struct option *more = longs + N_ROWS;
    *more++ = (struct option){"help", no_argument, NULL, 'h'};
    *more++ = (struct option){"version", no_argument, NULL, 'V'};
    for (int i = 0; i < ML_HABITS; i++)
        *more++ = (struct option){ml_habits[i].name,
                                  ml_habits[i].takes_value ? required_argument : no_argument, NULL,
                                  FIRST_HABIT + i};
    *more = (struct option){0};
    *letters++ = 'h';
    *letters = 0;
}

static const struct option_row *row_of(int code)
{
    if (code >= FIRST_ROW)
        return &rows[code - FIRST_ROW];
    for (int i = 0; i < N_ROWS; i++) {
        if (rows[i].letter == code)
            return &rows[i];
    }
    return NULL;
}

static enum ml_status fail_unknown(const char *written, struct ml_error *err)
{
    const char *known[N_ROWS];
    char letter[] = {'-', (char)optopt, 0};
    for (int i = 0; i < N_ROWS; i++)
        known[i] = rows[i].name;
    if (optopt && optopt < 256)
        return ml_fail(err, ML_RUN_LOST, "unknown option %s; see memlog-mpi --help", letter);
    const char *meant =
        strncmp(written, "--", 2) == 0 ? ml_similar(written + 2, known, N_ROWS) : NULL;
    if (meant)
        return ml_fail(err, ML_RUN_LOST, "unknown option %.80s; did you mean --%s?", written,
                       meant);
    return ml_fail(err, ML_RUN_LOST, "unknown option %.80s; see memlog-mpi --help", written);
}

/* Sets the command where the habit says it. */
static enum ml_status follow(const struct ml_habit *habit, struct ml_options *o,
                             struct ml_error *err)
{
    if (habit->answer) {
        ML_AUTO_FREE char *line = ml_format(habit->answer, optarg);
        return ml_fail(err, ML_RUN_LOST, "--%s is a command of its own now: %.300s", habit->name,
                       line);
    }
    o->asked_for_stdout |= strcmp(habit->name, "stdout") == 0;
    if (!habit->takes_value)
        return ML_OK;
    bool shell;
    enum ml_status status = ml_habit_run(optarg, &o->command, &shell, err);
    if (status == ML_OK && shell && o->launch == ML_LAUNCH_AUTO)
        o->launch = ML_LAUNCH_ONCE; /* mpiexec is in there, where nobody sees it */
    return status;
}

/* What is written behind ROW's option; of one that may stand alone also the next word. */
static const char *value_of(const struct option_row *row, char **argv)
{
    const char *next = argv[optind];
    if (argument_of(row) != optional_argument)
        return row->argument ? optarg : "1";
    if (!optarg && (!next || *next == '-'))
        return ML_ATTACH_OWN_JOB;
    if (!optarg)
        optind++;
    const char *value = optarg ? optarg : next;
    return *value ? value : ML_ATTACH_NAMELESS;
}

/* --attach starts nothing. */
static enum ml_status check_attach(struct ml_options *o, struct ml_error *err)
{
    const struct {
        const char *name;
        bool given;
    } others[] = {
        {"--ranks", ml_options_given(o, &o->ranks)},
        {"--ranks-per-node", ml_options_given(o, &o->ranks_per_node)},
        {"--bind-to", ml_options_given(o, &o->bind_to)},
        {"--launch", ml_options_given(o, &o->launch)},
        {"--stdout", o->asked_for_stdout},
        {"--stdout-limit", ml_options_given(o, &o->stdout_limit_B)},
        {"--heap", o->heap},
        {"--heap-rate", ml_options_given(o, &o->heap_rate_B)},
    };
    if (*o->command)
        return ml_fail(err, ML_RUN_LOST,
                       "--attach joins what runs already, and takes no command: %.80s",
                       *o->command);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i].given)
            return ml_fail(err, ML_RUN_LOST,
                           "--attach joins what runs already; %s is for what memlog-mpi starts",
                           others[i].name);
    }
    o->no_stdout = o->no_hooks = true;
    return ML_OK;
}

static enum ml_status parse_arguments(int argc, char **argv, struct ml_options *o,
                                      enum ml_options_wish *wish, struct ml_error *err)
{
    struct option longs[N_ROWS + ML_HABITS + 3];
    char letters[2 * N_ROWS + 8];
    int code;
    fill_getopt(longs, letters);
    opterr = 0;
    optind = 1;
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        const char *written = argv[optind - 1];
        if (code == ':')
            return ml_fail(err, ML_RUN_LOST, "%s wants a value; see memlog-mpi --help", written);
        if (code == '?')
            return fail_unknown(written, err);
        if (code == 'h' || code == 'V') {
            *wish = code == 'h' ? ML_WISH_HELP : ML_WISH_VERSION;
            return ML_OK;
        }
        if (code >= FIRST_HABIT) {
            enum ml_status followed = follow(&ml_habits[code - FIRST_HABIT], o, err);
            if (followed != ML_OK)
                return followed;
            continue;
        }
        const struct option_row *row = row_of(code);
        ML_AUTO_FREE char *name = ml_format("--%s", row->name);
        enum ml_status status = set_named(o, row, value_of(row, argv), name, err);
        if (status != ML_OK)
            return status;
    }
    if (o->command && argv[optind])
        return ml_fail(err, ML_RUN_LOST, "--run and a command; one of them goes");
    if (!o->command)
        o->command = argv + optind;
    if (ml_options_attach(o))
        return check_attach(o, err);
    if (!*o->command)
        return ml_fail(err, ML_RUN_LOST,
                       "no command; write memlog-mpi [options] -- command [arguments]");
    return ML_OK;
}

enum ml_status ml_options_parse(int argc, char **argv, struct ml_options *out_options,
                                enum ml_options_wish *out_wish, struct ml_error *err)
{
    struct ml_options o = {0};
    *out_wish = ML_WISH_RUN;
    for (int i = 0; i < N_ROWS; i++) {
        set(&o, &rows[i], rows[i].standard, NULL);
        enum ml_status status = set_from_environment(&o, &rows[i], err);
        if (status != ML_OK)
            return status;
    }
    enum ml_status status = parse_arguments(argc, argv, &o, out_wish, err);
    if (status != ML_OK)
        return status;
    if (*out_wish == ML_WISH_RUN && o.repeat_rate_ns < 100000)
        return ml_fail(err, ML_RUN_LOST, "--repeat-rate: at least 0.1ms between samples");
    if (*out_wish == ML_WISH_RUN && o.heap_rate_B < 1024)
        return ml_fail(err, ML_RUN_LOST, "--heap-rate: at least 1KiB between samples");
    *out_options = o;
    return ML_OK;
}

/* FIELD is one of O's. */
static const struct option_row *row_of_field(const struct ml_options *o, const void *field)
{
    const struct option_row *row = rows;
    while (row->offset != (size_t)((const char *)field - (const char *)o))
        row++;
    return row;
}

bool ml_options_given(const struct ml_options *o, const void *field)
{
    return o->written[row_of_field(o, field) - rows] != NULL;
}

/* What a rank process does for its own ranks, or its node. */
static bool is_own(const struct option_row *row)
{
    return row->offset == offsetof(struct ml_options, no_stdout) ||
           row->offset == offsetof(struct ml_options, stdout_limit_B) ||
           row->offset == offsetof(struct ml_options, journal_dir);
}

enum ml_status ml_options_follow(struct ml_options *o, const char *const *written,
                                 const char **out_other, struct ml_error *err)
{
    *out_other = NULL;
    for (int i = 0; i < N_ROWS; i++) {
        const char *own = o->written[i], *text = written[i] ? written[i] : rows[i].standard;
        if ((!own && !written[i]) || is_own(&rows[i]))
            continue;
        if (own && strcmp(own, text) != 0)
            *out_other = rows[i].name;
        enum ml_status status = set(o, &rows[i], text, err);
        if (status != ML_OK)
            return status;
        o->written[i] = written[i];
    }
    return ML_OK;
}

static const char *signal_name(int number)
{
    return number == SIGUSR1 ? "USR1" : number == SIGUSR2 ? "USR2" : "none";
}

static void show_growth(const struct ml_growth *growth, char *out, size_t size)
{
    if (growth->share > 0)
        snprintf(out, size, "%g%%", 100 * growth->share);
    else
        snprintf(out, size, "%lld", (long long)growth->size_B);
}

bool ml_options_attach(const struct ml_options *o)
{
    return o->attach && *o->attach;
}

bool ml_options_pstack(const struct ml_options *o)
{
    return o->pstack || o->debugger;
}

bool ml_options_wants_stacks(const struct ml_options *o)
{
    return ml_options_pstack(o) || o->stack_signal;
}

bool ml_options_wants_stack_server(const struct ml_options *o)
{
    return ml_options_wants_stacks(o) || o->heap;
}

static bool is_argument(const struct ml_options *o, const void *field)
{
    char variable[VARIABLE_B];
    const struct option_row *row = row_of_field(o, field);
    name_variable(row, variable);
    return o->written[row - rows] && o->written[row - rows] != getenv(variable);
}

bool ml_options_idle(const struct ml_options *o, char *out, size_t size)
{
    const struct {
        const void *field;
        const char *without;
        bool has;
    } needs[] = {
        {&o->stack_rate_ns, "--pstack", ml_options_pstack(o)},
        {&o->stack_growth, "--pstack", ml_options_pstack(o)},
        {&o->stack_ranks, "--pstack", ml_options_wants_stacks(o)},
        {&o->heap_rate_B, "--heap", o->heap},
    };
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (needs[i].has || !is_argument(o, needs[i].field))
            continue;
        snprintf(out, size, "--%s does nothing without %s", row_of_field(o, needs[i].field)->name,
                 needs[i].without);
        return true;
    }
    return false;
}

const char *ml_options_debugger(const struct ml_options *o)
{
    return debugger_words[o->debugger ? o->debugger : 1];
}

bool ml_options_attribute(const struct ml_options *o, size_t i, const char **out_name, char *out,
                          size_t size)
{
    if (i >= N_ROWS)
        return false;
    const void *field = (const char *)o + rows[i].offset;
    *out_name = rows[i].name;
    switch (rows[i].kind) {
    case TEXT:
    case RANKS:
    case ATTACH:
        snprintf(out, size, "%s", *(const char *const *)field);
        break;
    case DURATION:
    case PSS:
        if (*(const int64_t *)field < 0)
            snprintf(out, size, "auto");
        else
            snprintf(out, size, "%gs", (double)*(const int64_t *)field / 1e9);
        break;
    case SIZE:
    case COUNT:
        snprintf(out, size, "%lld", (long long)*(const int64_t *)field);
        break;
    case PERCENT:
        snprintf(out, size, "%g%%", 100 * *(const double *)field);
        break;
    case FLAG:
        snprintf(out, size, "%s", *(const bool *)field ? "yes" : "no");
        break;
    case BIND:
        snprintf(out, size, "%s", bind_words[*(const int *)field]);
        break;
    case LAUNCH:
        snprintf(out, size, "%s", launch_words[*(const int *)field]);
        break;
    case DEBUGGER:
        snprintf(out, size, "%s", debugger_words[*(const int *)field]);
        break;
    case GROWTH:
        show_growth(field, out, size);
        break;
    case SIGNAL:
        snprintf(out, size, "%s", signal_name(*(const int *)field));
        break;
    }
    return true;
}

void ml_options_print_help(FILE *file)
{
    fputs("Records memory, stacks and output of an MPI application into one HDF5 file.\n\n"
          "  mpiexec memlog-mpi -- ./app input           in a batch job: one rank as ever\n"
          "  mpiexec -n 4 memlog-mpi -o run.h5 -- ./app  name the result\n"
          "  memlog-mpi -n 4 -- ./app                    without mpiexec, on this machine\n"
          "  memlog-mpi -- mpiexec -n 4 ./app            around a launcher\n"
          "  memlog read run.h5; memlog plot run.h5      see it\n"
          "memlog-mpi [options] -- command [arguments]\n",
          file);
    for (int i = 0; i < N_ROWS; i++) {
        char left[64];
        char letter[5] = "    ";
        if (rows[i].letter)
            snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        fprintf(file, "  %-26s %s\n", left, rows[i].description);
    }
    fputs("      --help, --version\n"
          "Each option is also a variable: MEMLOG_REPEAT_RATE=1s. More: man memlog-mpi.\n"
          "Exit code: the application's; 2 wrong usage, 126, 127 as a shell, 70 we failed.\n",
          file);
}
