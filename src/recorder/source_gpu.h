/* GPUs at a tick: what the kernel tells is read, what NVML tells comes from the GPU server. */
#ifndef ML_RECORDER_SOURCE_GPU_H
#define ML_RECORDER_SOURCE_GPU_H

#include <sys/types.h>

struct ml_gpu_source;

/* The starter's answer. NULL is fine. */
void ml_gpu_source_server_started(struct ml_gpu_source *s, pid_t pid);

#endif
