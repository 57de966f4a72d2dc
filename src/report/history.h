/* Memory over time in a few rows that lose no peak: a step function comes in, the largest value
 * of each of N equal slices of time goes out. Memory does not grow with the input. Pure. */
#ifndef ML_REPORT_HISTORY_H
#define ML_REPORT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_history_row {
    int64_t time_ns;
    int64_t bytes;
};

struct ml_history {
    struct ml_history_row peak; /* of all that came in, also outside the range; bytes -1: nothing */
    struct ml_history_row last; /* what came in last */
    struct ml_history_row *rows; /* valid after ml_history_finish */
    size_t n_rows;
    /* Private. */
    int64_t from_ns, to_ns;
    struct ml_history_row *every; /* the first N_SLICES values (or all), as they came */
    size_t n_every, every_capacity;
    struct ml_history_row *room;   /* for the slices, one row before and one behind them */
    struct ml_history_row *slices; /* in it */
    size_t n_slices, slice;       /* SLICE: the one being filled, n_slices before the first value */
    int64_t every_ns;             /* length of a slice that was asked for; 0: none was */
    struct ml_history_row before; /* the value that holds when the range begins; bytes -1: none */
};

/* Shows [FROM_NS, TO_NS] in N_SLICES rows beside the first and the last value or, where no more
 * than N_SLICES values come in, each of them. N_SLICES 0: each value is a row. */
void ml_history_init(struct ml_history *h, int64_t from_ns, int64_t to_ns, size_t n_slices);

/* As above, a row for each EVERY_NS of the range, stamped with its begin, the last one shorter. The
 * caller sees to it that there are not too many. */
void ml_history_init_every(struct ml_history *h, int64_t from_ns, int64_t to_ns, int64_t every_ns);

/* A value that holds from TIME_NS on. Times never go back. */
void ml_history_add(struct ml_history *h, int64_t time_ns, int64_t bytes);

void ml_history_finish(struct ml_history *h);

void ml_history_free(struct ml_history *h);

#endif
