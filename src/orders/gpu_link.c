#include "orders/gpu_link.h"

#include "base/channel.h"
#include "base/memory.h"
#include "gpu/protocol.h"
#include "orders/silence.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where no daemon keeps the driver awake (nvidia-persistenced), to wake it takes some seconds for
 * each GPU. */
const struct ml_gpu_patience ml_gpu_patience = {120 * ML_NS_PER_S, 30 * ML_NS_PER_S};

/* For who was killed to be gone. */
#define FAREWELL_NS (200 * ML_NS_PER_MS)

struct ml_gpu_link {
    struct ml_loop *loop;
    struct ml_gpu_link_events events;
    struct ml_gpu_patience patience;
    struct ml_channel *channel; /* NULL: no server any more */
    struct ml_timer *look;
    struct ml_silence silence; /* since it was asked, or its last word */
    pid_t pid;
    bool ready, busy, gone;
};

/* Its number may come later than its end. */
static void reap(struct ml_gpu_link *l)
{
    if (l->pid <= 0)
        return;
    kill(l->pid, SIGKILL);
    for (int64_t waited = 0; waited < FAREWELL_NS; waited += ML_NS_PER_MS) {
        if (waitpid(l->pid, NULL, WNOHANG) != 0)
            break;
        usleep(1000);
    }
    l->pid = 0;
}

static void end(struct ml_gpu_link *l, bool hurt, const char *why)
{
    ml_timer_off(l->look);
    ml_channel_close(l->channel);
    l->channel = NULL;
    l->gone = true;
    reap(l);
    l->events.lost(l->events.context, hurt, why);
}

/* ---- its silence ---- */

static void begin_silence(struct ml_gpu_link *l)
{
    l->silence = (struct ml_silence){0};
    if (l->ready && !l->busy)
        ml_timer_off(l->look);
    else
        ml_timer_set_in(l->look, ML_SILENCE_STEP_NS);
}

static void look(void *context)
{
    struct ml_gpu_link *l = context;
    struct ml_doing doing = ml_doing_of(l->pid);
    int64_t patience_ns = l->ready ? l->patience.look_ns : l->patience.begin_ns;
    char why[96];
    ml_silence_add(&l->silence, &doing, ml_mono_now().ns);
    if (l->silence.silent_ns < patience_ns) {
        ml_timer_set_in(l->look, ML_SILENCE_STEP_NS);
        return;
    }
    snprintf(why, sizeof why, "NVML did not answer for %.3g s",
             (double)patience_ns / (double)ML_NS_PER_S);
    end(l, true, why);
}

/* ---- what it says ---- */

static void on_closed(void *context)
{
    end(context, true, "the process that asks NVML died");
}

static void on_device(struct ml_gpu_link *l, struct ml_unpacker *u)
{
    struct ml_gpu_told_device device;
    if (ml_gpu_told_device_unpack(u, &device))
        l->events.device(l->events.context, &device);
}

static void on_sample(struct ml_gpu_link *l, struct ml_unpacker *u)
{
    struct ml_gpu_told_sample sample;
    struct ml_gpu_told_process *processes;
    if (!ml_gpu_told_sample_unpack(u, &sample, &processes))
        return;
    l->events.sample(l->events.context, &sample);
    free(processes);
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct ml_gpu_link *l = context;
    struct ml_unpacker u = ml_unpack(bytes, n);
    if (fd >= 0)
        close(fd);
    l->ready = l->ready || type == ML_GPU_READY;
    l->busy = l->busy && type != ML_GPU_LOOKED;
    begin_silence(l);
    if (type == ML_GPU_DEVICE)
        on_device(l, &u);
    else if (type == ML_GPU_READY)
        l->events.ready(l->events.context);
    else if (type == ML_GPU_SAMPLE)
        on_sample(l, &u);
    else if (type == ML_GPU_LOOKED)
        l->events.looked(l->events.context, ml_unpack_int(&u));
    else if (type == ML_GPU_FAILED)
        end(l, false, ml_unpack_text(&u));
}

/* ---- its life ---- */

static enum ml_status start(struct ml_gpu_link *l, struct ml_starter *starter, int helper,
                            struct ml_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return ml_fail_errno(err, ML_NODE_LOST, "socketpair");
    struct ml_channel_events on = {l, on_message, on_closed};
    ml_starter_start_helper(starter, helper, pair[1]);
    close(pair[1]);
    l->channel = ml_channel_open(l->loop, pair[0], &on);
    begin_silence(l);
    return ML_OK;
}

enum ml_status ml_gpu_link_open(struct ml_loop *loop, struct ml_starter *starter, int helper,
                                const struct ml_gpu_patience *patience,
                                const struct ml_gpu_link_events *events,
                                struct ml_gpu_link **out_link, struct ml_error *err)
{
    struct ml_gpu_link *l = ml_alloc(sizeof *l);
    *l = (struct ml_gpu_link){.loop = loop, .events = *events, .patience = *patience};
    l->look = ml_loop_timer(loop, look, l);
    enum ml_status status = start(l, starter, helper, err);
    if (status == ML_OK)
        *out_link = l;
    else
        ml_gpu_link_close(l);
    return status;
}

void ml_gpu_link_started(struct ml_gpu_link *l, pid_t pid)
{
    l->pid = pid;
    if (l->gone)
        reap(l);
}

bool ml_gpu_link_idle(const struct ml_gpu_link *l)
{
    return l->ready && !l->busy && !l->gone;
}

void ml_gpu_link_look(struct ml_gpu_link *l)
{
    ml_channel_send(l->channel, ML_GPU_LOOK, NULL, 0);
    l->busy = true;
    begin_silence(l);
}

bool ml_gpu_link_asked(const struct ml_gpu_link *l)
{
    return l->busy && !l->gone;
}

bool ml_gpu_link_begins(const struct ml_gpu_link *l)
{
    return !l->ready && !l->gone;
}

void ml_gpu_link_close(struct ml_gpu_link *l)
{
    if (!l)
        return;
    ml_channel_close(l->channel);
    reap(l);
    ml_timer_stop(l->look);
    free(l);
}
