#include "gpu/gpu.h"

#include "base/memory.h"
#include "gpu/backend.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number of the initial PID namespace: PROC_PID_INIT_INO of linux/proc_ns.h. */
#define OUTERMOST "pid:[4026531836]"

/* What a process has on a device. */
struct holding {
    int process, gpu;
    struct ml_gpu_use now, told;
};

struct ml_gpus {
    struct ml_gpu_set set;
    struct holding *holdings;
    size_t n, capacity;
};

static const struct ml_gpu_backend *const backends[] = {&ml_gpu_drm, &ml_gpu_kfd, &ml_gpu_nvidia};
enum { N_BACKENDS = sizeof backends / sizeof *backends };

struct ml_gpu_device *ml_gpu_add_device(struct ml_gpu_set *set)
{
    if (set->n == ML_GPU_DEVICES)
        return NULL;
    set->devices[set->n] = (struct ml_gpu_device){.memory_B = -1,
                                                  .reserved_B = -1,
                                                  .numa_node = -1,
                                                  .minor = -1,
                                                  .gpu_instance = -1,
                                                  .dir = -1,
                                                  .used_B = -1,
                                                  .told_used_B = -1,
                                                  .utilisation = -1,
                                                  .told_utilisation = -1,
                                                  .ecc_errors = -1,
                                                  .told_ecc_errors = -1};
    return &set->devices[set->n++];
}

ssize_t ml_gpu_read(int dir, const char *path, char *out, size_t size)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, out, size);
    close(fd);
    return n;
}

int64_t ml_gpu_read_number(int dir, const char *path)
{
    char text[64];
    ssize_t n = ml_gpu_read(dir, path, text, sizeof text);
    return n < 0 ? ML_NOT_MEASURED : ml_gpu_parse_number(text, (size_t)n);
}

int ml_gpu_numa_node(const struct ml_gpu_set *set, const char *pci)
{
    char path[96 + ML_GPU_WORD];
    snprintf(path, sizeof path, "../bus/pci/devices/%s/numa_node", pci);
    int64_t node = *pci ? ml_gpu_read_number(set->sys, path) : -1;
    return node > INT_MAX ? -1 : (int)node;
}

static bool is_outermost(int proc)
{
    char text[sizeof OUTERMOST];
    ssize_t n = readlinkat(proc, "self/ns/pid", text, sizeof text);
    return n == sizeof OUTERMOST - 1 && memcmp(text, OUTERMOST, sizeof OUTERMOST - 1) == 0;
}

struct ml_gpus *ml_gpus_open(const char *proc, const char *sys_class)
{
    struct ml_gpus *g = ml_alloc(sizeof *g);
    g->set.proc = open(proc, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    g->set.sys = open(sys_class, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (g->set.proc >= 0 && g->set.sys >= 0) {
        g->set.outermost = is_outermost(g->set.proc);
        for (size_t i = 0; i < N_BACKENDS; i++)
            backends[i]->find(&g->set);
    }
    if (g->set.n || g->set.has_nvidia)
        return g;
    ml_gpus_close(g);
    return NULL;
}

const struct ml_gpu_set *ml_gpus_set(const struct ml_gpus *g)
{
    return &g->set;
}

size_t ml_gpus_count(const struct ml_gpus *g)
{
    return g->set.n;
}

void ml_gpus_describe(const struct ml_gpus *g, size_t i, int node, struct ml_gpu_row *out_row)
{
    const struct ml_gpu_device *d = &g->set.devices[i];
    *out_row = (struct ml_gpu_row){.node = node,
                                   .gpu = (int32_t)i,
                                   .name = d->name,
                                   .uuid = d->uuid,
                                   .memory_B = d->memory_B,
                                   .driver = d->driver,
                                   .pci = d->pci,
                                   .numa_node = d->numa_node,
                                   .minor = d->minor,
                                   .reserved_B = d->reserved_B,
                                   .gpu_instance = d->gpu_instance};
}

void ml_gpus_begin(struct ml_gpus *g)
{
    memset(g->set.clients, 0, sizeof g->set.clients);
    for (size_t i = 0; i < g->n; i++)
        g->holdings[i].now = (struct ml_gpu_use){0};
    for (size_t i = 0; i < N_BACKENDS; i++) {
        if (backends[i]->measure)
            backends[i]->measure(&g->set);
    }
}

static struct holding *holding_of(struct ml_gpus *g, int process, int gpu)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->holdings[i].process == process && g->holdings[i].gpu == gpu)
            return &g->holdings[i];
    }
    ML_GROW(g->holdings, g->n, g->capacity);
    g->holdings[g->n] = (struct holding){process, gpu, {0}, {0}};
    return &g->holdings[g->n++];
}

