#include "base/memory.h"
#include "base/own.h"
#include "draw/click.h"
#include "draw/drawing.h"
#include "draw/gnuplot.h"
#include "draw/log_scale.h"
#include "draw/quote.h"
#include "draw/scale.h"
#include "draw/sheet.h"
#include "draw/space.h"
#include "draw/tooltip.h"
#include "plot/decimate.h"
#include "plot/size.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000LL
#define MIB (1LL << 20)

static void assert_near(double value, double expected, double apart)
{
    assert_true(value >= expected - apart && value <= expected + apart);
}

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

static void test_quote_for_tex(void **state)
{
    (void)state;
    struct ml_buffer out = {0};
    ml_quote_append_tex(&out, "5% a_b {x} \\in \x1b", 80, false);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, "\"5\\0134% a\\0134_b \\0134\\0173x\\0134\\0175 "
                                  "\\0134textbackslash\\0173\\0175in ?\"");
    ml_buffer_free(&out);
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
        spikes += d.points[i].value == 900;
        dips += d.points[i].value == 1;
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

static void assert_legend(const char *text, int place, int across, int up)
{
    struct ml_legend l;
    struct ml_error err;
    assert_int_equal(ml_legend_parse(text, &l, &err), ML_OK);
    assert_int_equal(l.place, place);
    if (place == ML_LEGEND_INSIDE) {
        assert_int_equal(l.across, across);
        assert_int_equal(l.up, up);
    }
}

/* gnuplot's words and Matplotlib's. */
static void test_legend(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",      " ",  "nowhere",  "upper middle",
                                        "left;", "\"", "upperleft"};
    assert_legend("upper left", ML_LEGEND_INSIDE, -1, 1);
    assert_legend("top left", ML_LEGEND_INSIDE, -1, 1);
    assert_legend("left top", ML_LEGEND_INSIDE, -1, 1);
    assert_legend("lower center", ML_LEGEND_INSIDE, 0, -1);
    assert_legend("Center-Right", ML_LEGEND_INSIDE, 1, 0);
    assert_legend("center", ML_LEGEND_INSIDE, 0, 0);
    assert_legend("right", ML_LEGEND_INSIDE, 1, 0);
    assert_legend("best", ML_LEGEND_INSIDE, -1, 1);
    assert_legend("outside", ML_LEGEND_RIGHT, 0, 0);
    assert_legend("outside right top", ML_LEGEND_RIGHT, 0, 0);
    assert_legend("below", ML_LEGEND_BELOW, 0, 0);
    assert_legend("above", ML_LEGEND_ABOVE, 0, 0);
    assert_legend("none", ML_LEGEND_NONE, 0, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ml_legend l;
        struct ml_error err = {""};
        assert_int_not_equal(ml_legend_parse(wrong[i], &l, &err), ML_OK);
        assert_non_null(strstr(err.text, "--legend"));
    }
}

static void test_click_parse(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "READY",
        "CLICK",
        "CLICK 1 2 0 10 0",
        "CLICK a b c d e f",
        "CLICK 1 2 10 0 0 10",
        "CLICK nan 2 0 10 0 10",
        "CLICK inf 2 0 10 0 10",
        "CLICK 1 2 5 5 0 1",
        "click 1 2 0 10 0 10",
        "CLICK 1 2 0 10 nan 10",
    };
    struct ml_click c;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(ml_click_parse(wrong[i], &c));
    assert_true(ml_click_parse("CLICK 1.5 2e3 0 10 -1 4000\n", &c));
    assert_true(c.x == 1.5 && c.y == 2000 && c.y_low == -1 && c.y_high == 4000);
}

