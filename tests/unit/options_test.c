#include "elements.h"
#include "launch/options.h"

#include <getopt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each option with its default, a value and what it comes to, and bad values. */
static const struct row {
    const char *name, *letter, *variable, *standard;
    const char *given; /* NULL: takes no value */
    const char *comes_to;
    const char *bad[7];
} rows[] = {
    {"outfile", "-o", "MEMLOG_OUTFILE", "", "a b.h5", "a b.h5", {NULL}},
    {"repeat-rate",
     "-r",
     "MEMLOG_REPEAT_RATE",
     "0.25s",
     "2s",
     "2s",
     {"", "fast", "-1s", "1year", "0.00001"}},
    {"sample-delay",
     NULL,
     "MEMLOG_SAMPLE_DELAY",
     "0s",
     "10ms",
     "0.01s",
     {"", "soon", "-1", "1e99", "0x10"}},
    {"ranks", "-n", "MEMLOG_RANKS", "0", "12", "12", {"0", "-1", "two", "10000001", "4x"}},
    {"ranks-per-node", NULL, "MEMLOG_RANKS_PER_NODE", "0", "3", "3", {"0", "-2", "x", "1.5", " "}},
    {"bind-to", NULL, "MEMLOG_BIND_TO", "auto", "socket", "socket", {"", "Core", "board", "cor"}},
    {"nodefile", NULL, "MEMLOG_NODEFILE", "", "/tmp/nodes", "/tmp/nodes", {NULL}},
    {"launch", NULL, "MEMLOG_LAUNCH", "auto", "once", "once", {"", "twice", "rank", "ONCE"}},
    {"attach",
     NULL,
     "MEMLOG_ATTACH",
     "",
     "job:14",
     "job:14",
     {"job:", "name:", "pid:", ",", "1,,2", "pid:x", "pid:99999999999"}},
    {"no-stdout", NULL, "MEMLOG_NO_STDOUT", "no", NULL, "yes", {NULL}},
    {"stdout-limit",
     NULL,
     "MEMLOG_STDOUT_LIMIT",
     "16777216",
     "1KiB",
     "1024",
     {"", "much", "-1", "5 apples", "1e30"}},
    {"pss-rate", NULL, "MEMLOG_PSS_RATE", "auto", "3s", "3s", {"", "never", "-1", "autos"}},
    {"overhead", NULL, "MEMLOG_OVERHEAD", "1%", "2.5%", "2.5%", {"", "0", "101%", "-1%", "low"}},
    {"pstack", NULL, "MEMLOG_PSTACK", "no", NULL, "yes", {NULL}},
    {"debugger", NULL, "MEMLOG_DEBUGGER", "auto", "gdb", "gdb", {"", "dbx", "GDB", "gd"}},
    {"stack-rate", NULL, "MEMLOG_STACK_RATE", "10s", "1min", "60s", {"", "often", "-1s"}},
    {"stack-growth",
     NULL,
     "MEMLOG_STACK_GROWTH",
     "5%",
     "10MiB",
     "10485760",
     {"", "%", "much", "-1", "0%", "101%"}},
    {"stack-ranks",
     NULL,
     "MEMLOG_STACK_RANKS",
     "all",
     "0,4-7",
     "0,4-7",
     {"", "first", "-1", "4-", "7-4", "1;2"}},
    {"stack-signal",
     NULL,
     "MEMLOG_STACK_SIGNAL",
     "none",
     "SIGUSR1",
     "USR1",
     {"KILL", "TERM", "usr1", "USR3", "10"}},
    {"no-hooks", NULL, "MEMLOG_NO_HOOKS", "no", NULL, "yes", {NULL}},
    {"heap", NULL, "MEMLOG_HEAP", "no", NULL, "yes", {NULL}},
    {"heap-rate", NULL, "MEMLOG_HEAP_RATE", "524288", "64KiB", "65536", {"x", "-1", "1023"}},
    {"no-gpu", NULL, "MEMLOG_NO_GPU", "no", NULL, "yes", {NULL}},
    {"gpu-rate", NULL, "MEMLOG_GPU_RATE", "1s", "100ms", "0.1s", {"x", "-1"}},
    {"journal-dir", NULL, "MEMLOG_JOURNAL_DIR", "", "/scratch", "/scratch", {NULL}},
    {"force", NULL, "MEMLOG_FORCE", "no", NULL, "yes", {NULL}},
    {"live", NULL, "MEMLOG_LIVE", "no", NULL, "yes", {NULL}},
    {"quiet", "-q", "MEMLOG_QUIET", "no", NULL, "yes", {NULL}},
    {"verbose", "-v", "MEMLOG_VERBOSE", "no", NULL, "yes", {NULL}},
};

