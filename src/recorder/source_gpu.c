/* The memory of GPUs, each second. Where the node has none, nothing is done. */
#include "recorder/source_gpu.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "gpu/gpu.h"
#include "orders/gpu_link.h"
#include "recorder/event.h"
#include "recorder/gpu_watch.h"
#include "recorder/helpers.h"
#include "recorder/source_processes.h"

#include <stdlib.h>

/* Between two looks there are so many times the CPU time of one; where a rate was asked for, it
 * holds up to half of a core. */
enum { PAUSE_UNASKED = 1000, PAUSE_ASKED = 1 };

/* An answer that the run's end cut off is missed when it was due for so long. */
#define UNANSWERED_NS (2 * ML_NS_PER_S)

struct ml_gpu_source {
    struct ml_gpus *gpus;
    struct ml_gpu_watch *watch;
    struct ml_gpu_choices *choices;
    struct ml_gpu_link *link; /* to who asks NVML; NULL: nobody does */
    struct ml_probe *probe;
    struct ml_journal *journal;
    int node;
    int64_t period_ns, due_ns, now_ns;
    int64_t pause;     /* in costs of a look */
    int64_t server_ns; /* CPU time of the server's last look */
    int64_t began_ns;  /* the ticks; 0: not yet */
    int64_t asked_ns;  /* when it was asked last */
    bool ready;        /* all devices are told */
    bool answered;     /* it has looked, and no tick has seen that yet */
    int64_t *errors;   /* [n_errors] by GPU: last seen, or -1 */
    size_t n_errors, error_capacity;
    size_t n_described;                          /* devices that the journal knows */
    struct ml_buffer devices, processes, chosen; /* packed rows */
};

/* ---- devices ---- */

static void describe(struct ml_gpu_source *s)
{
    for (; s->began_ns && s->n_described < ml_gpus_count(s->gpus); s->n_described++) {
        struct ml_gpu_row row;
        ml_gpus_describe(s->gpus, s->n_described, s->node, &row);
        ml_journal_row(s->journal, ML_FRAME_GPUS, ml_mono_now().ns, &ml_table_gpus, &row);
        ml_gpu_watch_size(s->watch, row.gpu, row.memory_B);
    }
}

/* ---- what the GPU server says ---- */

static void on_device(void *context, const struct ml_gpu_told_device *device)
{
    struct ml_gpu_source *s = context;
    ml_gpus_add_told(s->gpus, device);
}

static void on_ready(void *context)
{
    struct ml_gpu_source *s = context;
    s->ready = true;
    describe(s);
    s->due_ns = 0;
}

static void on_sample(void *context, const struct ml_gpu_told_sample *sample)
{
    struct ml_gpu_source *s = context;
    ml_gpus_told(s->gpus, sample);
}

static void on_looked(void *context, int64_t took_ns)
{
    struct ml_gpu_source *s = context;
    s->server_ns = took_ns;
    s->answered = true;
}

static void note(struct ml_gpu_source *s, enum ml_log_level level, const char *text)
{
    ml_log(level, "%s", text);
    ml_event_put(s->journal, s->node, ml_mono_now().ns, -1, ML_EVENT_NOTE, 0, text);
}

static void on_lost(void *context, bool hurt, const char *why)
{
    struct ml_gpu_source *s = context;
    ML_AUTO_FREE char *text =
        ml_format(hurt ? "%s; from now on nothing of NVIDIA's GPUs is recorded"
                       : "the memory of NVIDIA's GPUs is not seen: %s",
                  why);
    note(s, hurt ? ML_LOG_WARNING : ML_LOG_NOTICE, text);
    ml_gpus_nvml_lost(s->gpus, s->ready);
    describe(s);
    s->server_ns = 0;
    s->answered = true; /* that it is not known any more */
}

void ml_gpu_source_server_started(struct ml_gpu_source *s, pid_t pid)
{
    if (s && s->link)
        ml_gpu_link_started(s->link, pid);
}

/* ---- life ---- */

