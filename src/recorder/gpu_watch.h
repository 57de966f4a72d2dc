/* The memory of GPUs of this node as of the last look at them: for those who do not wait for the
 * file, the live line, stacks and the verdict. */
#ifndef ML_RECORDER_GPU_WATCH_H
#define ML_RECORDER_GPU_WATCH_H

#include "verdict/death.h"

#include <stdint.h>

struct ml_gpu_watch;

struct ml_gpu_watch *ml_gpu_watch_open(void);

/* What a look has seen, as the rows of the tables: the memory of a GPU, once; what is used of it,
 * by its driver (-1: not told); what a process has of it. Then the look is over. */
void ml_gpu_watch_size(struct ml_gpu_watch *watch, int gpu, int64_t memory_B);
void ml_gpu_watch_device(struct ml_gpu_watch *watch, int gpu, int64_t used_B);
void ml_gpu_watch_process(struct ml_gpu_watch *watch, int process, int gpu, int64_t used_B);
void ml_gpu_watch_looked(struct ml_gpu_watch *watch, int64_t now_ns);

/* Of all processes of the run here. -1: WATCH is NULL. */
int64_t ml_gpu_watch_total(const struct ml_gpu_watch *watch);

/* Of PROCESS, on all GPUs. 0: none, or WATCH is NULL. */
int64_t ml_gpu_watch_of(const struct ml_gpu_watch *watch, int process);

/* The GPU that was fullest shortly before, by its share: of those that PROCESS (-1: nobody knows
 * which) had memory of, else of those that any process of the run had. GPU -1: none is known. */
struct ml_death_gpu ml_gpu_watch_fullest(const struct ml_gpu_watch *watch, int process);

/* NULL is fine. */
void ml_gpu_watch_close(struct ml_gpu_watch *watch);

#endif
