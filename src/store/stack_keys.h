/* What the stacks of all nodes are compared by: hashes of 128 bits. */
#ifndef ML_STORE_STACK_KEYS_H
#define ML_STORE_STACK_KEYS_H

#include "store/numbering.h"
#include "store/stacks.h"

/* The sets of this member, one after the other. */
struct ml_stack_keys {
    struct ml_key *frames; /* of all that a row of /frames says */
    size_t n_frames;
    struct ml_key *stacks; /* of the parent's key and the frame's; the level is the depth */
    struct ml_tree_node {
        int32_t parent, frame; /* counted through all sets; -1: a root */
    } * nodes;
    size_t n_stacks;
    size_t *first_frame; /* [n_sets + 1], of each set */
};

/* Local. Errors: rows that are no tree, more than 2^31 - 1 rows. */
enum ml_status ml_stack_keys_make(const struct ml_stack_set *sets, size_t n_sets,
                                  struct ml_stack_keys *out_keys, struct ml_error *err);

/* Row I of the frames of all sets as the file will have it, packed behind what OUT holds. */
void ml_stack_keys_frame(const struct ml_stack_keys *keys, const struct ml_stack_set *sets,
                         size_t n_sets, size_t i, struct ml_buffer *out);

void ml_stack_keys_free(struct ml_stack_keys *keys);

#endif
