/* AMD's compute driver: /sys/class/kfd/kfd. It tells the memory of a process by PID of the
 * outermost namespace, so it is asked only from there: elsewhere its PIDs are other processes'. */
#include "gpu/backend.h"

#include <stdio.h>
#include <string.h>

#define NODES "kfd/kfd/topology/nodes"
#define NODES_MOST 128
#define BANKS_MOST 8

static struct ml_gpu_device *device_at(struct ml_gpu_set *set, const char *pci)
{
    for (size_t i = 0; i < set->n; i++) {
        if (strcmp(set->devices[i].pci, pci) == 0)
            return &set->devices[i];
    }
    return NULL;
}

static int64_t memory_B(const struct ml_gpu_set *set, int node)
{
    char path[96], text[1024];
    int64_t sum_B = -1;
    for (int bank = 0; bank < BANKS_MOST; bank++) {
        snprintf(path, sizeof path, NODES "/%d/mem_banks/%d/properties", node, bank);
        ssize_t n = ml_gpu_read(set->sys, path, text, sizeof text);
        int64_t size_B = n < 0 ? -1 : ml_gpu_parse_kfd_bank(text, (size_t)n);
        if (size_B >= 0 && __builtin_add_overflow(sum_B < 0 ? 0 : sum_B, size_B, &sum_B))
            sum_B = INT64_MAX;
    }
    return sum_B;
}

/* One that no DRM device is known of: in a container /sys/class/drm may be empty. */
static struct ml_gpu_device *add_device(struct ml_gpu_set *set, int node, const char *pci)
{
    char path[96], text[256];
    struct ml_gpu_device *d = ml_gpu_add_device(set);
    if (!d)
        return NULL;
    snprintf(path, sizeof path, NODES "/%d/name", node);
    ssize_t n = ml_gpu_read(set->sys, path, text, sizeof text);
    ml_gpu_parse_value(text, n < 0 ? 0 : (size_t)n, "", d->name, sizeof d->name);
    snprintf(d->driver, sizeof d->driver, "amdgpu");
    snprintf(d->pci, sizeof d->pci, "%s", pci);
    d->memory_B = memory_B(set, node);
    return d;
}

/* A node of the topology is a CPU, with gpu_id 0, or a GPU or a part of one. */
static void find_node(struct ml_gpu_set *set, int node)
{
    char path[96], text[4096], pci[ML_GPU_WORD];
    snprintf(path, sizeof path, NODES "/%d/gpu_id", node);
    int64_t id = ml_gpu_read_number(set->sys, path);
    snprintf(path, sizeof path, NODES "/%d/properties", node);
    ssize_t n = id > 0 ? ml_gpu_read(set->sys, path, text, sizeof text) : -1;
    if (n < 0 || !ml_gpu_parse_kfd_pci(text, (size_t)n, pci))
        return;
    struct ml_gpu_device *d = device_at(set, pci);
    if (!d)
        d = add_device(set, node, pci);
    if (d && d->n_kfd_ids < ML_GPU_PARTS)
        d->kfd_ids[d->n_kfd_ids++] = id;
}

static void find(struct ml_gpu_set *set)
{
    if (!set->outermost)
        return;
    for (int node = 0; node < NODES_MOST; node++)
        find_node(set, node);
}

/* vram_51234 holds bytes (kfd_process.c, since Linux 5.7). */
static void look(struct ml_gpu_set *set, pid_t pid, struct ml_gpu_use *uses)
{
    for (size_t i = 0; i < set->n; i++) {
        for (size_t k = 0; k < set->devices[i].n_kfd_ids; k++) {
            char path[96];
            snprintf(path, sizeof path, "kfd/kfd/proc/%d/vram_%lld", (int)pid,
                     (long long)set->devices[i].kfd_ids[k]);
            int64_t more_B = ml_gpu_read_number(set->sys, path);
            if (more_B > 0 && __builtin_add_overflow(uses[i].used_B, more_B, &uses[i].used_B))
                uses[i].used_B = INT64_MAX;
        }
    }
}

const struct ml_gpu_backend ml_gpu_kfd = {find, NULL, look};
