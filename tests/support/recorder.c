#include "recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int ok, const char *rule, int process)
{
    if (!ok) {
        fprintf(stderr, "process %d: %s\n", process, rule);
        abort();
    }
}

static struct recorded_process *get(struct recorder *r, int process)
{
    must(process >= 0 && process < RECORDER_MAX, "number out of range", process);
    if (process >= r->n)
        r->n = process + 1;
    return &r->processes[process];
}

static void on_started(void *context, const struct ml_process_row *row)
{
    struct recorder *r = context;
    must(row->process <= r->n, "numbers are not given in order", row->process);
    struct recorded_process *p = get(r, row->process);
    must(p->n_ended == 0, "started after its end", row->process);
    must(p->n_started == 0 || strcmp(p->name, row->name) != 0 || p->row.rank != row->rank,
         "started again without a change", row->process);
    p->row = *row;
    snprintf(p->name, sizeof p->name, "%s", row->name);
    p->row.name = p->name;
    p->n_started++;
}

static void on_sampled(void *context, const struct ml_sample_row *row)
{
    struct recorder *r = context;
    struct recorded_process *p = get(r, row->process);
    must(p->n_started > 0, "sampled before its start", row->process);
    must(p->n_ended == 0, "sampled after its end", row->process);
    must(row->rss_B > 0, "a sample without memory", row->process);
    must(row->rank == p->row.rank, "a sample with another rank", row->process);
    must(p->n_samples == 0 || row->time_ns - p->last.time_ns >= 10 * ML_NS_PER_S ||
             !ml_row_equal(&ml_table_samples, row, &p->last, 4),
         "a row that did not change", row->process);
    must(row->tick == r->tick, "a sample of another tick", row->process);
    p->last = *row;
    p->n_samples++;
    if (row->rss_B > p->largest_rss_B)
        p->largest_rss_B = row->rss_B;
}

static void on_ended(void *context, int process, int64_t time_ns)
{
    struct recorded_process *p = get(context, process);
    must(p->n_started > 0, "ended before its start", process);
    must(p->n_ended == 0, "ended twice", process);
    p->n_ended++;
    p->end_ns = time_ns;
}

void recorder_tick(struct recorder *recorder, struct ml_probe *probe, int64_t now_ns)
{
    const struct ml_probe_sink sink = {recorder, on_started, on_sampled, on_ended};
    recorder->tick++;
    ml_row_clear(&ml_table_node_samples, &recorder->node);
    ml_probe_tick(probe, recorder->tick, (struct ml_mono){now_ns}, &sink, &recorder->node);
}

struct recorded_process *recorder_find(struct recorder *recorder, pid_t pid)
{
    for (int i = recorder->n; i-- > 0;) {
        if (recorder->processes[i].n_started && recorder->processes[i].row.pid == pid)
            return &recorder->processes[i];
    }
    return NULL;
}
