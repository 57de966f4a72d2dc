#include "base/memory.h"
#include "base/own.h"
#include "made_up.h"
#include "read/stack_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000LL

static const struct ml_stacks_choice everything = {.since_ns = INT64_MIN, .until_ns = INT64_MAX};

static int clean_up(void **state)
{
    (void)state;
    made_up_remove();
    return 0;
}

static enum ml_status load_file(const char *options, const struct ml_stacks_choice *choice,
                                struct ml_stacks *out, struct ml_error *err)
{
    struct ml_run *run;
    struct ml_slice processes;
    if (ml_run_open(made_up_run(options), &run, err) ||
        ml_slice_read_all(run, &ml_table_processes, &processes, err))
        fail_msg("%s", err->text);
    enum ml_status status = ml_stacks_load(run, processes.rows, processes.count, choice, out, err);
    ml_slice_free(&processes);
    ml_run_close(run);
    return status;
}

static void load(const char *options, const struct ml_stacks_choice *choice, struct ml_stacks *out)
{
    struct ml_error err = {{0}};
    if (load_file(options, choice, out, &err))
        fail_msg("%s", err.text);
}

static void test_old_file_has_none(void **state)
{
    (void)state;
    struct ml_stacks stacks;
    load("", &everything, &stacks);
    assert_false(stacks.recorded);
    assert_int_equal(stacks.n_samples, 0);
    ml_stacks_free(&stacks);
}

static void test_frames_of_a_stack(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "malloc",
        "operator new(unsigned long)",
        "std::vector<Element, std::allocator<Element> >::push_back(Element const&)",
        "assemble(Mesh const&)",
        "Solver::run(int)",
        "main",
        "__libc_start_main",
        "_start",
    };
    struct ml_stacks stacks;
    int32_t frames[ML_STACKS_DEPTH_MAX];
    load("--stacks some", &everything, &stacks);
    const struct ml_stacks_sample *first = &stacks.samples[0];
    assert_true(first->process == 0 && first->thread == 4000 && first->first && first->worked);
    size_t n = ml_stacks_frames(&stacks, first->stack, frames);
    assert_int_equal(n, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(stacks.frames[frames[i]].function, expected[i]);
    assert_int_equal(stacks.frames[frames[2]].inlined, 1);
    assert_int_equal(stacks.frames[frames[2]].line, 1285);
    assert_int_equal(stacks.frames[frames[0]].line, -1);
    ml_stacks_free(&stacks);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        struct ml_frame_row frame;
        const char *name;
    } cases[] = {
        {{.function = "main", .module = "/bin/a", .offset_B = -1}, "main"},
        {{.function = "", .module = "/usr/lib/libx.so", .offset_B = 0x1234}, "libx.so+0x1234"},
        {{.function = "", .module = "[vdso]", .offset_B = 0}, "[vdso]+0x0"},
        {{.function = "", .module = "", .offset_B = 0x7f00}, "0x7f00"},
        {{.function = "", .module = "/bin/a", .offset_B = -1}, "a"},
        {{.function = "", .module = "/", .offset_B = -1}, "/"},
        {{.function = "", .module = "", .offset_B = -1}, "unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_buffer name = {0};
        ml_stacks_name(&cases[i].frame, &name);
        assert_string_equal(name.data, cases[i].name);
        ml_buffer_free(&name);
    }
}

static size_t count(const char *ranks, int64_t since_ns, int64_t until_ns, int trigger)
{
    struct ml_stacks stacks;
    struct ml_ranges set = {0};
    struct ml_stacks_choice choice = {ranks ? &set : NULL, since_ns, until_ns, trigger,
                                      ML_THREADS_ALL};
    if (ranks)
        assert_int_equal(ml_ranges_parse(ranks, &set, NULL), ML_OK);
    load("--stacks some", &choice, &stacks);
    size_t n = stacks.n_samples;
    assert_int_equal(stacks.n_recorded, 81);
    ml_stacks_free(&stacks);
    ml_ranges_free(&set);
    return n;
}

static void test_choice(void **state)
{
    (void)state;
    assert_int_equal(count(NULL, INT64_MIN, INT64_MAX, 0), 81);
    assert_int_equal(count("1", INT64_MIN, INT64_MAX, 0), 11);
    assert_int_equal(count("0,2-3,90", INT64_MIN, INT64_MAX, 0), 30);
}

static void test_choice_of_time_and_trigger(void **state)
{
    (void)state;
    assert_int_equal(count(NULL, 10 * S, 25 * S, 0), 17);
    assert_int_equal(count(NULL, INT64_MIN, INT64_MAX, ML_TRIGGER_GROWTH), 1);
    assert_int_equal(count("0", INT64_MIN, INT64_MAX, ML_TRIGGER_GROWTH), 0);
}

/* What a rank grew by, over all its stacks, is what it had at most where it never shrank between
 * two of them. */
static void test_memory(void **state)
{
    (void)state;
    struct ml_stacks stacks;
    load("--stacks some --shape leak", &everything, &stacks);
    int64_t growth_B[8] = {0}, last_B[8] = {0};
    for (size_t i = 0; i < stacks.n_samples; i++) {
        const struct ml_stacks_sample *s = &stacks.samples[i];
        assert_true(s->rss_B > 0 && s->rss_B >= last_B[s->rank]);
        assert_true(s->growth_B >= 0);
        if (s->growth_B)
            assert_true(s->first);
        growth_B[s->rank] += s->growth_B;
        last_B[s->rank] = s->rss_B;
    }
    for (int rank = 0; rank < 8; rank++)
        assert_int_equal(growth_B[rank], last_B[rank]);
    /* At 6.01 s of 60 rank 0 of 100 MiB has 0.3 + 0.7 * 5.875 / 60 of it. */
    assert_int_equal(stacks.samples[0].rss_B / 4096,
                     (int64_t)(100 * 256 * (0.3 + 0.7 * 5.875 / 60)));
    ml_stacks_free(&stacks);
}

