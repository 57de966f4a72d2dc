/* The stacks of a run, those that were taken or those that allocated, in the formats of other
 * programs, written piece by piece. */
#ifndef ML_EXPORT_EXPORT_H
#define ML_EXPORT_EXPORT_H

#include "read/heap.h"

#include <stdio.h>

struct ml_export {
    const struct ml_stacks *stacks;         /* of HEAP, where that is given */
    const struct ml_heap_profile *heap;     /* NULL: the stacks were taken of threads */
    const struct ml_process_row *processes; /* the whole table */
    const struct ml_node_row *nodes;
    size_t n_nodes;
    const char *title;
    const char *exporter;   /* program and version */
    int64_t origin_wall_ns; /* unix time of the run's start; -1: unknown */
};

/* What each stack counts: its own weight, which is 1 for one that was taken and bytes for one that
 * allocated; or by how much the process had grown. */
enum ml_export_weight { ML_WEIGHT_OWN, ML_WEIGHT_GROWTH };

/* Collapsed stacks: "root;...;leaf 12" a line. Weights of 0 are left out. What was allocated by
 * calls that are not known stands under "[unknown]". */
void ml_export_folded(const struct ml_export *export, enum ml_export_weight weight, FILE *out);

/* JSON for speedscope.app: a profile a thread over the run's time, those of first threads first. Of
 * a heap one in bytes of all processes, and where there are several one of each. Error: jansson has
 * no memory. */
enum ml_status ml_export_speedscope(const struct ml_export *export, FILE *out,
                                    struct ml_error *err);

/* profile.proto of pprof, gzipped: samples, growth and resident set (a sum over samples: pprof
 * -mean divides it), with labels rank, node, thread. Of a heap what pprof knows of one, inuse_space
 * first, with labels rank and node; what was allocated by calls that are not known is a sample
 * without a stack. Error: it cannot be written. */
enum ml_status ml_export_pprof(const struct ml_export *export, FILE *out, struct ml_error *err);

#endif
