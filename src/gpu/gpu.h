/* The GPUs of a node, and the memory that processes have on them: as drivers tell it in /proc and
 * /sys, and as NVML does, which somebody else asks. */
#ifndef ML_GPU_GPU_H
#define ML_GPU_GPU_H

#include "gpu/told.h"
#include "record/tables.h"

#include <sys/types.h>

struct ml_gpus;

/* PROC is "/proc", SYS_CLASS "/sys/class", or made-up trees. NULL: there is no device, nor
 * NVIDIA's driver. */
struct ml_gpus *ml_gpus_open(const char *proc, const char *sys_class);

size_t ml_gpus_count(const struct ml_gpus *gpus);

/* What is fixed about device I. Texts are valid until GPUS is closed. */
void ml_gpus_describe(const struct ml_gpus *gpus, size_t i, int node, struct ml_gpu_row *out_row);

/* A round: begin, look at each process that lives, end. Rows are of what has changed since the
 * round before; a process that is not looked at has nothing any more. */
struct ml_gpu_sink {
    void *context;
    void (*device)(void *context, int gpu, int64_t used_B, int32_t utilisation, int64_t ecc_errors);
    void (*process)(void *context, int process, int gpu, int64_t used_B, int64_t host_B);
};
void ml_gpus_begin(struct ml_gpus *gpus);
void ml_gpus_look(struct ml_gpus *gpus, int process, pid_t pid);
void ml_gpus_end(struct ml_gpus *gpus, const struct ml_gpu_sink *sink);

/* ---- which GPUs a process may use ---- */

struct ml_gpu_choices;

struct ml_gpu_choices *ml_gpu_choices_new(void);

/* Tells what is new about PROCESS: a device file that it has open, of GPU, or, with GPU -1, a
 * variable of its environment that chooses GPUs. A process is looked at ever more rarely, first at
 * once, then after PERIOD_NS. */
void ml_gpu_choices_look(struct ml_gpu_choices *choices, const struct ml_gpus *gpus, int process,
                         pid_t pid, int64_t now_ns, int64_t period_ns,
                         void (*tell)(void *context, int process, int gpu, const char *variable,
                                      const char *value),
                         void *context);

/* Those that were not looked at since the last call are gone. */
void ml_gpu_choices_forget(struct ml_gpu_choices *choices);

/* NULL is fine. */
void ml_gpu_choices_free(struct ml_gpu_choices *choices);

/* ---- NVML ---- */

/* Whether NVIDIA's driver is in the kernel. */
bool ml_gpus_want_nvml(const struct ml_gpus *gpus);

/* One more device: the number that samples give is its place among those. */
void ml_gpus_add_told(struct ml_gpus *gpus, const struct ml_gpu_told_device *told);

/* What the next rounds see of a device. */
void ml_gpus_told(struct ml_gpus *gpus, const struct ml_gpu_told_sample *sample);

/* It tells nothing any more: what processes have of its devices is not known from now on. Where it
 * has not told ALL of them, the others are added as far as the kernel knows them. */
void ml_gpus_nvml_lost(struct ml_gpus *gpus, bool all);

/* NULL is fine. */
void ml_gpus_close(struct ml_gpus *gpus);

#endif
