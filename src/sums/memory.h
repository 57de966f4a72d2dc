/* What memory means, everywhere: in the sums of a tick, on the live line, in reports, pictures and
 * exports.
 *
 *   of a process   its private pages, its share of those that it has in common with others, and its
 *                  huge pages (sums/share.h); where only the resident set is known, that
 *   of a rank      of its process and of those that it started, which have no rank of their own
 *                  (sums/owners.h)
 *   of a node      of all processes of the run there: so each shared page counts once
 *   of the job     of all its nodes
 *
 * Over time a process counts from its first sample on, with what it had last, until it is gone
 * (sums/lives.h). */
#ifndef ML_SUMS_MEMORY_H
#define ML_SUMS_MEMORY_H

#include "record/tables.h"

/* The columns in which it stands, and where a file before format 1.2 has what comes nearest. */
#define ML_MEMORY_COLUMN "memory_B"
#define ML_MEMORY_COLUMN_BEFORE "rss_B"

/* -1: not measured. */
int64_t ml_memory_of(const struct ml_sample_row *row);
int64_t ml_memory_of_node(const struct ml_node_sample_row *row);
int64_t ml_memory_of_job(const struct ml_job_sample_row *row);

/* The most that the process had by ROW, which may lie between two samples: what the kernel saw more
 * of its resident set (VmHWM) was memory of its own. -1: not measured. */
int64_t ml_memory_peak_of(const struct ml_sample_row *row);

/* The largest of a process, and when the first sample saw it. */
int64_t ml_memory_largest(const struct ml_process_row *process, int64_t *out_time_ns);

/* One node at one time; all members are 64-bit integers. */
struct ml_summary {
    int64_t ranks;                    /* that run */
    int64_t memory_B, memory_error_B; /* of all processes of the run; so much more it may be */
    int64_t rss_B;
    int64_t pss_B;
    int64_t largest_rank, largest_memory_B, largest_rss_B;
    int64_t left_B; /* before the nearest limit */
    int64_t gpu_B;  /* memory of GPUs; -1: there are none */
};

/* NODE, of which nothing is counted yet, or of the processes before, has a further process. */
void ml_memory_add_process(struct ml_node_sample_row *node, const struct ml_sample_row *row);

/* A job of which only NODE is known. */
struct ml_job_sample_row ml_memory_of_one_node(int node, const struct ml_summary *summary);

/* JOB, of some nodes, has also those of PART. */
void ml_memory_add_part(struct ml_job_sample_row *job, const struct ml_job_sample_row *part);

#endif
