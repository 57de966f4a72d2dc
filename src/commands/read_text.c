/* memlog read: the report for people. */
#include "commands/read.h"
#include "report/gpu_choices.h"
#include "report/heap.h"
#include "report/mpi.h"
#include "report/report.h"
#include "report/stacks.h"
#include "report/under.h"

#define MOMENTS 12 /* whose stacks are shown, unless --all */
#define LINES 4    /* of output under a row, unless --all */

static enum ml_status add_header(struct ml_run *run, const struct ml_facts *facts,
                                 const struct ml_read_request *r, const struct ml_style *style,
                                 struct ml_buffer *out, struct ml_error *err)
{
    struct ml_death_report death;
    enum ml_status status = ml_death_gather(run, facts, &death, err);
    if (!status)
        ml_report_header(facts, &death, r->name, style, out);
    ml_death_free(&death);
    return status;
}

static void add_tables(const struct ml_facts *facts, const struct ml_read_request *r,
                       const struct ml_style *style, struct ml_buffer *out)
{
    ml_report_summary(facts, style, out);
    if ((r->pstack || r->output || r->heap) && !r->ranks)
        return;
    ml_report_nodes(facts, r->ranks, style, out);
    ml_report_ranks(facts, r->ranks, style, out);
    ml_report_gpu(facts, r->ranks, style, out);
}

static enum ml_status add_gpu_choices(struct ml_run *run, const struct ml_facts *facts,
                                      const struct ml_read_request *r, const struct ml_style *style,
                                      struct ml_buffer *out, struct ml_error *err)
{
    if ((r->pstack || r->output || r->heap) && !r->ranks)
        return ML_OK;
    return ml_report_gpu_choices(run, facts, style, out, err);
}

static enum ml_status add_mpi(struct ml_run *run, const struct ml_facts *facts,
                              const struct ml_read_request *r, const struct ml_style *style,
                              struct ml_buffer *out, struct ml_error *err)
{
    struct ml_mpi_sums sums;
    if ((r->pstack || r->output || r->heap) && !r->mpi)
        return ML_OK;
    enum ml_status status = ml_mpi_sums_gather(run, facts, &sums, err);
    if (status)
        return status;
    if (!r->mpi || !ml_report_no_mpi(&sums, out))
        ml_report_mpi(&sums, r->mpi, style, out);
    ml_mpi_sums_free(&sums);
    return ML_OK;
}

static enum ml_status gather_output(struct ml_run *run, const struct ml_under *under,
                                    const struct ml_read_request *r, struct ml_output *out_output,
                                    struct ml_error *err)
{
    struct ml_output_choice choice = {r->choice.ranks, r->choice.since_ns, r->choice.until_ns,
                                      r->all ? 0 : LINES};
    return ml_output_gather(run, &under->history, &choice, out_output, err);
}

/* Memory over time with the stacks (where there are some) and the output under it. */
static enum ml_status add_memory(struct ml_run *run, const struct ml_facts *facts,
                                 const struct ml_stacks *stacks, const struct ml_read_request *r,
                                 const struct ml_style *style, struct ml_buffer *out,
                                 struct ml_error *err)
{
    struct ml_moments moments = {0};
    struct ml_output output = {0};
    struct ml_under under;
    enum ml_status status = ML_OK;
    if (stacks)
        status = ml_moments_gather(run, facts, stacks, r->all ? 0 : MOMENTS, &moments, err);
    ml_under_init(&under, &facts->total, &moments);
    if (!status && r->output)
        status = gather_output(run, &under, r, &output, err);
    if (!status) {
        struct ml_under_what what = {stacks, &moments, r->output ? &output : NULL, r->all};
        ml_report_under(facts, &under, &what, style, out);
        if (r->output)
            ml_output_none(&output, style, out);
    }
    ml_under_free(&under);
    ml_output_free(&output);
    ml_moments_free(&moments);
    return status;
}

static enum ml_status add_stacks(struct ml_run *run, const struct ml_facts *facts,
                                 const struct ml_read_request *r, const struct ml_style *style,
                                 struct ml_buffer *out, struct ml_error *err)
{
    struct ml_stacks stacks;
    int64_t at_ns;
    enum ml_status status = ml_read_stacks(run, facts, r, &stacks, &at_ns, err);
    if (status)
        return status;
    bool below = stacks.n_samples > 0 && !r->tree && !r->wish.at;
    if (r->output || below)
        status = add_memory(run, facts, below ? &stacks : NULL, r, style, out, err);
    if (!status && !ml_report_no_stacks(&stacks, facts, style, out)) {
        if (r->wish.at && !r->tree)
            ml_report_nearest(facts, &stacks, at_ns, r->all, style, out);
        if (r->tree)
            ml_report_stack_tree(&stacks, r->all, style, out);
    }
    ml_stacks_free(&stacks);
    return status;
}

enum ml_status ml_read_heap(struct ml_run *run, const struct ml_facts *facts,
                            const struct ml_read_request *r, struct ml_read_heap *out_heap,
                            struct ml_error *err)
{
    struct ml_leak_parts parts;
    struct ml_heap_choice *choice = &out_heap->choice;
    enum ml_status status = ml_command_heap_choice(run, facts, &r->wish, &parts, choice, err);
    if (status)
        return status;
    choice->ranks = r->choice.ranks;
    status =
        ml_heap_load(run, facts->processes, facts->n_processes, choice, &out_heap->profile, err);
    choice->parts = NULL;
    if (status)
        return status;
    status = ml_heap_budget_load(run, facts->processes, facts->n_processes, choice,
                                 &out_heap->budget, err);
    if (status)
        ml_heap_profile_free(&out_heap->profile);
    return status;
}

static enum ml_status add_heap(struct ml_run *run, const struct ml_facts *facts,
                               const struct ml_read_request *r, const struct ml_style *style,
                               struct ml_buffer *out, struct ml_error *err)
{
    struct ml_read_heap heap;
    enum ml_status status = ml_read_heap(run, facts, r, &heap, err);
    if (status)
        return status;
    struct ml_heap_view view = {&heap.profile, &heap.budget, facts, heap.choice, r->flat, r->all};
    ml_report_heap(&view, style, out);
    ml_heap_profile_free(&heap.profile);
    return ML_OK;
}

enum ml_status ml_read_text(struct ml_run *run, const struct ml_read_request *request,
                            const struct ml_style *style, struct ml_buffer *out,
                            struct ml_error *err)
{
    const struct ml_read_request *r = request;
    struct ml_facts facts;
    struct ml_facts_range range = {r->choice.since_ns, r->choice.until_ns, r->all ? 0 : r->rows,
                                   r->every_ns, r->separate};
    enum ml_status status = ml_facts_gather(run, &range, &facts, err);
    if (status)
        return status;
    status = add_header(run, &facts, r, style, out, err);
    if (!status)
        add_tables(&facts, r, style, out);
    if (!status)
        status = add_gpu_choices(run, &facts, r, style, out, err);
    if (!status)
        status = add_mpi(run, &facts, r, style, out, err);
    if (status)
        goto done;
    if (r->heap)
        status = add_heap(run, &facts, r, style, out, err);
    if (!status && r->pstack)
        status = add_stacks(run, &facts, r, style, out, err);
    else if (!status && (r->output || !r->heap))
        status = add_memory(run, &facts, NULL, r, style, out, err);
    for (size_t i = 0; !status && r->separate && i < facts.n_nodes; i++)
        ml_report_history(&facts, facts.nodes[i].name, &facts.by_node[i].history, style, out);
done:
    ml_facts_free(&facts);
    return status;
}