/* The threads of a process that were taken at once, and not those of the next time. */
static void test_takings(void **state)
{
    (void)state;
    struct ml_stacks stacks;
    load("--stacks some", &everything, &stacks);
    for (size_t i = 1; i < stacks.n_samples; i++) {
        const struct ml_stacks_sample *s = &stacks.samples[i];
        bool same = s->process == s[-1].process && s->time_ns - s[-1].time_ns < S;
        assert_int_equal(s->taking, s[-1].taking + !same);
    }
    assert_int_equal(stacks.samples[stacks.n_samples - 1].taking, 8 * 5);
    ml_stacks_free(&stacks);
}

static void test_tree(void **state)
{
    (void)state;
    struct ml_stacks stacks;
    struct ml_stack_tree tree;
    load("--stacks some", &everything, &stacks);
    ml_stack_tree_make(&stacks, false, &tree);
    size_t own = 0, before = SIZE_MAX, last = 0;
    for (size_t i = 0; i < tree.n_nodes; i++) {
        const struct ml_stack_tree_node *n = &tree.nodes[i];
        size_t below = n->n_own;
        assert_true(n->end > i && n->end <= tree.n_nodes);
        for (size_t k = i + 1; k < n->end; k = tree.nodes[k].end) {
            assert_int_equal(tree.nodes[k].depth, n->depth + 1);
            assert_true(k == i + 1 || tree.nodes[k].n_samples <= before);
            assert_true(tree.nodes[k].peak_B <= n->peak_B);
            before = tree.nodes[k].n_samples;
            below += tree.nodes[k].n_samples;
        }
        assert_int_equal(n->n_samples, below);
        assert_int_equal(n->first_sample, own);
        own += n->n_own;
        last = i;
    }
    assert_int_equal(own, stacks.n_samples);
    assert_string_equal(stacks.frames[tree.nodes[0].frame].function, "_start");
    assert_string_equal(stacks.frames[tree.nodes[last].frame].function, "epoll_wait");
    /* Called from two lines, which were two rows of /stacks. */
    assert_string_equal(stacks.frames[tree.nodes[3].frame].function, "Solver::run(int)");
    assert_false(tree.nodes[3].one_line);
    assert_true(tree.nodes[2].one_line);
    ml_stack_tree_free(&tree);
    ml_stacks_free(&stacks);
}

/* A function that calls itself two hundred times is one node, with all that it called. */
static void test_recursion(void **state)
{
    (void)state;
    struct ml_stacks stacks;
    struct ml_stack_tree tree, folded;
    load("--stacks some", &everything, &stacks);
    ml_stack_tree_make(&stacks, false, &tree);
    ml_stack_tree_make(&stacks, true, &folded);
    size_t most = 0, own = 0;
    for (size_t i = 0; i < tree.n_nodes; i++)
        assert_int_equal(tree.nodes[i].nested, 1);
    for (size_t i = 0; i < folded.n_nodes; i++) {
        const struct ml_stack_tree_node *n = &folded.nodes[i];
        for (size_t k = i + 1; k < n->end; k = folded.nodes[k].end)
            assert_int_not_equal(folded.nodes[k].function, n->function);
        if (n->nested > folded.nodes[most].nested)
            most = i;
        own += n->n_own;
    }
    assert_int_equal(folded.nodes[most].nested, 200);
    assert_string_equal(stacks.frames[folded.nodes[most].frame].function, "refine(Cell*, int)");
    assert_int_equal(folded.n_nodes, tree.n_nodes - 199);
    assert_int_equal(own, stacks.n_samples);
    assert_int_equal(folded.nodes[0].weight, tree.nodes[0].weight);
    ml_stack_tree_free(&tree);
    ml_stack_tree_free(&folded);
    ml_stacks_free(&stacks);
}

static void test_bad_files(void **state)
{
    (void)state;
    static const struct {
        const char *options, *message;
    } cases[] = {
        {"--break stray-frame", "row 2 of table stacks is of frame 1000, of "},
        {"--break parent-behind", "row 2 of table stacks has parent 2, which is not before it"},
        {"--break parent-none", "row 2 of table stacks has parent -2, which is not before it"},
        {"--break wrong-depth", "row 2 of table stacks has depth 7 where 2 is right"},
        {"--break stray-stack", "row 3 of table stack_samples is of a process or a stack that"},
        {"--break stack-of-stray-process", "row 3 of table stack_samples is of a process or a"},
        {"--break stray-rows", "process 1 has rows "},
        {"--shorten frames/line", "table frames has columns of unequal length"},
        {"--shorten stack_samples/stack", "table stack_samples has columns of unequal length"},
        {"--retype stacks/frame", "column stacks/frame does not hold numbers"},
        {"--drop stacks/parent", "row 1 of table stacks has depth 1 where 0 is right"},
        {"--drop samples/rss_B", "column samples/rss_B is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_error err = {{0}};
        struct ml_stacks stacks;
        ML_AUTO_FREE char *options = ml_format("--stacks some %s", cases[i].options);
        assert_int_equal(load_file(options, &everything, &stacks, &err), ML_RUN_LOST);
        if (!strstr(err.text, cases[i].message) || strchr(err.text, '\n'))
            fail_msg("%s: %s", cases[i].options, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_file_has_none),
        cmocka_unit_test(test_frames_of_a_stack),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_choice_of_time_and_trigger),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_takings),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
