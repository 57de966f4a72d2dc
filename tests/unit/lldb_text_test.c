/* lldb's output: captures of several versions (tests/data/lldb), and lines that are none. */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/own.h"
#include "debuggers/lldb_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What is told of a capture: a line a thread, its functions innermost first, those that follow each
 * other once, "?" for those that lldb has made up. */
struct telling {
    struct ml_buffer text;
    char last[256];
    int times;
};

static void end_run(struct telling *t)
{
    if (t->times > 1)
        ml_buffer_printf(&t->text, "*%d", t->times);
    t->times = 0;
    t->last[0] = 0;
}

static void tell_frame(struct telling *t, const struct ml_lldb_line *said)
{
    char name[256];
    bool unknown = strstr(said->symbol, "___lldb_unnamed_symbol") != NULL;
    snprintf(name, sizeof name, "%s%s%s", unknown ? "?" : said->symbol, said->inlined ? "+" : "",
             said->artificial ? "!" : "");
    if (!t->times || strcmp(name, t->last)) {
        end_run(t);
        ml_buffer_printf(&t->text, " %s", name);
        strcpy(t->last, name);
    }
    t->times++;
}

static void tell(struct telling *t, char *line)
{
    struct ml_lldb_line said;
    enum ml_lldb_kind kind = ml_lldb_line_parse(line, &said);
    if (kind == ML_LLDB_THREAD) {
        end_run(t);
        ml_buffer_printf(&t->text, "\n");
    } else if (kind == ML_LLDB_FRAME) {
        tell_frame(t, &said);
    }
}

/* The answers to `thread backtrace` in a capture. */
static char *tell_capture(const char *name)
{
    struct telling t = {0};
    char *line = NULL;
    size_t capacity = 0;
    bool within = false;
    ML_AUTO_FREE char *path = ml_format(MEMLOG_TEST_DATA "/lldb/%s", name);
    ML_AUTO_FILE FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (strstr(line, "(lldb) "))
            within = strstr(line, "thread backtrace") != NULL;
        if (within)
            tell(&t, line);
    }
    end_run(&t);
    ml_buffer_append(&t.text, "", 1);
    free(line);
    char *told = ml_strdup(t.text.data);
    ml_buffer_free(&t.text);
    return told;
}

static const char main_thread[] = " ? __libc_start_main _start";
static const char idle_thread[] = "\n pause _ZL4idlePv ?*2";
static const char stripped_thread[] = "\n pause ?*3";

static void test_captures(void **state)
{
    (void)state;
    static const char *const names[] = {"lldb13.txt", "lldb14.txt", "lldb15.txt", "lldb16.txt"};
    ML_AUTO_FREE char *expected =
        ml_format("\n pause ns::inner(int)+ ns::outer(int)+ _ZNK2ns3BoxIdE4holdEd _ZL4deepi*201"
                  " _ZL7handleri ?*2 raise main%s%s%s"
                  "\n pause ?*8 raise ?*2 __libc_start_main ?%s%s"
                  "\n pause last middle! main%s"
                  "\n __vdso_clock_gettime clock_gettime main%s",
                  main_thread, idle_thread, idle_thread, stripped_thread, stripped_thread,
                  main_thread, main_thread);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ML_AUTO_FREE char *told = tell_capture(names[i]);
        assert_string_equal(told, expected);
    }
}

static enum ml_lldb_kind parse(const char *line, struct ml_lldb_line *out)
{
    static char copy[4096];
    snprintf(copy, sizeof copy, "%s", line);
    return ml_lldb_line_parse(copy, out);
}

#define FRAME(pc, module, mangled, name, file, line, artificial)                                   \
    "F\x1f" pc "\x1f" module "\x1f" mangled "\x1f" name "\x1f" file "\x1f" line "\x1f" artificial

