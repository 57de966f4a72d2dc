/* Trees of members for what goes from all to one. */
#include "gather/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int depth_of(int size, int root, int member)
{
    int depth = 0;
    for (; member != root; depth++) {
        assert_in_range(depth, 0, 31);
        member = ml_tree_of(size, root, member).parent;
    }
    return depth;
}

static int log2_of(int size)
{
    int bits = 0;
    while (1 << bits < size)
        bits++;
    return bits;
}

static void check(int size, int root)
{
    int *parents = calloc((size_t)size, sizeof *parents);
    for (int i = 0; i < size; i++) {
        struct ml_tree tree = ml_tree_of(size, root, i);
        assert_in_range(tree.n_children, 0, log2_of(size));
        assert_true((tree.parent < 0) == (i == root));
        for (int k = 0; k < tree.n_children; k++) {
            assert_int_equal(ml_tree_of(size, root, tree.children[k]).parent, i);
            parents[tree.children[k]]++;
        }
        assert_in_range(depth_of(size, root, i), 0, log2_of(size));
    }
    for (int i = 0; i < size; i++)
        assert_int_equal(parents[i], i != root);
    free(parents);
}

static void everybody_is_in_it_once(void **state)
{
    (void)state;
    for (int size = 1; size < 70; size++) {
        for (int root = 0; root < size; root++)
            check(size, root);
    }
    check(1000, 999);
    check(16384, 0);
}

static void small_ones(void **state)
{
    (void)state;
    struct ml_tree root = ml_tree_of(6, 0, 0), inner = ml_tree_of(6, 0, 4);
    assert_int_equal(root.n_children, 3);
    assert_int_equal(root.children[0], 4);
    assert_int_equal(root.children[1], 2);
    assert_int_equal(root.children[2], 1);
    assert_int_equal(inner.n_children, 1);
    assert_int_equal(inner.children[0], 5);
    assert_int_equal(ml_tree_of(1, 0, 0).n_children, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_in_it_once),
        cmocka_unit_test(small_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
