/* What grows steadily, and what only looks like it. */
#include "sums/pace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define N 128

static double values[N];

/* Noise from -1 to 1 that is the same in each run. */
static double noise(void)
{
    static uint32_t seed = 1;
    seed = seed * 1664525 + 1013904223;
    return (double)seed / UINT32_MAX * 2 - 1;
}

static void assert_level(void)
{
    assert_true(ml_pace_find(values, N).slope == 0);
}

static void assert_pace(double slope, size_t since, size_t about)
{
    struct ml_pace pace = ml_pace_find(values, N);
    assert_true(fabs(pace.slope / slope - 1) < 0.1);
    assert_in_range(pace.since + about, since, since + 2 * about);
}

static void leaks(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++)
        values[i] = 100 + i;
    assert_pace(1, 0, 0);
    for (int i = 0; i < N; i++)
        values[i] = 1000 - 2 * i; /* the other way round */
    assert_pace(-2, 0, 0);
    for (int i = 0; i < N; i++)
        values[i] = 100 + 2 * fmax(0, i - 70); /* from 70 on */
    assert_pace(2, 70, 1);
    for (int i = 0; i < N; i++)
        values[i] = 300 - 2 * fmax(0, i - 70);
    assert_pace(-2, 70, 1);
    for (int i = 0; i < N; i++)
        values[i] = i < 60 ? 300 : 100 + i; /* after much was freed that had been there for long */
    assert_pace(1, 60, 0);
    for (int i = 0; i < N; i++)
        values[i] = 100 + 7 * (i / 7); /* in steps */
    assert_pace(1, 0, 7);
}

/* Spikes, and what is freed at the very end, are no matter. */
static void leaks_with_noise(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        bool spikes = round % 2;
        for (int i = 0; i < N; i++)
            values[i] = 100 + fmax(0, i - 40) + 3 * noise() + (spikes && i % 10 == 3 ? 500 : 0);
        values[N - 1] = 20;
        assert_pace(1, 40, 12);
    }
}

static void faster_by_and_by(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++)
        values[i] = 100 + i * i / 64.0;
    struct ml_pace pace = ml_pace_find(values, N);
    assert_true(pace.slope > 2.5 && pace.slope < 4);
    assert_in_range(pace.since, 20, 110);
}

/* The mean over value I of a saw from 100 to 200. */
static double saw(int i, double period, double phase)
{
    double sum = 0;
    for (int part = 0; part < 8; part++)
        sum += 100 + 100 * fmod(i + part / 8.0 + phase, period) / period;
    return sum / 8;
}

/* An allocator that gives back: teeth of all lengths, seen at all of their phases. */
static void teeth(void **state)
{
    (void)state;
    for (double period = 2; period <= N / 2; period += 0.7) {
        for (double phase = 0; phase < period; phase += 0.9) {
            for (int i = 0; i < N; i++)
                values[i] = saw(i, period, phase);
            assert_level();
        }
    }
}

static void jumps(void **state)
{
    (void)state;
    for (int at = 1; at < N; at++) {
        for (int i = 0; i < N; i++)
            values[i] = i < at ? 100 : 300;
        assert_level();
        for (int i = 0; i < N; i++)
            values[i] = i < at / 2 ? 100 : i < at ? 200 : 300; /* two */
        assert_level();
        for (int i = 0; i < N; i++)
            values[i] += 5 * noise();
        assert_level();
    }
}

/* It grew until AT. */
static void grew_once(void **state)
{
    (void)state;
    for (int at = 2; at < N - N / 6; at++) {
        for (int i = 0; i < N; i++)
            values[i] = 100 + fmin(i, at);
        assert_level();
    }
}

static void level(void **state)
{
    (void)state;
    assert_level(); /* nothing at all */
    for (int i = 0; i < N; i++)
        values[i] = 100;
    assert_level();
    for (int i = 0; i < N; i++)
        values[i] = 1e6 + 70 * i; /* by under a hundredth */
    assert_level();
    values[0] = values[1] = 0; /* since it was there */
    assert_level();
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < N; i++)
            values[i] = 100 + 10 * noise();
        assert_level();
    }
}

static void few(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++)
        values[i] = i;
    assert_true(ml_pace_find(values, 0).slope == 0);
    assert_true(ml_pace_find(values, ML_PACE_FEWEST - 1).slope == 0);
    assert_true(ml_pace_find(values, ML_PACE_FEWEST).slope == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level), /* first: the values are 0 */
        cmocka_unit_test(leaks),
        cmocka_unit_test(leaks_with_noise),
        cmocka_unit_test(faster_by_and_by),
        cmocka_unit_test(teeth),
        cmocka_unit_test(jumps),
        cmocka_unit_test(grew_once),
        cmocka_unit_test(few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
