#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "elements.h"
#include "top/view.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB (1 << 20)
#define S 1000000000LL

static const struct ml_top_point curve[] = {{0, 10 * MIB}, {5 * S, 300 * MIB}, {6 * S, 100 * MIB}};
static const struct ml_top_rank ranks[] = {
    {0, 100, "knoten-ä", "MPI_Barrier", 70 * MIB, 80 * MIB, 0, false, 0},
    {1, 101, "knoten-ä", "", 90 * MIB, 90 * MIB, 2.0 * MIB, false, 123 * MIB},
    {2, 102, "日本", "", 20 * MIB, 200 * MIB, 5.0 * MIB, false, 0},
    {3, 103, "日本", "", -1, 10 * MIB, NAN, true, 0},
};
static const struct ml_top_node nodes[] = {{"日本", 500 * MIB}, {"knoten-ä", -1}};
static const struct ml_top_output output[] = {{S, 0, "step 1"}, {2 * S, -1, "done \033[2J\n"}};

static const struct ml_top_model model = {
    .name = "lauf-ä.h5",
    .state = "running",
    .phase = "assemble",
    .length_ns = 8 * S,
    .age_ns = S,
    .at_ns = -1,
    .memory_B = 180 * MIB,
    .peak_B = 300 * MIB,
    .curve = curve,
    .n_curve = N(curve),
    .ranks = ranks,
    .n_ranks = N(ranks),
    .n_running = 3,
    .nodes = nodes,
    .n_nodes = N(nodes),
    .output = output,
    .n_output = N(output),
};
static const struct ml_top_model nothing = {.name = "run.h5",
                                            .state = "completed",
                                            .age_ns = -1,
                                            .at_ns = -1,
                                            .memory_B = -1,
                                            .peak_B = -1};

/* The lines under one another, after a look at each. The caller frees them. */
static char *show(const struct ml_top_model *m, const struct ml_top_wish *wish, int width,
                  int height, bool utf8)
{
    struct ml_top_screen screen;
    struct ml_buffer all = {0};
    ml_top_view(m, wish, width, height, utf8, &screen);
    assert_int_equal(screen.n, height);
    for (size_t i = 0; i < screen.n; i++) {
        const char *text = screen.lines[i].text;
        if (ml_utf8_columns(text) > (size_t)width)
            fail_msg("%d columns: '%s'", width, text);
        assert_null(strpbrk(text, "\033\n"));
        for (const char *c = text; !utf8 && *c; c++)
            assert_true(*c > 0);
        ml_buffer_printf(&all, "%s\n", text);
    }
    ml_top_screen_free(&screen);
    ml_buffer_append(&all, "", 1);
    char *copy = ml_strdup(all.data);
    ml_buffer_free(&all);
    return copy;
}

static void expect(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (!strstr(text, *words))
            fail_msg("no '%s' in\n%s", *words, text);
    }
}

static void usual_size(void **state)
{
    static const char *const words[] = {"running",
                                        "3 of 4 ranks run",
                                        "180 MiB",
                                        "phase assemble",
                                        "least left 500 MiB on 日本",
                                        "knoten-ä",
                                        "MPI_Barrier",
                                        "[0] step 1",
                                        "done \\x1b[2J\\n",
                                        "ended",
                                        "level",
                                        "2.00 MiB/s",
                                        "⣿",
                                        "sort: memory",
                                        NULL};
    struct ml_top_wish wish = {0};
    (void)state;
    char *text = show(&model, &wish, 80, 24, true);
    expect(text, words);
    free(text);
}

static void memory_of_gpus(void **state)
{
    static const char *const words[] = {"GPUs 123 MiB", "      GPUS ", " 123 MiB ", NULL};
    struct ml_top_model with = model;
    struct ml_top_wish wish = {0};
    (void)state;
    char *text = show(&with, &wish, 80, 24, true);
    assert_null(strstr(text, "GPU"));
    free(text);
    with.has_gpus = true;
    with.gpu_B = 123 * MIB;
    text = show(&with, &wish, 80, 24, true);
    expect(text, words);
    free(text);
}

