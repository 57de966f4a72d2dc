/* Where the stacks of a journal lie: its frames, the tree that is made of them, and the samples
 * that refer to the tree. Pure. */
#ifndef ML_JOURNAL_STACK_INDEX_H
#define ML_JOURNAL_STACK_INDEX_H

#include "journal/frames.h"
#include "journal/offsets.h"

struct ml_stack_index {
    struct ml_offsets frames, stacks, samples; /* rows */
    bool unsorted;                             /* a sample lies behind one of a later time */
    int64_t last_ns;                           /* of the last sample, local */
    /* Where some were left out: what is left of each number that was written, else -1. */
    int32_t *stack_numbers, *frame_numbers;
    size_t n_stacks_written, n_frames_written;
};

/* Adds the rows of F, of type ML_FRAME_STACK_FRAMES, _STACKS or _STACK_SAMPLES, of the journal that
 * begins at BYTES. False, and nothing added, if one of them is no row of its table, refers to what
 * does not lie before it, has the wrong depth, or is one too many. */
bool ml_stack_index_add(struct ml_stack_index *x, const uint8_t *bytes, const struct ml_frame *f);

/* Brings the samples into the order of time: threads that are taken together are sent as they are
 * done. LENGTH: of the journal's whole frames. */
void ml_stack_index_finish(struct ml_stack_index *x, const uint8_t *bytes, size_t length);

/* Leaves out the stacks and frames that neither USED (a flag for each stack, which is changed) nor
 * a sample needs. The numbers that the rows of stacks and samples have are as before. */
void ml_stack_index_prune(struct ml_stack_index *x, const uint8_t *bytes, size_t length,
                          bool *used);

/* What has the number that was written, counted in what is left; -1: nothing. */
int32_t ml_stack_index_stack(const struct ml_stack_index *x, int32_t number);
int32_t ml_stack_index_frame(const struct ml_stack_index *x, int32_t number);

void ml_stack_index_free(struct ml_stack_index *x);

#endif
