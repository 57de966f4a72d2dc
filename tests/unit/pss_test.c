/* Whose proportional set is read next, and what all of them sum up to. */
#include "probe/pss.h"

#include "base/clock.h"
#include "record/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BEGIN_NS (1000 * ML_NS_PER_S)
#define GIB (1LL << 30)

static const struct ml_pss by_cost = {.period_ns = -1};

/* Watched since BEGIN_NS, with RSS_B then and now, and a reading that took COST_NS; -1: none. */
static struct ml_process make(int64_t before_B, int64_t rss_B, int64_t cost_ns)
{
    struct ml_process p = {.seen = true, .rank = 0};
    p.row.rss_B = rss_B;
    p.row.pss_B = ML_NOT_MEASURED;
    p.pss.read_ns = BEGIN_NS;
    p.pss.rss_B = before_B;
    p.pss.cost_ns = cost_ns;
    return p;
}

static struct ml_process *pick(const struct ml_pss *pss, struct ml_process **list, size_t n,
                               int64_t after_ns)
{
    struct ml_processes set = {.live = list, .n = n};
    return ml_pss_pick(pss, &set, BEGIN_NS + after_ns);
}

static void by_what_it_costs(void **state)
{
    const struct {
        struct ml_process process;
        int64_t after_ns;
    } cases[] = {
        {make(0, 0, -1), ML_NS_PER_S},
        {make(0, 50 << 20, -1), 50 * 1024 * 10 * 2000LL},
        {make(0, 4 * GIB, -1), 4 * 1024 * 1024 * 10 * 2000LL},
        {make(GIB, GIB, 1000), 10 * ML_NS_PER_S},
        {make(GIB, GIB, 10 * ML_NS_PER_MS), 20 * ML_NS_PER_S},
        {make(GIB, 2 * GIB, 10 * ML_NS_PER_MS), 40 * ML_NS_PER_S},
        {make(0, 4 * GIB, 0), 4 * 1024 * 1024 * 10 * 2000LL}, /* it had none: nothing to go by */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_process p = cases[i].process, *list[] = {&p};
        if (pick(&by_cost, list, 1, cases[i].after_ns - 1) ||
            pick(&by_cost, list, 1, cases[i].after_ns) != &p)
            fail_msg("case %zu", i);
    }
}

static void one_at_a_time(void **state)
{
    struct ml_process a = make(GIB, GIB, 1000), b = a, c = a, refused = a, unseen = a, late = a;
    struct ml_process *list[] = {&late, &a, &b, &c, &refused, &unseen};
    (void)state;
    b.pss.read_ns -= ML_NS_PER_S;
    refused.pss.read_ns = unseen.pss.read_ns = 0;
    refused.pss.refused = true;
    unseen.seen = false;
    late.pss.read_ns += 500 * ML_NS_PER_S;
    assert_ptr_equal(pick(&by_cost, list, 6, 100 * ML_NS_PER_S), &b);
    b.pss.read_ns = a.pss.read_ns;
    assert_ptr_equal(pick(&by_cost, list, 6, 100 * ML_NS_PER_S), &a);
    assert_null(pick(&by_cost, list, 1, 100 * ML_NS_PER_S));
    /* none before all of them together are due again, none where there is a period, or none */
    struct ml_pss busy = {.period_ns = -1, .next_due_ns = BEGIN_NS + 100 * ML_NS_PER_S};
    assert_null(pick(&busy, list, 6, 100 * ML_NS_PER_S - 1));
    assert_ptr_equal(pick(&busy, list, 6, 100 * ML_NS_PER_S), &a);
    assert_null(pick(&(struct ml_pss){.period_ns = 0}, list, 6, 100 * ML_NS_PER_S));
    assert_null(pick(&(struct ml_pss){.period_ns = 1}, list, 6, 100 * ML_NS_PER_S));
}

/* The sum is one only if it has each rank; helpers count where they are known. */
static void sum(void **state)
{
    struct ml_process rank = make(0, GIB, -1), other = rank, helper = rank, ended = rank;
    struct ml_process *list[] = {&rank, &other, &helper, &ended};
    struct ml_processes set = {.live = list, .n = 4}, none = {.n = 0};
    (void)state;
    helper.rank = -1;
    ended.seen = false;
    rank.row.pss_B = 100;
    ended.row.pss_B = 1 << 20;
    assert_int_equal(ml_pss_sum(&set), ML_NOT_MEASURED);
    other.row.pss_B = 0;
    assert_int_equal(ml_pss_sum(&set), 100);
    helper.row.pss_B = 11;
    assert_int_equal(ml_pss_sum(&set), 111);
    rank.row.pss_B = ML_NOT_MEASURED;
    assert_int_equal(ml_pss_sum(&set), ML_NOT_MEASURED);
    assert_int_equal(ml_pss_sum(&none), ML_NOT_MEASURED);
    other = helper = ended;
    rank.row.pss_B = 0;
    assert_int_equal(ml_pss_sum(&set), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_what_it_costs),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
