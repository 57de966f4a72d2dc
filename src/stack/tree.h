/* The stacks of a node, each kept once: frames are interned, and stacks are the nodes of one prefix
 * tree of them, from the outermost call inwards. */
#ifndef ML_STACK_TREE_H
#define ML_STACK_TREE_H

#include "base/buffer.h"
#include "trace/backend.h"

/* Rows that were made and not yet handed on, packed as ml_row_pack does. */
struct ml_stack_news {
    struct ml_buffer frames, stacks; /* ml_table_frames, ml_table_stacks */
    int64_t n_frames, n_stacks;
};

struct ml_stack_tree;

/* Numbers frames and stacks from the given ones on; holds at most MOST of each. */
struct ml_stack_tree *ml_stack_tree_new(int32_t first_frame, int32_t first_stack, int32_t most);

/* The number of the thread's stack. Once the tree is full, that of as much of its outer end as is
 * known; -1 if nothing is. A stack that lacks its outer end begins with a frame "[outer calls not
 * seen]". */
int32_t ml_stack_tree_add(struct ml_stack_tree *tree, const struct ml_stack_thread *thread);

/* What was added since it was cleared; the caller clears it. */
struct ml_stack_news *ml_stack_tree_news(struct ml_stack_tree *tree);
void ml_stack_news_clear(struct ml_stack_news *news);

void ml_stack_tree_free(struct ml_stack_tree *tree);

#endif