/* It takes no command: see attach(). */
static bool is_attach(const struct row *row)
{
    return strcmp(row->name, "attach") == 0;
}

static enum ml_status parse(char *const *words, struct ml_options *o, enum ml_options_wish *wish,
                            struct ml_error *err)
{
    static char *argv[12]; /* the command points into it */
    int argc = 0;
    argv[argc++] = "memlog-mpi";
    for (; *words; words++)
        argv[argc++] = *words;
    argv[argc] = NULL;
    optind = 0; /* getopt forgets the last command line, as in a new process */
    getopt(1, argv, "+");
    return ml_options_parse(argc, argv, o, wish, err);
}

static void assert_value(const struct ml_options *o, const char *name, const char *wanted)
{
    const char *found;
    char value[200];
    for (size_t i = 0; ml_options_attribute(o, i, &found, value, sizeof value); i++) {
        if (strcmp(found, name) == 0) {
            assert_string_equal(value, wanted);
            return;
        }
    }
    fail_msg("no option %s", name);
}

/* ROW's option has the value that was given, every other one its default. */
static void assert_only(const struct ml_options *o, const struct row *row)
{
    for (size_t i = 0; i < N(rows); i++)
        assert_value(o, rows[i].name, &rows[i] == row ? row->comes_to : rows[i].standard);
    assert_string_equal(o->command[0], "app");
    assert_string_equal(o->command[1], "--force");
    assert_null(o->command[2]);
}

static void check_words(const struct row *row, char *const *words)
{
    struct ml_options o;
    enum ml_options_wish wish;
    struct ml_error err = {""};
    if (parse(words, &o, &wish, &err) != ML_OK)
        fail_msg("%s: %s", words[0], err.text);
    assert_int_equal(wish, ML_WISH_RUN);
    assert_only(&o, row);
}

static void every_row_is_here(void **state)
{
    struct ml_options o;
    enum ml_options_wish wish;
    const char *name;
    char value[200];
    size_t n = 0;
    (void)state;
    char *words[] = {"app", "--force", NULL};
    assert_int_equal(parse(words, &o, &wish, NULL), ML_OK);
    while (ml_options_attribute(&o, n, &name, value, sizeof value)) {
        assert_true(n < N(rows));
        assert_string_equal(name, rows[n].name);
        n++;
    }
    assert_int_equal(n, N(rows));
    assert_only(&o, NULL);
}

static void long_and_short(void **state)
{
    (void)state;
    for (const struct row *row = rows; row < rows + N(rows); row++) {
        char name[100], joined[100];
        sprintf(name, "--%s", row->name);
        sprintf(joined, "--%s=%s", row->name, row->given ? row->given : "");
        if (is_attach(row))
            continue;
        if (row->given) {
            check_words(row, (char *[]){name, (char *)row->given, "--", "app", "--force", NULL});
            check_words(row, (char *[]){joined, "app", "--force", NULL});
        } else {
            check_words(row, (char *[]){name, "--", "app", "--force", NULL});
        }
        if (!row->letter)
            continue;
        sprintf(joined, "%s%s", row->letter, row->given ? row->given : "");
        check_words(row, (char *[]){joined, "app", "--force", NULL});
        if (row->given)
            check_words(
                row, (char *[]){(char *)row->letter, (char *)row->given, "app", "--force", NULL});
    }
}

static void variables(void **state)
{
    (void)state;
    for (const struct row *row = rows; row < rows + N(rows); row++) {
        if (is_attach(row))
            continue;
        setenv(row->variable, row->given ? row->given : "1", 1);
        check_words(row, (char *[]){"--", "app", "--force", NULL});
        unsetenv(row->variable);
    }
    setenv("MEMLOG_QUIET", "0", 1);
    setenv("MEMLOG_LIVE", "", 1);
    check_words(NULL, (char *[]){"app", "--force", NULL});
    unsetenv("MEMLOG_QUIET");
    unsetenv("MEMLOG_LIVE");
}

static void the_last_word_wins(void **state)
{
    (void)state;
    setenv("MEMLOG_RANKS", "99", 1);
    check_words(&rows[3], (char *[]){"-n", "5", "-n12", "app", "--force", NULL});
    unsetenv("MEMLOG_RANKS");
}

static void assert_one_line(const struct ml_error *err, const char *option)
{
    if (strncmp(err->text, option, strlen(option)) != 0)
        fail_msg("%s is not named first: %s", option, err->text);
    assert_null(strpbrk(err->text, "\n\r\033"));
    assert_true(strlen(err->text) > strlen(option) + 5);
}

