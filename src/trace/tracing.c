#include "trace/tracing.h"

#include "base/clock.h"
#include "base/own.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

/* Between two looks at a process. */
#define LOOK_NS (2 * ML_NS_PER_MS)

struct ml_tracing ml_tracing_of(pid_t pid)
{
    char path[32], text[8192];
    struct ml_tracing tracing;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    ML_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    ml_tracing_parse(text, &tracing);
    return tracing;
}

static void pause_ns(int64_t ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static bool is_free_of(pid_t pid, pid_t tracer, int64_t patience_ns)
{
    int64_t end_ns = ml_mono_now().ns + patience_ns;
    while (ml_tracing_of(pid).tracer == tracer) {
        if (ml_mono_now().ns >= end_ns)
            return false;
        pause_ns(LOOK_NS);
    }
    return true;
}

bool ml_tracing_release(pid_t pid, pid_t tracer, int64_t grace_ns)
{
    if (is_free_of(pid, tracer, 0))
        return true;
    kill(tracer, SIGCONT);
    if (is_free_of(pid, tracer, grace_ns))
        return true;
    kill(tracer, SIGKILL);
    return is_free_of(pid, tracer, grace_ns);
}

void ml_tracing_wake(pid_t pid, int64_t patience_ns)
{
    int64_t end_ns = ml_mono_now().ns + patience_ns;
    for (;;) {
        struct ml_tracing now = ml_tracing_of(pid);
        /* SIGCONT takes the pending one away, too. While a debugger that dies still holds PID, it
         * is too early for that. */
        bool stops = !now.tracer && (now.stopped || now.attach_pending);
        if (stops)
            kill(pid, SIGCONT);
        if (now.gone || stops || ml_mono_now().ns >= end_ns)
            return;
        pause_ns(LOOK_NS);
    }
}
