/* The stacks of many journals as one tree: of each sample, the functions on the way to the root are
 * those that its journal says. */
#include "assemble/recover.h"
#include "base/memory.h"
#include "base/own.h"
#include "h5_compare.h"
#include "journal/harvest.h"
#include "store/stacks.h"
#include "synthetic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NODES_MAX 70

static char *folder, *file, *journals[NODES_MAX];

static int make_folder(void **state)
{
    (void)state;
    folder = synthetic_folder();
    file = ml_format("%s/run.h5", folder);
    for (int node = 0; node < NODES_MAX; node++) {
        ML_AUTO_FREE char *name = ml_format("n%d", node);
        journals[node] = ml_journal_name(NULL, file, name, -1);
    }
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    for (int node = 0; node < NODES_MAX; node++)
        free(journals[node]);
    free(file);
    synthetic_remove(folder);
    return 0;
}

static void write_journals(int n, int processes, int ticks, int stacks, const char *text)
{
    for (int node = 0; node < n; node++) {
        struct synthetic s = {.node = node,
                              .n_nodes = n,
                              .processes = processes,
                              .ticks = ticks,
                              .stacks = stacks,
                              .complete = 1,
                              .text = text};
        synthetic_write(journals[node], &s);
    }
}

static void recover(int n)
{
    struct ml_error err = {{0}};
    if (ml_recover(journals, (size_t)n, file, ML_RECOVER_FORCE, NULL, &err) != ML_OK)
        fail_msg("%s", err.text);
}

/* The tables of the file. */
struct tree {
    char *function, *source, *module;
    int32_t *line;
    int64_t *offset_B;
    int8_t *inlined;
    size_t function_width, source_width, module_width;
    int32_t *parent, *frame, *depth, *stack;
    size_t n_frames, n_stacks, n_samples;
};

static struct tree read_tree(void)
{
    struct tree t;
    size_t n, width;
    hid_t f = h5_open(file);
    assert_true(f >= 0);
    t.function = h5_column(f, "frames", "function", &t.n_frames, &t.function_width);
    t.source = h5_column(f, "frames", "file", &n, &t.source_width);
    t.module = h5_column(f, "frames", "module", &n, &t.module_width);
    t.line = h5_column(f, "frames", "line", &n, &width);
    t.offset_B = h5_column(f, "frames", "offset_B", &n, &width);
    t.inlined = h5_column(f, "frames", "inlined", &n, &width);
    t.parent = h5_column(f, "stacks", "parent", &t.n_stacks, &width);
    t.frame = h5_column(f, "stacks", "frame", &n, &width);
    t.depth = h5_column(f, "stacks", "depth", &n, &width);
    t.stack = h5_column(f, "stack_samples", "stack", &t.n_samples, &width);
    H5Fclose(f);
    return t;
}

