/* When stacks are to be taken: growth, low memory, and what the budget allows. Pure. */
#ifndef ML_ORDERS_STACK_RULES_H
#define ML_ORDERS_STACK_RULES_H

#include "launch/options.h"
#include "record/tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether processes have grown since their last stacks. */
struct ml_growth_rule {
    struct ml_growth growth;
    int64_t *base_B; /* [n] by process: resident set at its last stack; -1: not seen yet */
    size_t n;
};

/* Whether PROCESS has grown so; the first call only notes its size. */
bool ml_growth_seen(struct ml_growth_rule *rule, int process, int64_t rss_B);

/* Its stack is taken, with that resident set. */
void ml_growth_taken(struct ml_growth_rule *rule, int process, int64_t rss_B);

void ml_growth_free(struct ml_growth_rule *rule);

/* Whether the node is about to run out of memory, by whatever limit is nearest (sums/room.h). */
struct ml_low_memory_rule {
    int64_t left_B; /* at the tick before; 0: none yet */
    int64_t told_B; /* left when it was told last; 0: not told */
};

/* True once when what is left is under 2 % of the whole (or 64 MiB where that is more, but never
 * over an eighth), or gone in two ticks as fast as in the last one; and again each time that half
 * of it is gone. ROW: the node at this tick. */
bool ml_low_memory_seen(struct ml_low_memory_rule *rule, const struct ml_node_sample_row *row);

/* Stacks cost the application time (a target that is held waits) and CPU: together at most a share
 * of the wall time. */
struct ml_stack_budget {
    int64_t cost_ns; /* of one taking, smoothed; 0: none yet */
    int64_t free_ns; /* from then on another one is allowed */
};

bool ml_stack_budget_allows(const struct ml_stack_budget *budget, int64_t now_ns);

/* A taking has cost so much; SHARE of the wall time may be spent. */
void ml_stack_budget_spend(struct ml_stack_budget *budget, int64_t now_ns, int64_t cost_ns,
                           double share);

/* The time between takings that keeps to it. */
int64_t ml_stack_budget_period(const struct ml_stack_budget *budget, double share);

#endif
