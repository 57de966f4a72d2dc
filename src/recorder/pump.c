#include "recorder/pump.h"

#include "base/memory.h"

#include <stdlib.h>

/* 50 questions a second when idle cost about 0.05 % of a core; a message then takes 20 ms at most,
 * and while messages come it is a fraction of a millisecond. */
#define SHORTEST_NS (200 * 1000LL)
#define LONGEST_NS (20 * ML_NS_PER_MS)

struct ml_pump {
    struct ml_timer *timer;
    bool (*progress)(void *context);
    void *context;
    bool alone;
    int64_t pause_ns;
};

static void ask(void *context)
{
    struct ml_pump *p = context;
    if (p->progress(p->context)) {
        p->pause_ns = SHORTEST_NS;
    } else {
        if (p->alone)
            return;
        p->pause_ns += p->pause_ns / 4;
        if (p->pause_ns > LONGEST_NS)
            p->pause_ns = LONGEST_NS;
    }
    ml_timer_set_in(p->timer, p->pause_ns);
}

struct ml_pump *ml_pump_open(struct ml_loop *loop, bool (*progress)(void *context), void *context,
                             bool alone)
{
    struct ml_pump *p = ml_alloc(sizeof *p);
    *p = (struct ml_pump){
        .progress = progress, .context = context, .alone = alone, .pause_ns = SHORTEST_NS};
    p->timer = ml_loop_timer(loop, ask, p);
    ml_pump_wake(p);
    return p;
}

void ml_pump_wake(struct ml_pump *p)
{
    p->pause_ns = SHORTEST_NS;
    ml_timer_set_in(p->timer, 0);
}

void ml_pump_close(struct ml_pump *p)
{
    if (!p)
        return;
    ml_timer_stop(p->timer);
    free(p);
}
