#include "base/memory.h"
#include "base/own.h"
#include "journal/harvest.h"
#include "journal/lines.h"
#include "journal/timeline.h"
#include "synthetic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct ml_harvest *harvest(void)
{
    struct ml_harvest *h;
    struct ml_error err = {{0}};
    if (ml_harvest_open(journal_path, NULL, &h, &err) != ML_OK)
        fail_msg("%s", err.text);
    return h;
}

static void fetch_all_samples(struct ml_harvest *h)
{
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_samples);
    for (size_t i = 0; i < rows.count; i++) {
        struct ml_sample_row row;
        rows.fetch(rows.context, i, &row);
    }
}

static void samples_by_process(void **state)
{
    (void)state;
    struct synthetic s = {
        .node = 1, .n_nodes = 3, .processes = 3, .ticks = 100, .complete = 1, .text = "app"};
    synthetic_write(journal_path, &s);
    struct ml_harvest *h = harvest();
    ml_harvest_set_bases(h, 10, 1000);
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_samples);
    assert_int_equal(rows.count, 300);
    /* In file order, then backwards: a fetch depends on nothing before it. */
    for (size_t k = 0; k < 2 * rows.count; k++) {
        size_t i = k < rows.count ? k : 2 * rows.count - 1 - k;
        int process = (int)i / 100, tick = (int)i % 100;
        struct ml_sample_row row;
        rows.fetch(rows.context, i, &row);
        assert_int_equal(row.process, 10 + process);
        assert_int_equal(row.tick, tick);
        assert_int_equal(row.time_ns, tick * SYNTHETIC_PERIOD_NS);
        assert_int_equal(row.rss_B, synthetic_rss_B(1, process, tick));
    }
    ml_harvest_close(h);
}

static void processes_and_their_peaks(void **state)
{
    (void)state;
    struct synthetic s = {
        .node = 1, .n_nodes = 3, .processes = 3, .ticks = 100, .complete = 1, .text = "app"};
    synthetic_write(journal_path, &s);
    struct ml_harvest *h = harvest();
    ml_harvest_set_bases(h, 10, 1000);
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_processes);
    assert_int_equal(rows.count, 3);
    struct ml_process_row row;
    rows.fetch(rows.context, 1, &row);
    assert_int_equal(row.process, 11);
    assert_int_equal(row.parent, 10);
    assert_int_equal(row.first_row, 1100);
    assert_int_equal(row.n_rows, 100);
    assert_int_equal(row.start_ns, 0);
    assert_int_equal(row.end_ns, 100 * SYNTHETIC_PERIOD_NS);
    assert_int_equal(row.exit_code, 3);
    assert_int_equal(row.peak_rss_B, synthetic_rss_B(1, 1, 99));
    assert_int_equal(row.peak_ns, 99 * SYNTHETIC_PERIOD_NS);
    assert_string_equal(row.name, "app");
    rows = ml_harvest_rows(h, &ml_table_events);
    struct ml_event_row event;
    rows.fetch(rows.context, 0, &event);
    assert_int_equal(event.process, 12);
    assert_int_equal(ml_harvest_last_ns(h), 100 * SYNTHETIC_PERIOD_NS);
    ml_harvest_close(h);
}

static void a_journal_that_breaks_off(void **state)
{
    (void)state;
    struct synthetic s = {.node = 1, .n_nodes = 3, .processes = 2, .ticks = 5, .text = "app"};
    synthetic_write(journal_path, &s);
    struct ml_harvest *h = harvest();
    assert_false(ml_harvest_complete(h));
    struct ml_process_row row;
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_processes);
    rows.fetch(rows.context, 0, &row);
    assert_int_equal(row.end_ns, -1);
    assert_int_equal(row.exit_code, -1);
    assert_int_equal(row.signal, -1);
    assert_int_equal(ml_harvest_n_nodes(h), 3);
    struct ml_node_row node;
    ml_harvest_node(h, 1, &node);
    assert_int_equal(node.ended, ML_NODE_END_CUT);
    assert_int_equal(node.ticks, 5);
    assert_int_equal(node.cpu_ns, 4000000);
    assert_true(node.clock_offset_s == -1000.0);
    ml_harvest_node(h, 2, &node);
    assert_int_equal(node.ended, ML_NODE_END_NO_RECORD);
    assert_string_equal(node.name, "n2app");
    ml_harvest_close(h);
}

