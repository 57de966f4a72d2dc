/* gdb's machine interface: captures of gdb 10.1, 13.1 and 16.3 (tests/data/gdb), and lines that are
 * none. */
#include "debuggers/gdb_stack.h"

#include "base/buffer.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- captures ---- */

/* What is told of a capture: the kernel's numbers of the threads, and a line a stack, its functions
 * innermost first, those that follow each other once, a "+" behind inlined ones. */
struct telling {
    struct ml_buffer text;
    char last[512];
    int times;
};

static void end_run(struct telling *t)
{
    if (t->times > 1)
        ml_buffer_printf(&t->text, "*%d", t->times);
    t->times = 0;
    t->last[0] = 0;
}

static void tell_frame(struct telling *t, const struct ml_told *frame)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", frame->function, frame->inlined ? "+" : "");
    if (!t->times || strcmp(name, t->last) != 0) {
        end_run(t);
        ml_buffer_printf(&t->text, " %s", name);
        strcpy(t->last, name);
    }
    t->times++;
}

static void tell_record(struct telling *t, const struct ml_mi_record *record)
{
    size_t n;
    free(ml_gdb_threads(record, &n));
    if (n)
        ml_buffer_printf(&t->text, "%zu threads\n", n);
    ML_AUTO_FREE struct ml_told *frames = ml_gdb_frames(record, &n);
    for (size_t i = 0; i < n; i++)
        tell_frame(t, &frames[i]);
    end_run(t);
    if (n)
        ml_buffer_printf(&t->text, "\n");
}

static char *tell_capture(const char *name)
{
    char path[512];
    struct telling t = {0};
    struct ml_mi_record record = {0};
    char *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, MEMLOG_TEST_DATA "/gdb/%s.mi", name);
    ML_AUTO_FILE FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        if (ml_mi_parse(line, &record))
            tell_record(&t, &record);
        else
            assert_true(strncmp(line, "(gdb)", 5) == 0 || strchr("~@&", *line));
    }
    free(line);
    ml_mi_free(&record);
    ml_buffer_append_text(&t.text, "");
    return t.text.data;
}

/* What each version tells of the same programs. */
static const char recursion[] =
    "1 threads\n"
    " clock_nanosleep nanosleep stacks_stay descend*200 main ?? __libc_start_main _start\n";
static const char shapes[] =
    "1 threads\n"
    " poll stacks_stay shapes::Box<double>::deeper+ shapes::Box<double>::again+ shapes::Box<double>::measure shapes::(anonymous namespace)::Cube::area shapes::Grid<3>::operator() shapes::apply<shapes::Grid<3> > operator() main ?? __libc_start_main _start\n";
static const char threads8[] =
    "9 threads\n"
    " ?? pthread_cond_wait stacks_stay main ?? __libc_start_main _start\n"
    " ?? pthread_cond_wait stacks_stay step_a thread_1 ??*2\n"
    " ?? pthread_cond_wait stacks_stay step_c step_b thread_2 ??*2\n"
    " ?? pthread_cond_wait stacks_stay step_a step_d step_c thread_3 ??*2\n"
    " ?? pthread_cond_wait stacks_stay step_c step_b step_a step_d thread_4 ??*2\n"
    " ?? pthread_cond_wait stacks_stay step_a step_d step_c step_b step_a thread_5 ??*2\n"
    " ?? pthread_cond_wait stacks_stay step_c step_b step_a step_d step_c step_b thread_6 ??*2\n"
    " ?? pthread_cond_wait stacks_stay step_a step_d step_c step_b step_a step_d step_c thread_7 ??*2\n"
    " ?? pthread_cond_wait stacks_stay step_c step_b step_a step_d step_c step_b step_a step_d thread_8 ??*2\n";