/* A page of two marks at 10 s and 20 s, both at 1 GiB. */
static struct ml_plot_page small_page(struct ml_plot_curve *curve, struct ml_plot_mark marks[2])
{
    static struct ml_plot_point points[] = {{0, 1 << 30}, {100 * S, 1 << 30}};
    *curve =
        (struct ml_plot_curve){.label = "run", .points = points, .n_points = 2, .end_ns = 100 * S};
    marks[0] = (struct ml_plot_mark){ML_PLOT_STACK, 0, 10 * S, 1 << 30, "first\n\033[31m\n", NULL};
    marks[1] = (struct ml_plot_mark){ML_PLOT_SAID, 0, 20 * S, 1 << 30, "a < b & \"c\"\n", "a"};
    return (struct ml_plot_page){.title = "t",
                                 .subtitle = "s",
                                 .curves = curve,
                                 .n_curves = 1,
                                 .marks = marks,
                                 .n_marks = 2,
                                 .width = 1200,
                                 .height = 680};
}

static void test_click_find(void **state)
{
    (void)state;
    struct ml_plot_curve curve;
    struct ml_plot_mark marks[2];
    struct ml_plot_page page = small_page(&curve, marks);
    double one = (1 << 30) / ml_gnuplot_unit(&page);
    struct ml_click c = {10.5, one, 0, 100, 0, 1.2 * one};
    struct ml_buffer text = {0};
    assert_ptr_equal(ml_click_find(&page, &c), &marks[0]);
    c.x = 19.4;
    assert_ptr_equal(ml_click_find(&page, &c), &marks[1]);
    c.x = 15;
    assert_null(ml_click_find(&page, &c));
    c = (struct ml_click){10.05, one, 10, 10.1, 0, 1.2 * one}; /* zoomed in: far in px */
    assert_null(ml_click_find(&page, &c));
    ml_click_text(&marks[0], &text);
    assert_int_equal(text.length, strlen("first\n?[31m\n"));
    assert_memory_equal(text.data, "first\n?[31m\n", text.length);
    ml_buffer_free(&text);
}

/* On a logarithmic axis the middle of the graph is not the middle of the values. */
static void test_click_find_on_a_logarithmic_axis(void **state)
{
    (void)state;
    struct ml_plot_curve curve;
    struct ml_plot_mark marks[2];
    struct ml_plot_page page = small_page(&curve, marks);
    page.log = true;
    double one = ml_gnuplot_unit(&page);
    marks[0].value = (double)MIB;
    struct ml_click c = {10,         1.05 * (double)MIB / one, 0, 100,
                         1024 / one, (double)(1LL << 40) / one};
    assert_ptr_equal(ml_click_find(&page, &c), &marks[0]);
    c.y = 8 * (double)MIB / one; /* near in bytes, far in px */
    assert_null(ml_click_find(&page, &c));
    marks[0].value = 0; /* at the low end */
    c.y = c.y_low;
    assert_ptr_equal(ml_click_find(&page, &c), &marks[0]);
}

static void assert_tics(const struct ml_plot_page *page, double least, double largest,
                        const char *expected)
{
    struct ml_plot_scale s = {.one = page->measure == ML_PLOT_BYTES ? (double)MIB : 1};
    struct ml_buffer out = {0};
    char text[24];
    ml_log_scale_find(page, least, largest, &s);
    assert_true(s.log && s.low * s.one <= least && s.high * s.one > largest);
    double end = s.high * s.one * 1.001;
    for (double tic = s.low * s.one * 0.999; (tic = ml_log_scale_next(page, &s, tic)) <= end;)
        ml_buffer_printf(&out, "%s%s", out.length ? ", " : "",
                         ml_log_scale_format(text, sizeof text, page, tic));
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    ml_buffer_free(&out);
}

