#include "recorder/source_joined.h"

#include "base/memory.h"
#include "recorder/source_processes.h"

#include <stdlib.h>

struct ml_joined {
    const struct ml_probe *probe;
    void (*gone)(void *context);
    void *context;
};

static enum ml_status open_joined(const struct ml_source_setup *setup, void **out_state,
                                  struct ml_error *err)
{
    (void)err;
    if (!setup->join)
        return ML_OK;
    struct ml_joined *s = ml_alloc(sizeof *s);
    s->probe = ml_process_source_probe(setup->sources->processes);
    *out_state = setup->sources->joined = s;
    return ML_OK;
}

void ml_joined_await(struct ml_joined *s, void (*gone)(void *context), void *context)
{
    if (!s)
        return;
    s->gone = gone;
    s->context = context;
}

static void count_rank(void *context, const struct ml_probe_process *p)
{
    int *n = context;
    *n += p->is_rank;
}

int ml_joined_count_ranks(const struct ml_joined *s)
{
    int n = 0;
    ml_probe_each(s->probe, count_rank, &n);
    return n;
}

static void react(void *state, const struct ml_tick *tick)
{
    struct ml_joined *s = state;
    (void)tick;
    if (s->gone && ml_probe_n_alive(s->probe) == 0)
        s->gone(s->context);
}

const struct ml_source ml_source_joined = {
    .name = "joined",
    .open = open_joined,
    .react = react,
    .close = free,
};