/* Killed before the first CLOCK frame: no journal's times may be off by the nodes' uptimes. */
static void no_clock_yet(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(1, 2);
    header.origin_ns = 77;
    struct ml_journal *j;
    struct ml_error err;
    int64_t now = ml_mono_now().ns;
    assert_int_equal(ml_journal_create(journal_path, &header, 0, &j, &err), ML_OK);
    ml_journal_row(j, ML_FRAME_NODE_SAMPLE, now, &ml_table_node_samples,
                   &(struct ml_node_sample_row){.time_ns = now + ML_NS_PER_S, .node = 1});
    ml_journal_close(j);
    struct ml_harvest *h = harvest();
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_node_samples);
    struct ml_node_sample_row row;
    rows.fetch(rows.context, 0, &row);
    assert_in_range(row.time_ns, ML_NS_PER_S / 2, ML_NS_PER_S);
    ml_harvest_close(h);
}

/* Samples of a process whose frame was lost still have a row in /processes. */
static void orphan_samples(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    assert_int_equal(ml_journal_create(journal_path, &header, 0, &j, &err), ML_OK);
    struct ml_sample_row row;
    ml_row_clear(&ml_table_samples, &row);
    row.process = 5;
    row.rank = 7;
    ml_journal_samples_begin(j, 1);
    ml_journal_samples_add(j, &row);
    ml_journal_samples_commit(j);
    ml_journal_samples_begin(j, 2);
    ml_journal_samples_commit(j);
    int64_t size = ml_journal_size(j);
    ml_journal_close(j);
    assert_true(size > 0);
    struct ml_harvest *h = harvest();
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_processes);
    assert_int_equal(rows.count, 1);
    struct ml_process_row process;
    rows.fetch(rows.context, 0, &process);
    assert_int_equal(process.rank, 7);
    assert_int_equal(process.pid, -1);
    assert_int_equal(process.n_rows, 1);
    ml_harvest_close(h);
}

static void clock_interpolation(void **state)
{
    (void)state;
    struct ml_timeline t = {.origin_ns = 1000};
    assert_int_equal(ml_timeline_run_ns(&t, 1500), 500);
    ml_timeline_add(&t, &(struct ml_clock_point){10000, 100, 1});
    assert_int_equal(ml_timeline_run_ns(&t, 5000), 4100);
    ml_timeline_add(&t, &(struct ml_clock_point){20000, 200, 1});
    ml_timeline_add(&t, &(struct ml_clock_point){15000, 9999, 1}); /* out of order: passed over */
    ml_timeline_add(&t, &(struct ml_clock_point){30000, 500, 1});
    ml_timeline_add(&t,
                    &(struct ml_clock_point){30000, 400, 1}); /* the last at an instant counts */
    static const int64_t cases[][2] = {{5000, 100},  {10000, 100}, {15000, 150}, {20000, 200},
                                       {25000, 300}, {30000, 400}, {90000, 400}, {12000, 120}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ml_timeline_run_ns(&t, cases[i][0]), cases[i][0] + cases[i][1] - 1000);
    ml_timeline_add(&t, &(struct ml_clock_point){INT64_MAX, INT64_MAX, 1});
    assert_int_equal(ml_timeline_run_ns(&t, INT64_MAX), INT64_MAX);
    ml_timeline_run_ns(&t, INT64_MAX / 2);
    ml_timeline_free(&t);
}

