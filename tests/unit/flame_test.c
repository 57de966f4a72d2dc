/* Flame graphs: whose code a call is, where boxes stand, what becomes of names. */
#include "base/buffer.h"
#include "draw/drawing.h"
#include "draw/flame_boxes.h"
#include "draw/flame_svg.h"
#include "draw/palette.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* all: main (700: solve 500, 3 small ones), others */
static struct ml_flame_frame frames[] = {
    {8, 0, 1000, 40, 600, 2, 4, ML_FLAME_NONE, "all", "", ""},
    {7, 1, 700, 30, 400, 2, 4, ML_FLAME_OWN, "main", "app.c:7", "/opt/app/bin/app"},
    {3, 2, 500, 0, 500, 1, 1, ML_FLAME_OWN, "solve<T>(int&)", "s.c:9", "/opt/app/bin/app"},
    {4, 2, 5, 0, 5, 1, 1, ML_FLAME_LIBC, "fopen", "", "/usr/lib/libc.so.6"},
    {6, 2, 4, 0, 4, 1, 1, ML_FLAME_MPI, "PMPI_Wait", "", "/usr/lib/libmpi.so"},
    {6, 3, 4, 0, 4, 1, 1, ML_FLAME_MPI, "progress", "", "/usr/lib/libopen-pal.so"},
    {7, 2, 3, 0, 3, 1, 1, ML_FLAME_OTHER, "H5Dopen", "", "/usr/lib/libhdf5.so"},
    {8, 1, 300, 0, 0, -1, 0, ML_FLAME_NONE, "calls not known", "", ""},
};
static const struct ml_flame flame = {frames, 8, true, false};

static void boxes_are_as_wide_as_they_weigh(void **state)
{
    (void)state;
    struct ml_flame_boxes b;
    ml_flame_boxes_make(&flame, 2000, 1, &b);
    assert_int_equal(b.n, 8);
    assert_int_equal(b.rows, 4);
    for (size_t i = 0; i < b.n; i++) {
        assert_int_equal(b.boxes[i].frame, i);
        assert_int_equal(b.boxes[i].row, frames[i].depth);
        assert_true(fabs(b.boxes[i].wide - 2.0 * (double)frames[i].weight) < 1e-9);
    }
    assert_true(fabs(b.boxes[7].x - 1400) < 1e-9);
    assert_true(fabs(b.boxes[5].x - b.boxes[4].x) < 1e-9);
    ml_flame_boxes_free(&b);
}

/* fopen, PMPI_Wait and H5Dopen are one box, and what they called is gone. */
static void small_calls_keep_their_sum(void **state)
{
    (void)state;
    struct ml_flame_boxes b;
    ml_flame_boxes_make(&flame, 1000, 6, &b);
    assert_int_equal(b.n, 5);
    const struct ml_flame_box *small = &b.boxes[3];
    assert_int_equal(small->n_small, 3);
    assert_int_equal(small->frame, 1);
    assert_int_equal(small->weight, 12);
    assert_int_equal(small->row, 2);
    assert_true(fabs(small->x - 500) < 1e-9 && fabs(small->wide - 12) < 1e-9);
    ml_flame_boxes_free(&b);
    ml_flame_boxes_make(&flame, 1000, 13, &b); /* together too small, too */
    assert_int_equal(b.n, 4);
    ml_flame_boxes_free(&b);
}

/* A damaged file: no box reaches beyond the one that it stands on. */
static void calls_that_weigh_more_than_their_caller(void **state)
{
    (void)state;
    struct ml_flame_frame odd[] = {
        {4, 0, 100, 0, 0, -1, 0, ML_FLAME_NONE, "all", "", ""},
        {2, 1, INT64_MAX, 0, 0, -1, 0, ML_FLAME_OWN, "a", "", ""},
        {3, 1, 70, 0, 0, -1, 0, ML_FLAME_OWN, "b", "", ""},
        {4, 1, 0, 0, 0, -1, 0, ML_FLAME_OWN, "c", "", ""},
    };
    const struct ml_flame graph = {odd, 4, true, false}, none = {odd, 0, true, false};
    struct ml_flame_boxes b;
    ml_flame_boxes_make(&graph, 1000, 1, &b);
    for (size_t i = 0; i < b.n; i++)
        assert_true(b.boxes[i].x >= 0 && b.boxes[i].x + b.boxes[i].wide <= 1000 + 1e-9);
    ml_flame_boxes_free(&b);
    ml_flame_boxes_make(&none, 1000, 1, &b);
    assert_int_equal(b.n, 0);
    ml_flame_boxes_free(&b);
}