static void bad_values(void **state)
{
    (void)state;
    for (const struct row *row = rows; row < rows + N(rows); row++) {
        for (size_t i = 0; i < N(row->bad) && row->bad[i]; i++) {
            struct ml_options o;
            enum ml_options_wish wish;
            struct ml_error err = {""};
            char name[100];
            bool empty_count = !*row->bad[i] && strncmp(row->name, "ranks", 5) == 0;
            assert_false(empty_count);
            sprintf(name, "--%s", row->name);
            char *words[] = {name, (char *)row->bad[i], "app", NULL};
            if (parse(words, &o, &wish, &err) == ML_OK)
                fail_msg("%s '%s' is taken", name, row->bad[i]);
            assert_one_line(&err, name);
            err.text[0] = 0;
            setenv(row->variable, row->bad[i], 1);
            assert_int_not_equal(parse((char *[]){"app", NULL}, &o, &wish, &err), ML_OK);
            /* The range of the rate is checked when all is read, and named as the option. */
            assert_one_line(&err, strstr(err.text, "at least") ? name : row->variable);
            unsetenv(row->variable);
        }
    }
}

static void long_bad_values(void **state)
{
    static char value[3000];
    (void)state;
    memset(value, '9', sizeof value - 1);
    for (const struct row *row = rows; row < rows + N(rows); row++) {
        struct ml_options o;
        enum ml_options_wish wish;
        struct ml_error err = {""};
        char name[100];
        if (!row->bad[0])
            continue;
        sprintf(name, "--%s", row->name);
        char *words[] = {name, value, "app", NULL};
        assert_int_not_equal(parse(words, &o, &wish, &err), ML_OK);
        assert_one_line(&err, name);
        assert_true(strlen(err.text) < 400);
    }
}

static void wrong_usage(void **state)
{
    static const struct {
        char *words[4];
        const char *says;
    } table[] = {
        {{NULL}, "no command"},
        {{"--", NULL}, "no command"},
        {{"-q", NULL}, "no command"},
        {{"--colour", "app", NULL}, "unknown option --colour"},
        {{"-x", "app", NULL}, "unknown option -x"},
        {{"-qx", "app", NULL}, "unknown option -x"},
        {{"--rank", "app", NULL}, "unknown option --rank"}, /* ranks or ranks-per-node? */
        {{"--repeatrate", "app", NULL}, "unknown option --repeatrate; did you mean --repeat-rate?"},
        {{"--plot", "a.log", NULL}, "--plot is a command of its own now: memlog plot a.log"},
        {{"--read", "a.log", NULL}, "--read is a command of its own now: memlog read a.log"},
        {{"--run", "app", "app", NULL}, "--run and a command"},
        {{"--run", "app 'x", NULL}, "--run 'app 'x': a quote or a bracket is open"},
        {{"--run", "", NULL}, "--run '': no command"},
        {{"--outfile", NULL}, "--outfile wants a value"},
        {{"-o", NULL}, "-o wants a value"},
        {{"-n", NULL}, "-n wants a value"},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_options o;
        enum ml_options_wish wish;
        struct ml_error err = {""};
        assert_int_not_equal(parse(table[i].words, &o, &wish, &err), ML_OK);
        if (strncmp(err.text, table[i].says, strlen(table[i].says)) != 0)
            fail_msg("%s: %s", table[i].says, err.text);
        assert_null(strchr(err.text, '\n'));
    }
}

/* As memory_logger.py's users type them. */
static void old_habits(void **state)
{
    struct ml_options o;
    enum ml_options_wish wish;
    struct ml_error err = {""};
    (void)state;
    char *quoted[] = {"--pbs", "--stdout", "--run", "mpiexec -n 2 'my app' -i x", NULL};
    assert_int_equal(parse(quoted, &o, &wish, &err), ML_OK);
    const char *const words[] = {"mpiexec", "-n", "2", "my app", "-i", "x"};
    for (size_t i = 0; i < N(words); i++)
        assert_string_equal(o.command[i], words[i]);
    assert_null(o.command[N(words)]);
    assert_int_equal(o.launch, ML_LAUNCH_AUTO);
    char *piped[] = {"--run", "app | tee log", NULL};
    assert_int_equal(parse(piped, &o, &wish, &err), ML_OK);
    assert_string_equal(o.command[0], "sh");
    assert_string_equal(o.command[2], "app | tee log");
    assert_int_equal(o.launch, ML_LAUNCH_ONCE);
    char *output[] = {"--stdout", "--", "app", NULL}; /* not --stdout-limit */
    assert_int_equal(parse(output, &o, &wish, &err), ML_OK);
    assert_string_equal(o.command[0], "app");
}