/* Of one device, two backends may see the same memory: the larger one counts. */
static void enlarge(struct ml_gpu_use *use, const struct ml_gpu_use *by)
{
    bool is_more = by->used_B > use->used_B || !use->used_B;
    use->used_B = is_more ? by->used_B : use->used_B;
    use->host_B = by->host_B > use->host_B ? by->host_B : use->host_B;
}

void ml_gpus_look(struct ml_gpus *g, int process, pid_t pid)
{
    for (size_t b = 0; b < N_BACKENDS; b++) {
        struct ml_gpu_use uses[ML_GPU_DEVICES] = {0};
        backends[b]->look(&g->set, pid, uses);
        for (size_t i = 0; i < g->set.n; i++) {
            if (uses[i].used_B || uses[i].host_B)
                enlarge(&holding_of(g, process, (int)i)->now, &uses[i]);
        }
    }
}

static void tell_devices(struct ml_gpus *g, const struct ml_gpu_sink *sink)
{
    for (size_t i = 0; i < g->set.n; i++) {
        struct ml_gpu_device *d = &g->set.devices[i];
        if (d->used_B == d->told_used_B && d->utilisation == d->told_utilisation &&
            d->ecc_errors == d->told_ecc_errors)
            continue;
        sink->device(sink->context, (int)i, d->used_B, d->utilisation, d->ecc_errors);
        d->told_ecc_errors = d->ecc_errors;
        d->told_used_B = d->used_B;
        d->told_utilisation = d->utilisation;
    }
}

void ml_gpus_end(struct ml_gpus *g, const struct ml_gpu_sink *sink)
{
    size_t kept = 0;
    tell_devices(g, sink);
    for (size_t i = 0; i < g->n; i++) {
        struct holding h = g->holdings[i];
        if (g->set.devices[h.gpu].unknown)
            h.now.used_B = ML_NOT_MEASURED;
        if (h.now.used_B != h.told.used_B || h.now.host_B != h.told.host_B)
            sink->process(sink->context, h.process, h.gpu, h.now.used_B, h.now.host_B);
        h.told = h.now;
        if (h.now.used_B || h.now.host_B)
            g->holdings[kept++] = h;
    }
    g->n = kept;
}

bool ml_gpus_want_nvml(const struct ml_gpus *g)
{
    return g->set.has_nvidia;
}

void ml_gpus_add_told(struct ml_gpus *g, const struct ml_gpu_told_device *told)
{
    struct ml_gpu_device *d = ml_gpu_add_device(&g->set);
    if (!d)
        return;
    snprintf(d->name, sizeof d->name, "%s", told->name);
    snprintf(d->uuid, sizeof d->uuid, "%s", told->uuid);
    snprintf(d->driver, sizeof d->driver, "nvidia");
    snprintf(d->pci, sizeof d->pci, "%s", told->pci);
    d->memory_B = told->memory_B;
    d->reserved_B = told->reserved_B;
    d->minor = told->minor;
    d->gpu_instance = told->gpu_instance;
    d->numa_node = ml_gpu_numa_node(&g->set, d->pci);
    if (!g->set.n_told++)
        g->set.first_told = g->set.n - 1;
}

void ml_gpus_told(struct ml_gpus *g, const struct ml_gpu_told_sample *sample)
{
    ml_gpu_nvidia_told(&g->set, sample);
}

void ml_gpus_nvml_lost(struct ml_gpus *g, bool all)
{
    ml_gpu_nvidia_lost(&g->set);
    if (!all)
        ml_gpu_nvidia_find_all(&g->set);
}

void ml_gpus_close(struct ml_gpus *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->set.n; i++) {
        if (g->set.devices[i].dir >= 0)
            close(g->set.devices[i].dir);
    }
    if (g->set.proc >= 0)
        close(g->set.proc);
    if (g->set.sys >= 0)
        close(g->set.sys);
    free(g->set.holders);
    free(g->holdings);
    free(g);
}
