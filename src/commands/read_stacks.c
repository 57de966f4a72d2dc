/* memlog read --pstack: which stacks. */
#include "commands/read.h"

enum ml_status ml_read_stacks(struct ml_run *run, const struct ml_facts *facts,
                              const struct ml_read_request *r, struct ml_stacks *out_stacks,
                              int64_t *out_at_ns, struct ml_error *err)
{
    enum ml_status status = ml_command_moment(r->wish.at, facts->origin_wall_ns,
                                              facts->total.peak.time_ns, out_at_ns, err);
    if (!status)
        status =
            ml_stacks_load(run, facts->processes, facts->n_processes, &r->choice, out_stacks, err);
    if (!status && r->wish.at)
        ml_stacks_nearest(out_stacks, *out_at_ns);
    return status;
}