static void open_link(struct ml_gpu_source *s, const struct ml_source_setup *setup)
{
    const struct ml_gpu_link_events events = {s,         on_device, on_ready,
                                              on_sample, on_looked, on_lost};
    struct ml_error err;
    if (ml_gpu_link_open(setup->loop, setup->starter, ML_HELPER_GPUS, &ml_gpu_patience, &events,
                         &s->link, &err) != ML_OK)
        on_lost(s, true, err.text);
}

static enum ml_status open_gpu(const struct ml_source_setup *setup, void **out_state,
                               struct ml_error *err)
{
    (void)err;
    const struct ml_options *o = setup->options;
    struct ml_gpus *gpus = o->no_gpu ? NULL : ml_gpus_open("/proc", "/sys/class");
    if (!gpus)
        return ML_OK;
    struct ml_gpu_source *s = ml_alloc(sizeof *s);
    *s = (struct ml_gpu_source){.gpus = gpus,
                                .watch = ml_gpu_watch_open(),
                                .choices = ml_gpu_choices_new(),
                                .probe = ml_process_source_probe(setup->sources->processes),
                                .journal = setup->journal,
                                .node = setup->node,
                                .period_ns = o->gpu_rate_ns,
                                .pause = ml_options_given(o, &o->gpu_rate_ns) ? PAUSE_ASKED
                                                                              : PAUSE_UNASKED};
    if (ml_gpus_want_nvml(gpus))
        open_link(s, setup);
    setup->sources->gpu = s;
    setup->sources->gpus = s->watch;
    *out_state = s;
    return ML_OK;
}

static void start(void *state)
{
    struct ml_gpu_source *s = state;
    s->began_ns = ml_mono_now().ns;
    describe(s);
}

/* ---- a look ---- */

static void look(void *context, const struct ml_probe_process *p)
{
    struct ml_gpu_source *s = context;
    ml_gpus_look(s->gpus, p->number, p->pid);
}

/* Errors that ECC could not correct, since the tick before. */
static void note_errors(struct ml_gpu_source *s, size_t gpu, int64_t errors)
{
    while (s->n_errors <= gpu) {
        ML_GROW(s->errors, s->n_errors, s->error_capacity);
        s->errors[s->n_errors++] = ML_NOT_MEASURED;
    }
    int64_t before = s->errors[gpu];
    if (errors >= 0)
        s->errors[gpu] = errors;
    if (before < 0 || errors <= before)
        return;
    ML_AUTO_FREE char *text = ml_format("GPU %zu had errors of its memory that ECC could not "
                                        "correct: %lld more",
                                        gpu, (long long)(errors - before));
    note(s, ML_LOG_WARNING, text);
}

static void tell_device(void *context, int gpu, int64_t used_B, int32_t utilisation,
                        int64_t ecc_errors)
{
    struct ml_gpu_source *s = context;
    struct ml_gpu_sample_row row = {s->now_ns, s->node, gpu, used_B, utilisation, ecc_errors};
    ml_row_pack(&ml_table_gpu_samples, &row, &s->devices);
    note_errors(s, (size_t)gpu, ecc_errors);
    ml_gpu_watch_device(s->watch, gpu, used_B);
}

static void tell_process(void *context, int process, int gpu, int64_t used_B, int64_t host_B)
{
    struct ml_gpu_source *s = context;
    struct ml_gpu_process_sample_row row = {s->now_ns, process, gpu, used_B, host_B};
    ml_row_pack(&ml_table_gpu_process_samples, &row, &s->processes);
    ml_gpu_watch_process(s->watch, process, gpu, used_B);
}

static void tell_choice(void *context, int process, int gpu, const char *variable,
                        const char *value)
{
    struct ml_gpu_source *s = context;
    struct ml_gpu_choice_row row = {s->now_ns, process, gpu, variable, value};
    ml_row_pack(&ml_table_gpu_choices, &row, &s->chosen);
}

static void look_at_choices(void *context, const struct ml_probe_process *p)
{
    struct ml_gpu_source *s = context;
    ml_gpu_choices_look(s->choices, s->gpus, p->number, p->pid, s->now_ns, s->period_ns,
                        tell_choice, s);
}

static void write_rows(struct ml_gpu_source *s, enum ml_frame_type type, struct ml_buffer *rows)
{
    ml_journal_packed(s->journal, type, s->now_ns, rows->data, rows->length);
    ml_buffer_clear(rows);
}