static void names_are_cut(void **state)
{
    static const struct {
        const char *name;
        int columns;
        const char *cut;
    } cases[] = {
        {"main", 4, "main"},
        {"main", 3, "ma…"},
        {"main", 2, ""},
        {"", 9, ""},
        {"größe", 5, "größe"},
        {"größe", 4, "grö…"},
        {"漢字漢字", 8, "漢字漢字"},
        {"漢字漢字", 6, "漢字…"},
        {"漢字漢字", 5, "漢字…"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_buffer out = {0};
        ml_flame_cut(cases[i].name, cases[i].columns, &out);
        ml_buffer_append(&out, "", 1);
        assert_string_equal(out.data, cases[i].cut);
        ml_buffer_free(&out);
    }
}

static void kinds_of_modules(void **state)
{
    static const struct {
        const char *module, *program;
        enum ml_flame_kind kind;
    } cases[] = {
        {"/home/ada/app", "/home/ada/app", ML_FLAME_OWN},
        {"/home/ada/libsolver.so.2", "/home/ada/app", ML_FLAME_OWN},
        {"/opt/app/lib/libapp.so", "/opt/app/bin/app", ML_FLAME_OWN},
        {"/usr/lib/x86_64-linux-gnu/liblammps.so.0", "/usr/bin/lmp", ML_FLAME_OTHER},
        {"/usr/local/lib/libfoo.so", "/usr/local/bin/foo", ML_FLAME_OTHER},
        {"/opt/petsc/lib/libpetsc.so", "/opt/app/bin/app", ML_FLAME_OTHER},
        {"python", "/usr/bin/python3.11", ML_FLAME_OWN},
        {"/usr/lib/libmpi.so.40", "/home/ada/app", ML_FLAME_MPI},
        {"/usr/lib/openmpi/mca_pml_ob1.so", "/home/ada/app", ML_FLAME_MPI},
        {"/usr/lib/libucp.so.0", "/home/ada/app", ML_FLAME_MPI},
        {"/opt/memlog/lib/memlog-mpi/libmemlog_hooks_openmpi.so", "/home/ada/app", ML_FLAME_MPI},
        {"/home/ada/mpich/lib/libmpich.so.12", "/home/ada/app", ML_FLAME_MPI},
        {"/usr/lib/libc.so.6", "/home/ada/app", ML_FLAME_LIBC},
        {"/lib64/ld-linux-x86-64.so.2", "/home/ada/app", ML_FLAME_LIBC},
        {"[vdso]", "/home/ada/app", ML_FLAME_LIBC},
        {"/usr/lib/libstdc++.so.6", "/home/ada/app", ML_FLAME_OTHER},
        {"/usr/lib/libcrypto.so.3", "/home/ada/app", ML_FLAME_OTHER},
        {"/usr/lib/libmpfr.so.6", "/home/ada/app", ML_FLAME_OTHER},
        {"", "", ML_FLAME_OTHER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (ml_flame_kind_of(cases[i].module, cases[i].program) != cases[i].kind)
            fail_msg("%s of %s", cases[i].module, cases[i].program);
    }
}

static double linear(uint32_t channel)
{
    double c = (double)channel / 255;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t rgb)
{
    return 0.2126 * linear(rgb >> 16) + 0.7152 * linear(rgb >> 8 & 0xff) +
           0.0722 * linear(rgb & 0xff);
}

static double lightness(uint32_t rgb)
{
    return 116 * cbrt(luminance(rgb)) - 16;
}

/* Without colours too, and what is written upon them can be read: WCAG's 4.5. */
static void colours_differ_in_lightness(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        enum ml_palette palette = (enum ml_palette)(i / 2);
        for (enum ml_flame_kind a = ML_FLAME_OWN; a < ML_FLAME_KINDS; a++) {
            uint32_t shade = ml_palette_kind(palette, i % 2, a);
            double x = luminance(shade), y = luminance(ml_palette_kind_ink(palette, i % 2, a));
            assert_true((fmax(x, y) + 0.05) / (fmin(x, y) + 0.05) >= 4.5);
            for (enum ml_flame_kind b = ML_FLAME_OWN; b < a && a < ML_FLAME_NONE; b++)
                assert_true(
                    fabs(lightness(shade) - lightness(ml_palette_kind(palette, i % 2, b))) >= 8);
        }
    }
}

static struct ml_plot_page page_of(const struct ml_flame *graph)
{
    return (struct ml_plot_page){.form = ML_PLOT_FLAME,
                                 .title = "Heap",
                                 .subtitle = "./app",
                                 .flame = (struct ml_flame *)graph,
                                 .width = 1200,
                                 .height = 680};
}

static void tooltip_says_all(void **state)
{
    (void)state;
    struct ml_plot_page page = page_of(&flame);
    struct ml_buffer out = {0};
    ml_flame_svg_emit(&page, &out);
    ml_buffer_append(&out, "", 1);
    assert_non_null(strstr(out.data,
                           "<title>main\n700 B ± 60 B, 70% of all\nin 4 ranks, rank 2 has "
                           "most: 400 B\napp.c:7\n/opt/app/bin/app</title>"));
    assert_non_null(strstr(out.data,
                           "<title>solve&lt;T&gt;(int&amp;)\n500 B, 50% of all\nin rank 1 "
                           "alone\n"));
    assert_non_null(strstr(out.data, ">solve&lt;T&gt;(int&amp;)</text>"));
    assert_non_null(
        strstr(out.data, "<title>calls not known\n300 B, 30% of all\nin none of the ranks"));
    ml_buffer_free(&out);
}

static void nothing_in_a_name_is_markup(void **state)
{
    static char evil[] = "</title><script>alert(1)</script>]]>\n\x01\xef\xbf\xbf\xff\"'&";
    (void)state;
    struct ml_flame_frame two[] = {
        {2, 0, 10, 0, 0, -1, 0, ML_FLAME_NONE, evil, evil, evil},
        {2, 1, 10, 0, 0, -1, 0, ML_FLAME_OWN, evil, evil, evil},
    };
    const struct ml_flame graph = {two, 2, false, true};
    struct ml_plot_page page = page_of(&graph);
    page.title = page.subtitle = evil;
    for (int html = 0; html < 2; html++) {
        struct ml_buffer out = {0};
        size_t scripts = 0, ends = 0;
        if (html)
            ml_flame_html_emit(&page, &out);
        else
            ml_flame_svg_emit(&page, &out);
        ml_buffer_append(&out, "", 1);
        for (const char *p = out.data; (p = strstr(p, "<script")); p++)
            scripts++;
        for (const char *p = out.data; (p = strstr(p, "]]>")); p++)
            ends++;
        assert_int_equal(scripts, 1);
        assert_int_equal(ends, !html);
        assert_null(strchr(out.data, '\x01'));
        assert_null(strstr(out.data, "\xef\xbf\xbf")); /* no character of XML */
        ml_buffer_free(&out);
    }
}

static void text_has_names_in_rows(void **state)
{
    (void)state;
    struct ml_plot_page page = page_of(&flame);
    page.subtitle = "./app, 1 KiB ± 80 B";
    struct ml_drawing_style style = {.columns = 41, .lines = 30};
    struct ml_buffer out = {0};
    ml_drawing_make(&page, &style, &out);
    ml_buffer_append(&out, "", 1);
    assert_string_equal(out.data, "Heap\n"
                                  "./app, 1 KiB +- 80 B\n"
                                  "|solve<T>(int&)     |\n"
                                  "|main                       |calls not k|\n"
                                  "|all                                    |\n");
    ml_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_as_wide_as_they_weigh),
        cmocka_unit_test(small_calls_keep_their_sum),
        cmocka_unit_test(calls_that_weigh_more_than_their_caller),
        cmocka_unit_test(names_are_cut),
        cmocka_unit_test(kinds_of_modules),
        cmocka_unit_test(colours_differ_in_lightness),
        cmocka_unit_test(tooltip_says_all),
        cmocka_unit_test(nothing_in_a_name_is_markup),
        cmocka_unit_test(text_has_names_in_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
