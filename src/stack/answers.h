/* What is known of stacks, as it goes to the journal: rows of stack samples, and the stacks of the
 * sites of a heap profile. */
#ifndef ML_STACK_ANSWERS_H
#define ML_STACK_ANSWERS_H

#include "stack/tree.h"

/* Instead of one of enum ml_trigger: the stack is that of a site, whose number is in `thread`. */
#define ML_TRIGGER_SITE 127

struct ml_stack_answers {
    struct ml_buffer samples, sites; /* packed rows of ml_table_stack_samples; pairs of varints */
    int64_t n_samples, n_sites;
};

/* Adds THREAD, which has frames, to TREE, and what it answers. Nothing once the tree is full. */
void ml_stack_answer(struct ml_stack_answers *answers, struct ml_stack_tree *tree,
                     const struct ml_stack_thread *thread, int trigger);

void ml_stack_answers_clear(struct ml_stack_answers *answers);
void ml_stack_answers_free(struct ml_stack_answers *answers);

#endif