/* Writes CHUNKS to rank 0's stdout, one frame each, and compares rows "text|continued". */
static void check_lines(const char *const *chunks, const char *const *expected)
{
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    assert_int_equal(ml_journal_create(journal_path, &header, 1, &j, &err), ML_OK);
    for (int i = 0; chunks[i]; i++) {
        ml_journal_output(j, SYNTHETIC_ORIGIN_NS + i, 0, ML_STDOUT, chunks[i], strlen(chunks[i]));
        ml_journal_output(j, SYNTHETIC_ORIGIN_NS + i, 0, ML_STDERR, "e\n", 2); /* between them */
    }
    ml_journal_close(j);
    struct ml_harvest *h = harvest();
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_output);
    size_t n = 0;
    for (size_t i = 0; i < rows.count; i++) {
        struct ml_output_row row;
        rows.fetch(rows.context, i, &row);
        if (row.stream != ML_STDOUT)
            continue;
        ML_AUTO_FREE char *seen = ml_format("%d:%d:%s", (int)row.time_ns, row.continued, row.text);
        assert_non_null(expected[n]);
        assert_string_equal(seen, expected[n]);
        n++;
    }
    assert_null(expected[n]);
    ml_harvest_close(h);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void lines(void **state)
{
    (void)state;
    check_lines(LIST("a\nb\n"), LIST("0:0:a", "0:0:b"));
    check_lines(LIST("a\n\n\nb"), LIST("0:0:a", "0:0:", "0:0:", "0:0:b"));
    check_lines(LIST("ab", "cd", "ef\ngh\n"), LIST("0:0:ab", "1:1:cd", "2:1:ef", "2:0:gh"));
    check_lines(LIST("ab", "\n", "c"), LIST("0:0:ab", "2:0:c"));
    check_lines(LIST("dos\r\nline\r\n"), LIST("0:0:dos", "0:0:line"));
    check_lines(LIST("\x1b[31mred\x7f\ttab\rbar"), LIST("0:0:\\x1b[31mred\\x7f\ttab\\x0dbar"));
    check_lines(LIST("\xff\xfe latin \xe9\n"), LIST("0:0:\\xff\\xfe latin \\xe9"));
}

static void long_lines(void **state)
{
    (void)state;
    char chunk[2000], first[600], rest[600];
    memset(chunk, 'a', 700);
    strcpy(chunk + 700, "\nnext\n");
    snprintf(first, sizeof first, "0:0:%.511s", chunk);
    snprintf(rest, sizeof rest, "0:1:%.189s", chunk);
    check_lines(LIST(chunk), LIST(first, rest, "0:0:next"));

    memset(chunk, 'a', 511);
    strcpy(chunk + 511, "\nnext\n");
    check_lines(LIST(chunk), LIST(first, "0:0:next"));

    /* A character of three bytes across the 511th is not split. */
    memset(chunk, 'a', 510);
    strcpy(chunk + 510, "\xe2\x82\xac\n");
    snprintf(first, sizeof first, "0:0:%.510s", chunk);
    check_lines(LIST(chunk), LIST(first, "0:1:\xe2\x82\xac"));
}

static void nul_bytes(void **state)
{
    (void)state;
    char text[ML_LINE_WIDTH];
    ml_line_text((const uint8_t *)"a\0b", 3, text);
    assert_string_equal(text, "a\\x00b");
    uint8_t zeros[1000] = {0};
    size_t length;
    bool ended;
    assert_int_equal(ml_line_cut(zeros, sizeof zeros, &length, &ended), 127);
    ml_line_text(zeros, length, text);
    assert_int_equal(strlen(text), 508);
}

static void attributes(void **state)
{
    (void)state;
    struct ml_journal_header header = synthetic_header(0, 1);
    struct ml_journal *j;
    struct ml_error err;
    assert_int_equal(ml_journal_create(journal_path, &header, 0, &j, &err), ML_OK);
    ml_journal_attribute(j, 0, &(struct ml_attribute){"verdict", ML_TEXT, "running"});
    ml_journal_attribute(j, 0, &(struct ml_attribute){"exit_code", ML_INT64, "7"});
    ml_journal_attribute(j, 0, &(struct ml_attribute){"verdict", ML_TEXT, "ended"});
    ml_journal_close(j);
    struct ml_harvest *h = harvest();
    assert_int_equal(ml_harvest_n_attributes(h), 2);
    assert_string_equal(ml_harvest_attribute(h, 0)->text, "ended");
    assert_int_equal(ml_harvest_attribute(h, 1)->kind, ML_INT64);
    assert_string_equal(ml_harvest_header(h)->run, "test-run");
    ml_harvest_close(h);
}

