#include "read/moose_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE "1417035512.347000,104500,,,node01,52250\r\n"

static struct ml_moose_log parse(const char *text)
{
    struct ml_error err = {{0}};
    struct ml_moose_log log;
    if (ml_moose_log_parse(text, strlen(text), &log, &err))
        fail_msg("%s", err.text);
    return log;
}

static void test_rows(void **state)
{
    (void)state;
    struct ml_moose_log log = parse("1417035512.347000,104500,|Time Step 1\n"
                                    "a || bar, a \\\\ slash|,,node01,52250\r\n"
                                    "1417035512.6,104501,,|#0  f ()\n#1  main ()|,node02,52251\r\n"
                                    "1417035512.5,3,plain \\| text,,node01,2\n");
    assert_int_equal(log.n_rows, 3);
    assert_int_equal(log.n_nodes, 2);
    assert_false(log.torn);
    assert_true(log.rows[0].wall_ns == 1417035512347000000LL);
    assert_true(log.rows[0].total_B == 104500 * 1024LL && log.rows[0].node_B == 52250 * 1024LL);
    assert_string_equal(log.rows[0].output, "Time Step 1\na | bar, a \\ slash");
    assert_string_equal(log.rows[0].stack, "");
    assert_string_equal(log.rows[1].stack, "#0  f ()\n#1  main ()");
    assert_string_equal(log.rows[2].output, "plain | text");
    assert_int_equal(log.rows[1].node, 1);
    assert_int_equal(log.rows[2].node, 0);
    assert_string_equal(log.nodes[1], "node02");
    assert_true(log.rows[2].wall_ns == log.rows[1].wall_ns); /* clocks that went back */
    ml_moose_log_free(&log);
}

static void test_torn(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "1417035513.1,5,,,node01,5",
        "1417035513.1,5",
        "1417035513.1,5,|never closed,,n,5\r\n",
        "1",
        "1417035513.1,5,,,node01,|5|",
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s%s", LINE, ends[i]);
        struct ml_moose_log log = parse(text);
        assert_int_equal(log.n_rows, 1);
        assert_true(log.torn);
        ml_moose_log_free(&log);
    }
}

static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "it has no whole line"},
        {"\r\n\n\n", "line 1: 1 fields"},
        {"1417035512.3,1", "it has no whole line"},
        {"time,total,stdout,stack,host,memory\r\n", "line 1: its first field is no unix time"},
        {LINE "1,2,3\n", "line 2: 3 fields, a log of memory_logger.py has 6"},
        {LINE "1,2,|\n\n|,,n,2,7\n" LINE, "line 2: 7 fields"},
        {LINE LINE "nan,1,,,n,1\n", "line 3: its first field is no unix time"},
        {"-1,1,,,n,1\n", "line 1: its first field"},
        {"1e9,1,,,n,1\n", "line 1: its first field"},
        {"0x10,1,,,n,1\n", "line 1: its first field"},
        {"99999999999,1,,,n,1\n", "line 1: its first field"},
        {"1,-5,,,n,1\n", "line 1: its second field is no number of KiB"},
        {"1,9223372036854775807,,,n,1\n", "line 1: its second field"},
        {"1,99999999999999999999,,,n,1\n", "line 1: its second field"},
        {"1,5,,,n,1.5\n", "line 1: its last field"},
        {"1,5,,,n,\n", "line 1: its last field"},
        {"1,5,,,n,+5\n", "line 1: its last field"},
        {"||||||||\n", "line 1: 1 fields"},
        {"\\\n\\\n", "it has no whole line"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_error err = {{0}};
        struct ml_moose_log log = {0};
        assert_int_not_equal(ml_moose_log_parse(cases[i].text, strlen(cases[i].text), &log, &err),
                             ML_OK);
        if (!strstr(err.text, cases[i].message))
            fail_msg("case %zu: %s", i, err.text);
        assert_null(log.rows);
    }
}

