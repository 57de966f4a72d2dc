/* M4 decimation: of all values in a pixel column the first, least, largest and last stay, so that
 * the drawn picture is the same and no spike is lost. Pure. */
#ifndef ML_PLOT_DECIMATE_H
#define ML_PLOT_DECIMATE_H

#include <stddef.h>
#include <stdint.h>

struct ml_plot_point {
    int64_t time_ns;
    double value;
};

struct ml_decimate {
    int64_t from_ns, to_ns;
    size_t n_columns, column;                         /* COLUMN: the one being filled */
    struct ml_plot_point first, least, largest, last; /* of that column */
    size_t n_in_column;
    struct ml_plot_point *points; /* what stays, in order; complete after ml_decimate_finish */
    size_t n_points, capacity;
};

/* Pass as COLUMNS twice the picture's width: then it may be stretched a little. */
void ml_decimate_init(struct ml_decimate *d, int64_t from_ns, int64_t to_ns, size_t columns);

/* In the order of time. */
void ml_decimate_add(struct ml_decimate *d, int64_t time_ns, double value);

void ml_decimate_finish(struct ml_decimate *d);

void ml_decimate_free(struct ml_decimate *d);

#endif
