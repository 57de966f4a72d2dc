#include "sums/memory.h"

#include <stdbool.h>

static int64_t first_known(int64_t memory_B, int64_t rss_B)
{
    return memory_B >= 0 ? memory_B : rss_B;
}

int64_t ml_memory_of(const struct ml_sample_row *row)
{
    return first_known(row->memory_B, row->rss_B);
}

int64_t ml_memory_of_node(const struct ml_node_sample_row *row)
{
    return first_known(row->memory_B, row->rss_B);
}

int64_t ml_memory_of_job(const struct ml_job_sample_row *row)
{
    return first_known(row->memory_B, row->rss_B);
}

int64_t ml_memory_peak_of(const struct ml_sample_row *row)
{
    int64_t memory_B = ml_memory_of(row);
    bool more = memory_B >= 0 && row->rss_B >= 0 && row->peak_rss_B > row->rss_B;
    return more ? memory_B + (row->peak_rss_B - row->rss_B) : memory_B;
}

int64_t ml_memory_largest(const struct ml_process_row *process, int64_t *out_time_ns)
{
    bool known = process->peak_memory_B >= 0;
    *out_time_ns = known ? process->peak_memory_ns : process->peak_ns;
    return known ? process->peak_memory_B : process->peak_rss_B;
}

void ml_memory_add_process(struct ml_node_sample_row *node, const struct ml_sample_row *row)
{
    int64_t memory_B = ml_memory_of(row);
    if (node->rss_B < 0)
        node->rss_B = 0;
    if (node->memory_B < 0)
        node->memory_B = 0;
    node->rss_B += row->rss_B > 0 ? row->rss_B : 0;
    node->memory_B += memory_B > 0 ? memory_B : 0;
}

struct ml_job_sample_row ml_memory_of_one_node(int node, const struct ml_summary *summary)
{
    const struct ml_summary *s = summary;
    struct ml_job_sample_row job;
    ml_row_clear(&ml_table_job_samples, &job);
    job.ranks = (int32_t)s->ranks;
    job.memory_B = s->memory_B;
    job.memory_error_B = s->memory_error_B > 0 ? s->memory_error_B : 0;
    job.rss_B = s->rss_B;
    job.pss_B = s->pss_B < 0 ? ML_NOT_MEASURED : s->pss_B;
    if (s->largest_rank >= 0) {
        job.largest_rank = (int32_t)s->largest_rank;
        job.largest_memory_B = s->largest_memory_B;
        job.largest_rss_B = s->largest_rss_B;
    }
    if (s->left_B >= 0) {
        job.least_available_B = s->left_B;
        job.least_node = node;
    }
    if (s->gpu_B >= 0)
        job.gpu_B = s->gpu_B;
    return job;
}

void ml_memory_add_part(struct ml_job_sample_row *job, const struct ml_job_sample_row *part)
{
    const struct ml_job_sample_row *p = part;
    job->ranks += p->ranks;
    job->memory_B += p->memory_B;
    job->memory_error_B += p->memory_error_B;
    job->rss_B += p->rss_B;
    job->pss_B = job->pss_B < 0 || p->pss_B < 0 ? ML_NOT_MEASURED : job->pss_B + p->pss_B;
    if (p->largest_memory_B > job->largest_memory_B) {
        job->largest_rank = p->largest_rank;
        job->largest_memory_B = p->largest_memory_B;
        job->largest_rss_B = p->largest_rss_B;
    }
    if (p->least_available_B >= 0 &&
        (job->least_available_B < 0 || p->least_available_B < job->least_available_B)) {
        job->least_available_B = p->least_available_B;
        job->least_node = p->least_node;
    }
    if (p->gpu_B >= 0)
        job->gpu_B = p->gpu_B + (job->gpu_B > 0 ? job->gpu_B : 0);
}
