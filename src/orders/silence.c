#include "orders/silence.h"

#include "base/clock.h"
#include "base/own.h"
#include "probe/proc_parse.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

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

static char state_of(int tasks, const char *thread)
{
    char path[64], text[1024];
    struct ml_proc_stat stat;
    snprintf(path, sizeof path, "%.32s/stat", thread);
    ML_AUTO_FD int fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    return n > 0 && ml_proc_parse_stat(text, (size_t)n, &stat) ? stat.state : '?';
}

static bool is_runnable(pid_t pid)
{
    char path[64];
    bool runnable = false;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (const struct dirent *e; tasks && !runnable && (e = readdir(tasks));)
        runnable = isdigit((unsigned char)*e->d_name) && state_of(dirfd(tasks), e->d_name) == 'R';
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