/* Somebody cuts it between its opening and the fetching of rows. */
static void a_journal_that_is_cut(void **state)
{
    (void)state;
    struct synthetic s = {.processes = 3, .ticks = 20000, .complete = 1, .text = "app"};
    synthetic_write(journal_path, &s);
    struct ml_harvest *h = harvest();
    int64_t whole_B = ml_harvest_read_B(h);
    assert_int_equal(ml_harvest_torn_B(h), 0);
    assert_false(ml_harvest_is_cut(h));
    assert_int_equal(truncate(journal_path, whole_B / 2), 0);
    assert_true(ml_harvest_is_cut(h));
    fetch_all_samples(h);
    ml_harvest_read_again(h);
    assert_false(ml_harvest_is_cut(h));
    assert_in_range(ml_harvest_read_B(h), whole_B / 2 - 4096, whole_B / 2);
    assert_int_equal(ml_harvest_torn_B(h), whole_B - ml_harvest_read_B(h));
    assert_false(ml_harvest_complete(h));
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_samples);
    struct ml_sample_row row;
    rows.fetch(rows.context, rows.count - 1, &row);
    assert_int_equal(row.rss_B, synthetic_rss_B(0, row.process, row.tick));
    ml_harvest_close(h);
}

/* The temporary file of a spill, which alone of what is open beside the journal has no name. */
static void cut_spill(void)
{
    for (int fd = 3; fd < 100; fd++) {
        char path[40], target[300];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = 0;
        if (strncmp(target, journal_folder, strlen(journal_folder)) == 0 &&
            strstr(target, "(deleted)"))
            assert_int_equal(ftruncate(fd, 0), 0);
    }
}

static void check_samples(struct ml_harvest *h, const struct synthetic *s)
{
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_samples);
    assert_int_equal(rows.count, s->processes * s->ticks);
    for (int i = 0; i < (int)rows.count; i++) {
        struct ml_sample_row row;
        rows.fetch(rows.context, (size_t)i, &row);
        assert_int_equal(row.process, i / s->ticks);
        assert_int_equal(row.tick, i % s->ticks);
        assert_int_equal(row.rss_B, synthetic_rss_B(0, row.process, row.tick));
    }
    rows = ml_harvest_rows(h, &ml_table_node_samples);
    assert_int_equal(rows.count, s->ticks);
    for (int i = 0; i < s->ticks; i++) {
        struct ml_node_sample_row row;
        rows.fetch(rows.context, (size_t)i, &row);
        assert_int_equal(row.tick, i);
    }
}

/* More than a portion of samples: they wait in a file, and where that is gone the journal is read
 * again. */
static void samples_that_wait_in_a_file(void **state)
{
    (void)state;
    struct synthetic s = {.processes = 100, .ticks = 9000, .complete = 1, .text = "app"};
    synthetic_write(journal_path, &s);
    struct ml_spill *spill = ml_spill_open(journal_path);
    struct ml_harvest *h;
    assert_int_equal(ml_harvest_open(journal_path, spill, &h, NULL), ML_OK);
    check_samples(h, &s);
    assert_false(ml_harvest_is_cut(h));
    cut_spill();
    fetch_all_samples(h);
    assert_true(ml_harvest_is_cut(h));
    ml_harvest_read_again(h);
    check_samples(h, &s);
    assert_false(ml_harvest_is_cut(h));
    ml_harvest_close(h);
    ml_spill_close(spill);
}

static void a_journal_that_is_emptied(void **state)
{
    (void)state;
    struct synthetic s = {.node = 1, .n_nodes = 2, .processes = 2, .ticks = 20000, .text = "app"};
    synthetic_write(journal_path, &s);
    struct ml_harvest *h = harvest();
    assert_int_equal(truncate(journal_path, 0), 0);
    fetch_all_samples(h);
    ml_harvest_read_again(h);
    assert_int_equal(ml_harvest_header(h)->node, 1);
    assert_int_equal(ml_harvest_n_nodes(h), 2);
    assert_int_equal(ml_harvest_read_B(h), 0);
    for (const struct ml_table *const *t = ml_tables; *t; t++)
        assert_int_equal(ml_harvest_rows(h, *t).count, 0);
    ml_harvest_close(h);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_journal_folder, remove_journal_folder)
    const struct CMUnitTest tests[] = {
        TEST(samples_by_process),
        TEST(processes_and_their_peaks),
        TEST(a_journal_that_breaks_off),
        TEST(a_journal_that_is_cut),
        TEST(samples_that_wait_in_a_file),
        TEST(a_journal_that_is_emptied),
        TEST(no_clock_yet),
        TEST(orphan_samples),
        TEST(clock_interpolation),
        TEST(lines),
        TEST(long_lines),
        TEST(nul_bytes),
        TEST(attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