static void attach(void **state)
{
    static const struct {
        char *words[5];
        const char *comes_to; /* NULL: refused, */
        const char *says;     /* with these words in it */
    } table[] = {
        {{"--attach", NULL}, "job", NULL},
        {{"--attach", "-q", NULL}, "job", NULL},
        {{"--attach", "4711,4712", NULL}, "4711,4712", NULL},
        {{"--attach=app", "-o", "a.h5", NULL}, "app", NULL},
        {{"--attach", "app", "--no-stdout", "--no-hooks", NULL}, "app", NULL},
        {{"--attach", "name:12", "--pstack", NULL}, "name:12", NULL},
        {{"--attach", "app", "b", NULL}, NULL, "takes no command: b"},
        {{"--attach", "--", "b", NULL}, NULL, "takes no command: b"},
        {{"--run", "b", "--attach", NULL}, NULL, "takes no command: b"},
        {{"--attach", "", NULL}, NULL, "name what is to be joined"},
        {{"--attach=", NULL}, NULL, "name what is to be joined"},
        {{"-n", "4", "--attach", NULL}, NULL, "--ranks is for what memlog-mpi starts"},
        {{"--ranks-per-node=4", "--attach", NULL}, NULL, "--ranks-per-node is"},
        {{"--bind-to=core", "--attach", NULL}, NULL, "--bind-to is"},
        {{"--launch=once", "--attach", NULL}, NULL, "--launch is"},
        {{"--stdout", "--attach", NULL}, NULL, "--stdout is"},
        {{"--stdout-limit=1", "--attach", NULL}, NULL, "--stdout-limit is"},
        {{"--heap", "--attach", NULL}, NULL, "--heap is"},
        {{"--attach", "app", "--heap-rate=1M", NULL}, NULL, "--heap-rate is"},
    };
    struct ml_options o;
    enum ml_options_wish wish;
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_error err = {""};
        enum ml_status status = parse(table[i].words, &o, &wish, &err);
        if ((status == ML_OK) != (table[i].comes_to != NULL))
            fail_msg("%zu: %s", i, err.text);
        if (status != ML_OK) {
            assert_non_null(strstr(err.text, table[i].says));
            continue;
        }
        assert_value(&o, "attach", table[i].comes_to);
        assert_true(ml_options_attach(&o) && o.no_hooks && o.no_stdout);
        assert_null(*o.command);
    }
    setenv("MEMLOG_ATTACH", "app", 1);
    assert_int_equal(parse((char *[]){NULL}, &o, &wish, NULL), ML_OK);
    assert_value(&o, "attach", "app");
    unsetenv("MEMLOG_ATTACH");
}

static void misspelt_variables(void **state)
{
    char text[200];
    char *none[] = {"HOME=/", "MEMLOG_REPEAT_RATE=1s", "MEMLOG_HOME=/opt", "REPEATRATE=1", NULL};
    char *one[] = {"MEMLOG_PSTACK=1", "MEMLOG_REPEATRATE=1s", NULL};
    (void)state;
    assert_false(ml_options_misspelt(none, text, sizeof text));
    assert_true(ml_options_misspelt(one, text, sizeof text));
    assert_string_equal(
        text, "MEMLOG_REPEATRATE is no variable of ours; did you mean MEMLOG_REPEAT_RATE?");
}

static void options_that_do_nothing(void **state)
{
    char text[200];
    struct ml_options o;
    enum ml_options_wish wish;
    char **idle[] = {(char *[]){"--stack-rate", "1s", "app", NULL},
                     (char *[]){"--stack-rate", "1s", "--stack-signal", "USR1", "app", NULL},
                     (char *[]){"--stack-ranks", "0", "app", NULL},
                     (char *[]){"--heap-rate", "1MiB", "--pstack", "app", NULL}};
    char **used[] = {(char *[]){"--stack-rate", "1s", "--pstack", "app", NULL},
                     (char *[]){"--stack-growth", "0", "--debugger", "gdb", "app", NULL},
                     (char *[]){"--stack-ranks", "0", "--stack-signal", "USR1", "app", NULL},
                     (char *[]){"--heap-rate", "1MiB", "--heap", "app", NULL}};
    (void)state;
    for (size_t i = 0; i < N(idle); i++) {
        assert_int_equal(parse(idle[i], &o, &wish, NULL), ML_OK);
        assert_true(ml_options_idle(&o, text, sizeof text));
        assert_int_equal(parse(used[i], &o, &wish, NULL), ML_OK);
        assert_false(ml_options_idle(&o, text, sizeof text));
    }
    assert_int_equal(parse(idle[0], &o, &wish, NULL), ML_OK);
    assert_true(ml_options_idle(&o, text, sizeof text));
    assert_string_equal(text, "--stack-rate does nothing without --pstack");
    setenv("MEMLOG_STACK_RATE", "1s", 1);
    assert_int_equal(parse((char *[]){"app", NULL}, &o, &wish, NULL), ML_OK);
    assert_false(ml_options_idle(&o, text, sizeof text));
    unsetenv("MEMLOG_STACK_RATE");
}

