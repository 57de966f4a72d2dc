/* Memory of GPUs as of the last look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "recorder/gpu_watch.h"

#define S ML_NS_PER_S

static void sums(void **state)
{
    (void)state;
    struct ml_gpu_watch *w = ml_gpu_watch_open();
    assert_int_equal(ml_gpu_watch_total(w), 0);
    ml_gpu_watch_process(w, 7, 0, 100);
    ml_gpu_watch_process(w, 7, 3, 50);
    ml_gpu_watch_process(w, 2, 0, 30);
    assert_int_equal(ml_gpu_watch_total(w), 180);
    assert_int_equal(ml_gpu_watch_of(w, 7), 150);
    assert_int_equal(ml_gpu_watch_of(w, 2), 30);
    ml_gpu_watch_process(w, 7, 0, 0);
    ml_gpu_watch_process(w, 2, 0, -1);
    assert_int_equal(ml_gpu_watch_total(w), 50);
    assert_int_equal(ml_gpu_watch_of(w, 7), 50);
    assert_int_equal(ml_gpu_watch_of(w, -1), 0);
    assert_int_equal(ml_gpu_watch_of(w, 1000), 0);
    ml_gpu_watch_close(w);
    assert_int_equal(ml_gpu_watch_total(NULL), -1);
    assert_int_equal(ml_gpu_watch_of(NULL, 0), 0);
    assert_int_equal(ml_gpu_watch_fullest(NULL, 0).gpu, -1);
    ml_gpu_watch_close(NULL);
}

static struct ml_gpu_watch *two_gpus(void)
{
    struct ml_gpu_watch *w = ml_gpu_watch_open();
    ml_gpu_watch_size(w, 0, 1000);
    ml_gpu_watch_size(w, 1, 1000);
    return w;
}

static void whose_gpu(void **state)
{
    (void)state;
    struct ml_gpu_watch *w = two_gpus();
    assert_int_equal(ml_gpu_watch_fullest(w, 1).gpu, -1);
    ml_gpu_watch_device(w, 0, 990); /* by others */
    ml_gpu_watch_looked(w, S);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).gpu, -1);
    ml_gpu_watch_process(w, 1, 1, 600);
    ml_gpu_watch_looked(w, 2 * S);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).gpu, 1);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).left_B, 400);
    ml_gpu_watch_process(w, 2, 0, 5);
    ml_gpu_watch_looked(w, 3 * S);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).gpu, 1); /* its own */
    assert_int_equal(ml_gpu_watch_fullest(w, 2).gpu, 0);
    assert_int_equal(ml_gpu_watch_fullest(w, 2).left_B, 10);
    assert_int_equal(ml_gpu_watch_fullest(w, 9).gpu, 0); /* it had none: any that the run uses */
    assert_int_equal(ml_gpu_watch_fullest(w, -1).gpu, 0);
    ml_gpu_watch_close(w);
}

/* What it had is gone with the process, a look later. */
static void shortly_before(void **state)
{
    (void)state;
    struct ml_gpu_watch *w = two_gpus();
    ml_gpu_watch_process(w, 1, 0, 300);
    ml_gpu_watch_looked(w, S);
    ml_gpu_watch_process(w, 1, 0, 980);
    ml_gpu_watch_looked(w, 2 * S);
    ml_gpu_watch_process(w, 1, 0, 0);
    ml_gpu_watch_looked(w, 3 * S);
    struct ml_death_gpu full = ml_gpu_watch_fullest(w, 1);
    assert_int_equal(full.left_B, 20);
    assert_int_equal(full.memory_B, 1000);
    assert_int_equal(full.step_B, 680);
    ml_gpu_watch_looked(w, 5 * S);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).left_B, 1000);
    ml_gpu_watch_close(w);
}

static void seldom_looks(void **state)
{
    (void)state;
    struct ml_gpu_watch *w = two_gpus();
    ml_gpu_watch_process(w, 1, 0, 980);
    ml_gpu_watch_looked(w, 10 * S);
    ml_gpu_watch_process(w, 1, 0, 0);
    ml_gpu_watch_looked(w, 20 * S);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).left_B, 20);
    ml_gpu_watch_looked(w, 30 * S);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).left_B, 1000);
    ml_gpu_watch_close(w);
}

/* A driver may tell more than there is, or nothing of how much there is. */
static void odd_numbers(void **state)
{
    (void)state;
    struct ml_gpu_watch *w = ml_gpu_watch_open();
    ml_gpu_watch_process(w, 1, 0, 300);
    ml_gpu_watch_looked(w, S);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).gpu, -1);
    ml_gpu_watch_size(w, 0, 200);
    assert_int_equal(ml_gpu_watch_fullest(w, 1).left_B, 0);
    ml_gpu_watch_process(w, 1, 1, INT64_MAX);
    ml_gpu_watch_process(w, 2, 1, INT64_MAX);
    ml_gpu_watch_process(w, 2, 1, INT64_MIN);
    ml_gpu_watch_looked(w, 2 * S);
    assert_true(ml_gpu_watch_total(w) >= 0);
    ml_gpu_watch_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),           cmocka_unit_test(whose_gpu),
        cmocka_unit_test(shortly_before), cmocka_unit_test(seldom_looks),
        cmocka_unit_test(odd_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
