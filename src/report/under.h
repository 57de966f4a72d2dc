/* Memory over time with what belongs under its rows: stacks that were taken then, and what the
 * application wrote. */
#ifndef ML_REPORT_UNDER_H
#define ML_REPORT_UNDER_H

#include "report/moments.h"
#include "report/output.h"

/* The rows of a history and those of moments by time. */
struct ml_under {
    struct ml_history history; /* its rows are owned here */
    size_t *moment_of;         /* of each row; SIZE_MAX: none */
};

/* MOMENTS may be NULL. A row of HISTORY shortly before a moment that says the same is left out. */
void ml_under_init(struct ml_under *u, const struct ml_history *history,
                   const struct ml_moments *moments);

void ml_under_free(struct ml_under *u);

/* What is shown under the rows; NULL: nothing of that kind. */
struct ml_under_what {
    const struct ml_stacks *stacks;
    const struct ml_moments *moments;
    const struct ml_output *output; /* gathered for the rows of the ml_under */
    bool all;
};

void ml_report_under(const struct ml_facts *facts, const struct ml_under *under,
                     const struct ml_under_what *what, const struct ml_style *style,
                     struct ml_buffer *out);

#endif