static void whether_stacks(void **state)
{
    struct ml_options o;
    enum ml_options_wish wish;
    (void)state;
    assert_int_equal(parse((char *[]){"app", NULL}, &o, &wish, NULL), ML_OK);
    assert_false(ml_options_wants_stacks(&o));
    assert_int_equal(parse((char *[]){"--pstack", "app", NULL}, &o, &wish, NULL), ML_OK);
    assert_true(ml_options_pstack(&o));
    assert_string_equal(ml_options_debugger(&o), "unwind");
    assert_int_equal(parse((char *[]){"--debugger", "lldb", "app", NULL}, &o, &wish, NULL), ML_OK);
    assert_true(ml_options_pstack(&o));
    assert_string_equal(ml_options_debugger(&o), "lldb");
    assert_int_equal(parse((char *[]){"--stack-signal", "USR2", "app", NULL}, &o, &wish, NULL),
                     ML_OK);
    assert_false(ml_options_pstack(&o));
    assert_true(ml_options_wants_stacks(&o));
    assert_int_equal(o.stack_signal, SIGUSR2);
    assert_int_equal(parse((char *[]){"--stack-growth", "0", "app", NULL}, &o, &wish, NULL), ML_OK);
    assert_true(o.stack_growth.share == 0 && o.stack_growth.size_B == 0);
}

static void special_values(void **state)
{
    struct ml_options o;
    enum ml_options_wish wish;
    (void)state;
    char *words[] = {"-n", "slots", "--pss-rate", "auto", "--stdout-limit", "0", "app", NULL};
    assert_int_equal(parse(words, &o, &wish, NULL), ML_OK);
    assert_int_equal(o.ranks, ML_RANKS_BY_SLOTS);
    assert_int_equal(o.pss_rate_ns, -1);
    assert_int_equal(o.stdout_limit_B, 0);
    assert_int_equal(parse((char *[]){"--help", NULL}, &o, &wish, NULL), ML_OK);
    assert_int_equal(wish, ML_WISH_HELP);
    assert_int_equal(parse((char *[]){"-h", NULL}, &o, &wish, NULL), ML_OK);
    assert_int_equal(wish, ML_WISH_HELP);
    assert_int_equal(parse((char *[]){"-q", "--version", "app", NULL}, &o, &wish, NULL), ML_OK);
    assert_int_equal(wish, ML_WISH_VERSION);
    assert_int_equal(parse((char *[]){"app", "--help", NULL}, &o, &wish, NULL), ML_OK);
    assert_int_equal(wish, ML_WISH_RUN);
}

static void help(void **state)
{
    char *text = NULL, name[100];
    size_t n = 0, lines = 0;
    (void)state;
    FILE *file = open_memstream(&text, &n);
    ml_options_print_help(file);
    fclose(file);
    for (const struct row *row = rows; row < rows + N(rows); row++) {
        sprintf(name, "--%s ", row->name);
        if (!strstr(text, name))
            fail_msg("--help does not name --%s", row->name);
    }
    assert_int_equal(text[n - 1], '\n');
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (strlen(line) > 80)
            fail_msg("wider than 80 columns: %s", line);
    }
    for (size_t i = 0; i < n; i++)
        lines += text[i] == 0 || text[i] == '\n'; /* strtok's, and those of empty lines */
    assert_in_range(lines, 24, 40);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_here),  cmocka_unit_test(long_and_short),
        cmocka_unit_test(variables),          cmocka_unit_test(the_last_word_wins),
        cmocka_unit_test(bad_values),         cmocka_unit_test(long_bad_values),
        cmocka_unit_test(wrong_usage),        cmocka_unit_test(whether_stacks),
        cmocka_unit_test(old_habits),         cmocka_unit_test(attach),
        cmocka_unit_test(misspelt_variables), cmocka_unit_test(options_that_do_nothing),
        cmocka_unit_test(special_values),     cmocka_unit_test(help),
    };
    for (size_t i = 0; i < N(rows); i++)
        unsetenv(rows[i].variable);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
