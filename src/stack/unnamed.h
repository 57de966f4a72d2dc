/* Stacks that wait for their names, kept by the sampling rank as they are without them: addresses
 * in modules. Should their server not live to name them, they are recorded so. */
#ifndef ML_STACK_UNNAMED_H
#define ML_STACK_UNNAMED_H

#include "stack/answers.h"

/* Appends THREAD, of which there are places, to PACKED. */
void ml_unnamed_pack(const struct ml_stack_thread *thread, int trigger, struct ml_buffer *packed);

/* Adds THREAD, of which there are places, to TREE and to ANSWERS without its names. */
void ml_unnamed_answer_one(const struct ml_stack_thread *thread, int trigger,
                           struct ml_stack_tree *tree, struct ml_stack_answers *answers);

/* Removes the first N of PACKED, or all that there are. */
void ml_unnamed_drop(struct ml_buffer *packed, int64_t n);

/* Adds all of PACKED to TREE and to ANSWERS. */
void ml_unnamed_answer(const struct ml_buffer *packed, struct ml_stack_tree *tree,
                       struct ml_stack_answers *answers);

#endif
