#include "recorder/budget.h"

/* Of one CPU: who asks for a rate gets it up to there. A mistyped one, 0.1ms for 0.1s, is no reason
 * to take more from the application. */
#define MOST_SHARE 0.5

#define SETTLED 8 /* ticks after which their cost is known */

void ml_budget_init(struct ml_budget *budget, const struct ml_options *o, int cpus)
{
    bool bounded = ml_options_given(o, &o->overhead);
    bool rate_given = ml_options_given(o, &o->repeat_rate_ns);
    bool stacks_given = ml_options_given(o, &o->stack_rate_ns);
    *budget = (struct ml_budget){
        .share = o->overhead * (cpus > 0 ? cpus : 1),
        .stack_share = bounded || !stacks_given ? o->overhead : MOST_SHARE,
        .asked_ns = o->repeat_rate_ns,
        .period_ns = o->repeat_rate_ns,
        .why = "sampling slows down to stay within --overhead",
    };
    if (rate_given && !bounded) {
        budget->share = MOST_SHARE;
        budget->why = "sampling slows down: at the rate that -r asks for it takes half of a CPU; "
                      "--overhead permits more";
    }
}

/* A step of a quarter at least, but for the last one back to what was asked: small changes are
 * noise. */
bool ml_budget_spend(struct ml_budget *b, int64_t cost_ns)
{
    b->cost_ns = b->cost_ns ? (7 * b->cost_ns + cost_ns) / 8 : cost_ns;
    int64_t least = (int64_t)((double)b->cost_ns / b->share);
    int64_t period = b->asked_ns > least ? b->asked_ns : least;
    bool slower = period > b->period_ns + b->period_ns / 4;
    bool back = period < b->period_ns - b->period_ns / 4 || period == b->asked_ns;
    if (++b->n < SETTLED || !(slower || back))
        return false;
    b->period_ns = period;
    return slower;
}

double ml_budget_left(const struct ml_budget *b)
{
    double left = b->stack_share - (double)b->cost_ns / (double)b->period_ns;
    return left > b->stack_share / 4 ? left : b->stack_share / 4;
}
