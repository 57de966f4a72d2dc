/* Where the heap profile of a journal lies: what its sites had, and when. Pure. */
#ifndef ML_JOURNAL_HEAP_INDEX_H
#define ML_JOURNAL_HEAP_INDEX_H

#include "journal/frames.h"
#include "journal/offsets.h"

struct ml_heap_site {
    int32_t stack;    /* in this journal; -1: not known */
    uint64_t peak_at; /* its row when its process had most memory; 0: there is none */
    uint64_t last_at; /* its last row; 0: it has none */
};

struct ml_heap_index {
    struct ml_offsets samples;  /* rows of ml_table_heap_samples */
    struct ml_heap_site *sites; /* by number */
    size_t n_sites, sites_capacity;
    int32_t *used; /* [n_used] numbers of those that have rows */
    size_t n_used;
    bool replaced; /* some site had another stack first: one without names */
};

/* The stack of SITE; -1: not known. */
int32_t ml_heap_index_stack(const struct ml_heap_index *x, int32_t site);

/* Adds the row at AT of the journal. False, and nothing added: its site's number is out of bounds.
 */
bool ml_heap_index_add(struct ml_heap_index *x, const struct ml_heap_sample_row *row, uint64_t at);

/* Adds a frame of ML_FRAME_HEAP_STACKS in a journal that has N_STACKS stacks so far. False: it is
 * none. */
bool ml_heap_index_stacks(struct ml_heap_index *x, const struct ml_frame *f, size_t n_stacks);

/* All rows were added: PEAK_NS tells when a process, by its number in the row, had most memory.
 * LENGTH: of the journal's whole frames. */
void ml_heap_index_finish(struct ml_heap_index *x, const uint8_t *bytes, size_t length,
                          int64_t (*peak_ns)(void *context, int32_t process), void *context);

void ml_heap_index_free(struct ml_heap_index *x);

#endif