static void any_size(void **state)
{
    static const int widths[] = {1, 4, 20, 40, 80, 81, 132, 400},
                     heights[] = {1, 2, 5, 15, 16, 24, 100};
    static const struct ml_top_model *const models[] = {&model, &nothing};
    struct ml_top_wish wishes[] = {{0},
                                   {.selected = 99},
                                   {.typing = true, .filter = "日"},
                                   {.trouble = "run.h5: gone"},
                                   {.page = ml_top_help, .scrolled = 3}};
    (void)state;
    for (size_t i = 0; i < N(widths) * N(heights) * N(models) * N(wishes); i++) {
        int width = widths[i % N(widths)], height = heights[i / N(widths) % N(heights)];
        size_t rest = i / N(widths) / N(heights);
        const struct ml_top_wish *wish = &wishes[rest % N(wishes)];
        const struct ml_top_model *m = models[rest / N(wishes)];
        if (width >= 4) {
            free(show(m, wish, width, height, true));
            free(show(m, wish, width, height, false));
        }
    }
}

static void small_and_empty(void **state)
{
    static const char *const small[] = {"RANK     MEMORY\n", "1   90.0 MiB", NULL};
    static const char *const empty[] = {"no ranks yet", "ended: completed", "memory -", NULL};
    static const char *const filtered[] = {"no rank matches the filter", "filter: nix", NULL};
    struct ml_top_wish wish = {0};
    (void)state;
    char *text = show(&model, &wish, 20, 5, true);
    assert_null(strstr(text, "PEAK")); /* it does not fit whole */
    free(text);
    text = show(&model, &wish, 18, 5, true);
    expect(text, small);
    free(text);
    text = show(&nothing, &wish, 80, 24, true);
    expect(text, empty);
    free(text);
    strcpy(wish.filter, "nix");
    text = show(&model, &wish, 80, 24, true);
    expect(text, filtered);
    free(text);
}

struct ordering {
    enum ml_top_sort sort;
    const char *filter, *ranks;
};

static void orders(void **state)
{
    static const struct ordering cases[] = {
        {ML_TOP_BY_MEMORY, "", "1023"}, {ML_TOP_BY_GROWTH, "", "2103"},
        {ML_TOP_BY_PEAK, "", "2103"},   {ML_TOP_BY_RANK, "", "0123"},
        {ML_TOP_BY_RANK, "日本", "23"}, {ML_TOP_BY_RANK, "barrier", "0"},
        {ML_TOP_BY_RANK, "3", "3"},     {ML_TOP_BY_RANK, "x", ""},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct ml_top_wish wish = {.sort = cases[i].sort};
        size_t order[N(ranks)];
        char found[N(ranks) + 1] = "";
        strcpy(wish.filter, cases[i].filter);
        size_t n = ml_top_order(&model, &wish, order);
        for (size_t k = 0; k < n; k++)
            found[k] = (char)('0' + ranks[order[k]].rank);
        assert_string_equal(found, cases[i].ranks);
    }
}

/* The moment that is shown is a line through the curve, at its place. */
static void another_moment(void **state)
{
    static const char *const words[] = {"AT 0:04.0 of 0:08.0  running", "180 MiB", NULL};
    struct ml_top_wish wish = {0};
    struct ml_top_model then = model;
    (void)state;
    then.at_ns = 4 * S;
    char *text = show(&then, &wish, 80, 24, true);
    expect(text, words);
    assert_null(strstr(text, "ago"));
    const char *line = strstr(text, "    300 MiB ");
    assert_non_null(line);
    size_t columns = (size_t)ml_top_curve_columns(80), n = 0;
    for (const char *c = line + 12; strncmp(c, "│", 3) != 0; c++)
        n += (*c & 0xc0) != 0x80;
    assert_in_range(n, columns / 2 - 1, columns / 2);
    free(text);
    then.at_ns = 8 * S;
    text = show(&then, &wish, 80, 24, false);
    line = strstr(text, "    300 MiB ");
    assert_int_equal(strchr(line, '\n') - line, 80);
    assert_int_equal(line[79], '|');
    free(text);
}

static void help_scrolls(void **state)
{
    struct ml_top_wish wish = {.page = ml_top_help, .scrolled = 2};
    (void)state;
    char *text = show(&model, &wish, 80, 24, true);
    assert_null(strstr(text, "memlog top: keys"));
    assert_non_null(strstr(text, "choose a rank"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_size),   cmocka_unit_test(memory_of_gpus),
        cmocka_unit_test(any_size),     cmocka_unit_test(small_and_empty),
        cmocka_unit_test(orders),       cmocka_unit_test(another_moment),
        cmocka_unit_test(help_scrolls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
