/* Rows of /mpi in a journal, and events that come late. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "journal/harvest.h"
#include "synthetic.h"

#include <stdlib.h>

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
    ml_journal_end(j, 100);
    assert_int_equal(ml_journal_flush(j, &err), ML_OK);
    ml_journal_close(j);
    assert_int_equal(ml_harvest_open(journal_path, NULL, &h, &err), ML_OK);
    return h;
}

/* A frame of rows with these processes and calls, ended by a call of 0. */
static void put(struct ml_journal *j, const int (*rows)[2])
{
    struct ml_buffer packed = {0};
    for (; (*rows)[1]; rows++) {
        struct ml_mpi_row row;
        ml_row_clear(&ml_table_mpi, &row);
        row.process = (*rows)[0];
        row.call = (*rows)[1];
        row.phase = "application";
        row.time_s = 0.25 * (*rows)[1];
        ml_row_pack(&ml_table_mpi, &row, &packed);
    }
    assert_true(ml_journal_packed(j, ML_FRAME_MPI, 1, packed.data, packed.length));
    ml_buffer_free(&packed);
}

static void the_last_of_each_process(void **state)
{
    (void)state;
    struct ml_journal *j = create();
    put(j, (const int[][2]){{1, 5}, {1, 6}, {0, 0}});
    put(j, (const int[][2]){{0, 7}, {0, 0}});
    put(j, (const int[][2]){{1, 5}, {1, 6}, {1, 8}, {0, 0}});
    struct ml_harvest *h = finish(j);
    assert_true(ml_harvest_complete(h));
    ml_harvest_set_bases(h, 10, 0);
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_mpi);
    static const int wanted[][2] = {{10, 5}, {10, 6}, {10, 8}, {11, 7}};
    assert_int_equal(rows.count, 4);
    for (size_t i = 0; i < rows.count; i++) {
        struct ml_mpi_row row;
        rows.fetch(rows.context, i, &row);
        assert_int_equal(row.process, wanted[i][0]); /* numbered as they appeared */
        assert_int_equal(row.call, wanted[i][1]);
        assert_string_equal(row.phase, "application");
        assert_true(row.time_s == 0.25 * wanted[i][1]);
        assert_int_equal(row.calls, ML_NOT_MEASURED);
    }
    ml_harvest_close(h);
}

/* A frame of several processes, or of one that cannot be, ends what is believed. */
static void bad_frames(void **state)
{
    (void)state;
    static const int bad[][3][2] = {
        {{0, 5}, {1, 5}, {0, 0}}, {{-1, 5}, {0, 0}}, {{INT32_MAX, 5}, {0, 0}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ml_journal *j = create();
        put(j, (const int[][2]){{0, 4}, {0, 0}});
        put(j, bad[i]);
        struct ml_harvest *h = finish(j);
        assert_false(ml_harvest_complete(h));
        assert_int_equal(ml_harvest_rows(h, &ml_table_mpi).count, 1);
        ml_harvest_close(h);
    }
}

static void events_by_time(void **state)
{
    (void)state;
    static const int64_t times[] = {50, 20, 70, 20, 10};
    static const char *const wanted[] = {"4", "1", "3", "0", "2"};
    struct ml_journal *j = create();
    for (int i = 0; i < 5; i++) {
        char text[2] = {(char)('0' + i), 0};
        struct ml_event_row row = {.time_ns = times[i], .process = -1, .kind = 9, .text = text};
        ml_journal_row(j, ML_FRAME_EVENT, 80, &ml_table_events, &row);
    }
    struct ml_harvest *h = finish(j);
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_events);
    assert_int_equal(rows.count, 5);
    for (size_t i = 0; i < 5; i++) {
        struct ml_event_row row;
        rows.fetch(rows.context, i, &row);
        assert_string_equal(row.text, wanted[i]);
    }
    ml_harvest_close(h);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_journal_folder, remove_journal_folder)
    const struct CMUnitTest tests[] = {
        TEST(the_last_of_each_process),
        TEST(bad_frames),
        TEST(events_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
