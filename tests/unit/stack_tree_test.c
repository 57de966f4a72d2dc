#include "stack/tree.h"

#include "record/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ml_stack_frame call(const char *function, int line)
{
    return (struct ml_stack_frame){
        .function = function, .file = "/src/a.c", .line = line, .module = "/bin/a", .offset_B = -1};
}

static int32_t add(struct ml_stack_tree *tree, const struct ml_stack_frame *frames, size_t n,
                   bool cut)
{
    struct ml_stack_thread thread = {.frames = frames, .n_frames = n, .cut = cut};
    return ml_stack_tree_add(tree, &thread);
}

/* The rows that are new, unpacked, at most 16 of each. */
struct rows {
    struct ml_frame_row frames[16];
    struct ml_stack_row stacks[16];
    size_t n_frames, n_stacks;
};

static void unpack(const struct ml_stack_news *news, struct rows *out)
{
    const uint8_t *p = (const uint8_t *)news->frames.data, *end = p + news->frames.length;
    memset(out, 0, sizeof *out);
    while (p < end)
        assert_true(ml_row_unpack(&ml_table_frames, &p, end, &out->frames[out->n_frames++]));
    p = (const uint8_t *)news->stacks.data, end = p + news->stacks.length;
    while (p < end)
        assert_true(ml_row_unpack(&ml_table_stacks, &p, end, &out->stacks[out->n_stacks++]));
    assert_int_equal(out->n_frames, news->n_frames);
    assert_int_equal(out->n_stacks, news->n_stacks);
}

static void a_stack_is_kept_once(void **state)
{
    struct ml_stack_tree *tree = ml_stack_tree_new(0, 0, 100);
    struct ml_stack_frame one[] = {call("inner", 3), call("main", 9)};
    struct ml_stack_frame other[] = {call("inner", 4), call("main", 9)};
    struct rows rows;
    (void)state;
    int32_t first = add(tree, one, 2, false);
    assert_int_equal(first, 1);
    assert_int_equal(add(tree, one, 2, false), first);
    assert_int_equal(add(tree, other, 2, false), 2); /* another line: another frame */
    assert_int_equal(add(tree, &one[1], 1, false), 0);
    unpack(ml_stack_tree_news(tree), &rows);
    assert_int_equal(rows.n_frames, 3);
    assert_string_equal(rows.frames[0].function, "main");
    assert_int_equal(rows.n_stacks, 3);
    assert_int_equal(rows.stacks[0].parent, -1);
    assert_int_equal(rows.stacks[0].depth, 0);
    assert_int_equal(rows.stacks[2].parent, 0);
    assert_int_equal(rows.stacks[2].frame, 2);
    assert_int_equal(rows.stacks[2].depth, 1);
    ml_stack_news_clear(ml_stack_tree_news(tree));
    add(tree, one, 2, false);
    assert_int_equal(ml_stack_tree_news(tree)->n_stacks, 0);
    assert_int_equal(ml_stack_tree_news(tree)->frames.length, 0);
    ml_stack_tree_free(tree);
}

static void numbers_go_on(void **state)
{
    struct ml_stack_tree *tree = ml_stack_tree_new(70, 500, 100);
    struct ml_stack_frame one[] = {call("inner", 3), call("main", 9)};
    struct rows rows;
    (void)state;
    assert_int_equal(add(tree, one, 2, false), 501);
    unpack(ml_stack_tree_news(tree), &rows);
    assert_int_equal(rows.stacks[1].parent, 500);
    assert_int_equal(rows.stacks[1].frame, 71);
    ml_stack_tree_free(tree);
}

static void what_lacks_its_end_says_so(void **state)
{
    struct ml_stack_tree *tree = ml_stack_tree_new(0, 0, 100);
    struct ml_stack_frame one[] = {call("inner", 3)};
    struct rows rows;
    (void)state;
    assert_int_equal(add(tree, one, 1, true), 1);
    unpack(ml_stack_tree_news(tree), &rows);
    assert_string_equal(rows.frames[0].function, "[outer calls not seen]");
    assert_int_equal(add(tree, one, 0, false), -1); /* no frames at all */
    ml_stack_tree_free(tree);
}

static void a_full_tree_knows_outer_ends(void **state)
{
    struct ml_stack_tree *tree = ml_stack_tree_new(0, 0, 2);
    struct ml_stack_frame one[] = {call("inner", 3), call("main", 9)};
    struct ml_stack_frame deeper[] = {call("leaf", 1), call("inner", 3), call("main", 9)};
    struct ml_stack_frame foreign[] = {call("leaf", 1)};
    (void)state;
    assert_int_equal(add(tree, one, 2, false), 1);
    assert_int_equal(add(tree, deeper, 3, false), 1);
    assert_int_equal(add(tree, foreign, 1, false), -1);
    assert_int_equal(ml_stack_tree_news(tree)->n_frames, 2);
    ml_stack_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_is_kept_once),
        cmocka_unit_test(numbers_go_on),
        cmocka_unit_test(what_lacks_its_end_says_so),
        cmocka_unit_test(a_full_tree_knows_outer_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