static void captures(void **state)
{
    static const struct {
        const char *name, *told;
    } table[] = {
        {"chain_stripped", "1 threads\n"
                           " read ??*6 __libc_start_main ??\n"},
        {"clocks", "1 threads\n"
                   " clock_gettime*2 ask_time main ?? __libc_start_main _start\n"},
        {"handler",
         "1 threads\n"
         " poll stacks_stay from_handler on_illegal <signal handler called> illegal outer main ?? __libc_start_main _start\n"},
        {"interrupted",
         "1 threads\n"
         " poll stacks_stay on_alarm <signal handler called> work main ?? __libc_start_main _start\n"},
        {"debug_libc",
         "1 threads\n"
         " __GI___libc_read stacks_stay inner middle outer main __libc_start_call_main __libc_start_main_impl _start\n"},
        {"recursion", recursion},
        {"recursion_gdb10", recursion},
        {"recursion_gdb16", recursion},
        {"shapes", shapes},
        {"shapes_gdb10", shapes},
        {"shapes_gdb16", shapes},
        {"threads8", threads8},
        {"threads8_gdb10", threads8},
        {"threads8_gdb16", /* the newest first */
         "9 threads\n"
         " ?? pthread_cond_wait stacks_stay main ?? __libc_start_main _start\n"
         " ?? pthread_cond_wait stacks_stay step_c step_b step_a step_d step_c step_b step_a step_d thread_8 ??*2\n"
         " ?? pthread_cond_wait stacks_stay step_a step_d step_c step_b step_a step_d step_c thread_7 ??*2\n"
         " ?? pthread_cond_wait stacks_stay step_c step_b step_a step_d step_c step_b thread_6 ??*2\n"
         " ?? pthread_cond_wait stacks_stay step_a step_d step_c step_b step_a thread_5 ??*2\n"
         " ?? pthread_cond_wait stacks_stay step_c step_b step_a step_d thread_4 ??*2\n"
         " ?? pthread_cond_wait stacks_stay step_a step_d step_c thread_3 ??*2\n"
         " ?? pthread_cond_wait stacks_stay step_c step_b thread_2 ??*2\n"
         " ?? pthread_cond_wait stacks_stay step_a thread_1 ??*2\n"},
        {"waves",
         "1 threads\n"
         " clock_nanosleep nanosleep stacks_stay waves::total travel::crest waves::travel coast::shore coast main ?? __libc_start_main _start\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ML_AUTO_FREE char *told = tell_capture(table[i].name);
        assert_string_equal(told, table[i].told);
    }
}

/* ---- lines ---- */

static void a_result(void **state)
{
    struct ml_mi_record r = {0};
    (void)state;
    assert_true(ml_mi_parse("12^done,a=\"1\",b={c=\"x\",d=[\"y\",{e=\"z\"}]},f=[]", &r));
    assert_int_equal(r.token, 12);
    assert_int_equal(r.type, '^');
    assert_string_equal(r.word, "done");
    assert_string_equal(ml_mi_find(&r, "a")->text, "1");
    const struct ml_mi_value *b = ml_mi_find(&r, "b");
    assert_int_equal(b->kind, '{');
    assert_string_equal(ml_mi_text(b, "c"), "x");
    assert_string_equal(ml_mi_text(b, "e"), ""); /* one deeper */
    const struct ml_mi_value *d = ml_mi_member(b, "d");
    assert_int_equal(d->size, 4);
    assert_string_equal(d[1].text, "y");
    assert_string_equal(ml_mi_text(&d[2], "e"), "z");
    assert_int_equal(ml_mi_find(&r, "f")->size, 1);
    assert_null(ml_mi_find(&r, "c"));
    ml_mi_free(&r);
}

static void other_records(void **state)
{
    struct ml_mi_record r = {0};
    (void)state;
    assert_true(ml_mi_parse("*stopped,thread-id=\"1\",stopped-threads=\"all\"", &r));
    assert_int_equal(r.token, -1);
    assert_int_equal(r.type, '*');
    assert_string_equal(ml_mi_find(&r, "stopped-threads")->text, "all");
    assert_true(ml_mi_parse("=thread-group-added,id=\"i1\"", &r));
    assert_int_equal(r.type, '=');
    assert_true(ml_mi_parse("7^error,msg=\"ptrace: Operation not permitted.\"", &r));
    assert_string_equal(r.word, "error");
    ml_mi_free(&r);
}

static void escapes(void **state)
{
    struct ml_mi_record r = {0};
    (void)state;
    assert_true(ml_mi_parse("^done,a=\"q\\\"q \\\\ t\\tn\\n \\303\\274 \\000 \\e\"", &r));
    assert_string_equal(ml_mi_find(&r, "a")->text, "q\"q \\ t\tn\n \303\274 ? \033");
    ml_mi_free(&r);
}

static void hostile_lines(void **state)
{
    static const char *const lines[] = {
        "",
        "(gdb) ",
        "^",
        "12",
        "12^",
        "done",
        "^done,",
        "^done,a",
        "^done,a=",
        "^done,a=\"",
        "^done,a=\"\\",
        "^done,a=\"x\",",
        "^done,a=\"x\"b",
        "^done,a={",
        "^done,a=[\"x\"",
        "^done,a={b=\"x\"]",
        "^done,a=[b=\"x\"}",
        "^done,=\"x\"",
        "~\"text\"",
        "&\"log\"",
        "@\"target\"",
        "99999999999999999999999^done,a=\"",
        ")}{[\\",
    };
    struct ml_mi_record r = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (ml_mi_parse(lines[i], &r))
            assert_int_equal(strlen(lines[i]) > 0 && r.n_values == 0, 1);
        else
            assert_int_equal(r.type, 0);
    }
    ml_mi_free(&r);
}

