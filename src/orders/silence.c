#include "orders/silence.h"

#include "base/clock.h"
#include "trace/tracing.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

void ml_silence_add(struct ml_silence *s, const struct ml_doing *doing, int64_t now_ns)
{
    int64_t cpu_ns = doing->cpu_ns - s->cpu_ns, passed_ns = now_ns - s->looked_ns;
    if (passed_ns > 2 * ML_SILENCE_STEP_NS)
        passed_ns = 2 * ML_SILENCE_STEP_NS;
    if (s->looked_ns)
        s->silent_ns += doing->runnable || cpu_ns > 0 ? cpu_ns : passed_ns;
    s->looked_ns = now_ns;
    s->cpu_ns = doing->cpu_ns;
}

static bool is_runnable(pid_t pid)
{
    char path[64];
    bool runnable = false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (const struct dirent *e; tasks && !runnable && (e = readdir(tasks));)
        runnable = isdigit((unsigned char)*e->d_name) && ml_tracing_of(atoi(e->d_name)).runnable;
    if (tasks)
        closedir(tasks);
    return runnable;
}

struct ml_doing ml_doing_of(pid_t pid)
{
    struct ml_doing doing = {0};
    struct timespec used;
    clockid_t clock;
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return doing;
    doing.cpu_ns = used.tv_sec * ML_NS_PER_S + used.tv_nsec;
    doing.runnable = is_runnable(pid);
    return doing;
}
