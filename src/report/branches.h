/* A tree of calls as text: its branches, with figures beside each. */
#ifndef ML_REPORT_BRANCHES_H
#define ML_REPORT_BRANCHES_H

#include "read/stack_tree.h"
#include "report/style.h"

struct ml_branches {
    const struct ml_stacks *stacks;
    const struct ml_stack_tree *tree;
    const struct ml_style *style;
    bool all;  /* else branches under 1 % of the weight are summed up */
    int width; /* of the figures, in columns */
    void *context;
    /* Append figures of that width: of a node; and of branches that are summed up. */
    void (*figures)(void *context, size_t node, struct ml_buffer *out);
    void (*rest)(void *context, int64_t weight, struct ml_buffer *out);
};

/* Appends the tree. Returns whether some branches are left out. */
bool ml_branches_draw(const struct ml_branches *branches, struct ml_buffer *out);

#endif
