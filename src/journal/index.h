/* Where each record of a journal lies; samples, which are most of it, are sorted by process on the
 * way. */
#ifndef ML_JOURNAL_INDEX_H
#define ML_JOURNAL_INDEX_H

#include "base/view.h"
#include "journal/frames.h"
#include "journal/heap_index.h"
#include "journal/offsets.h"
#include "journal/spool.h"
#include "journal/stack_index.h"
#include "journal/timeline.h"
#include "record/delta.h"

struct ml_process_entry {
    struct ml_process_row row;   /* instants and numbers as written: local */
    size_t n_samples;            /* its rows of ml_table_samples: a stream of the spool */
    int64_t peak_rss_B, peak_ns; /* the largest resident set that a sample saw, and when (local) */
    int64_t peak_memory_B, peak_memory_ns; /* likewise */
    struct ml_sample_row last;             /* the last sample */
    int64_t end_peak_rss_B;                /* by the kernel at its end */
    bool has_children; /* of the run: then the kernel's peak may be one's of theirs */
    size_t first_row;  /* of this journal's sample rows */
    uint64_t mpi_at;   /* its last rows of ml_table_mpi, */
    size_t mpi_B;      /* so many bytes; 0: none */
};

/* The streams of the spool: of nodes and job as they came, then one for each process. */
enum { ML_STREAM_NODE_SAMPLES, ML_STREAM_JOB_SAMPLES, ML_STREAM_PROCESSES };

/* Samples wait as what differs from the one before of their process (record/delta.h), the first
 * from zeros. */
#define ML_SAMPLE_WORDS (sizeof(struct ml_sample_row) / sizeof(uint64_t))
_Static_assert(sizeof(struct ml_sample_row) % sizeof(uint64_t) == 0 &&
                   ML_SAMPLE_WORDS <= ML_DELTA_WORDS_MAX,
               "a sample is whole words, and few enough");

/* A row of output: byte of its first character << 16 | its length << 1 | continued. */
static inline uint64_t ml_line_entry(uint64_t at, size_t length, bool continued)
{
    return at << 16 | (uint64_t)length << 1 | continued;
}

struct ml_index {
    const uint8_t *bytes;
    size_t length; /* of the whole frames; what follows is torn */
    struct ml_journal_header header;
    struct ml_timeline clock;
    bool complete;        /* has ML_FRAME_END */
    int64_t last_ns;      /* of the last frame, local */
    int64_t clock_err_ns; /* of the last clock point, -1 without */

    struct ml_attribute *attributes;
    size_t n_attributes, attributes_capacity;
    struct ml_node_row *nodes; /* by node */
    size_t n_nodes, nodes_capacity;
    struct ml_process_entry *processes; /* as they appeared */
    size_t n_processes, processes_capacity;
    int32_t *entry_of; /* process number on the node to entry, -1: none */
    size_t n_numbers, numbers_capacity;
    size_t n_samples;
    struct ml_spool spool;
    struct ml_offsets events, mpi;   /* rows; events by time */
    struct ml_offsets output_frames; /* frames */
    struct ml_offsets output_lines;  /* ml_line_entry */
    uint8_t *open_lines; /* by rank + 1: bit 1 << stream while its last line is not over */
    size_t n_open, open_capacity;
    struct ml_stack_index stacks;
    struct ml_heap_index heap;
    struct ml_offsets gpus, gpu_samples, gpu_process_samples, gpu_choices; /* rows */
    int64_t last_sampler_cpu_ns; /* of the last node sample; -1 without */
};

/* N bytes, which must outlive the index. */
struct ml_index_source {
    const uint8_t *bytes;
    size_t n;
    struct ml_view *view;   /* whose bytes these are; NULL: nobody's */
    struct ml_spill *spill; /* where samples may wait; NULL: in memory */
};

/* Errors: not a journal, of another version. A torn tail is none. */
enum ml_status ml_index_build(const struct ml_index_source *source, struct ml_index *out_index,
                              struct ml_error *err);

/* The header alone. */
enum ml_status ml_index_header(const struct ml_index_source *source,
                               struct ml_journal_header *out_header, struct ml_error *err);

/* Of a journal of which nothing but its header is known. */
void ml_index_make_empty(const struct ml_journal_header *header, struct ml_index *out_index);

/* The entry of the process NUMBER on this node, -1 if the journal has none. */
int32_t ml_index_entry(const struct ml_index *x, int64_t number);

void ml_index_free(struct ml_index *x);

#endif
