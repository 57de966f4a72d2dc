#include "heap/thinning.h"

#include "base/clock.h"

#include <stdlib.h>

enum { OF_A_TICK = 256, OF_A_SECOND = 1024 };
#define LONGEST_NS (30 * ML_NS_PER_S)

static bool all_are_due(struct ml_heap_pace *pace, int64_t now_ns)
{
    bool due = pace->all_ns && now_ns >= pace->all_ns;
    if (due)
        pace->period_ns *= 2;
    if (!pace->all_ns)
        pace->period_ns = ML_NS_PER_S;
    if (pace->period_ns > LONGEST_NS)
        pace->period_ns = LONGEST_NS;
    if (due || !pace->all_ns)
        pace->all_ns = now_ns + pace->period_ns;
    return due;
}

static bool second_is_over(struct ml_heap_pace *pace, int64_t now_ns)
{
    if (now_ns < pace->second_ns)
        return false;
    pace->second_ns = now_ns + ML_NS_PER_S;
    return true;
}

struct ml_heap_floor ml_heap_floor_now(struct ml_heap_pace *pace, const struct ml_heap_bytes *sum,
                                       int64_t now_ns, bool all)
{
    bool due = all_are_due(pace, now_ns), second = second_is_over(pace, now_ns);
    if (all || due)
        return (struct ml_heap_floor){1, 1, false};
    if (second)
        return (struct ml_heap_floor){1 + sum->live / OF_A_SECOND, 1 + sum->allocated / OF_A_SECOND,
                                      false};
    return (struct ml_heap_floor){1 + sum->live / OF_A_TICK, INT64_MAX, true};
}

bool ml_heap_is_worth_a_row(const struct ml_heap_floor *floor, const struct ml_heap_bytes *written,
                            const struct ml_heap_bytes *now)
{
    return llabs(now->live - written->live) >= floor->live_B ||
           now->allocated - written->allocated >= floor->allocated_B;
}
