/* The heap profile in a journal: sites, their stacks, which may come late, and what each had at the
 * peak of its process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/pack.h"
#include "journal/harvest.h"
#include "synthetic.h"

static struct ml_journal *create(void)
{
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    assert_int_equal(ml_journal_create(journal_path, &header, 1, &j, &err), ML_OK);
    return j;
}

static struct ml_harvest *finish(struct ml_journal *j)
{
    struct ml_error err;
    struct ml_harvest *h;
    ml_journal_end(j, 100 * ML_NS_PER_S);
    assert_int_equal(ml_journal_flush(j, &err), ML_OK);
    ml_journal_close(j);
    assert_int_equal(ml_harvest_open(journal_path, NULL, &h, &err), ML_OK);
    return h;
}

static void put_memory(struct ml_journal *j, int process, int64_t s, int64_t memory_B)
{
    struct ml_sample_row row;
    ml_row_clear(&ml_table_samples, &row);
    row.time_ns = s * ML_NS_PER_S;
    row.process = process;
    row.rank = process;
    row.memory_B = row.rss_B = memory_B;
    ml_journal_samples_begin(j, row.time_ns);
    ml_journal_samples_add(j, &row);
    ml_journal_samples_commit(j);
}

static void put_site(struct ml_journal *j, int process, int site, int64_t s, int64_t live_B)
{
    struct ml_heap_sample_row row;
    ml_row_clear(&ml_table_heap_samples, &row);
    row.time_ns = s * ML_NS_PER_S;
    row.process = process;
    row.site = site;
    row.kind = ML_SITE_BLOCKS;
    row.live_B = live_B;
    row.allocated_B = 10 * live_B;
    ml_journal_row(j, ML_FRAME_HEAP_SAMPLES, row.time_ns, &ml_table_heap_samples, &row);
}

static void put_stacks(struct ml_journal *j, int32_t n)
{
    struct ml_buffer frames = {0}, stacks = {0};
    struct ml_frame_row frame = {.function = "f", .file = "", .line = -1, .module = "m"};
    ml_row_pack(&ml_table_frames, &frame, &frames);
    for (int32_t i = 0; i < n; i++) {
        struct ml_stack_row stack = {.parent = i - 1, .depth = i};
        ml_row_pack(&ml_table_stacks, &stack, &stacks);
    }
    assert_true(ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 1, frames.data, frames.length));
    assert_true(ml_journal_packed(j, ML_FRAME_STACKS, 1, stacks.data, stacks.length));
    ml_buffer_free(&frames);
    ml_buffer_free(&stacks);
}

static void put_site_stack(struct ml_journal *j, int64_t site, int64_t stack)
{
    struct ml_buffer pair = {0};
    ml_varint_append(&pair, site);
    ml_varint_append(&pair, stack);
    assert_true(ml_journal_packed(j, ML_FRAME_HEAP_STACKS, 1, pair.data, pair.length));
    ml_buffer_free(&pair);
}

static struct ml_heap_row heap_row(struct ml_harvest *h, size_t i)
{
    struct ml_heap_row row;
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_heap);
    assert_true(i < rows.count);
    rows.fetch(rows.context, i, &row);
    return row;
}

static void what_a_site_had_at_the_peak(void **state)
{
    (void)state;
    struct ml_journal *j = create();
    put_memory(j, 0, 1, 100);
    put_site(j, 0, 0, 1, 60);
    put_memory(j, 0, 2, 900);
    put_site(j, 0, 0, 2, 70);
    put_site(j, 0, 1, 2, 800);
    put_memory(j, 0, 3, 50);
    put_site(j, 0, 0, 3, 40);
    put_site(j, 0, 1, 3, 0);
    struct ml_harvest *h = finish(j);
    assert_int_equal(ml_harvest_rows(h, &ml_table_heap_samples).count, 5);
    assert_int_equal(ml_harvest_rows(h, &ml_table_heap).count, 2);
    struct ml_heap_row first = heap_row(h, 0), second = heap_row(h, 1);
    assert_int_equal(first.peak_B, 70);
    assert_int_equal(first.end_B, 40);
    assert_int_equal(first.allocated_B, 400);
    assert_int_equal(first.peak_ns - second.peak_ns, 0);
    assert_int_equal(second.peak_B, 800);
    assert_int_equal(second.end_B, 0);
    ml_harvest_close(h);
}

static void a_site_that_began_after_the_peak(void **state)
{
    (void)state;
    struct ml_journal *j = create();
    put_memory(j, 0, 1, 100);
    put_memory(j, 0, 2, 50);
    put_site(j, 0, 0, 2, 30);
    struct ml_harvest *h = finish(j);
    assert_int_equal(heap_row(h, 0).peak_B, 0);
    assert_int_equal(heap_row(h, 0).end_B, 30);
    ml_harvest_close(h);
}

static void stacks_come_late_or_never(void **state)
{
    (void)state;
    struct ml_journal *j = create();
    put_memory(j, 0, 1, 100);
    put_site(j, 0, 0, 1, 10);
    put_site(j, 0, 1, 1, 20);
    put_stacks(j, 3);
    put_site_stack(j, 1, 0);
    put_site_stack(j, 1, 2);
    struct ml_harvest *h = finish(j);
    static const int32_t rows_in_file[] = {70, 71, 72};
    assert_int_equal(heap_row(h, 0).stack, -1);
    assert_int_equal(heap_row(h, 1).stack, 2);
    ml_harvest_set_stacks(h, rows_in_file);
    assert_int_equal(heap_row(h, 0).stack, -1);
    assert_int_equal(heap_row(h, 1).stack, 72);
    ml_harvest_close(h);
}

/* Frames f0, f1, ..., a stack of each that is its caller's only call, but for the first of N. */
static void put_own_stacks(struct ml_journal *j, int32_t first, int32_t n)
{
    struct ml_buffer frames = {0}, stacks = {0};
    for (int32_t i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", first + i);
        struct ml_frame_row frame = {.function = name, .file = "", .line = -1, .module = "m"};
        struct ml_stack_row stack = {
            .parent = i ? first + i - 1 : -1, .frame = first + i, .depth = i};
        ml_row_pack(&ml_table_frames, &frame, &frames);
        ml_row_pack(&ml_table_stacks, &stack, &stacks);
    }
    assert_true(ml_journal_packed(j, ML_FRAME_STACK_FRAMES, 1, frames.data, frames.length));
    assert_true(ml_journal_packed(j, ML_FRAME_STACKS, 1, stacks.data, stacks.length));
    ml_buffer_free(&frames);
    ml_buffer_free(&stacks);
}

