/* What the application wrote, line by line, under the rows of memory over time where it belongs. */
#ifndef ML_REPORT_OUTPUT_H
#define ML_REPORT_OUTPUT_H

#include "base/buffer.h"
#include "base/ranges.h"
#include "read/run.h"
#include "report/history.h"
#include "report/style.h"

/* Which lines are wanted. */
struct ml_output_choice {
    const struct ml_ranges *ranks; /* NULL: all */
    int64_t since_ns, until_ns;    /* INT64_MIN, INT64_MAX: all */
    size_t most;                   /* under a row, blank ones left out; 0: all */
};

struct ml_output_line {
    int64_t time_ns;
    size_t number; /* in the file */
    char *text;
    int32_t rank; /* -1: nobody knows whose */
    int8_t stream, continued;
};

/* Those under one row. */
struct ml_output_lines {
    struct ml_output_line *lines; /* by time */
    size_t n, capacity;
    size_t n_left_out;
};

struct ml_output {
    struct ml_output_lines *rows; /* of each row of the history */
    size_t n_rows;
    size_t n_recorded; /* in the file, chosen or not */
    size_t n_chosen;
    int rank_width; /* digits of the largest rank */
};

/* The lines of RUN that CHOICE wants: each under the last row of HISTORY that is not later. Errors:
 * those of reading. */
enum ml_status ml_output_gather(struct ml_run *run, const struct ml_history *history,
                                const struct ml_output_choice *choice, struct ml_output *out_output,
                                struct ml_error *err);

/* Appends those under row ROW: WHOLE ones, or three lines of each. */
void ml_output_print(const struct ml_output *output, size_t row, bool whole,
                     const struct ml_style *style, struct ml_buffer *out);

/* Says that there is none, and why; false if there is some. */
bool ml_output_none(const struct ml_output *output, const struct ml_style *style,
                    struct ml_buffer *out);

void ml_output_free(struct ml_output *output);

#endif
