#include "read/leaks.h"

#include <math.h>
#include <string.h>

struct ml_leak_parts ml_leak_parts_of_life(int64_t begin_ns, int64_t end_ns)
{
    struct ml_leak_parts parts = {.n = ML_LEAK_PARTS};
    int64_t step_ns = (end_ns - begin_ns) / (ML_LEAK_PARTS + 1);
    for (int i = 0; i < ML_LEAK_PARTS; i++)
        parts.at_ns[i] = begin_ns + (i + 1) * step_ns;
    parts.at_ns[ML_LEAK_PARTS] = end_ns;
    return parts;
}

static const struct ml_run_phase *next_of(const struct ml_run_phases *phases, const char *name,
                                          size_t *i)
{
    while (*i < phases->n) {
        const struct ml_run_phase *phase = &phases->list[(*i)++];
        if (strcmp(phase->name, name) == 0)
            return phase;
    }
    return NULL;
}

static struct ml_leak_parts around(const struct ml_run_phase *phase, int64_t end_ns)
{
    return (struct ml_leak_parts){
        .at_ns = {phase->begin_ns - 1, phase->begin_ns, phase->end_ns, end_ns},
        .n = 3,
    };
}

struct ml_leak_parts ml_leak_parts_of_phase(const struct ml_run_phases *phases, const char *name,
                                            int64_t end_ns)
{
    struct ml_leak_parts parts = {.n = 0};
    const struct ml_run_phase *phase, *last = NULL;
    size_t n = 0, cycle = 0;
    for (size_t i = 0; (phase = next_of(phases, name, &i)); n++)
        last = phase;
    if (n == 1)
        return around(last, end_ns);
    size_t skipped = n > 2, cycles = n - skipped;
    size_t wanted = cycles < ML_LEAK_PARTS ? cycles : ML_LEAK_PARTS;
    for (size_t i = 0; parts.n < wanted && (phase = next_of(phases, name, &i)); cycle++) {
        if (cycle >= skipped && (cycle - skipped) * wanted >= parts.n * cycles)
            parts.at_ns[parts.n++] = phase->begin_ns;
    }
    parts.at_ns[parts.n] = end_ns;
    return parts;
}

struct ml_leak_site ml_leak_site_new(void)
{
    return (struct ml_leak_site){.since_ns = INT64_MIN};
}

void ml_leak_follow(struct ml_leak_site *site, const struct ml_leak_parts *parts, int64_t time_ns,
                    const struct ml_heap_sum *then)
{
    for (size_t i = 0; i < parts->n; i++) {
        bool overlaps = site->since_ns < parts->at_ns[i + 1] && time_ns > parts->at_ns[i];
        bool known = site->known >> i & 1;
        if (overlaps && (!known || site->now.bytes < site->least[i].bytes))
            site->least[i] = site->now;
        site->known |= (unsigned)overlaps << i;
    }
    site->now = *then;
    site->since_ns = time_ns;
}

bool ml_leak_grows(const struct ml_heap_sum *least, size_t n)
{
    size_t rises = 0, falls = 0;
    if (n < 2)
        return false;
    double growth_B = (double)least[n - 1].bytes - (double)least[0].bytes;
    double error_B = sqrt(least[0].variance + least[n - 1].variance);
    double step_B = growth_B / (double)(4 * (n - 1));
    for (size_t i = 1; i < n; i++) {
        double by_B = (double)least[i].bytes - (double)least[i - 1].bytes;
        rises += by_B > step_B;
        falls += by_B < -step_B;
    }
    return growth_B > 2 * error_B && 2 * rises >= n - 1 && 4 * falls <= n;
}

static int64_t more(int64_t before, int64_t after)
{
    return after > before ? after - before : 0;
}

struct ml_heap_sum ml_leak_growth(const struct ml_heap_sum *least, size_t n)
{
    const struct ml_heap_sum *first = &least[0], *last = &least[n - 1];
    return (struct ml_heap_sum){
        .bytes = more(first->bytes, last->bytes),
        .blocks = more(first->blocks, last->blocks),
        .variance = first->variance + last->variance,
    };
}
