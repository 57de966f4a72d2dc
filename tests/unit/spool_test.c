/* Rows that come mixed and are read stream by stream, in memory and past a temporary file. */
#include "journal/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { STREAMS = 300, ROWS = 1200 }; /* of each; with their lengths that is 40 MB, three portions */

/* Row I of STREAM: its length and bytes tell which it is. */
static size_t make_row(size_t stream, size_t i, uint8_t row[256])
{
    size_t n = 8 + (stream * 31 + i * 7) % 200;
    uint32_t name[2] = {(uint32_t)stream, (uint32_t)i};
    memset(row, (int)(stream + i), n);
    memcpy(row, name, sizeof name);
    return n;
}

static void fill(struct ml_spool *s, size_t n_streams, size_t n_rows)
{
    uint8_t row[256];
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t stream = 0; stream < n_streams; stream++)
            ml_spool_add(s, stream, row, make_row(stream, i, row));
    }
    ml_spool_finish(s);
}

static void check_row(const struct ml_spool *s, struct ml_spool_place *place, size_t stream,
                      size_t i)
{
    uint8_t expected[256];
    size_t n, wanted = make_row(stream, i, expected);
    const uint8_t *row = ml_spool_row(s, place, stream, i, &n);
    assert_non_null(row);
    assert_int_equal(n, wanted);
    assert_memory_equal(row, expected, n);
}

static void check_all(const struct ml_spool *s, size_t n_streams, size_t n_rows)
{
    struct ml_spool_place place = {0};
    for (size_t stream = 0; stream < n_streams; stream++) {
        assert_int_equal(ml_spool_rows(s, stream), n_rows);
        for (size_t i = 0; i < n_rows; i++)
            check_row(s, &place, stream, i);
    }
}

static void in_memory(void **state)
{
    (void)state;
    struct ml_spool s = {0};
    fill(&s, STREAMS, ROWS);
    assert_true(s.n_kept > 1);
    check_all(&s, STREAMS, ROWS);
    assert_int_equal(ml_spool_rows(&s, STREAMS), 0);
    ml_spool_free(&s);
}

static void in_a_file(void **state)
{
    (void)state;
    struct ml_spool s = {.spill = ml_spill_open("/tmp/x")}, other = {.spill = s.spill};
    fill(&s, STREAMS, ROWS);
    assert_int_equal(s.n_kept, 0);
    fill(&other, STREAMS, ROWS / 2);
    check_all(&s, STREAMS, ROWS);
    check_all(&other, STREAMS, ROWS / 2);
    struct ml_spool_place place = {0};
    for (size_t i = ROWS; i-- > 0; i -= i > 100 ? 100 : i) /* backwards */
        check_row(&s, &place, 7, i);
    ml_spill_close(s.spill);
    ml_spool_free(&s);
    ml_spool_free(&other);
}

/* Streams that come late, and one that has one row. */
static void streams_of_unequal_length(void **state)
{
    (void)state;
    struct ml_spool s = {.spill = ml_spill_open("x")};
    uint8_t row[256];
    ml_spool_add(&s, 2, row, make_row(2, 0, row));
    for (size_t i = 0; i < 200000; i++) {
        ml_spool_add(&s, 0, row, make_row(0, i, row));
        if (i > 150000)
            ml_spool_add(&s, 5, row, make_row(5, i - 150001, row));
    }
    ml_spool_finish(&s);
    assert_int_equal(ml_spool_rows(&s, 1), 0);
    struct ml_spool_place place = {0};
    for (size_t i = 0; i < 200000; i++)
        check_row(&s, &place, 0, i);
    check_row(&s, &place, 2, 0);
    for (size_t i = 0; i < ml_spool_rows(&s, 5); i++)
        check_row(&s, &place, 5, i);
    ml_spill_close(s.spill);
    ml_spool_free(&s);
}

/* So many of what is open are temporary files of ours. */
static size_t count_unnamed(int *out_fd)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[300], target[300];
        snprintf(path, sizeof path, "/proc/self/fd/%s", e->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = 0;
        if (!strstr(target, "(deleted)") || (!strstr(target, "/#") && !strstr(target, ".memlog-")))
            continue;
        n++;
        *out_fd = atoi(e->d_name);
    }
    closedir(d);
    return n;
}

/* Of ten thousand small journals each is worth no way to the disk, but all of them are. */
static void what_is_little_stays(void **state)
{
    (void)state;
    enum { SPOOLS = 20 };
    struct ml_spill *spill = ml_spill_open("/tmp/x");
    struct ml_spool spools[SPOOLS] = {{0}};
    size_t kept = 0;
    int fd;
    for (size_t i = 0; i < SPOOLS; i++) {
        spools[i].spill = spill;
        fill(&spools[i], 10, 1000);
        kept += spools[i].n_kept;
        if (i == 0)
            assert_int_equal(count_unnamed(&fd), 0);
    }
    assert_in_range(kept, 1, SPOOLS - 1);
    assert_int_equal(count_unnamed(&fd), 1);
    for (size_t i = 0; i < SPOOLS; i++) {
        check_all(&spools[i], 10, 1000);
        ml_spool_free(&spools[i]);
    }
    ml_spill_close(spill);
    assert_int_equal(count_unnamed(&fd), 0);
}

static void no_room(void **state)
{
    (void)state;
    struct rlimit before, little = {.rlim_cur = 20 << 20};
    struct ml_spool s = {.spill = ml_spill_open("/tmp/x")};
    getrlimit(RLIMIT_FSIZE, &before);
    little.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &little);
    fill(&s, STREAMS, ROWS);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_in_range(s.n_kept, 1, 2); /* the first portion is in the file */
    check_all(&s, STREAMS, ROWS);
    ml_spill_close(s.spill);
    ml_spool_free(&s);
}

/* Not beside the file, then elsewhere. */
static void no_such_folder(void **state)
{
    (void)state;
    struct ml_spool s = {.spill = ml_spill_open("/no/such/folder/run.journal")};
    fill(&s, STREAMS, ROWS);
    assert_int_equal(s.n_kept, 0);
    check_all(&s, STREAMS, ROWS);
    ml_spill_close(s.spill);
    ml_spool_free(&s);
}

static void a_file_that_is_lost(void **state)
{
    (void)state;
    struct ml_spool s = {.spill = ml_spill_open("/tmp/x")};
    struct ml_spool_place place = {0};
    size_t n;
    int fd;
    uint64_t at;
    fill(&s, STREAMS, ROWS);
    assert_int_equal(count_unnamed(&fd), 1);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_null(ml_spool_row(&s, &place, 3, 0, &n));
    assert_false(ml_spill_add(s.spill, "x", 1, &at)); /* whoever reads again does it in memory */
    ml_spill_close(s.spill);
    ml_spool_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_memory),
        cmocka_unit_test(in_a_file),
        cmocka_unit_test(streams_of_unequal_length),
        cmocka_unit_test(what_is_little_stays),
        cmocka_unit_test(no_room),
        cmocka_unit_test(no_such_folder),
        cmocka_unit_test(a_file_that_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
