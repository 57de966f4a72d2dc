/* A run as the pictures see it: whose memory counts where and until when, and its rows in one
 * pass through the file, in slices. */
#ifndef ML_PLOT_SOURCE_H
#define ML_PLOT_SOURCE_H

#include "plot/page.h"
#include "read/slice.h"
#include "sums/lives.h"

struct ml_plot_source {
    struct ml_run *run;
    const char *path; /* for messages */
    const struct ml_process_row *processes;
    size_t n_processes;
    const struct ml_node_row *nodes;
    size_t n_nodes;
    int32_t *ranks; /* of each process: its own or of the one that started it; -1 */
    struct ml_lives lives;
    double *node_fill; /* of each node: share of its memory taken at its last sample; 0: unknown */
    int n_ranks;       /* the largest rank and one */
    int64_t begin_ns, end_ns; /* of the picture; END_NS may be after the run's */
    int64_t until_ns;         /* what comes later is not drawn; INT64_MAX: all is */
    bool *drawn, *node_drawn; /* of each process and each node: whether it is drawn */
    size_t n_ranks_drawn, n_nodes_drawn;
    bool is_part;        /* of what its nodes hold, some ranks only */
    size_t largest_rows; /* of a process */
    const struct ml_column *column;
    struct ml_plot_values *values; /* drawn in place of rows of /samples; NULL: these are */
    struct ml_plot_owner *owner;   /* whose heap VALUES are; NULL: nobody's */
    struct ml_slice process_slice, node_slice;
    struct ml_plot_clock *clock; /* of one of several runs; NULL: it is alone */
    const struct ml_plot_source
        *minus; /* what is drawn is the difference to that run; NULL: none */
};

struct ml_plot_part;
struct ml_plot_owner;
struct ml_plot_values;

/* COLUMN: the name of a column of /samples, or "gpu_B" (plot/gpu.h). RUN and PATH must outlive
 * OUT_SOURCE. Errors: those of reading and of PART; no such column, none that can be drawn, not in
 * this file; rows of processes that make no sense. */
enum ml_status ml_plot_source_open(struct ml_run *run, const char *path, const char *column,
                                   const struct ml_plot_part *part,
                                   struct ml_plot_source *out_source, struct ml_error *err);

/* Called with pieces of the rows of each process that is drawn, all of one process after the other:
 * what it had when the picture begins, and its rows from then on. What was not measured is left
 * out. */
typedef void ml_plot_visit(void *context, size_t process, const struct ml_plot_point *points,
                           size_t n);

enum ml_status ml_plot_source_walk(const struct ml_plot_source *source, ml_plot_visit *visit,
                                   void *context, struct ml_error *err);

enum ml_plot_measure ml_plot_source_measure(const struct ml_plot_source *source);

/* Text of attribute NAME of the run, or "". */
const char *ml_plot_source_attribute(const struct ml_plot_source *source, const char *name);

void ml_plot_source_close(struct ml_plot_source *source);

#endif
