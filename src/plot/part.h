/* The part of a run that is drawn: a span of its time, some of its ranks and nodes. */
#ifndef ML_PLOT_PART_H
#define ML_PLOT_PART_H

#include "base/ranges.h"
#include "plot/source.h"

struct ml_plot_part {
    int64_t since_ns, until_ns;    /* INT64_MIN, INT64_MAX: from the start, to the end */
    const struct ml_ranges *ranks; /* NULL: all */
    const char *nodes;             /* names or patterns, by commas; NULL: all */
};

/* Sets what SOURCE draws, and ends the lives in it where the picture ends. Errors: nothing was
 * recorded then, no such rank, no such node. */
enum ml_status ml_plot_part_take(const struct ml_plot_part *part, struct ml_plot_source *source,
                                 struct ml_error *err);

#endif
