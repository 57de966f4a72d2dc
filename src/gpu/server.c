#include "gpu/server.h"

#include "base/aside.h"
#include "base/channel.h"
#include "gpu/nvml.h"
#include "gpu/protocol.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    struct ml_channel *channel;
    struct ml_nvml *nvml;
    bool done;
};

static void send_message(struct server *s, enum ml_gpu_message type, struct ml_buffer *message)
{
    ml_channel_send(s->channel, type, message->data, message->length);
    ml_buffer_free(message);
}

static void send_word(struct server *s, enum ml_gpu_message type)
{
    ml_channel_send(s->channel, type, NULL, 0);
}

static void tell_failure(struct server *s, const char *why)
{
    struct ml_buffer message = {0};
    ml_pack_text(&message, why);
    send_message(s, ML_GPU_FAILED, &message);
}

static void tell_devices(struct server *s)
{
    for (size_t i = 0; i < ml_nvml_count(s->nvml); i++) {
        struct ml_gpu_told_device device;
        struct ml_buffer message = {0};
        ml_nvml_describe(s->nvml, i, &device);
        ml_gpu_told_device_pack(&device, &message);
        send_message(s, ML_GPU_DEVICE, &message);
    }
    send_word(s, ML_GPU_READY);
}

static int64_t cpu_ns(void)
{
    return ml_clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

static void look(struct server *s)
{
    struct ml_buffer message = {0};
    int64_t began_ns = cpu_ns();
    for (size_t i = 0; i < ml_nvml_count(s->nvml); i++) {
        struct ml_gpu_told_sample sample;
        ml_nvml_look(s->nvml, i, &sample);
        ml_gpu_told_sample_pack(&sample, &message);
        send_message(s, ML_GPU_SAMPLE, &message);
    }
    ml_pack_int(&message, cpu_ns() - began_ns);
    send_message(s, ML_GPU_LOOKED, &message);
}

static void on_message(void *context, uint32_t type, const void *bytes, size_t n, int fd)
{
    struct server *s = context;
    (void)bytes;
    (void)n;
    if (fd >= 0)
        close(fd);
    if (type == ML_GPU_LOOK && s->nvml)
        look(s);
}

static void on_closed(void *context)
{
    struct server *s = context;
    s->done = true;
}

/* Whoever waits for the end of the application's stderr is not to wait for a call of NVML's. */
static void leave_stderr(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0)
        return;
    dup2(null, STDERR_FILENO);
    close(null);
}

/* A call that does not return hears of no closed socket. */
static void die_with_sampling_rank(int fd)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid != getppid())
        _exit(0);
}

_Noreturn void ml_gpu_serve_library(int fd, const char *library)
{
    struct server s = {0};
    struct ml_channel_events events = {&s, on_message, on_closed};
    struct ml_error err;
    die_with_sampling_rank(fd);
    leave_stderr();
    ml_aside_leave_binding();
    ml_aside_offer_to_oom_killer();
    ml_aside_step_back();
    struct ml_loop *loop = ml_loop_new();
    s.channel = ml_channel_open(loop, fd, &events);
    if (ml_nvml_open(library, &s.nvml, &err) == ML_OK)
        tell_devices(&s);
    else
        tell_failure(&s, err.text);
    ml_loop_run_until(loop, &s.done);
    _exit(0);
}

_Noreturn void ml_gpu_serve(int fd)
{
    ml_gpu_serve_library(fd, "libnvidia-ml.so.1");
}
