/* The node itself at each tick. */
#include "probe/node.h"
#include "recorder/source.h"

static enum ml_status open_node(const struct ml_source_setup *setup, void **out_state,
                                struct ml_error *err)
{
    struct ml_node_probe *probe;
    enum ml_status status = ml_node_probe_open("/proc", "/sys/fs/cgroup", &probe, err);
    if (status == ML_OK)
        *out_state = setup->sources->node = probe;
    return status;
}

static void describe(void *state, struct ml_node_row *row)
{
    ml_node_probe_describe(state, row);
}

static void tick(void *state, struct ml_tick *t)
{
    ml_node_probe_tick(state, &t->node);
}

static void summarize(const void *state, const struct ml_node_sample_row *last,
                      struct ml_summary *summary)
{
    (void)state;
    summary->left_B = last->left_B;
}

static void close_node(void *state)
{
    ml_node_probe_close(state);
}

const struct ml_source ml_source_node = {
    .name = "node",
    .open = open_node,
    .describe = describe,
    .tick = tick,
    .summarize = summarize,
    .close = close_node,
};