static void test_frame(void **state)
{
    (void)state;
    struct ml_lldb_line said;
    assert_int_equal(parse("  * " FRAME("0x00007f1c6c8f1dd0", "/lib/a b.so", "_Z1fi", "f(int)",
                                        "/src/f.cc", "7", ""),
                           &said),
                     ML_LLDB_FRAME);
    assert_true(said.pc == 0x7f1c6c8f1dd0);
    assert_string_equal(said.module, "/lib/a b.so");
    assert_string_equal(said.symbol, "_Z1fi");
    assert_string_equal(said.file, "/src/f.cc");
    assert_int_equal(said.line, 7);
    assert_false(said.inlined);
    assert_false(said.artificial);
    parse(FRAME("0x1", "", "", "f", "", "0", "artificial"), &said);
    assert_string_equal(said.symbol, "f");
    assert_int_equal(said.line, -1);
    assert_true(said.artificial);
    parse(FRAME("0x1", "", "_Z1f [inlined] g()", "f() [inlined] g()", "", "99999999999", ""),
          &said);
    assert_string_equal(said.symbol, "g()");
    assert_true(said.inlined);
    assert_int_equal(said.line, -1);
    parse(FRAME("0xffffffffffffffff", "", "", "a [inlined] b [inlined] ", "", "", ""), &said);
    assert_true(said.pc == UINT64_MAX);
    assert_string_equal(said.symbol, "");
}

static void test_thread(void **state)
{
    (void)state;
    struct ml_lldb_line said;
    assert_int_equal(parse("* T\x1f"
                           "4711",
                           &said),
                     ML_LLDB_THREAD);
    assert_int_equal(said.thread, 4711);
    assert_int_equal(parse("error: attach failed: Operation not permitted", &said), ML_LLDB_ERROR);
    assert_string_equal(said.error, "attach failed: Operation not permitted");
}

static void test_hostile(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        " * * *",
        "F",
        "T",
        "T\x1f",
        "T\x1f-1",
        "T\x1f 1",
        "T\x1f"
        "0",
        "T\x1f"
        "0x10",
        "T\x1f"
        "99999999999",
        "T\x1f"
        "1\x1f",
        "F\x1f",
        "F\x1f\x1f\x1f\x1f\x1f\x1f",
        FRAME("", "m", "f", "f", "", "", ""),
        FRAME("-1", "m", "f", "f", "", "", ""),
        FRAME("0x", "m", "f", "f", "", "", ""),
        FRAME("0x10000000000000000", "m", "f", "f", "", "", ""),
        FRAME("0x1g", "m", "f", "f", "", "", ""),
        FRAME("0x1", "m", "f", "f", "", "", "") "\x1f",
        "F\x1f"
        "0x1\x1fm\x1f",
        "FF\x1f"
        "0x1",
        "frame #0: 0x00007fa95b0d9545 libc.so.6`clock_nanosleep + 101",
        "(lldb) error: not one",
        " error: not one",
        "\xff\xfe\x80",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct ml_lldb_line said;
        assert_int_equal(parse(lines[i], &said), ML_LLDB_OTHER);
        assert_int_equal(said.line, -1);
    }
}

static void test_end(void **state)
{
    (void)state;
    assert_true(ml_lldb_is_end("error: '@@ml7@@' is not a valid command.", "@@ml7@@"));
    assert_false(ml_lldb_is_end("(lldb) @@ml7@@", "@@ml7@@"));
    assert_false(ml_lldb_is_end("error: '@@ml77@@' is not a valid command.", "@@ml7@@"));
    assert_false(ml_lldb_is_end("error: '@@ml7", "@@ml7@@"));
    assert_false(ml_lldb_is_end("error: ", "@@ml7@@"));
    assert_false(ml_lldb_is_end("", "@@ml7@@"));
}

static void test_version(void **state)
{
    (void)state;
    assert_int_equal(ml_lldb_version_parse("lldb version 14.0.6"), 14);
    assert_int_equal(ml_lldb_version_parse("Debian lldb version 19"), 19);
    assert_int_equal(ml_lldb_version_parse("lldb-1500.0.404.7"), -1);
    assert_int_equal(ml_lldb_version_parse("lldb version "), -1);
    assert_int_equal(ml_lldb_version_parse("lldb version x.1"), -1);
    assert_int_equal(ml_lldb_version_parse("lldb version 99999999999999999999"), -1);
    assert_int_equal(ml_lldb_version_parse("(lldb) version"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_captures), cmocka_unit_test(test_frame),
        cmocka_unit_test(test_thread),   cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_end),      cmocka_unit_test(test_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
