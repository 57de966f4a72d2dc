#include "recorder/job.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/pack.h"
#include "recorder/live.h"
#include "verdict/alarm.h"
#include "verdict/ending.h"

#include <stdlib.h>

#define EPOCH_NS ML_NS_PER_S
#define LOOK_NS (50 * ML_NS_PER_MS) /* at who has not answered an alarm */
#define ANSWERS_NS (2 * ML_NS_PER_S)

enum {
    ALARM = 1, /* a rank failed, and everybody ends theirs: see verdict/alarm.h */
    ENDING,    /* see verdict/ending.h */
};

struct ml_job {
    struct ml_job_setup setup;
    struct ml_job_events events;
    struct ml_epochs *epochs;
    struct ml_ending *end;
    struct ml_alarm *alarm;
    struct ml_timer *timer, *look, *answers;
    struct ml_live *live;  /* at the root, where it is shown */
    struct ml_verdict own; /* the first failure here */
    bool node_done;
    bool over, finished; /* all nodes are done; and no alarm is under way */
};

static bool is_root(const struct ml_job *j)
{
    return j->setup.place->host == j->setup.place->root_host;
}

static int64_t root_clock(const struct ml_job *j)
{
    return ml_mono_now().ns + j->setup.clock_offset_ns;
}

static void send(struct ml_job *j, int to, int what)
{
    struct ml_buffer message = {0};
    ml_pack_int(&message, what);
    ml_exchange_send(j->setup.exchange, to, ML_EXCHANGE_JOB, message.data, message.length);
    ml_buffer_free(&message);
}

static void send_ending(void *context, int to, const struct ml_buffer *bytes)
{
    struct ml_job *j = context;
    struct ml_buffer message = {0};
    ml_pack_int(&message, ENDING);
    ml_buffer_append(&message, bytes->data, bytes->length);
    ml_exchange_send(j->setup.exchange, to, ML_EXCHANGE_JOB, message.data, message.length);
    ml_buffer_free(&message);
}

static void gathered(void *context, const struct ml_job_sample_row *job)
{
    struct ml_job *j = context;
    struct ml_job_sample_row row = *job;
    if (j->finished)
        return;
    row.time_ns = ml_mono_now().ns;
    ml_journal_row(ml_sampler_journal(j->setup.sampler), ML_FRAME_JOB_SAMPLE, row.time_ns,
                   &ml_table_job_samples, &row);
    if (j->live)
        ml_live_show(j->live, &row, row.time_ns - j->setup.origin_ns, j->setup.place->layout.nodes);
}

static void contribute(void *context)
{
    struct ml_job *j = context;
    struct ml_summary summary;
    ml_sampler_summary(j->setup.sampler, &summary);
    summary.ranks = j->events.count_ranks(j->events.context);
    struct ml_job_sample_row node =
        ml_memory_of_one_node(j->setup.place->node_of_host[j->setup.place->host], &summary);
    ml_epochs_contribute(j->epochs, &node);
    if (!j->node_done)
        ml_timer_set_in(j->timer, EPOCH_NS);
}

static void leave(void *context)
{
    struct ml_job *j = context;
    j->finished = true;
    ml_timer_off(j->look);
    ml_timer_off(j->answers);
    j->events.finish(j->events.context);
}

/* Messages of the alarm that are still under way when all ends would have nobody to hear them. */
static void check_finished(struct ml_job *j)
{
    if (j->over && !j->finished && ml_alarm_is_quiet(j->alarm))
        leave(j);
}

/* A member that was told in another's place may have left before it heard so: nobody waits long for
 * its answer. */
static void finish(void *context)
{
    struct ml_job *j = context;
    j->over = true;
    ml_timer_set_in(j->answers, ANSWERS_NS);
    check_finished(j);
}

static void reopened(void *context)
{
    struct ml_job *j = context;
    j->node_done = false;
    ml_timer_set_in(j->timer, EPOCH_NS);
    j->events.reopened(j->events.context);
}

static void send_alarm(void *context, int to)
{
    send(context, to, ALARM);
}

