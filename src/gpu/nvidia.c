/* GPUs of NVIDIA, as NVML tells of them (gpu/told.h). A PID that it tells is one of the outermost
 * namespace, or, since the driver has a kernel module that is open (515), of the namespace of who
 * asks: in another one the two cannot be told apart, so nothing is matched there. */
#include "base/memory.h"
#include "gpu/backend.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GPUS "driver/nvidia/gpus"

static void find(struct ml_gpu_set *set)
{
    set->has_nvidia = faccessat(set->proc, "driver/nvidia/version", F_OK, 0) == 0;
}

/* ---- without NVML ---- */

/* Model: 		 NVIDIA A100-SXM4-80GB
 * GPU UUID: 	 GPU-e953c3c5-dba7-029e-ce44-7b51417131df
 * Device Minor: 	 0 */
static void add_file(struct ml_gpu_set *set, const char *pci)
{
    char path[sizeof GPUS + 300], text[4096], minor[16];
    snprintf(path, sizeof path, GPUS "/%s/information", pci);
    ssize_t n = ml_gpu_read(set->proc, path, text, sizeof text);
    struct ml_gpu_device *d = n > 0 ? ml_gpu_add_device(set) : NULL;
    if (!d)
        return;
    ml_gpu_parse_value(text, (size_t)n, "Model:", d->name, sizeof d->name);
    ml_gpu_parse_value(text, (size_t)n, "GPU UUID:", d->uuid, sizeof d->uuid);
    ml_gpu_parse_value(text, (size_t)n, "Device Minor:", minor, sizeof minor);
    int64_t number = ml_gpu_parse_number(minor, strlen(minor));
    d->minor = number > INT32_MAX ? -1 : (int32_t)number;
    snprintf(d->driver, sizeof d->driver, "nvidia");
    snprintf(d->pci, sizeof d->pci, "%s", pci);
    d->numa_node = ml_gpu_numa_node(set, d->pci);
}

static bool is_known(const struct ml_gpu_set *set, const char *pci)
{
    for (size_t i = 0; i < set->n; i++) {
        if (strcmp(set->devices[i].pci, pci) == 0)
            return true;
    }
    return false;
}

static int is_address(const struct dirent *e)
{
    return strchr(e->d_name, ':') != NULL && strlen(e->d_name) < ML_GPU_WORD;
}

void ml_gpu_nvidia_find_all(struct ml_gpu_set *set)
{
    struct dirent **list;
    int n = scandirat(set->proc, GPUS, &list, is_address, alphasort);
    for (int i = 0; i < n; i++) {
        if (!is_known(set, list[i]->d_name))
            add_file(set, list[i]->d_name);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

/* ---- what NVML tells ---- */

static void forget(struct ml_gpu_set *set, size_t gpu)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->n_holders; i++) {
        if (set->holders[i].gpu != gpu)
            set->holders[kept++] = set->holders[i];
    }
    set->n_holders = kept;
}

void ml_gpu_nvidia_told(struct ml_gpu_set *set, const struct ml_gpu_told_sample *s)
{
    if (s->device < 0 || (size_t)s->device >= set->n_told)
        return;
    size_t gpu = set->first_told + (size_t)s->device;
    struct ml_gpu_device *d = &set->devices[gpu];
    d->used_B = s->used_B;
    d->utilisation = s->utilisation;
    d->ecc_errors = s->ecc_errors;
    d->unknown = !s->complete || !set->outermost;
    forget(set, gpu);
    for (size_t i = 0; i < s->n; i++) {
        ML_GROW(set->holders, set->n_holders, set->holder_capacity);
        set->holders[set->n_holders++] =
            (struct ml_gpu_holder){s->processes[i].pid, gpu, s->processes[i].used_B};
    }
}

void ml_gpu_nvidia_lost(struct ml_gpu_set *set)
{
    for (size_t i = set->first_told; i < set->first_told + set->n_told; i++) {
        struct ml_gpu_device *d = &set->devices[i];
        d->used_B = d->ecc_errors = -1;
        d->utilisation = -1;
        d->unknown = true;
        forget(set, i);
    }
}

static int by_pid(const void *a, const void *b)
{
    const struct ml_gpu_holder *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static void measure(struct ml_gpu_set *set)
{
    if (set->n_holders)
        qsort(set->holders, set->n_holders, sizeof *set->holders, by_pid);
}

static size_t first_of(const struct ml_gpu_set *set, pid_t pid)
{
    size_t low = 0, high = set->n_holders;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->holders[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void look(struct ml_gpu_set *set, pid_t pid, struct ml_gpu_use *uses)
{
    if (!set->outermost)
        return;
    for (size_t i = first_of(set, pid); i < set->n_holders && set->holders[i].pid == pid; i++)
        uses[set->holders[i].gpu].used_B = set->holders[i].used_B;
}

const struct ml_gpu_backend ml_gpu_nvidia = {find, measure, look};
