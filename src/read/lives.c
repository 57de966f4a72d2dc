#include "read/lives.h"

#include "read/slice.h"

static void see_node_sample(void *context, const void *row)
{
    const struct ml_node_sample_row *r = row;
    ml_lives_see(context, r->node, r->time_ns);
}

static void see_sample(void *context, const void *row)
{
    struct ml_lives *lives = context;
    const struct ml_sample_row *r = row;
    if (r->process >= 0 && (size_t)r->process < lives->n)
        ml_lives_see(lives, lives->node_of[r->process], r->time_ns);
}

/* The run ends with the last sample of a node; where there are none, with that of a process. */
enum ml_status ml_run_lives(struct ml_run *run, const struct ml_process_row *processes, size_t n,
                            const struct ml_node_row *nodes, size_t n_nodes,
                            struct ml_lives *out_lives, struct ml_error *err)
{
    static const char *const wanted[] = {"time_s", "process", NULL};
    struct ml_column columns[2];
    struct ml_table samples;
    struct ml_lives lives;
    ml_lives_open(&lives, processes, n, nodes, n_nodes);
    ml_slice_pick(&ml_table_samples, wanted, columns, &samples);
    enum ml_status status =
        ml_slice_each(run, &ml_table_node_samples, see_node_sample, &lives, err);
    if (!status && lives.end_ns == 0)
        status = ml_slice_each(run, &samples, see_sample, &lives, err);
    if (status) {
        ml_lives_free(&lives);
        return status;
    }
    ml_lives_find(&lives, processes);
    *out_lives = lives;
    return ML_OK;
}
