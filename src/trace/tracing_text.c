#include "trace/tracing.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What stands behind "KEY:\t", or NULL. */
static const char *value_of(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, key, n) && line[n] == ':')
            return line + n + 1 + strspn(line + n + 1, "\t ");
    }
    return NULL;
}

static pid_t pid_of(const char *text, const char *key)
{
    const char *value = value_of(text, key);
    return value ? (pid_t)strtol(value, NULL, 10) : 0;
}

static uint64_t signal_bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

void ml_tracing_parse(const char *text, struct ml_tracing *out_tracing)
{
    /* The SIGSTOP of PTRACE_ATTACH is sent to a thread (SigPnd); kill(2) sends to the process. */
    const char *pending = value_of(text, "ShdPnd"), *own = value_of(text, "SigPnd");
    const char *state = value_of(text, "State");
    uint64_t stops =
        signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
    *out_tracing = (struct ml_tracing){
        .gone = !state || strchr("ZX", *state),
        .stopped = state && *state == 'T',
        .runnable = state && *state == 'R',
        .stop_pending = pending && (strtoull(pending, NULL, 16) & stops),
        .attach_pending = own && (strtoull(own, NULL, 16) & signal_bit(SIGSTOP)),
        .parent = pid_of(text, "PPid"),
        .tracer = pid_of(text, "TracerPid"),
    };
}