static void test_log_scale(void **state)
{
    (void)state;
    struct ml_plot_page page = {.measure = ML_PLOT_BYTES};
    assert_tics(&page, 300 * MIB, 420 * MIB, "200 MiB, 500 MiB");
    assert_tics(&page, MIB, 90 * MIB, "1 MiB, 2 MiB, 5 MiB, 10 MiB, 20 MiB, 50 MiB, 100 MiB");
    assert_tics(&page, MIB, 300. * 1024 * MIB,
                "1 MiB, 10 MiB, 100 MiB, 1 GiB, 10 GiB, 100 GiB, 1 TiB");
    assert_tics(&page, 1024 * MIB, 1024 * MIB, "1 GiB, 2 GiB");
    page.measure = ML_PLOT_COUNT;
    assert_tics(&page, 3, 5000, "1, 10, 100, 1000, 10000");
    page.measure = ML_PLOT_SECONDS;
    assert_tics(&page, 0.02, 0.3, "0.02 s, 0.05 s, 0.1 s, 0.2 s, 0.5 s");
}

/* What is asked for is what the axis has; each value stands where it is found again. */
static void test_scale_that_is_asked_for(void **state)
{
    (void)state;
    struct ml_plot_page page = {.range = {true, true, (double)MIB, 1024. * MIB}};
    struct ml_plot_extent extent = {.end_ns = S, .largest = 300. * MIB, .smallest = MIB};
    for (int log = 0; log < 2; log++) {
        page.log = log;
        struct ml_plot_scale s = ml_plot_scale_of(&page, &extent, 0, 1, 8);
        assert_near(s.low * s.one, (double)MIB, 1);
        assert_near(s.high * s.one, 1024. * MIB, 1);
        assert_near(ml_plot_scale_share(&s, (double)MIB), 0, 1e-9);
        assert_near(ml_plot_scale_share(&s, 1024. * MIB), 1, 1e-9);
        double at = ml_plot_scale_at(&s, ml_plot_scale_share(&s, 50. * MIB)) * s.one;
        assert_near(at, 50. * MIB, 1);
        assert_true(ml_plot_scale_shows(&s, 50. * MIB));
        assert_false(ml_plot_scale_shows(&s, 2048. * MIB));
    }
    page.range = (struct ml_plot_range){.has_low = true, .low = 4096. * MIB}; /* above all values */
    struct ml_plot_scale s = ml_plot_scale_of(&page, &extent, 0, 1, 8);
    assert_true(s.high > s.low);
}

static void assert_told(enum ml_plot_time told, double time_s, double step_s, const char *expected)
{
    char text[32];
    assert_string_equal(ml_plot_time_format(text, sizeof text, told, time_s, step_s), expected);
}

static void test_times_in_one_unit(void **state)
{
    (void)state;
    assert_near(ml_plot_time_step(ML_PLOT_IN_H, 30 * 86400., 9), 100 * 3600., 1e-6);
    assert_near(ml_plot_time_step(ML_PLOT_IN_MIN, 0.1, 9), 0.0002 * 60, 1e-9);
    assert_told(ML_PLOT_IN_S, 5.125, 2, "5.13 s");
    assert_told(ML_PLOT_IN_MIN, 300, 300, "5 min");
    assert_told(ML_PLOT_IN_H, 5400, 1800, "1.5 h");
    assert_told(ML_PLOT_IN_MIN, 0.012, 0.012, "0.0002 min");
    assert_told(ML_PLOT_CLOCK, 5400, 1800, "1:30:00");
}

static void test_days(void **state)
{
    (void)state;
    double step = ml_plot_time_step(ML_PLOT_CLOCK, 30 * ML_PLOT_DAY_S, 9);
    assert_near(step, 4 * ML_PLOT_DAY_S, 1e-6);
    assert_told(ML_PLOT_CLOCK, 0, step, "0 d");
    assert_told(ML_PLOT_CLOCK, 28 * ML_PLOT_DAY_S, step, "28 d");
    assert_told(ML_PLOT_CLOCK, 11.5 * ML_PLOT_DAY_S + 305, step, "11 d 12:05");
    assert_told(ML_PLOT_CLOCK, 2 * ML_PLOT_DAY_S, 43200, "48:00:00");
    assert_told(ML_PLOT_IN_H, 2 * ML_PLOT_DAY_S, step, "48 h");
}

