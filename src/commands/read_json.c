/* memlog read --json. */
#include "commands/read.h"
#include "report/json.h"

/* JSON has all lines of output in one list. The report gathers lines under the rows of its history
 * of memory; here that history has a single row, so that all of them stand under it. */
static enum ml_status gather_output(struct ml_run *run, const struct ml_read_request *r,
                                    struct ml_output *out_output, struct ml_error *err)
{
    struct ml_history_row row = {0};
    struct ml_history one = {.rows = &row, .n_rows = 1};
    struct ml_output_choice choice = {r->choice.ranks, r->choice.since_ns, r->choice.until_ns, 0};
    return ml_output_gather(run, &one, &choice, out_output, err);
}

enum ml_status ml_read_json(struct ml_run *run, const struct ml_read_request *request,
                            struct ml_buffer *out, struct ml_error *err)
{
    const struct ml_read_request *r = request;
    struct ml_facts facts;
    struct ml_stacks stacks = {0};
    int64_t at_ns;
    struct ml_output output = {0};
    struct ml_mpi_sums mpi = {0};
    struct ml_death_report death = {.process = -1};
    struct ml_read_heap heap = {0};
    struct ml_facts_range range = {r->choice.since_ns, r->choice.until_ns, r->all ? 0 : r->rows,
                                   r->every_ns, r->separate};
    enum ml_status status = ml_facts_gather(run, &range, &facts, err);
    if (status)
        return status;
    status = ml_death_gather(run, &facts, &death, err);
    if (!status && r->pstack)
        status = ml_read_stacks(run, &facts, r, &stacks, &at_ns, err);
    if (!status && r->output)
        status = gather_output(run, r, &output, err);
    if (!status && r->mpi)
        status = ml_mpi_sums_gather(run, &facts, &mpi, err);
    if (!status && r->heap)
        status = ml_read_heap(run, &facts, r, &heap, err);
    struct ml_json_parts parts = {
        .facts = &facts,
        .death = &death,
        .name = r->name,
        .by_node = r->separate,
        .stacks = r->pstack ? &stacks : NULL,
        .output = r->output ? &output : NULL,
        .mpi = r->mpi ? &mpi : NULL,
        .heap = r->heap ? &heap.profile : NULL,
        .heap_choice = &heap.choice,
        .heap_budget = &heap.budget,
    };
    if (!status)
        status = ml_report_json(&parts, out, err);
    ml_heap_profile_free(&heap.profile);
    ml_death_free(&death);
    ml_mpi_sums_free(&mpi);
    ml_output_free(&output);
    ml_stacks_free(&stacks);
    ml_facts_free(&facts);
    return status;
}
