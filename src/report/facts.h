/* What a report says about a run, gathered from its file. */
#ifndef ML_REPORT_FACTS_H
#define ML_REPORT_FACTS_H

#include "base/error.h"
#include "read/slice.h"
#include "report/gpu_facts.h"
#include "report/history.h"
#include "report/notes.h"
#include "sums/lives.h"

/* What was seen of one node; -1 where nothing was. */
struct ml_node_facts {
    int64_t peak_B, peak_ns;          /* of the sum of its processes */
    int64_t left_B, limit_B, left_ns; /* at the closest approach to its limit */
    enum ml_limit limit;              /* whose that is */
    int64_t last_left_B;              /* at the end */
    int64_t peak_error_B;             /* of the sum at the job's peak: so much more it may be */
    double growth_B_per_s;            /* of its ranks that live on; NaN: not known */
    int64_t grown_ns;                 /* for so long one of them has grown */
    int ranks;                        /* rank processes that ran there */
    struct ml_history history;        /* of the sum of its processes; if asked for */
};

/* What was seen of one process; of one that is a rank, with the processes that it started. -1: not
 * measured. */
struct ml_process_facts {
    int64_t owner;   /* row of the rank process that it is or descends from; -1: none */
    int64_t program; /* of a rank: the process that called MPI_Init, where it started that; else
                        itself */
    int64_t peak_B, peak_ns;
    int64_t own_B; /* the most that was surely its own: neither files nor shared memory */
    int64_t last_B;
    double growth_B_per_s; /* at its end; 0: level, or it does not grow steadily; NaN: not known */
    int64_t since_ns;      /* it grows like that */
    int64_t sum_B, sum_ns; /* while samples are added up: at the time SUM_NS */
};

struct ml_facts {
    const struct ml_attribute *attributes; /* owned by the run */
    size_t n_attributes;
    const struct ml_node_row *nodes;
    size_t n_nodes;
    const struct ml_process_row *processes;
    size_t n_processes;
    struct ml_process_facts *by_process;
    struct ml_node_facts *by_node;
    struct ml_lives lives;
    struct ml_history total; /* of all processes */
    int64_t peak_error_B;    /* so much more it may have been at its peak */
    int64_t hidden_B;        /* what processes had at most between samples, by the kernel, beyond
                                the largest of each that was sampled; added up */
    int64_t origin_wall_ns;  /* unix time of the run's start; -1: unknown */
    int64_t length_ns;       /* until the last thing that was recorded */
    int64_t age_ns;          /* of that, where the run goes on; -1: it does not, or nobody knows */
    double growth_B_per_s;   /* of the ranks that live on; NaN: not known */
    ptrdiff_t growing;       /* row of the one of them that grows most; -1: none does */
    struct ml_notes notes;
    struct ml_gpu_facts gpus;
    int ranks;
    double mean_peak_B; /* of the ranks' peaks; NaN: none was measured */
    bool by_node_history;
    struct ml_slice node_slice, process_slice;
};

struct ml_facts_range {
    int64_t since_ns, until_ns; /* of the histories; INT64_MIN, INT64_MAX: all */
    size_t rows;                /* of a history; 0: each value */
    int64_t every_ns;           /* in place of ROWS: a row for each; 0: none was asked for */
    bool by_node;               /* histories of nodes too */
};

/* Reads RUN, which must stay open while OUT_FACTS is used. Errors: those of reading; EVERY_NS gives
 * more than a million rows. */
enum ml_status ml_facts_gather(struct ml_run *run, const struct ml_facts_range *range,
                               struct ml_facts *out_facts, struct ml_error *err);

/* The run's attribute NAME, or NULL where it is missing or empty. */
const char *ml_facts_attribute(const struct ml_facts *facts, const char *name);

/* Unix time of the run's start, ns; -1: unknown. */
int64_t ml_facts_origin_ns(const struct ml_run *run);

/* A row of NODES, or NULL for a number that the file does not list. */
const struct ml_node_row *ml_facts_node(const struct ml_facts *facts, int node);

/* The row of the rank process with the largest (SIGN 1) or smallest (SIGN -1) peak; -1: none has
 * one. */
ptrdiff_t ml_facts_extreme(const struct ml_facts *facts, int sign);

/* How much more than the mean of the ranks' peaks the largest has, by the mean; NaN: not known. */
double ml_facts_imbalance(const struct ml_facts *facts);

/* Likewise of what the ranks had surely for themselves. */
double ml_facts_own_imbalance(const struct ml_facts *facts);

/* The node that came nearest to its limit, measured by the limit; NULL: not known of any. */
const struct ml_node_facts *ml_facts_closest(const struct ml_facts *facts);

void ml_facts_free(struct ml_facts *facts);

#endif
