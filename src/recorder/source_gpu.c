/* The memory of GPUs, each second. Where the node has none, nothing is done. */
#include "base/memory.h"
#include "base/pack.h"
#include "gpu/gpu.h"
#include "recorder/source_processes.h"

#include <stdlib.h>
#include <time.h>

/* Between two looks there are so many times the CPU time of one; where a rate was asked for, it
 * holds up to half of a core. */
enum { PAUSE_UNASKED = 1000, PAUSE_ASKED = 1 };

struct source {
    struct ml_gpus *gpus;
    struct ml_probe *probe;
    struct ml_journal *journal;
    int node;
    int64_t period_ns, due_ns, now_ns;
    int64_t pause;                       /* in costs of a look */
    struct ml_buffer devices, processes; /* packed rows */
};

static enum ml_status open_gpu(const struct ml_source_setup *setup, void **out_state,
                               struct ml_error *err)
{
    (void)err;
    const struct ml_options *o = setup->options;
    struct ml_gpus *gpus = o->no_gpu ? NULL : ml_gpus_open("/proc", "/sys/class");
    if (!gpus)
        return ML_OK;
    struct source *s = ml_alloc(sizeof *s);
    *s = (struct source){.gpus = gpus,
                         .probe = ml_process_source_probe(setup->sources->processes),
                         .journal = setup->journal,
                         .node = setup->node,
                         .period_ns = o->gpu_rate_ns,
                         .pause =
                             ml_options_given(o, &o->gpu_rate_ns) ? PAUSE_ASKED : PAUSE_UNASKED};
    *out_state = s;
    return ML_OK;
}

static void start(void *state)
{
    struct source *s = state;
    for (size_t i = 0; i < ml_gpus_count(s->gpus); i++) {
        struct ml_gpu_row row;
        ml_gpus_describe(s->gpus, i, s->node, &row);
        ml_journal_row(s->journal, ML_FRAME_GPUS, ml_mono_now().ns, &ml_table_gpus, &row);
    }
}

static void look(void *context, const struct ml_probe_process *p)
{
    struct source *s = context;
    ml_gpus_look(s->gpus, p->number, p->pid);
}

static void tell_device(void *context, int gpu, int64_t used_B, int32_t utilisation)
{
    struct source *s = context;
    struct ml_gpu_sample_row row = {s->now_ns, s->node, gpu, used_B, utilisation};
    ml_row_pack(&ml_table_gpu_samples, &row, &s->devices);
}

static void tell_process(void *context, int process, int gpu, int64_t used_B, int64_t host_B)
{
    struct source *s = context;
    struct ml_gpu_process_sample_row row = {s->now_ns, process, gpu, used_B, host_B};
    ml_row_pack(&ml_table_gpu_process_samples, &row, &s->processes);
}

static void write_rows(struct source *s, enum ml_frame_type type, struct ml_buffer *rows)
{
    ml_journal_packed(s->journal, type, s->now_ns, rows->data, rows->length);
    ml_buffer_clear(rows);
}

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * ML_NS_PER_S + t.tv_nsec;
}

static void tick(void *state, struct ml_tick *t)
{
    struct source *s = state;
    const struct ml_gpu_sink sink = {s, tell_device, tell_process};
    if (t->now.ns < s->due_ns)
        return;
    int64_t began_ns = cpu_ns();
    s->now_ns = t->now.ns;
    ml_gpus_begin(s->gpus);
    ml_probe_each(s->probe, look, s);
    ml_gpus_end(s->gpus, &sink);
    write_rows(s, ML_FRAME_GPU_SAMPLES, &s->devices);
    write_rows(s, ML_FRAME_GPU_PROCESS_SAMPLES, &s->processes);
    int64_t pause_ns = s->pause * (cpu_ns() - began_ns);
    s->due_ns = t->now.ns + (pause_ns > s->period_ns ? pause_ns : s->period_ns);
}

static void close_gpu(void *state)
{
    struct source *s = state;
    ml_gpus_close(s->gpus);
    ml_buffer_free(&s->devices);
    ml_buffer_free(&s->processes);
    free(s);
}

const struct ml_source ml_source_gpu = {
    .name = "gpu",
    .open = open_gpu,
    .start = start,
    .tick = tick,
    .close = close_gpu,
};
