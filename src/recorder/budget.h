/* What sampling may cost a node, and how often it can be within that. Pure. */
#ifndef ML_RECORDER_BUDGET_H
#define ML_RECORDER_BUDGET_H

#include "launch/options.h"

struct ml_budget {
    double share;       /* of one CPU's time, that ticks may take */
    double stack_share; /* of the wall time, that stacks may take: held ranks wait */
    int64_t asked_ns;   /* the period without a budget */
    int64_t period_ns;  /* the present one */
    int64_t cost_ns;    /* CPU time of a tick, smoothed; 0: none yet */
    int64_t n;          /* ticks */
    const char *why;    /* in words, for the event: why a longer period */
};

/* Of a node where the job has CPUS. --overhead is of these. Where only a rate was asked for it
 * holds, up to half of a CPU; the default rate keeps to the default overhead. */
void ml_budget_init(struct ml_budget *budget, const struct ml_options *options, int cpus);

/* A tick has cost so much CPU time. True: the period is longer from now on. */
bool ml_budget_spend(struct ml_budget *budget, int64_t cost_ns);

/* Share of the wall time that is left for stacks beside the ticks, but at least a quarter of what
 * they may take. */
double ml_budget_left(const struct ml_budget *budget);

#endif
