/* The journal: the append-only file that a sampling rank writes while the job runs, so that
 * whatever dies loses at most a tick. Frames of length, type, time, checksum and payload. */
#ifndef ML_JOURNAL_JOURNAL_H
#define ML_JOURNAL_JOURNAL_H

#include "base/clock.h"
#include "base/error.h"
#include "base/hold.h"
#include "record/tables.h"

#include <stdbool.h>

/* The types of frames; the numbers are the format. Payloads are rows as ml_row_pack makes them
 * unless said otherwise. All instants are nanoseconds of the writing node's CLOCK_MONOTONIC. */
enum ml_frame_type {
    ML_FRAME_HEADER = 1,    /* see struct ml_journal_header */
    ML_FRAME_ATTRIBUTE = 2, /* kind (one byte), name NUL text NUL; a later one of a name wins */
    ML_FRAME_NODE = 3,    /* ml_table_nodes: all nodes of the job in rank 0's journal; this one and
                             the next in others; a later one of the same node wins */
    ML_FRAME_CLOCK = 4,   /* varints: local ns, ns to add to get rank 0's clock, error ns */
    ML_FRAME_PROCESS = 5, /* ml_table_processes, process and parent counted on this node */
    ML_FRAME_PROCESS_END = 6, /* varints: process, time, exit code, signal, largest resident set by
                                 the kernel; the last three -1: unknown */
    ML_FRAME_SAMPLES = 7,     /* rows of ml_table_samples of one tick */
    ML_FRAME_NODE_SAMPLE = 8,
    ML_FRAME_JOB_SAMPLE = 9, /* rank 0's journal only */
    ML_FRAME_EVENT = 10,
    ML_FRAME_OUTPUT = 11,        /* varints: rank, stream; then the bytes, up to the frame's end */
    ML_FRAME_END = 12,           /* the application has ended and all is recorded */
    ML_FRAME_STACK_FRAMES = 13,  /* rows of ml_table_frames; they are numbered in this journal as
                                    they  come, from 0 */
    ML_FRAME_STACKS = 14,        /* rows of ml_table_stacks, numbered likewise; parent and frame are
                                    such numbers, of rows before them */
    ML_FRAME_STACK_SAMPLES = 15, /* rows of ml_table_stack_samples; process as in PROCESS frames,
                                    stack as numbered here */
    ML_FRAME_MPI = 16,          /* rows of ml_table_mpi, all of one process, as in PROCESS frames; a
                                   later one of the process takes its place */
    ML_FRAME_HEAP_SAMPLES = 17, /* rows of ml_table_heap_samples; process as in PROCESS frames,
                                   sites numbered through all processes of the node, no stack */
    ML_FRAME_HEAP_STACKS = 18,  /* varints, again and again: site, its stack as numbered here; a
                                   later one of the site wins */
    ML_FRAME_GPUS = 19,         /* rows of ml_table_gpus */
    ML_FRAME_GPU_SAMPLES = 20,  /* rows of ml_table_gpu_samples */
    ML_FRAME_GPU_PROCESS_SAMPLES = 21, /* rows of ml_table_gpu_process_samples; process as in
                                          PROCESS frames */
    ML_FRAME_GPU_CHOICES = 22,         /* rows of ml_table_gpu_choices, likewise */
};

struct ml_journal_header {
    char run[64]; /* id of the run, the same in all its journals */
    int node;     /* of this journal */
    int n_nodes;
    int root;            /* 1: the journal of rank 0's node */
    int64_t origin_ns;   /* the run's start on ROOT's monotonic clock, equal in all journals of a
                            run: run time = local + clock offset(local) - origin_ns */
    int64_t origin_wall; /* unix time, ns, of the run's start; equal in all journals too */
    char outfile[4096];  /* the HDF5 file that is to be made, absolute */
};

struct ml_journal;

/* FILE.NODE.journal, in DIR if it is not NULL, else beside OUTFILE; FILE.NODE.NUMBER.journal with
 * a NUMBER >= 0 (where two nodes have one name). The caller frees it. */
char *ml_journal_name(const char *dir, const char *outfile, const char *node_name, int number);

/* Creates PATH (mode 0600, never through a link, never over a file unless FORCE), holds it
 * (base/hold.h) and writes the header. Errors: PATH is of a run that goes on, FORCE or not; those
 * of openat(2) and write(2). */
enum ml_status ml_journal_create(const char *path, const struct ml_journal_header *header,
                                 int force, struct ml_journal **out_journal, struct ml_error *err);

/* Append frames to the batch; nothing is written before ml_journal_flush. */
void ml_journal_row(struct ml_journal *j, enum ml_frame_type type, int64_t time_ns,
                    const struct ml_table *table, const void *row);
void ml_journal_attribute(struct ml_journal *j, int64_t time_ns, const struct ml_attribute *a);
void ml_journal_clock(struct ml_journal *j, int64_t local_ns, int64_t offset_ns, int64_t error_ns);
void ml_journal_process_end(struct ml_journal *j, int64_t time_ns, int process, int exit_code,
                            int signal, int64_t peak_rss_B);
void ml_journal_output(struct ml_journal *j, int64_t time_ns, int rank, enum ml_stream stream,
                       const void *bytes, size_t n);
void ml_journal_end(struct ml_journal *j, int64_t time_ns);

/* A frame of rows that ml_row_pack has packed already, N bytes; none leave no frame. False, and
 * nothing appended: they are over 64 MiB, or they are of stacks, and a full disk or such a size has
 * cost rows of stacks before, so that the numbers in these would be wrong. */
bool ml_journal_packed(struct ml_journal *j, enum ml_frame_type type, int64_t time_ns,
                       const void *rows, size_t n);

/* Rows of one tick share a frame: begin, add each, commit. An empty one leaves no frame. */
void ml_journal_samples_begin(struct ml_journal *j, int64_t time_ns);
void ml_journal_samples_add(struct ml_journal *j, const struct ml_sample_row *row);
void ml_journal_samples_commit(struct ml_journal *j);

/* Writes the batch with one write(2). After an error (disk full) it returns ML_SAMPLE_LOST; the
 * batch is kept and tried again with the next, and dropped once it is over 64 MiB. The file never
 * holds a torn frame followed by others. */
enum ml_status ml_journal_flush(struct ml_journal *j, struct ml_error *err);

enum ml_status ml_journal_sync(struct ml_journal *j, struct ml_error *err); /* flush, fdatasync */

const char *ml_journal_path(const struct ml_journal *j);
int64_t ml_journal_size(const struct ml_journal *j); /* bytes written */

/* A descriptor of the file, which is held as long as this one or the journal is open; the caller
 * closes it. -1 and errno: none is left. */
int ml_journal_hold(const struct ml_journal *j);

/* Whether the writer of the journal PATH lives. */
enum ml_hold ml_journal_writer(const char *path);

/* Closes and keeps the file. NULL is fine. */
void ml_journal_close(struct ml_journal *j);

#endif
