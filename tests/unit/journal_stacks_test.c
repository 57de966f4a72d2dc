/* The stacks of a journal: written, read back, and refused where they make no tree. */
#include "base/memory.h"
#include "base/own.h"
#include "elements.h"
#include "journal/frames.h"
#include "journal/harvest.h"
#include "synthetic.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static struct ml_harvest *harvest(void)
{
    struct ml_harvest *h;
    struct ml_error err = {{0}};
    if (ml_harvest_open(journal_path, NULL, &h, &err) != ML_OK)
        fail_msg("%s", err.text);
    return h;
}

static size_t count(struct ml_harvest *h, const struct ml_table *table)
{
    return ml_harvest_rows(h, table).count;
}

static void check_samples(struct ml_harvest *h, const struct synthetic *s, int32_t first_stack)
{
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_stack_samples);
    assert_int_equal(rows.count, s->processes * s->ticks);
    for (size_t i = 0; i < rows.count; i++) {
        int tick = (int)i / s->processes;
        int p = s->processes - 1 - (int)i % s->processes; /* they were written the other way */
        struct ml_stack_sample_row row;
        rows.fetch(rows.context, i, &row);
        assert_int_equal(row.time_ns, tick * SYNTHETIC_PERIOD_NS + (s->processes - p) * 1000000);
        assert_int_equal(row.process, 10 + p);
        assert_int_equal(row.thread, 1000 + p);
        assert_int_equal(row.stack, first_stack + synthetic_stack(s->node, p, tick, s->stacks));
        assert_int_equal(row.trigger, 1 + tick % 4);
    }
}

static void rows_come_back(void **state)
{
    (void)state;
    struct synthetic s = {.node = 1,
                          .n_nodes = 2,
                          .processes = 3,
                          .ticks = 20,
                          .stacks = 100,
                          .complete = 1,
                          .text = "x"};
    synthetic_write(journal_path, &s);
    struct ml_harvest *h = harvest();
    ml_harvest_set_bases(h, 10, 0);
    assert_int_equal(count(h, &ml_table_frames), 15);
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_frames);
    struct ml_frame_row frame;
    rows.fetch(rows.context, 0, &frame); /* function 7 of all */
    assert_string_equal(frame.function, "f7x");
    assert_string_equal(frame.file, "/src/2.c");
    assert_int_equal(frame.inlined, 1);
    rows = ml_harvest_rows(h, &ml_table_stacks);
    assert_int_equal(rows.count, 100);
    int32_t depths[100];
    for (int i = 0; i < 100; i++) {
        struct ml_stack_row stack;
        rows.fetch(rows.context, (size_t)i, &stack);
        assert_in_range(stack.parent + 1, 0, i);
        depths[i] = stack.depth;
        assert_int_equal(stack.depth, stack.parent < 0 ? 0 : depths[stack.parent] + 1);
    }
    check_samples(h, &s, 0);
    int32_t in_file[100];
    for (int i = 0; i < 100; i++)
        in_file[i] = 5000 + i;
    ml_harvest_set_stacks(h, in_file);
    check_samples(h, &s, 5000);
    ml_harvest_close(h);
}

/* One row of any of the three tables; ended by type 0. */
struct row {
    enum ml_frame_type type;
    int a, b, c; /* stack: parent, frame, depth; sample: process, stack; frame: line */
};

static void pack(const struct row *r, struct ml_buffer *out)
{
    struct ml_frame_row frame = {.function = "f", .file = "", .module = "", .line = r->a};
    struct ml_stack_row stack = {.parent = r->a, .frame = r->b, .depth = r->c};
    struct ml_stack_sample_row sample = {.process = r->a, .stack = r->b};
    if (r->type == ML_FRAME_STACK_FRAMES)
        ml_row_pack(&ml_table_frames, &frame, out);
    else if (r->type == ML_FRAME_STACKS)
        ml_row_pack(&ml_table_stacks, &stack, out);
    else
        ml_row_pack(&ml_table_stack_samples, &sample, out);
}

/* Two frames, a root and its child, a sample; then the rows of BAD in one frame without its last
 * CUT bytes; then an event. */
