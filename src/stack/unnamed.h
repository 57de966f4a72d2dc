/* Stacks that wait for their names, kept by the sampling rank as they are without them: addresses
 * in modules. Should their server not live to name them, they are recorded so. */
#ifndef ML_STACK_UNNAMED_H
#define ML_STACK_UNNAMED_H

#include "base/buffer.h"
#include "stack/tree.h"

/* Appends THREAD, of which there are places, to PACKED. */
void ml_unnamed_pack(const struct ml_stack_thread *thread, int trigger, struct ml_buffer *packed);

/* Removes the first N of PACKED, or all that there are. */
void ml_unnamed_drop(struct ml_buffer *packed, int64_t n);

/* Adds all of PACKED to TREE, and their rows of ml_table_stack_samples, packed, to SAMPLES; returns
 * how many. */
int64_t ml_unnamed_to_rows(const struct ml_buffer *packed, struct ml_stack_tree *tree,
                           struct ml_buffer *samples);

/* Appends the row of THREAD, whose stack has that number. */
void ml_stack_sample_pack(const struct ml_stack_thread *thread, int trigger, int32_t stack,
                          struct ml_buffer *samples);

#endif
