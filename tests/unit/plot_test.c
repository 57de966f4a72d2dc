#include "base/memory.h"
#include "base/own.h"
#include "plot/gnuplot.h"
#include "plot/quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000LL
#define MIB (1LL << 20)

static void assert_quoted(const char *text, int width, const char *expected)
{
    struct ml_buffer out = {0};
    ml_quote_append(&out, text, width);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    ml_buffer_free(&out);
}

static void test_quote(void **state)
{
    (void)state;
    assert_quoted("run 1", 80, "\"run 1\"");
    assert_quoted("", 80, "\"\"");
    assert_quoted("a\"b", 80, "\"a\\0342\\0200\\0235b\"");
    assert_quoted("`id`", 80, "\"\\0342\\0200\\0265id\\0342\\0200\\0265\"");
    assert_quoted("$7@M{x}^~", 80, "\"\\00447\\0100M\\0173x\\0175\\0136\\0176\"");
    assert_quoted("\033\n\xff", 80, "\"\\0342\\0220\\0233\\0342\\0220\\0212\\0357\\0277\\0275\"");
    assert_quoted("]]>", 80, "\"]] >\"");
    assert_quoted("abcdef", 4, "\"abc\\0342\\0200\\0246\"");
}

/* Whatever comes in, gnuplot prints it without running anything. */
static void test_quote_in_gnuplot(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "`touch PWNED`",
        "\"; system('touch PWNED'); \"",
        "'",
        "\\",
        "\\\"",
        "\\140id\\140",
        "@M",
        "$(touch PWNED)",
        "\n!touch PWNED\n",
        "EOD\n",
        "%s%n",
        "|touch PWNED",
        "\\0",
        "7",
        "\xff",
        "é",
        "\u202e",
        "]]>",
        "< touch PWNED",
        "{/=9 x}",
    };
    enum { TEXTS = 400 };
    struct ml_buffer script = {0};
    unsigned seed = 7;
    if (system("gnuplot --version >/dev/null 2>&1") != 0) {
        print_message("skipped: gnuplot is not installed\n");
        skip();
    }
    ml_buffer_printf(&script, "set print '-'\nM = \"system('touch PWNED')\"\n");
    for (int i = 0; i < TEXTS; i++) {
        char text[256] = "";
        for (int k = 0; k < 1 + i % 7; k++) {
            seed = seed * 1103515245u + 12345u;
            strcat(text, pieces[(seed >> 16) % (sizeof pieces / sizeof *pieces)]);
        }
        ml_buffer_printf(&script, "print ");
        ml_quote_append(&script, text, 1000);
        ml_buffer_printf(&script, "\n");
    }
    char folder[] = "/tmp/memlog-quote-XXXXXX";
    assert_non_null(mkdtemp(folder));
    ML_AUTO_FREE char *command =
        ml_format("cd %s && gnuplot -d - >out 2>err; test ! -e PWNED && test ! -s err && "
                  "test $(wc -l <out) = %d; r=$?; rm -rf %s; exit $r",
                  folder, TEXTS, folder);
    FILE *gnuplot = popen(command, "w");
    assert_non_null(gnuplot);
    assert_int_equal(fwrite(script.data, 1, script.length, gnuplot), script.length);
    assert_int_equal(pclose(gnuplot), 0);
    ml_buffer_free(&script);
}

static void test_decimate_keeps_spikes_and_dips(void **state)
{
    (void)state;
    struct ml_decimate d;
    size_t spikes = 0, dips = 0;
    ml_decimate_init(&d, 0, 1000000, 200);
    for (int t = 0; t <= 1000000; t++)
        ml_decimate_add(&d, t, t % 50000 == 123 ? 900 : t % 50000 == 777 ? 1 : 500);
    ml_decimate_finish(&d);
    assert_true(d.n_points <= 4 * 200);
    for (size_t i = 0; i < d.n_points; i++) {
        spikes += d.points[i].bytes == 900;
        dips += d.points[i].bytes == 1;
        assert_true(i == 0 || d.points[i].time_ns > d.points[i - 1].time_ns);
    }
    assert_int_equal(spikes, 20);
    assert_int_equal(dips, 20);
    assert_int_equal(d.points[0].time_ns, 0);
    assert_int_equal(d.points[d.n_points - 1].time_ns, 1000000);
    ml_decimate_free(&d);
}

static void test_decimate_few(void **state)
{
    (void)state;
    struct ml_decimate d;
    ml_decimate_init(&d, 0, 0, 10);
    ml_decimate_finish(&d);
    assert_int_equal(d.n_points, 0);
    ml_decimate_add(&d, 5, 1);
    ml_decimate_finish(&d);
    assert_int_equal(d.n_points, 1);
    ml_decimate_free(&d);
}

/* Compares with tests/data/NAME; MEMLOG_UPDATE_GOLDEN in the environment writes it anew. */
static void assert_golden(const char *name, const struct ml_buffer *text)
{
    ML_AUTO_FREE char *path = ml_format("%s/%s", MEMLOG_TEST_DATA, name);
    ML_AUTO_FREE char *expected = ml_alloc(65536);
    bool update = getenv("MEMLOG_UPDATE_GOLDEN") != NULL;
    ML_AUTO_FILE FILE *file = fopen(path, update ? "w" : "r");
    assert_non_null(file);
    if (update) {
        fwrite(text->data, 1, text->length, file);
        return;
    }
    size_t n = fread(expected, 1, 65536, file);
    assert_int_equal(n, text->length);
    assert_memory_equal(text->data, expected, n);
}

static void test_script(void **state)
{
    (void)state;
    static const struct ml_plot_point slow[] = {
        {0, 300 * MIB}, {100 * S, 2048 * MIB}, {700 * S, 1500 * MIB}};
    static const struct ml_plot_point fast[] = {{0, 200 * MIB}, {250 * S, 900 * MIB}};
    struct ml_plot_curve curves[] = {{"slow", slow, 3, 900 * S}, {"`fast`", fast, 2, 400 * S}};
    struct ml_plot_page page = {"Resident memory", "2 runs", curves, 2, false};
    struct ml_buffer out = {0};
    ml_gnuplot_emit(&page, &out);
    assert_golden("plot_two.gp", &out);
    ml_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_quote_in_gnuplot),
        cmocka_unit_test(test_decimate_keeps_spikes_and_dips),
        cmocka_unit_test(test_decimate_few),
        cmocka_unit_test(test_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