static void write_bad(const struct row *bad, size_t n, size_t cut)
{
    static const struct row good[] = {{ML_FRAME_STACK_FRAMES, 1, 0, 0},
                                      {ML_FRAME_STACK_FRAMES, 2, 0, 0},
                                      {ML_FRAME_STACKS, -1, 0, 0},
                                      {ML_FRAME_STACKS, 0, 1, 1},
                                      {ML_FRAME_STACK_SAMPLES, 0, 1, 0}};
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    struct ml_buffer packed = {0};
    assert_int_equal(ml_journal_create(journal_path, &header, 1, &j, &err), ML_OK);
    for (size_t i = 0; i < N(good); i++) {
        pack(&good[i], &packed);
        assert_true(ml_journal_packed(j, good[i].type, 1, packed.data, packed.length));
        ml_buffer_clear(&packed);
    }
    for (size_t i = 0; i < n; i++)
        pack(&bad[i], &packed);
    assert_true(ml_journal_packed(j, bad[0].type, 2, packed.data, packed.length - cut));
    ml_buffer_free(&packed);
    struct ml_event_row event = {.text = "after"};
    ml_journal_row(j, ML_FRAME_EVENT, 3, &ml_table_events, &event);
    ml_journal_close(j);
}

/* Whether the journal ends before what write_bad was given, and holds all that lies before. */
static bool is_torn(void)
{
    struct ml_harvest *h = harvest();
    bool torn = count(h, &ml_table_events) == 0 && count(h, &ml_table_frames) == 2 &&
                count(h, &ml_table_stacks) == 2 && count(h, &ml_table_stack_samples) == 1;
    ml_harvest_close(h);
    return torn;
}

static void what_makes_no_tree_is_torn(void **state)
{
    (void)state;
#define STACK ML_FRAME_STACKS
#define SAMPLE ML_FRAME_STACK_SAMPLES
    static const struct row cases[] = {
        {STACK, 2, 0, 2},         /* its own parent */
        {STACK, 3, 0, 2},         /* a parent behind it */
        {STACK, INT32_MAX, 0, 1}, /* a parent far out */
        {STACK, -2, 0, 0},        /* neither a root nor a child */
        {STACK, INT32_MIN, 0, 0},
        {STACK, 1, 2, 2},  /* a frame that is not there */
        {STACK, 1, -1, 2}, /* no frame */
        {STACK, 1, 0, 1},  /* the depth of its parent */
        {STACK, 1, 0, 3},  /* too deep by one */
        {STACK, -1, 0, 1}, /* a root that is none */
        {STACK, -1, 0, -1},
        {STACK, 0, 0, INT32_MIN},
        {SAMPLE, 0, 2, 0},  /* a stack that is not there */
        {SAMPLE, 0, -1, 0}, /* no stack */
        {SAMPLE, 0, INT32_MAX, 0},
        {SAMPLE, -1, 0, 0}, /* no process */
        {SAMPLE, ML_NODE_PROCESSES_MAX, 0, 0},
    };
    for (size_t i = 0; i < N(cases); i++) {
        write_bad(&cases[i], 1, 0);
        if (!is_torn())
            fail_msg("case %zu is not refused", i);
        /* A good row before the bad one goes with it. */
        struct row both[] = {{cases[i].type, 0, 1, 1}, cases[i]};
        both[1].a += i == 0; /* it is number 3 now */
        write_bad(both, 2, 0);
        if (!is_torn())
            fail_msg("case %zu is not refused behind a good row", i);
    }
}

static void cut_rows_are_torn(void **state)
{
    (void)state;
    static const struct row rows[] = {{ML_FRAME_STACK_FRAMES, 7, 0, 0},
                                      {ML_FRAME_STACKS, 1, 1, 2},
                                      {ML_FRAME_STACK_SAMPLES, 3, 1, 0}};
    for (size_t i = 0; i < N(rows); i++) {
        struct ml_buffer packed = {0};
        pack(&rows[i], &packed);
        for (size_t cut = 1; cut < packed.length; cut++) {
            write_bad(&rows[i], 1, cut);
            assert_true(is_torn());
        }
        ml_buffer_free(&packed);
        write_bad(&rows[i], 1, 0);
        assert_false(is_torn()); /* a whole one is none of these */
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    ML_AUTO_FREE struct row *chain = ml_alloc((ML_STACK_LEVELS_MAX + 1) * sizeof *chain);
    chain[0] = (struct row){ML_FRAME_STACKS, -1, 0, 0};
    for (int i = 1; i <= ML_STACK_LEVELS_MAX; i++)
        chain[i] = (struct row){ML_FRAME_STACKS, i + 1, 0, i};
    write_bad(chain, ML_STACK_LEVELS_MAX, 0);
    struct ml_harvest *h = harvest();
    assert_int_equal(count(h, &ml_table_stacks), 2 + ML_STACK_LEVELS_MAX);
    ml_harvest_close(h);
    write_bad(chain, ML_STACK_LEVELS_MAX + 1, 0);
    assert_true(is_torn());
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* When rows were dropped for want of room, the numbers of later ones would be wrong: these are
 * refused, and the rest of the journal stays readable. */
static void stacks_lost_to_a_full_disk(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    struct ml_buffer frame = {0}, stack = {0};
    pack(&(struct row){ML_FRAME_STACK_FRAMES, 1, 0, 0}, &frame);
    pack(&(struct row){ML_FRAME_STACKS, -1, 0, 0}, &stack);
    assert_int_equal(ml_journal_create(journal_path, &header, 0, &j, &err), ML_OK);
    assert_true(ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 1, frame.data, frame.length));
    assert_int_equal(ml_journal_flush(j, &err), ML_OK);
    set_file_limit((rlim_t)ml_journal_size(j) + 100);
    assert_true(ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 2, frame.data, frame.length));
    ML_AUTO_FREE char *much = ml_alloc(65 << 20);
    ml_journal_output(j, 3, 0, ML_STDOUT, much, 65 << 20);
    assert_int_equal(ml_journal_flush(j, &err), ML_SAMPLE_LOST);
    set_file_limit(RLIM_INFINITY);
    assert_false(ml_journal_packed(j, ML_FRAME_STACKS, 4, stack.data, stack.length));
    assert_false(ml_journal_packed(j, ML_FRAME_STACK_SAMPLES, 4, "", 1));
    struct ml_event_row event = {.text = "after"};
    ml_journal_row(j, ML_FRAME_EVENT, 5, &ml_table_events, &event);
    ml_journal_close(j);
    struct ml_harvest *h = harvest();
    assert_int_equal(count(h, &ml_table_frames), 1);
    assert_int_equal(count(h, &ml_table_events), 1);
    ml_harvest_close(h);
    ml_buffer_free(&frame);
    ml_buffer_free(&stack);
}