static void free_tree(struct tree *t)
{
    void *all[] = {t->function, t->source, t->module, t->line,  t->offset_B,
                   t->inlined,  t->parent, t->frame,  t->depth, t->stack};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* Everything that frame I says, as one text. */
static char *frame_text(const struct tree *t, int32_t i)
{
    assert_in_range(i, 0, t->n_frames - 1);
    return ml_format("%s|%s|%d|%s|%lld|%d", t->function + (size_t)i * t->function_width,
                     t->source + (size_t)i * t->source_width, t->line[i],
                     t->module + (size_t)i * t->module_width, (long long)t->offset_B[i],
                     t->inlined[i]);
}

/* Rows of frames are different, rows of the tree too, parents come first, depths rise. */
static void check_shape(const struct tree *t)
{
    for (size_t i = 0; i < t->n_stacks; i++) {
        int32_t parent = t->parent[i];
        assert_in_range(t->frame[i], 0, t->n_frames - 1);
        assert_true(parent >= -1 && parent < (int32_t)i);
        assert_int_equal(t->depth[i], parent < 0 ? 0 : t->depth[parent] + 1);
        assert_true(i == 0 || t->depth[i] >= t->depth[i - 1]);
        for (size_t k = 0; k < i; k++)
            assert_false(t->parent[k] == parent && t->frame[k] == t->frame[i]);
    }
    for (size_t i = 0; i < t->n_frames; i++) {
        ML_AUTO_FREE char *text = frame_text(t, (int32_t)i);
        for (size_t k = 0; k < i; k++) {
            ML_AUTO_FREE char *other = frame_text(t, (int32_t)k);
            assert_string_not_equal(text, other);
        }
    }
}

/* The functions from STACK of a journal to the root are those of row ROW of the file. */
static void check_path(struct ml_harvest *h, int32_t stack, const struct tree *t, int32_t row)
{
    struct ml_rows stacks = ml_harvest_rows(h, &ml_table_stacks);
    struct ml_rows frames = ml_harvest_rows(h, &ml_table_frames);
    while (stack >= 0 && row >= 0) {
        struct ml_stack_row node;
        struct ml_frame_row frame;
        stacks.fetch(stacks.context, (size_t)stack, &node);
        frames.fetch(frames.context, (size_t)node.frame, &frame);
        ML_AUTO_FREE char *said =
            ml_format("%s|%s|%d|%s|%lld|%d", frame.function, frame.file, frame.line, frame.module,
                      (long long)frame.offset_B, frame.inlined);
        ML_AUTO_FREE char *written = frame_text(t, t->frame[row]);
        assert_string_equal(said, written);
        stack = node.parent;
        row = t->parent[row];
    }
    assert_int_equal(stack, -1);
    assert_int_equal(row, -1);
}

static void check_journals(int n, const struct tree *t)
{
    size_t row = 0;
    for (int node = 0; node < n; node++) {
        struct ml_harvest *h;
        assert_int_equal(ml_harvest_open(journals[node], NULL, &h, NULL), ML_OK);
        struct ml_rows samples = ml_harvest_rows(h, &ml_table_stack_samples);
        for (size_t i = 0; i < samples.count; i++, row++) {
            struct ml_stack_sample_row sample;
            samples.fetch(samples.context, i, &sample);
            assert_in_range(row, 0, t->n_samples - 1);
            assert_in_range(t->stack[row], 0, t->n_stacks - 1);
            check_path(h, sample.stack, t, t->stack[row]);
        }
        ml_harvest_close(h);
    }
    assert_int_equal(row, t->n_samples);
}

static void paths_survive(void **state)
{
    (void)state;
    static const struct {
        int nodes, stacks;
        const char *text;
    } cases[] = {{1, 1, ""},
                 {1, 300, "x"},
                 {2, 2, "y"},
                 {3, 97, "\xc3\xa9"},
                 {NODES_MAX, 9, ""},
                 {5, 1000, "z"},
                 {4, 16, "::operator()"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_journals(cases[i].nodes, 4, 20, cases[i].stacks, cases[i].text);
        recover(cases[i].nodes);
        struct tree t = read_tree();
        assert_true(t.n_samples > 0 && t.n_stacks > 0);
        check_shape(&t);
        check_journals(cases[i].nodes, &t);
        free_tree(&t);
    }
}

/* What all nodes have in common stands in the file once. */
static void common_stacks_once(void **state)
{
    (void)state;
    write_journals(1, 1, 1, 200, "");
    recover(1);
    struct tree one = read_tree();
    write_journals(10, 1, 1, 200, "");
    recover(10);
    struct tree ten = read_tree();
    assert_int_equal(one.n_frames, ten.n_frames);
    assert_true(one.n_stacks <= 200 && ten.n_stacks <= 100 + 10 * 100);
    assert_true(ten.n_stacks > one.n_stacks);
    free_tree(&one);
    free_tree(&ten);
}

static void write_frames(const char *const *functions, int n)
{
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    struct ml_buffer packed = {0}, stacks = {0};
    assert_int_equal(ml_journal_create(journals[0], &header, 1, &j, &err), ML_OK);
    for (int i = 0; i < n; i++) {
        struct ml_frame_row frame = {.function = functions[i], .file = "", .module = ""};
        struct ml_stack_row stack = {.parent = -1, .frame = i, .depth = 0};
        ml_row_pack(&ml_table_frames, &frame, &packed);
        ml_row_pack(&ml_table_stacks, &stack, &stacks);
    }
    ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 1, packed.data, packed.length);
    ml_journal_packed(j, ML_FRAME_STACKS, 1, stacks.data, stacks.length);
    ml_journal_close(j);
    ml_buffer_free(&packed);
    ml_buffer_free(&stacks);
}

/* The file cuts long texts: what differs only behind the cut is one function there. */
static void long_names(void **state)
{
    (void)state;
    char a[1200], b[1200], c[1200];
    memset(a, 'a', sizeof a - 1);
    a[sizeof a - 1] = 0;
    memcpy(b, a, sizeof a);
    memcpy(c, a, sizeof a);
    b[511] = 'b';
    c[510] = 'c';
    write_frames((const char *[]){a, b, c, a}, 4);
    recover(1);
    struct tree t = read_tree();
    assert_int_equal(t.n_frames, 2);
    assert_int_equal(t.n_stacks, 2);
    assert_int_equal(t.function_width, 512);
    check_shape(&t);
    free_tree(&t);
}

static void a_run_without_stacks(void **state)
{
    (void)state;
    write_journals(2, 2, 5, 0, "x");
    recover(2);
    struct tree t = read_tree();
    assert_int_equal(t.n_frames, 0);
    assert_int_equal(t.n_stacks, 0);
    assert_int_equal(t.n_samples, 0);
    free_tree(&t);
}

/* Frames that nobody uses, as a journal leaves them that breaks off between the two. */
static void frames_without_stacks(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_buffer packed = {0};
    struct ml_frame_row frame = {.function = "lonely", .file = "", .module = ""};
    ml_row_pack(&ml_table_frames, &frame, &packed);
    assert_int_equal(ml_journal_create(journals[0], &header, 1, &j, NULL), ML_OK);
    ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 1, packed.data, packed.length);
    ml_journal_close(j);
    ml_buffer_free(&packed);
    recover(1);
    struct tree t = read_tree();
    assert_int_equal(t.n_frames, 1);
    assert_string_equal(t.function, "lonely");
    assert_int_equal(t.n_stacks, 0);
    free_tree(&t);
}

