/* The stacks of all nodes as one tree, in which each stack stands once. */
#ifndef ML_STORE_STACKS_H
#define ML_STORE_STACKS_H

#include "store/store.h"

/* A node's: frames, and a tree of them whose rows come after their parents'; both counted in the
 * set. Equal rows may stand in it more than once. */
struct ml_stack_set {
    struct ml_rows frames; /* of ml_table_frames */
    struct ml_rows stacks; /* of ml_table_stacks; the depth is not looked at */
};

/* Collective. Writes /frames and /stacks from N_SETS sets of this member (0 is fine) and those of
 * the others. The rows do not depend on the number of members, nor on which has what; those of
 * /stacks are ordered by depth. A member needs memory for its own sets and for its share of the
 * tree. OUT_ROWS: the row in /stacks of each stack of the sets, one set after the other; the caller
 * frees it.
 *
 * Errors, on every member: rows that are no tree, more than 2^31 - 1 stacks, those of the file. */
enum ml_status ml_store_stacks(struct ml_store *store, const struct ml_stack_set *sets,
                               size_t n_sets, int32_t **out_rows, struct ml_error *err);

#endif