static void assert_filled(const struct ml_plot_page *page, const char *svg, const char *expected)
{
    struct ml_buffer out = {0};
    ml_tooltip_fill(page, svg, strlen(svg), &out);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    ml_buffer_free(&out);
}

#define MARK(k)                                                                                    \
    "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'k" k                                          \
    "')\" onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>"

static void test_tooltips(void **state)
{
    (void)state;
    static const char *const kept[] = {"",
                                       "x",
                                       MARK("0"),
                                       MARK("3"),
                                       MARK(""),
                                       MARK("1x"),
                                       MARK("99999999999999999999"),
                                       "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'k"};
    struct ml_plot_curve curve;
    struct ml_plot_mark marks[2];
    struct ml_plot_page page = small_page(&curve, marks);
    assert_filled(&page, "<a>" MARK("2") "<b>",
                  "<a><g><title>a &lt; b &amp; &quot;c&quot;\n</title><b>");
    assert_filled(&page, MARK("1") MARK("2"),
                  "<g><title>first\n\xef\xbf\xbd[31m\n</title>"
                  "<g><title>a &lt; b &amp; &quot;c&quot;\n</title>");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_filled(&page, kept[i], kept[i]);
}

static void assert_value(enum ml_plot_measure measure, bool rate, double value,
                         const char *expected)
{
    struct ml_plot_page page = {.measure = measure, .rate = rate};
    struct ml_plot_scale scale = ml_plot_scale_find(&page, 0, fabs(value) * 1.51, 5);
    char text[32];
    assert_string_equal(ml_plot_value_format(text, sizeof text, &page, &scale, value), expected);
}

static void test_values(void **state)
{
    (void)state;
    assert_value(ML_PLOT_BYTES, false, 26.04 * 1024 * MIB, "26.0 GiB");
    assert_value(ML_PLOT_BYTES, false, 128.0 * MIB, "128 MiB");
    assert_value(ML_PLOT_BYTES, false, 0, "0.00 KiB");
    assert_value(ML_PLOT_BYTES, true, 3.2 * MIB, "3.20 MiB/s");
    assert_value(ML_PLOT_BYTES, true, -MIB / 60.0, "-1.00 MiB/min");
    assert_value(ML_PLOT_SECONDS, false, 12.3, "12.3 s");
    assert_value(ML_PLOT_COUNT, false, 8, "8");
}

/* A curve of 100 px height that steps up to 200 px at half of the time; a limit at 300 px. */
static void test_space(void **state)
{
    (void)state;
    static const struct {
        struct ml_box box;
        bool free;
    } cases[] = {
        {{10, 60, 110, 130}, true},    {{10, 60, 90, 110}, false},    {{10, 60, 40, 90}, true},
        {{480, 520, 120, 140}, false}, /* across the step */
        {{510, 600, 120, 140}, true},  {{510, 600, 190, 210}, false}, {{-5, 60, 110, 130}, false},
        {{950, 1020, 10, 30}, false},  {{950, 1004, 10, 30}, true},   {{10, 60, -5, 20}, false},
        {{10, 60, 290, 310}, false},   {{10, 60, 310, 330}, true},
    };
    struct ml_plot_point points[] = {{0, 100}, {50 * S, 200}};
    struct ml_plot_curve curve = {.label = "c", .points = points, .n_points = 2, .end_ns = 100 * S};
    struct ml_plot_page page = {.curves = &curve, .n_curves = 1, .limit = 300};
    struct ml_plot_scale scale = {.one = 1, .high = 400};
    struct ml_space space = {
        .page = &page, .scale = &scale, .wide = 1000, .high = 400, .per_s = 10};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ml_space_is_free(&space, &cases[i].box), cases[i].free);
    struct ml_box top = ml_space_on_top(&space, 450, 100, 17);
    assert_true(top.low > 200 && top.high == top.low + 17 && ml_space_is_free(&space, &top));
    ml_space_take(&space, &top);
    assert_false(ml_space_is_free(&space, &top));
    ml_space_free(&space);
}