/* Looks are by our own time: were we stopped meanwhile, it is not the others who were silent. */
static void look(void *context)
{
    struct ml_job *j = context;
    if (ml_alarm_look(j->alarm))
        ml_timer_set_in(j->look, LOOK_NS);
}

static void alarmed(void *context)
{
    struct ml_job *j = context;
    ml_timer_set_in(j->look, LOOK_NS);
    j->events.end_ranks(j->events.context);
}

enum ml_status ml_job_open(struct ml_loop *loop, const struct ml_job_setup *setup,
                           const struct ml_job_events *events, struct ml_job **out_job,
                           struct ml_error *err)
{
    struct ml_job *j = ml_alloc(sizeof *j);
    *j = (struct ml_job){.setup = *setup, .events = *events};
    enum ml_status status = ml_epochs_open(setup->place->samplers, setup->place->root_host,
                                           gathered, j, &j->epochs, err);
    if (status != ML_OK) {
        free(j);
        return status;
    }
    struct ml_ending_events ending = {j, send_ending, finish, reopened};
    j->end =
        ml_ending_open(setup->place->n_hosts, setup->place->root_host, setup->place->host, &ending);
    struct ml_alarm_events alarm = {j, send_alarm, alarmed};
    j->alarm =
        ml_alarm_open(setup->place->n_hosts, setup->place->root_host, setup->place->host, &alarm);
    if (is_root(j))
        j->live = ml_live_open(setup->options);
    j->timer = ml_loop_timer(loop, contribute, j);
    ml_timer_set_in(j->timer, EPOCH_NS);
    j->look = ml_loop_timer(loop, look, j);
    j->answers = ml_loop_timer(loop, leave, j);
    *out_job = j;
    return ML_OK;
}

void ml_job_failure(struct ml_job *j, const struct ml_verdict *verdict)
{
    if (j->own.cause != ML_CAUSE_NONE || j->finished)
        return;
    ml_verdict_merge(&j->own, verdict);
    j->own.time_ns = root_clock(j);
    send(j, j->setup.place->host, ALARM);
}

void ml_job_refused(struct ml_job *j, int code)
{
    ml_verdict_merge(&j->own, &(struct ml_verdict){.cause = ML_CAUSE_NONE, .refused = code});
}

void ml_job_node_done(struct ml_job *j)
{
    if (j->node_done)
        return;
    j->node_done = true;
    ml_timer_off(j->timer);
    ml_ending_done(j->end, &j->own, ml_epochs_count(j->epochs));
}

void ml_job_node_reopen(struct ml_job *j)
{
    if (j->node_done)
        ml_ending_reopen(j->end);
    else
        j->events.reopened(j->events.context);
}

void ml_job_received(struct ml_job *j, int from, const void *bytes, size_t n)
{
    struct ml_unpacker u = ml_unpack(bytes, n);
    int64_t what = ml_unpack_int(&u);
    if (what == ENDING)
        ml_ending_received(j->end, from, &u);
    else if (what == ALARM && from == j->setup.place->host)
        ml_alarm_ring(j->alarm);
    else if (what == ALARM)
        ml_alarm_received(j->alarm, from);
    check_finished(j);
}

bool ml_job_progress(struct ml_job *j)
{
    return ml_epochs_progress(j->epochs);
}

const struct ml_verdict *ml_job_verdict(const struct ml_job *j)
{
    return ml_ending_verdict(j->end);
}

void ml_job_stop(struct ml_job *j)
{
    ml_timer_off(j->timer);
    ml_epochs_close(j->epochs, ml_ending_epochs(j->end));
    j->epochs = NULL;
    ml_live_close(j->live);
    j->live = NULL;
}

void ml_job_close(struct ml_job *j)
{
    if (!j)
        return;
    ml_timer_stop(j->timer);
    ml_timer_stop(j->look);
    ml_timer_stop(j->answers);
    ml_live_close(j->live);
    ml_alarm_close(j->alarm);
    ml_ending_close(j->end);
    free(j);
}