static int64_t cpu_ns(void)
{
    return ml_clock_read(CLOCK_THREAD_CPUTIME_ID);
}

/* Returns the CPU time that it took. */
static int64_t look_at_all(struct ml_gpu_source *s, int64_t now_ns)
{
    const struct ml_gpu_sink sink = {s, tell_device, tell_process};
    int64_t began_ns = cpu_ns();
    s->now_ns = now_ns;
    s->answered = false;
    ml_gpus_begin(s->gpus);
    ml_probe_each(s->probe, look, s);
    ml_gpus_end(s->gpus, &sink);
    write_rows(s, ML_FRAME_GPU_SAMPLES, &s->devices);
    write_rows(s, ML_FRAME_GPU_PROCESS_SAMPLES, &s->processes);
    ml_gpu_watch_looked(s->watch, now_ns);
    return cpu_ns() - began_ns;
}

/* Likewise. */
static int64_t look_for_choices(struct ml_gpu_source *s)
{
    int64_t began_ns = cpu_ns();
    ml_probe_each(s->probe, look_at_choices, s);
    ml_gpu_choices_forget(s->choices);
    write_rows(s, ML_FRAME_GPU_CHOICES, &s->chosen);
    return cpu_ns() - began_ns;
}

/* The server's answer is seen as soon as it is there. */
static void tick(void *state, struct ml_tick *t)
{
    struct ml_gpu_source *s = state;
    bool due = t->now.ns >= s->due_ns;
    if (!due && !s->answered)
        return;
    int64_t cost_ns = look_at_all(s, t->now.ns) + s->server_ns;
    if (!due)
        return;
    cost_ns += look_for_choices(s);
    if (s->link && ml_gpu_link_idle(s->link)) {
        ml_gpu_link_look(s->link);
        s->asked_ns = t->now.ns;
    }
    int64_t pause_ns = s->pause * cost_ns;
    s->due_ns = t->now.ns + (pause_ns > s->period_ns ? pause_ns : s->period_ns);
}

static bool news(const void *state)
{
    const struct ml_gpu_source *s = state;
    return s->answered;
}

/* What the end of the run cut short. */
static void tell_unanswered(struct ml_gpu_source *s)
{
    bool begins = ml_gpu_link_begins(s->link);
    int64_t waited_ns = ml_mono_now().ns - (begins ? s->began_ns : s->asked_ns);
    if (!begins && (!ml_gpu_link_asked(s->link) || waited_ns < UNANSWERED_NS))
        return;
    ML_AUTO_FREE char *text =
        ml_format("NVML had not answered for %.3g s, when the run ended; %s",
                  (double)waited_ns / (double)ML_NS_PER_S,
                  begins ? "the memory of NVIDIA's GPUs is not recorded"
                         : "what NVIDIA's GPUs had in that time is not recorded");
    note(s, ML_LOG_NOTICE, text);
}

static void stop(void *state, struct ml_node_row *row)
{
    struct ml_gpu_source *s = state;
    (void)row;
    if (!s->link)
        return;
    tell_unanswered(s);
    if (ml_gpu_link_begins(s->link))
        ml_gpus_nvml_lost(s->gpus, false);
    describe(s);
    ml_gpu_link_close(s->link);
    s->link = NULL;
}

static void summarize(const void *state, const struct ml_node_sample_row *last,
                      struct ml_summary *summary)
{
    const struct ml_gpu_source *s = state;
    (void)last;
    summary->gpu_B = ml_gpu_watch_total(s->watch);
}

static void close_gpu(void *state)
{
    struct ml_gpu_source *s = state;
    ml_gpu_link_close(s->link);
    ml_gpus_close(s->gpus);
    ml_gpu_watch_close(s->watch);
    ml_buffer_free(&s->devices);
    ml_buffer_free(&s->processes);
    ml_buffer_free(&s->chosen);
    ml_gpu_choices_free(s->choices);
    free(s->errors);
    free(s);
}

const struct ml_source ml_source_gpu = {
    .name = "gpu",
    .open = open_gpu,
    .start = start,
    .tick = tick,
    .news = news,
    .stop = stop,
    .summarize = summarize,
    .close = close_gpu,
};