static void deep_nesting(void **state)
{
    struct ml_mi_record r = {0};
    struct ml_buffer line = {0};
    (void)state;
    ml_buffer_printf(&line, "^done,a=");
    for (int i = 0; i < 100000; i++)
        ml_buffer_append(&line, "[", 1);
    ml_buffer_append_text(&line, "");
    assert_false(ml_mi_parse(line.data, &r));
    ml_buffer_free(&line);
    ml_mi_free(&r);
}

/* ---- threads and frames ---- */

static void parse(const char *line, struct ml_mi_record *r)
{
    assert_true(ml_mi_parse(line, r));
}

static void threads(void **state)
{
    struct ml_mi_record r = {0};
    size_t n;
    (void)state;
    parse("3^done,threads=[{id=\"1\",target-id=\"Thread 0x7f25 (LWP 26067)\"},{id=\"2\",target-id="
          "\"LWP 26068\"},{id=\"3\",target-id=\"process 26069\"},{id=\"4\",target-id=\"Thread 1\"},"
          "{target-id=\"LWP 9\"},{id=\"6\",target-id=\"LWP -3\"},{id=\"7\",target-id="
          "\"LWP 99999999999\"}]",
          &r);
    ML_AUTO_FREE struct ml_gdb_thread *list = ml_gdb_threads(&r, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(list[i].thread, 26067 + i);
    assert_string_equal(list[1].id, "2");
    ml_mi_free(&r);
}

/* gdb does not say which frames are inlined: those at one address, unless they are one and the same
 * call again and again. */
static void inlined_frames(void **state)
{
    struct ml_mi_record r = {0};
    size_t n;
    (void)state;
    parse(
        "^done,stack=[frame={addr=\"0x10\",func=\"a\",line=\"1\"},frame={addr=\"0x10\",func=\"b\","
        "line=\"2\"},frame={addr=\"0x20\",func=\"c\",line=\"3\"},frame={addr=\"0x20\",func=\"c\","
        "line=\"3\"},frame={addr=\"0x30\",func=\"main\",file=\"m.c\",fullname=\"/m.c\","
        "line=\"x\"}]",
        &r);
    ML_AUTO_FREE struct ml_told *frames = ml_gdb_frames(&r, &n);
    assert_int_equal(n, 5);
    assert_true(frames[0].inlined);
    for (size_t i = 1; i < n; i++)
        assert_false(frames[i].inlined);
    assert_int_equal(frames[0].pc, 0x10);
    assert_string_equal(frames[4].file, "/m.c");
    assert_int_equal(frames[4].line, -1);
    ml_mi_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures),      cmocka_unit_test(a_result),
        cmocka_unit_test(other_records), cmocka_unit_test(escapes),
        cmocka_unit_test(hostile_lines), cmocka_unit_test(deep_nesting),
        cmocka_unit_test(threads),       cmocka_unit_test(inlined_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