static void fetch_frame(void *context, size_t i, void *out_row)
{
    (void)context, (void)i;
    *(struct ml_frame_row *)out_row =
        (struct ml_frame_row){.function = "", .file = "", .module = ""};
}

static void fetch_stack(void *context, size_t i, void *out_row)
{
    (void)i;
    *(struct ml_stack_row *)out_row = *(const struct ml_stack_row *)context;
}

/* Rows of a journal that somebody changes meanwhile are an error, not a crash. */
static void rows_that_are_no_tree(void **state)
{
    (void)state;
    struct ml_stack_row bad[] = {{0, 0, 0}, {-2, 0, 0}, {-1, 1, 0}, {-1, -1, 0}, {7, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ml_team team;
        struct ml_store *store;
        struct ml_error err = {{0}};
        struct ml_draft *draft;
        ml_team_solo(&team);
        assert_int_equal(ml_draft_open(&team, file, "r", ML_DRAFT_ASK, &draft, &err), ML_OK);
        assert_int_equal(ml_store_create(&team, draft, &store, &err), ML_OK);
        struct ml_stack_set set = {
            .frames = {.count = 1, .fetch = fetch_frame},
            .stacks = {.count = 1, .fetch = fetch_stack, .context = &bad[i]}};
        int32_t *rows = NULL;
        assert_int_equal(ml_store_stacks(store, &set, 1, &rows, &err), ML_RUN_LOST);
        assert_non_null(strstr(err.text, "no place in its tree"));
        assert_null(rows);
        ml_store_abandon(store);
        ml_draft_close(draft);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(paths_survive),        TEST(common_stacks_once),    TEST(long_names),
        TEST(a_run_without_stacks), TEST(frames_without_stacks), TEST(rows_that_are_no_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