static void test_nul_bytes_are_left_out(void **state)
{
    (void)state;
    static const char text[] = "1,5,a\0b,,n\0,1\n";
    struct ml_moose_log log;
    assert_int_equal(ml_moose_log_parse(text, sizeof text - 1, &log, NULL), ML_OK);
    assert_string_equal(log.rows[0].output, "ab");
    assert_string_equal(log.nodes[0], "n");
    ml_moose_log_free(&log);
}

static void test_is_a_log(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {LINE, true},
        {"1417035512.3,1,", true},
        {"1417035512.3,1", false},
        {"", false},
        {",,", false},
        {"\x89HDF\r\n", false},
        {"1,2", false},
        {"1,,3", false},
        {"time_s,process,rank\n", false},
        {"0.125,x,0\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ml_moose_log_is(cases[i].text, strlen(cases[i].text)), cases[i].is);
}

static void test_frames(void **state)
{
    (void)state;
    static const struct {
        const char *line, *function, *file, *module;
        int number;
    } cases[] = {
        {"#0  0x00007f3a5 in poll () from /lib/libc.so.6", "poll", "", "/lib/libc.so.6", -1},
        {"#1  0x0055 in Solver::run (this=0x55, n=3) at /src/core.cpp:118\r", "Solver::run",
         "/src/core.cpp", "", 118},
        {"#12 main (argc=1, argv=0x7ffe) at main.c:10", "main", "main.c", "", 10},
        {"#2  <signal handler called>", "<signal handler called>", "", "", -1},
        {"#3  0x0000 in ?? ()", "", "", "", -1},
        {"#4  Solver::run(int) () at core.cpp:118", "Solver::run(int)", "core.cpp", "", 118},
        {"#5  f () at /a at b:7", "f", "b", "", 7},
        {"#5  f () at odd:", "f", "odd:", "", -1},
        {"#5  f () at odd:99999999999", "f", "odd:99999999999", "", -1},
        {"    frame #0: 0x7fff solver`Solver::run(int) + 23 at core.cpp:118", "Solver::run(int)",
         "core.cpp", "solver", 118},
        {"  * frame #10: 0x7fff libc.so.6`poll", "poll", "", "libc.so.6", -1},
        {"frame #1: no address", "no address", "", "", -1},
        {"#0  ", "", "", "", -1},
    };
    static const char *const others[] = {
        "",
        "#",
        "# 0 f ()",
        "#x",
        "#1f ()",
        "thread #1: tid = 7",
        "[New Thread 0x7f]",
        "frame #",
        "frame #1",
        "frame 1: f",
        "(gdb) bt",
        "#18446744073709551616",
    };
    char room[256];
    struct ml_frame_row frame;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!ml_moose_log_frame(cases[i].line, strlen(cases[i].line), room, &frame))
            fail_msg("%s", cases[i].line);
        assert_string_equal(frame.function, cases[i].function);
        assert_string_equal(frame.file, cases[i].file);
        assert_string_equal(frame.module, cases[i].module);
        assert_int_equal(frame.line, cases[i].number);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(ml_moose_log_frame(others[i], strlen(others[i]), room, &frame));
}

/* An hour back after the third row, a minute each; a moment out of order is no such thing. */
static void test_clock_that_is_set_back(void **state)
{
    static const char text[] = "1000060,1,,,a,1\n1000120,1,,,a,1\n1000180,1,,,a,1\n"
                               "996640,1,,,a,1\n996700,1,,,a,1\n996699.5,1,,,b,1\n996760,1,,,a,1\n";
    struct ml_moose_log log;
    struct ml_error err;
    (void)state;
    assert_int_equal(ml_moose_log_parse(text, sizeof text - 1, &log, &err), ML_OK);
    const int64_t expected_s[] = {0, 60, 120, 180, 240, 240, 300};
    assert_int_equal(log.n_rows, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal((log.rows[i].wall_ns - log.rows[0].wall_ns) / 1000000000, expected_s[i]);
    assert_int_equal(log.set_back_line, 4);
    assert_int_equal(log.set_back_ns / 1000000000, 3600);
    ml_moose_log_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_nul_bytes_are_left_out),
        cmocka_unit_test(test_is_a_log),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_clock_that_is_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