/* Every line fits, whatever the size; without UTF-8 all is ASCII. */
static void test_drawing_fits(void **state)
{
    (void)state;
    struct ml_plot_curve curve;
    struct ml_plot_mark marks[2];
    struct ml_plot_page page = small_page(&curve, marks);
    for (int columns = 20; columns <= 200; columns += 30) {
        for (int utf8 = 0; utf8 < 2; utf8++) {
            struct ml_drawing_style style = {columns, 12 + columns / 10, utf8, false};
            struct ml_buffer out = {0};
            int width = 0, lines = 0;
            ml_drawing_make(&page, &style, &out);
            for (size_t i = 0; i < out.length; i++) {
                unsigned char byte = (unsigned char)out.data[i];
                assert_true(byte == '\n' || (byte >= ' ' && byte < 0x7f) || (utf8 && byte >= 0x80));
                if (byte == '\n') {
                    assert_in_range(width, 0, columns);
                    width = -1;
                    lines++;
                }
                width += (byte & 0xc0) != 0x80;
            }
            assert_int_equal(lines, style.lines);
            ml_buffer_free(&out);
        }
    }
}

static size_t times_in(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

/* Names of phases come from the application; those that have no room are lines only. */
static void test_phases(void **state)
{
    (void)state;
    struct ml_plot_curve curve;
    struct ml_plot_mark marks[2];
    struct ml_plot_page page = small_page(&curve, marks);
    int64_t second = ml_plot_extent_of(&page).end_ns / 100;
    struct ml_plot_phase phases[] = {
        {10 * second, 60 * second, (char *)"`touch x`"},
        {11 * second, 50 * second, (char *)"inner"},
        {12 * second, 40 * second, (char *)"next"},
        {13 * second, 30 * second, (char *)"deeper"},
        {99 * second, 100 * second, (char *)"far"},
    };
    struct ml_buffer out = {0};
    page.phases = phases;
    page.n_phases = 5;
    ml_gnuplot_emit(&page, &out);
    ml_buffer_append(&out, "", 1);
    assert_int_equal(times_in(out.data, "dt (2,6) lc rgb mut"), 2 * 5);
    assert_int_equal(times_in(out.data, "touch x`"), 0);
    assert_int_equal(times_in(out.data, "touch x"), 1);
    assert_int_equal(times_in(out.data, "\"inner\""), 1);
    assert_int_equal(times_in(out.data, "\"next\""), 1);
    assert_int_equal(times_in(out.data, "\"deeper\""), 1);
    assert_int_equal(times_in(out.data, "\"far\""), 1);
    ml_buffer_free(&out);
}

static void assert_size(const char *text, double width, double height, bool measured)
{
    struct ml_plot_size size = {0};
    struct ml_error err;
    assert_int_equal(ml_plot_size_parse(text, &size, &err), ML_OK);
    assert_true(fabs(size.width - width) < 0.01 && fabs(size.height - height) < 0.01);
    assert_int_equal(size.measured, measured);
}

static void test_sizes(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "3ftx2",
                                      "12",
                                      "1200x",
                                      "x680",
                                      "1200x0",
                                      "-1x5",
                                      "1e3x500",
                                      "0x10x20",
                                      "8.5x6cmm",
                                      "8..5x6",
                                      "30000x100",
                                      "1200 x 680",
                                      "8.5cm6cm",
                                      "nanx1",
                                      "1x1cm ",
                                      "99999999999999999999999999999999999x1"};
    struct ml_plot_size size = {0};
    struct ml_error err;
    assert_size("1200x680", 1200, 680, false);
    assert_size("1200x680px", 1200, 680, false);
    assert_size("1200pxx680px", 1200, 680, false);
    assert_size("8.5x6cm", 8.5 / 2.54 * 96, 6 / 2.54 * 96, true);
    assert_size("8.5cmx6cm", 8.5 / 2.54 * 96, 6 / 2.54 * 96, true);
    assert_size("3.3inx60mm", 3.3 * 96, 6 / 2.54 * 96, true);
    assert_size("3inx2", 288, 192, true);
    assert_size("72x36pt", 96, 48, true);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(ml_plot_size_parse(bad[i], &size, &err), ML_OK);
}

