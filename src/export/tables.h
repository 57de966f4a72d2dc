/* The measurements of a run for other programs, written piece by piece in bounded memory. */
#ifndef ML_EXPORT_TABLES_H
#define ML_EXPORT_TABLES_H

#include "read/stacks.h"

#include <stdio.h>

struct ml_export_run {
    struct ml_run *run;
    const struct ml_process_row *processes; /* the whole table */
    size_t n_processes;
    const struct ml_node_row *nodes;
    size_t n_nodes;
    const struct ml_stacks_choice *choice; /* ranks and time */
    const char *title;
    const char *exporter;   /* program and version */
    int64_t origin_wall_ns; /* unix time of the run's start; -1: unknown */
};

/* RFC 4180: a line a row of /samples, with all columns of the format, the node's and the process's
 * name behind them. Empty: not measured. Errors: those of reading. */
enum ml_status ml_export_csv(const struct ml_export_run *export, FILE *out, struct ml_error *err);

/* RFC 4180, one node's sample after the other in the order of time: a column for the memory of each
 * rank with the processes that it started, one for those of no rank, and the sum of these. Each
 * cell is filled in with what was last measured (sums/memory.h); empty: not yet, or gone. Errors:
 * those of reading; a sample of a process that is not in the file. */
enum ml_status ml_export_wide(const struct ml_export_run *export, FILE *out, struct ml_error *err);

/* Trace Event Format, JSON, which Perfetto's and Chrome's viewers open: for each process a counter
 * of its memory, the calls of MPI that samples fell into, phases, and marks for stacks, output,
 * events; for each node what is left before its nearest limit. Errors: those of reading; no memory.
 */
enum ml_status ml_export_perfetto(const struct ml_export_run *export,
                                  const struct ml_stacks *stacks, FILE *out, struct ml_error *err);

/* One object: the run's attributes, and each table as an object of columns. The choice of time
 * leaves rows out of tables over time, that of ranks those of other processes. Null: not measured.
 * Errors: those of reading; no memory. */
enum ml_status ml_export_json(const struct ml_export_run *export, FILE *out, struct ml_error *err);

/* OpenMetrics 1.0: a family of metrics a column of memory, CPU time and the like, a series a
 * process or node, at unix times. Errors: those of reading; the run does not say when it started;
 * rows of one process or node do not follow one another. */
enum ml_status ml_export_openmetrics(const struct ml_export_run *export, FILE *out,
                                     struct ml_error *err);

/* The log of the MOOSE framework's memory_logger.py: a line a sample of a node, without a head:
 * unix time, KiB of all nodes, what was written since the line before, a stack of the node's lowest
 * rank, the node, its KiB. '|' quotes, '\' escapes, texts are valid UTF-8 without controls other
 * than tab and newline. The choice of ranks is for output only. Errors: those of reading. */
enum ml_status ml_export_moose_csv(const struct ml_export_run *export,
                                   const struct ml_stacks *stacks, FILE *out, struct ml_error *err);

#endif
