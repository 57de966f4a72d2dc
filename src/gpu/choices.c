/* Which GPUs a process may use: what of them it has open, and what it was told to use. To read that
 * costs some microseconds for each open file, so it is done ever more rarely. */
#include "base/memory.h"
#include "gpu/backend.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MOST = 4096, VALUE_MOST = 256, ENVIRONMENT_MOST = 1 << 18, RAREST = 64 };

/* Those by which a process, or who started it, chooses GPUs. */
static const char *const variables[] = {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
                                        "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"};
enum { VARIABLES = sizeof variables / sizeof *variables };

struct chooser {
    int process;
    int64_t due_ns, pause_ns;
    uint64_t opened; /* bits: GPUs of which it is told */
    char *values[VARIABLES];
    bool seen;
};

struct ml_gpu_choices {
    struct chooser *list;
    size_t n, capacity;
    char *environment; /* room for one */
};

struct teller {
    void (*tell)(void *, int, int, const char *, const char *);
    void *context;
};

struct ml_gpu_choices *ml_gpu_choices_new(void)
{
    struct ml_gpu_choices *c = ml_alloc(sizeof *c);
    c->environment = ml_alloc(ENVIRONMENT_MOST);
    return c;
}

static struct chooser *chooser_of(struct ml_gpu_choices *c, int process)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->list[i].process == process)
            return &c->list[i];
    }
    ML_GROW(c->list, c->n, c->capacity);
    c->list[c->n] = (struct chooser){.process = process};
    return &c->list[c->n++];
}

/* ---- files ---- */

/* Of a GPU that is divided the file does not say which part is meant. */
static int gpu_of_file(const struct ml_gpu_set *set, const char *path, size_t n)
{
    int32_t nvidia = ml_gpu_parse_nvidia_file(path, n), render = ml_gpu_parse_render_file(path, n);
    for (size_t i = 0; i < set->n; i++) {
        const struct ml_gpu_device *d = &set->devices[i];
        int32_t minor = strcmp(d->driver, "nvidia") == 0 ? nvidia : render;
        if (minor >= 0 && d->minor == minor && d->gpu_instance < 0)
            return (int)i;
    }
    return -1;
}

static void look_at_file(struct chooser *c, const struct ml_gpu_set *set, int files, const char *fd,
                         const struct teller *t)
{
    char path[64];
    ssize_t n = readlinkat(files, fd, path, sizeof path - 1);
    int gpu = n > 0 ? gpu_of_file(set, path, (size_t)n) : -1;
    if (gpu < 0 || c->opened >> gpu & 1)
        return;
    path[n] = 0;
    c->opened |= (uint64_t)1 << gpu;
    t->tell(t->context, c->process, gpu, "", path);
}

static void look_at_files(struct chooser *c, const struct ml_gpu_set *set, pid_t pid,
                          const struct teller *t)
{
    char path[64];
    const struct dirent *e;
    snprintf(path, sizeof path, "%d/fd", (int)pid);
    int fd = openat(set->proc, path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    for (int i = 0; list && i < FILES_MOST && (e = readdir(list)); i++)
        look_at_file(c, set, dirfd(list), e->d_name, t);
    if (list)
        closedir(list);
    else if (fd >= 0)
        close(fd);
}

/* ---- environment ---- */

static size_t read_environment(const struct ml_gpu_set *set, pid_t pid, char *out)
{
    char path[64];
    size_t length = 0;
    ssize_t n = 0;
    snprintf(path, sizeof path, "%d/environ", (int)pid);
    int fd = openat(set->proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    do {
        length += (size_t)n;
        n = read(fd, out + length, ENVIRONMENT_MOST - length);
    } while (n > 0);
    close(fd);
    return length;
}

/* A program that was started in the process's place may have another one. */
static void look_at_environment(struct chooser *c, const char *text, size_t n,
                                const struct teller *t)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        char value[VALUE_MOST];
        if (!ml_gpu_parse_variable(text, n, variables[i], value, sizeof value))
            continue;
        if (c->values[i] && strcmp(c->values[i], value) == 0)
            continue;
        free(c->values[i]);
        c->values[i] = ml_strdup(value);
        t->tell(t->context, c->process, -1, variables[i], value);
    }
}

/* ---- a process ---- */

void ml_gpu_choices_look(struct ml_gpu_choices *choices, const struct ml_gpus *gpus, int process,
                         pid_t pid, int64_t now_ns, int64_t period_ns,
                         void (*tell)(void *context, int process, int gpu, const char *variable,
                                      const char *value),
                         void *context)
{
    const struct ml_gpu_set *set = ml_gpus_set(gpus);
    const struct teller t = {tell, context};
    struct chooser *c = chooser_of(choices, process);
    c->seen = true;
    if (now_ns < c->due_ns)
        return;
    c->pause_ns = 2 * c->pause_ns < period_ns            ? period_ns
                  : 2 * c->pause_ns < RAREST * period_ns ? 2 * c->pause_ns
                                                         : RAREST * period_ns;
    c->due_ns = now_ns + c->pause_ns;
    look_at_files(c, set, pid, &t);
    size_t n = read_environment(set, pid, choices->environment);
    look_at_environment(c, choices->environment, n, &t);
}

static void free_values(struct chooser *c)
{
    for (size_t i = 0; i < VARIABLES; i++)
        free(c->values[i]);
}

void ml_gpu_choices_forget(struct ml_gpu_choices *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!c->list[i].seen) {
            free_values(&c->list[i]);
            continue;
        }
        c->list[i].seen = false;
        c->list[kept++] = c->list[i];
    }
    c->n = kept;
}

void ml_gpu_choices_free(struct ml_gpu_choices *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        free_values(&c->list[i]);
    free(c->list);
    free(c->environment);
    free(c);
}