static void put_stack_sample(struct ml_journal *j, int32_t stack)
{
    struct ml_stack_sample_row row;
    ml_row_clear(&ml_table_stack_samples, &row);
    row.time_ns = ML_NS_PER_S;
    row.process = 0;
    row.stack = stack;
    ml_journal_row(j, ML_FRAME_STACK_SAMPLES, row.time_ns, &ml_table_stack_samples, &row);
}

/* "f3 f4": the calls of STACK of the journal's rows, the outermost first. */
static void assert_calls(struct ml_harvest *h, int32_t stack, const char *expected)
{
    struct ml_rows stacks = ml_harvest_rows(h, &ml_table_stacks);
    struct ml_rows frames = ml_harvest_rows(h, &ml_table_frames);
    char calls[64] = "";
    while (stack >= 0) {
        struct ml_stack_row row;
        struct ml_frame_row frame;
        char longer[64];
        assert_true((size_t)stack < stacks.count);
        stacks.fetch(stacks.context, (size_t)stack, &row);
        assert_true(row.parent < stack && row.frame >= 0 && (size_t)row.frame < frames.count);
        frames.fetch(frames.context, (size_t)row.frame, &frame);
        snprintf(longer, sizeof longer, "%s%s%s", frame.function, *calls ? " " : "", calls);
        memcpy(calls, longer, sizeof calls);
        stack = row.parent;
    }
    assert_string_equal(calls, expected);
}

/* A site whose stack was known without its names first; of another it stays so. */
static void what_names_replace_is_left_out(void **state)
{
    (void)state;
    struct ml_journal *j = create();
    put_memory(j, 0, 1, 100);
    put_site(j, 0, 0, 1, 10);
    put_site(j, 0, 1, 1, 20);
    put_own_stacks(j, 0, 2);
    put_own_stacks(j, 2, 2);
    put_own_stacks(j, 4, 3);
    put_site_stack(j, 0, 1);
    put_site_stack(j, 1, 3);
    put_site_stack(j, 0, 5);
    put_stack_sample(j, 6);
    struct ml_harvest *h = finish(j);
    struct ml_stack_sample_row sample;
    struct ml_rows samples = ml_harvest_rows(h, &ml_table_stack_samples);
    assert_int_equal(ml_harvest_rows(h, &ml_table_stacks).count, 5);
    assert_int_equal(ml_harvest_rows(h, &ml_table_frames).count, 5);
    assert_calls(h, heap_row(h, 0).stack, "f4 f5");
    assert_calls(h, heap_row(h, 1).stack, "f2 f3");
    samples.fetch(samples.context, 0, &sample);
    assert_calls(h, sample.stack, "f4 f5 f6");
    static const int32_t rows_in_file[] = {70, 71, 72, 73, 74};
    ml_harvest_set_stacks(h, rows_in_file);
    assert_int_equal(heap_row(h, 1).stack, 71);
    samples.fetch(samples.context, 0, &sample);
    assert_int_equal(sample.stack, 74);
    ml_harvest_close(h);
}

/* What is no site and no stack ends what is believed of the journal. */
static void bounds(void **state)
{
    (void)state;
    static const int64_t wrong[][2] = {{0, 3}, {0, -1}, {-1, 0}, {INT32_MAX, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ml_journal *j = create();
        put_memory(j, 0, 1, 100);
        put_site(j, 0, 0, 1, 10);
        put_stacks(j, 3);
        put_site_stack(j, wrong[i][0], wrong[i][1]);
        put_site(j, 0, 1, 1, 20);
        struct ml_harvest *h = finish(j);
        assert_int_equal(ml_harvest_rows(h, &ml_table_heap).count, 1);
        assert_false(ml_harvest_complete(h));
        ml_harvest_close(h);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_journal_folder, remove_journal_folder)
    const struct CMUnitTest tests[] = {
        TEST(what_a_site_had_at_the_peak),
        TEST(a_site_that_began_after_the_peak),
        TEST(stacks_come_late_or_never),
        TEST(what_names_replace_is_left_out),
        TEST(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
