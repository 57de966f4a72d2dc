/* The memory of a process between two readings of what it shares: never more than there is, and
 * within its bound. */
#include "sums/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB (1LL << 20)

/* At the reading: 100 MiB of its own, 40 of files that four have, 8 of anonymous pages of two. */
static const struct ml_share share = {.pss_B = (100 + 10 + 4) * MIB,
                                      .private_B = 100 * MIB,
                                      .shared_anon_B = 8 * MIB,
                                      .anon_B = 108 * MIB,
                                      .mapped_B = 40 * MIB};

static struct ml_share_memory memory(const struct ml_share *s, int64_t anon_MiB, int64_t mapped_MiB,
                                     int64_t faults_MiB, bool forked)
{
    struct ml_sample_row row;
    ml_row_clear(&ml_table_samples, &row);
    row.rss_B = (anon_MiB + mapped_MiB) * MIB;
    row.rss_anon_B = anon_MiB * MIB;
    const struct ml_share_now now = {
        .row = &row, .faults_B = faults_MiB * MIB, .processes = 4, .forked = forked};
    return ml_share_memory(s, &now);
}

static void since_the_reading(void **state)
{
    static const struct {
        const char *what;
        int64_t anon_MiB, mapped_MiB, faults_MiB, memory_MiB, error_MiB;
    } cases[] = {
        {"nothing happened", 108, 40, 0, 114, 0},
        {"its own pages came", 138, 40, 30, 144, 0},
        {"pages came that others may have", 108, 80, 40, 114, 40 + 8},
        {"common pages were written to", 108, 40, 5, 114, 5},
        {"no more can be copied than there were", 108, 40, 500, 114, 8},
        {"its own pages went", 58, 40, 0, 64, 34},
        {"all went", 0, 0, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_share_memory m =
            memory(&share, cases[i].anon_MiB, cases[i].mapped_MiB, cases[i].faults_MiB, false);
        if (m.memory_B != cases[i].memory_MiB * MIB || m.error_B != cases[i].error_MiB * MIB)
            fail_msg("%s: %lld, %lld more", cases[i].what, (long long)(m.memory_B / MIB),
                     (long long)(m.error_B / MIB));
    }
}

static void never_read(void **state)
{
    const struct ml_share none = {.pss_B = ML_NOT_MEASURED};
    (void)state;
    struct ml_share_memory m = memory(&none, 100, 40, 0, false);
    assert_int_equal(m.memory_B, 100 * MIB);
    assert_int_equal(m.error_B, 40 * MIB);
    m = memory(&none, 100, 40, 0, true); /* its parent may have all of it too */
    assert_int_equal(m.memory_B, 0);
    assert_int_equal(m.error_B, 140 * MIB);
}

/* One that is read late in a round may have taken pages that were counted as another's alone. */
static void read_one_after_the_other(void **state)
{
    struct ml_share late = share;
    (void)state;
    late.late_B = 3 * MIB;
    struct ml_share_memory m = memory(&late, 108, 40, 0, false);
    assert_int_equal(m.memory_B, 111 * MIB);
    assert_int_equal(m.error_B, 3 * MIB);
    late.late_B = 40 * MIB; /* no more than it has in common */
    m = memory(&late, 108, 40, 0, false);
    assert_int_equal(m.memory_B, 100 * MIB);
    assert_int_equal(m.error_B, 14 * MIB);
}

/* Of a process that is the only one, all pages are its own. */
static void alone(void **state)
{
    const struct ml_share none = {.pss_B = ML_NOT_MEASURED};
    struct ml_sample_row row;
    (void)state;
    ml_row_clear(&ml_table_samples, &row);
    row.rss_B = 100 * MIB;
    row.rss_anon_B = 60 * MIB;
    const struct ml_share_now now = {.row = &row, .processes = 1};
    assert_int_equal(ml_share_memory(&none, &now).memory_B, 100 * MIB);
    assert_int_equal(ml_share_memory(&none, &now).error_B, 0);
}

static void huge_pages(void **state)
{
    const struct ml_share shared = {.pss_B = 10 * MIB, .shared_hugetlb_B = 60 * MIB};
    struct ml_sample_row row;
    (void)state;
    ml_row_clear(&ml_table_samples, &row);
    row.rss_B = 10 * MIB;
    row.rss_anon_B = 0;
    struct ml_share_now now = {.row = &row, .processes = 4, .hugetlb_sharers = 3};
    assert_int_equal(ml_share_memory(&shared, &now).memory_B, 10 * MIB);
    row.hugetlb_B = 200 * MIB;
    assert_int_equal(ml_share_memory(&shared, &now).memory_B, (10 + 140 + 20) * MIB);
    row.hugetlb_B = 30 * MIB; /* fewer than were shared before */
    assert_int_equal(ml_share_memory(&shared, &now).memory_B, (10 + 10) * MIB);
    row.rss_B = ML_NOT_MEASURED;
    assert_int_equal(ml_share_memory(&shared, &now).memory_B, ML_NOT_MEASURED);
}

/* Whatever the numbers are, also those of a torn reading: not below 0, not above what is resident.
 */
static void always_possible(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 200000; i++) {
        int64_t v[10];
        for (size_t k = 0; k < 10; k++)
            v[k] = rand() % 100 * MIB;
        const struct ml_share s = {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[9]};
        struct ml_share_memory m =
            memory(rand() % 9 ? &s : &share, v[7] / MIB, v[8] / MIB, rand() % 100, rand() % 2);
        if (m.memory_B < 0 || m.error_B < 0 || m.memory_B + m.error_B > v[7] + v[8])
            fail_msg("try %d: %lld, %lld more", i, (long long)m.memory_B, (long long)m.error_B);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(since_the_reading),
        cmocka_unit_test(never_read),
        cmocka_unit_test(read_one_after_the_other),
        cmocka_unit_test(alone),
        cmocka_unit_test(huge_pages),
        cmocka_unit_test(always_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