/* A frame that no reader would take is not written. */
static void too_much_at_once(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_buffer frame = {0};
    size_t too_much_B = ML_FRAME_PAYLOAD_MAX + 1;
    ML_AUTO_FREE char *much = ml_alloc(too_much_B);
    assert_int_equal(ml_journal_create(journal_path, &header, 0, &j, NULL), ML_OK);
    pack(&(struct row){ML_FRAME_STACK_FRAMES, 1, 0, 0}, &frame);
    assert_false(ml_journal_packed(j, ML_FRAME_STACK_SAMPLES, 1, much, too_much_B));
    assert_true(ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 2, frame.data, frame.length));
    assert_false(ml_journal_packed(j, ML_FRAME_STACKS, 3, much, too_much_B));
    assert_false(ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 4, frame.data, frame.length));
    ml_journal_end(j, 5);
    ml_journal_close(j);
    ml_buffer_free(&frame);
    struct ml_harvest *h = harvest();
    assert_int_equal(count(h, &ml_table_frames), 1);
    assert_true(ml_harvest_complete(h));
    ml_harvest_close(h);
}

/* A node's figures of its stacks stand in its own journal; where that breaks off they are those
 * that its samples tell. */
static void figures_of_the_node(void **state)
{
    (void)state;
    struct synthetic s = {
        .node = 0, .n_nodes = 2, .processes = 2, .ticks = 5, .stacks = 4, .text = ""};
    synthetic_write(journal_path, &s);
    struct ml_harvest *h = harvest();
    struct ml_node_row row;
    ml_harvest_node(h, 0, &row);
    assert_int_equal(row.stacks, 10);
    assert_int_equal(row.stacks_failed, -1);
    ml_harvest_close(h);

    struct ml_journal_header header = synthetic_header(0, 2);
    struct ml_journal *j;
    struct ml_error err;
    assert_int_equal(ml_journal_create(journal_path, &header, 1, &j, &err), ML_OK);
    for (int node = 0; node < 2; node++) {
        struct ml_node_row said = {.node = node,
                                   .name = "n",
                                   .stacks = 7,
                                   .stacks_failed = 2,
                                   .stacks_cpu_ns = 5,
                                   .debugger_restarts = 1};
        ml_journal_row(j, ML_FRAME_NODE, 1, &ml_table_nodes, &said);
    }
    ml_journal_close(j);
    h = harvest();
    ml_harvest_node(h, 0, &row);
    assert_int_equal(row.stacks, 7);
    assert_int_equal(row.stacks_failed, 2);
    assert_int_equal(row.debugger_restarts, 1);
    ml_harvest_node(h, 1, &row); /* only its own journal knows */
    assert_int_equal(row.stacks, -1);
    assert_int_equal(row.stacks_failed, -1);
    assert_int_equal(row.stacks_cpu_ns, -1);
    assert_int_equal(row.debugger_restarts, -1);
    ml_harvest_close(h);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_journal_folder, remove_journal_folder)
    const struct CMUnitTest tests[] = {
        TEST(rows_come_back),      TEST(what_makes_no_tree_is_torn), TEST(cut_rows_are_torn),
        TEST(depth_is_bounded),    TEST(stacks_lost_to_a_full_disk), TEST(too_much_at_once),
        TEST(figures_of_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
