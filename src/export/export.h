/* The stacks of a run in the formats of other programs, written piece by piece. */
#ifndef ML_EXPORT_EXPORT_H
#define ML_EXPORT_EXPORT_H

#include "read/stacks.h"

#include <stdio.h>

struct ml_export {
    const struct ml_stacks *stacks;
    const struct ml_process_row *processes; /* the whole table */
    const struct ml_node_row *nodes;
    size_t n_nodes;
    const char *title;
    const char *exporter;   /* program and version */
    int64_t origin_wall_ns; /* unix time of the run's start; -1: unknown */
};

enum ml_export_weight { ML_WEIGHT_SAMPLES, ML_WEIGHT_GROWTH };

/* Collapsed stacks: "root;...;leaf 12" a line. Weights of 0 are left out. */
void ml_export_folded(const struct ml_export *export, enum ml_export_weight weight, FILE *out);

/* JSON for speedscope.app: a profile a thread over the run's time, those of first threads first.
 * Error: jansson has no memory. */
enum ml_status ml_export_speedscope(const struct ml_export *export, FILE *out,
                                    struct ml_error *err);

/* profile.proto of pprof, gzipped: samples, growth and resident set (a sum over samples: pprof
 * -mean divides it), with labels rank, node, thread. Error: it cannot be written. */
enum ml_status ml_export_pprof(const struct ml_export *export, FILE *out, struct ml_error *err);

#endif
