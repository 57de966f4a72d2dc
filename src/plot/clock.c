#include "plot/clock.h"

#include <math.h>
#include <stdlib.h>

int64_t ml_plot_clock_at(const struct ml_plot_clock *clock, int64_t own_ns)
{
    size_t low = 0, high = clock ? clock->n : 0;
    if (high == 0)
        return own_ns;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (clock->anchors[middle].own_ns <= own_ns)
            low = middle + 1;
        else
            high = middle;
    }
    const struct ml_plot_anchor *before = &clock->anchors[low ? low - 1 : 0];
    const struct ml_plot_anchor *behind = before + 1;
    if (low == 0 || low == clock->n)
        return own_ns - before->own_ns + before->shown_ns;
    double share = (double)(own_ns - before->own_ns) / (double)(behind->own_ns - before->own_ns);
    return before->shown_ns + llround(share * (double)(behind->shown_ns - before->shown_ns));
}

void ml_plot_clock_free(struct ml_plot_clock *clock)
{
    if (!clock)
        return;
    free(clock->anchors);
    free(clock);
}
