/* What NVML tells of GPUs, as it comes from the process that asks it. */
#ifndef ML_GPU_TOLD_H
#define ML_GPU_TOLD_H

#include "base/pack.h"
#include "gpu/parse.h"

#include <sys/types.h>

#define ML_GPU_NAME 128

/* A GPU, or an instance of one that is divided (MIG). Numbers that are not known are -1. */
struct ml_gpu_told_device {
    char name[ML_GPU_NAME], uuid[ML_GPU_WORD], pci[ML_GPU_WORD];
    int64_t memory_B, reserved_B; /* the latter by the driver, for itself */
    int32_t minor;                /* N of /dev/nvidiaN */
    int32_t gpu_instance;
};

struct ml_gpu_told_process {
    pid_t pid;
    int64_t used_B; /* -1: it is there, and NVML does not know how much it has */
};

/* A device, later. */
struct ml_gpu_told_sample {
    int32_t device;      /* its place among those that were told */
    int64_t used_B;      /* by whomever; without what is reserved, where that is known */
    int64_t ecc_errors;  /* that were not corrected, since the driver's start */
    int32_t utilisation; /* percent */
    bool complete;       /* false: which processes have memory could not be learnt */
    const struct ml_gpu_told_process *processes; /* by PID, each once */
    size_t n;
};

void ml_gpu_told_device_pack(const struct ml_gpu_told_device *device, struct ml_buffer *out);
bool ml_gpu_told_device_unpack(struct ml_unpacker *u, struct ml_gpu_told_device *out_device);

void ml_gpu_told_sample_pack(const struct ml_gpu_told_sample *sample, struct ml_buffer *out);

/* *OUT_PROCESSES, to be freed, holds the sample's processes. */
bool ml_gpu_told_sample_unpack(struct ml_unpacker *u, struct ml_gpu_told_sample *out_sample,
                               struct ml_gpu_told_process **out_processes);

#endif