/* Whatever the size, the graph keeps the larger part, and what is above and below it fits. */
static void test_sheet_of_any_size(void **state)
{
    (void)state;
    for (double wide = 200; wide < 3000; wide *= 1.3) {
        for (double high = 130; high < 2000; high *= 1.3) {
            double zoom = ml_sheet_zoom(wide, high);
            struct ml_sheet s = ml_sheet_make(wide / zoom, high / zoom);
            assert_true(zoom > 0.6 && zoom <= 1);
            ml_sheet_fit_title(&s, 300, 300);
            assert_true(s.title_size > 1 && s.title_y > 0 && s.title_y < s.top);
            struct ml_key key = ml_sheet_fit_key(&s, &(struct ml_legend){0}, 12, 9);
            assert_true(ml_sheet_graph_high(&s) >= 0.25 * s.high);
            assert_true(ml_sheet_graph_wide(&s) >= 0.5 * s.wide);
            assert_true(key.place != ML_LEGEND_BELOW || key.rows * key.per_row >= 12);
        }
    }
}

static void test_names_that_do_not_fit(void **state)
{
    (void)state;
    struct ml_sheet s = ml_sheet_make(1200, 680);
    struct ml_key key = ml_sheet_fit_key(&s, &(struct ml_legend){0}, 3, 10);
    assert_int_equal(key.place, ML_LEGEND_DIRECT);
    s = ml_sheet_make(480, 320);
    key = ml_sheet_fit_key(&s, &(struct ml_legend){0}, 3, 24);
    assert_int_equal(key.place, ML_LEGEND_BELOW);
    s = ml_sheet_make(480, 320);
    key = ml_sheet_fit_key(&s, &(struct ml_legend){0}, 1, 24);
    assert_int_equal(key.place, ML_LEGEND_NONE);
    s = ml_sheet_make(480, 320);
    key = ml_sheet_fit_key(&s, &(struct ml_legend){0}, 60, 24);
    assert_int_equal(key.place, ML_LEGEND_NONE);
    s = ml_sheet_make(1200, 680); /* outside: all of a name, and of a very long one a part */
    key = ml_sheet_fit_key(&s, &(struct ml_legend){.place = ML_LEGEND_RIGHT}, 2, 40);
    assert_int_equal(key.columns, 40);
    key = ml_sheet_fit_key(&s, &(struct ml_legend){.place = ML_LEGEND_RIGHT}, 2, 400);
    assert_in_range(key.columns, 40, 100);
    assert_true(s.right < 0.65 * s.wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sheet_of_any_size),
        cmocka_unit_test(test_names_that_do_not_fit),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_quote_for_tex),
        cmocka_unit_test(test_quote_in_gnuplot),
        cmocka_unit_test(test_decimate_keeps_spikes_and_dips),
        cmocka_unit_test(test_decimate_few),
        cmocka_unit_test(test_legend),
        cmocka_unit_test(test_click_parse),
        cmocka_unit_test(test_click_find),
        cmocka_unit_test(test_click_find_on_a_logarithmic_axis),
        cmocka_unit_test(test_log_scale),
        cmocka_unit_test(test_scale_that_is_asked_for),
        cmocka_unit_test(test_times_in_one_unit),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_tooltips),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_space),
        cmocka_unit_test(test_drawing_fits),
        cmocka_unit_test(test_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
