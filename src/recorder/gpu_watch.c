#include "recorder/gpu_watch.h"

#include "base/clock.h"
#include "base/intern.h"
#include "base/memory.h"
#include "base/sum.h"

#include <stdbool.h>
#include <stdlib.h>

/* A process that ends gives its memory back before anybody asks why: what was seen shortly before
 * counts, and the look before the last one, however long ago. */
#define SHORTLY_NS (2 * ML_NS_PER_S)

struct gpu {
    int64_t memory_B;
    int64_t told_B;          /* by its driver; -1: it does not tell */
    int64_t ours_B;          /* of the run's processes */
    int64_t used_B;          /* at the last look */
    int64_t step_B;          /* the most by which that rose from a look to the next */
    int64_t most_B, most_ns; /* used, shortly before */
    bool seen, is_ours;      /* IS_OURS: the run has used it */
};

struct held {
    int process, gpu;
    int64_t used_B;
};

struct ml_gpu_watch {
    struct gpu *gpus;
    size_t n_gpus, gpus_capacity;
    struct ml_intern keys; /* process and GPU: the numbers of HELD */
    struct held *held;
    size_t n_held, held_capacity;
    int64_t *of_process; /* [n_processes] */
    size_t n_processes;
    int64_t total_B;
};

struct ml_gpu_watch *ml_gpu_watch_open(void)
{
    return ml_alloc(sizeof(struct ml_gpu_watch));
}

static struct gpu *gpu_of(struct ml_gpu_watch *w, int gpu)
{
    while (w->n_gpus <= (size_t)gpu) {
        ML_GROW(w->gpus, w->n_gpus, w->gpus_capacity);
        w->gpus[w->n_gpus++] = (struct gpu){.memory_B = -1, .told_B = -1};
    }
    return &w->gpus[gpu];
}

void ml_gpu_watch_size(struct ml_gpu_watch *watch, int gpu, int64_t memory_B)
{
    gpu_of(watch, gpu)->memory_B = memory_B;
}

void ml_gpu_watch_device(struct ml_gpu_watch *watch, int gpu, int64_t used_B)
{
    gpu_of(watch, gpu)->told_B = used_B;
}

static int64_t *sum_of(struct ml_gpu_watch *w, int process)
{
    if ((size_t)process >= w->n_processes) {
        size_t n = 2 * (size_t)process + 16;
        w->of_process = ml_realloc_array(w->of_process, n, sizeof *w->of_process);
        while (w->n_processes < n)
            w->of_process[w->n_processes++] = 0;
    }
    return &w->of_process[process];
}

static struct held *held_of(struct ml_gpu_watch *w, int process, int gpu)
{
    const int key[2] = {process, gpu};
    uint32_t number = ml_intern_add(&w->keys, key, sizeof key);
    if (number == w->n_held) {
        ML_GROW(w->held, w->n_held, w->held_capacity);
        w->held[w->n_held++] = (struct held){process, gpu, 0};
    }
    return &w->held[number];
}

void ml_gpu_watch_process(struct ml_gpu_watch *watch, int process, int gpu, int64_t used_B)
{
    struct held *h = held_of(watch, process, gpu);
    int64_t change_B = (used_B > 0 ? used_B : 0) - h->used_B;
    struct gpu *g = gpu_of(watch, gpu);
    h->used_B += change_B;
    g->is_ours |= h->used_B > 0;
    ml_sum_add(&g->ours_B, change_B);
    ml_sum_add(sum_of(watch, process), change_B);
    ml_sum_add(&watch->total_B, change_B);
}

static void look_over(struct gpu *g, int64_t now_ns)
{
    int64_t used_B = g->told_B >= 0 ? g->told_B : g->ours_B;
    if (g->seen && used_B - g->used_B > g->step_B)
        g->step_B = used_B - g->used_B;
    bool stale = now_ns - g->most_ns > SHORTLY_NS;
    if (!g->seen || stale || used_B >= g->most_B) {
        g->most_B = g->seen && stale && g->used_B > used_B ? g->used_B : used_B;
        g->most_ns = now_ns;
    }
    g->used_B = used_B;
    g->seen = true;
}

void ml_gpu_watch_looked(struct ml_gpu_watch *watch, int64_t now_ns)
{
    for (size_t i = 0; i < watch->n_gpus; i++)
        look_over(&watch->gpus[i], now_ns);
}

int64_t ml_gpu_watch_total(const struct ml_gpu_watch *watch)
{
    return watch ? watch->total_B : -1;
}

int64_t ml_gpu_watch_of(const struct ml_gpu_watch *watch, int process)
{
    bool known = watch && process >= 0 && (size_t)process < watch->n_processes;
    return known ? watch->of_process[process] : 0;
}

/* Whether PROCESS has, or had, memory of GPU. */
static bool had(const struct ml_gpu_watch *w, int process, int gpu)
{
    const int key[2] = {process, gpu};
    return ml_intern_find(&w->keys, key, sizeof key) != ML_INTERN_NONE;
}

static bool had_any(const struct ml_gpu_watch *w, int process)
{
    for (size_t i = 0; i < w->n_gpus; i++) {
        if (had(w, process, (int)i))
            return true;
    }
    return false;
}

static double share_of(const struct gpu *g)
{
    return (double)g->most_B / (double)g->memory_B;
}

struct ml_death_gpu ml_gpu_watch_fullest(const struct ml_gpu_watch *watch, int process)
{
    const struct gpu *fullest = NULL;
    if (!watch)
        return (struct ml_death_gpu){.gpu = -1};
    bool own = had_any(watch, process);
    for (size_t i = 0; i < watch->n_gpus; i++) {
        const struct gpu *g = &watch->gpus[i];
        bool meant = own ? had(watch, process, (int)i) : g->is_ours;
        if (meant && g->seen && g->memory_B > 0 && (!fullest || share_of(g) > share_of(fullest)))
            fullest = g;
    }
    if (!fullest)
        return (struct ml_death_gpu){.gpu = -1};
    int64_t left_B = fullest->memory_B - fullest->most_B;
    return (struct ml_death_gpu){.gpu = (int)(fullest - watch->gpus),
                                 .left_B = left_B > 0 ? left_B : 0,
                                 .memory_B = fullest->memory_B,
                                 .step_B = fullest->step_B};
}

void ml_gpu_watch_close(struct ml_gpu_watch *watch)
{
    if (!watch)
        return;
    ml_intern_free(&watch->keys);
    free(watch->gpus);
    free(watch->held);
    free(watch->of_process);
    free(watch);
}
