/* What several runs in one picture need: clocks, differences, colours. */
#include "draw/palette.h"
#include "plot/clock.h"
#include "plot/difference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000LL

/* Files of src/draw, as the library has them. */
extern const unsigned char ml_embedded_preamble_gp[], ml_embedded_page_css[];
extern const size_t ml_embedded_preamble_gp_size, ml_embedded_page_css_size;

static void test_clock(void **state)
{
    (void)state;
    struct ml_plot_anchor anchors[] = {{0, 0}, {10 * S, 20 * S}, {20 * S, 25 * S}};
    struct ml_plot_clock clock = {.anchors = anchors, .n = 3};
    static const int64_t cases[][2] = {{-1, -1}, {0, 0},   {5, 10},  {10, 20},
                                       {14, 22}, {20, 25}, {30, 35}, {1000, 1005}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ml_plot_clock_at(&clock, cases[i][0] * S), cases[i][1] * S);
    clock.n = 1;
    anchors[0] = (struct ml_plot_anchor){3 * S, 8 * S};
    assert_int_equal(ml_plot_clock_at(&clock, S), 6 * S);
    assert_int_equal(ml_plot_clock_at(&clock, 9 * S), 14 * S);
    clock.n = 0;
    assert_int_equal(ml_plot_clock_at(&clock, 9 * S), 9 * S);
    assert_int_equal(ml_plot_clock_at(NULL, 9 * S), 9 * S);
}

/* At each time of both, what each had last; from when both have a value until one of them ends. */
static void test_subtract(void **state)
{
    (void)state;
    struct ml_plot_point a_points[] = {{0, 10}, {2 * S, 20}, {6 * S, 5}};
    struct ml_plot_point b_points[] = {{S, 1}, {2 * S, 2}, {5 * S, 30}, {9 * S, 99}};
    struct ml_plot_curve a = {.points = a_points, .n_points = 3, .end_ns = 8 * S};
    struct ml_plot_curve b = {.points = b_points, .n_points = 4, .end_ns = 10 * S};
    static const struct ml_plot_point expected[] = {
        {S, 9}, {2 * S, 18}, {5 * S, -10}, {6 * S, -25}};
    for (int sign = 1; sign >= -1; sign -= 2) {
        struct ml_decimate found;
        ml_plot_subtract(sign > 0 ? &a : &b, sign > 0 ? &b : &a, 1000, &found);
        assert_int_equal(found.n_points, 4);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(found.points[i].time_ns, expected[i].time_ns);
            assert_true(found.points[i].value == sign * expected[i].value);
        }
        ml_decimate_free(&found);
    }
}

/* One is over before the other begins: there is nothing to compare. */
static void test_subtract_what_never_meets(void **state)
{
    (void)state;
    struct ml_plot_point early[] = {{0, 1}}, late[] = {{9 * S, 2}};
    struct ml_plot_curve a = {.points = early, .n_points = 1, .end_ns = 5 * S};
    struct ml_plot_curve b = {.points = late, .n_points = 1, .end_ns = 12 * S};
    struct ml_decimate found;
    ml_plot_subtract(&a, &b, 100, &found);
    assert_int_equal(found.n_points, 0);
    ml_decimate_free(&found);
}

static void assert_fellows(char **labels, size_t n, char **others, size_t n_others,
                           enum ml_plot_by by, bool named, const int *expected)
{
    struct ml_plot_groups a = {.n = n, .labels = labels}, b = {.n = n_others, .labels = others};
    bool found_named;
    int *fellows = ml_plot_fellows(&a, &b, by, &found_named);
    assert_memory_equal(fellows, expected, n * sizeof *expected);
    assert_int_equal(found_named, named);
    free(fellows);
}

static void test_fellows(void **state)
{
    (void)state;
    char *ranks[] = {"rank 0", NULL, "rank 2"}, *few[] = {"rank 0", "rank 1"};
    char *nodes[] = {"n01", "n02", "n03"}, *turned[] = {"n03", "n01"}, *others[] = {"m7", "m8"};
    assert_fellows(ranks, 3, few, 2, ML_PLOT_BY_RANK, false, (int[]){0, -1, -1});
    assert_fellows(nodes, 3, turned, 2, ML_PLOT_BY_NODE, true, (int[]){1, -1, 0});
    assert_fellows(nodes, 3, others, 2, ML_PLOT_BY_NODE, false, (int[]){0, 1, -1});
}

/* Runs have the colours that single curves have in scripts and pages. */
static void test_colours_of_runs(void **state)
{
    (void)state;
    const char *preamble = (const char *)ml_embedded_preamble_gp;
    const char *page = (const char *)ml_embedded_page_css;
    for (int p = ML_PALETTE_DEFAULT; p <= ML_PALETTE_GREY; p++) {
        for (size_t run = 0; run < 2 || !ml_palette_has_sign((enum ml_palette)p, (int)run + 1);
             run++) {
            for (int dark = 0; dark < 2; dark++) {
                char colour[16];
                snprintf(colour, sizeof colour, "#%06x",
                         ml_palette_run((enum ml_palette)p, dark, run, 0));
                assert_non_null(memmem(preamble, ml_embedded_preamble_gp_size, colour, 7));
                assert_non_null(memmem(page, ml_embedded_page_css_size, colour, 7));
            }
        }
    }
    assert_int_equal(ml_palette_run(ML_PALETTE_DEFAULT, false, 3, 1), 0xffffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),           cmocka_unit_test(test_subtract),
        cmocka_unit_test(test_fellows),         cmocka_unit_test(test_subtract_what_never_meets),
        cmocka_unit_test(test_colours_of_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
