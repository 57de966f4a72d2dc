/* Stacks merged from the root by function: calls of one function from different lines are one. */
#ifndef ML_READ_STACK_TREE_H
#define ML_READ_STACK_TREE_H

#include "read/stacks.h"

struct ml_stack_tree_node {
    size_t end; /* the node behind those below it; children: i + 1, its end, ... up to this */
    size_t first_sample, n_samples; /* of it and all below it, in the tree's samples */
    size_t n_own;                   /* that ended here: the first of them */
    int64_t weight;                 /* of those samples */
    int64_t peak_B;                 /* largest memory of a process in those samples; -1: unknown */
    int64_t own_growth_B;           /* growth in those that ended here */
    int32_t depth;                  /* 0 at a root */
    int32_t function;               /* its number; equal for equal functions */
    int32_t frame;                  /* one of those that are merged */
    int32_t nested;                 /* so many of its calls stood in each other, at most; 1: none */
    bool one_line;                  /* all of them are at its line */
};

struct ml_stack_tree {
    struct ml_stack_tree_node *nodes; /* each followed by its children, the most weight first */
    size_t n_nodes;
    uint32_t *samples; /* all of the stacks' samples by node: indices */
};

/* FOLD: calls that a function makes of itself, without another between, are one node with the one
 * that they stand in. STACKS must outlive the tree only where its frames and samples are looked up.
 */
void ml_stack_tree_make(const struct ml_stacks *stacks, bool fold, struct ml_stack_tree *out_tree);

void ml_stack_tree_free(struct ml_stack_tree *tree);

#endif
