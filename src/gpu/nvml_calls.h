/* NVML's functions, found by name: newer versions of a call come before older ones. */
#ifndef ML_GPU_NVML_CALLS_H
#define ML_GPU_NVML_CALLS_H

#include "base/error.h"
#include "gpu/nvml_api.h"

enum { ML_NVML_LISTS = 3 }; /* of processes: compute, graphics, clients of MPS */

/* A call that lists processes, and the size of what it writes for each. */
struct ml_nvml_list {
    int (*list)(nvml_device device, unsigned int *count, void *processes);
    size_t record;
};

/* All but those above the line may be NULL, in an older library. */
struct ml_nvml_calls {
    int (*init)(void);
    int (*count)(unsigned int *count);
    int (*handle)(unsigned int index, nvml_device *device);
    int (*memory)(nvml_device device, struct nvml_memory *memory);
    /* ---- */
    int (*memory_v2)(nvml_device device, struct nvml_memory_v2 *memory);
    int (*name)(nvml_device device, char *name, unsigned int length);
    int (*uuid)(nvml_device device, char *uuid, unsigned int length);
    int (*pci)(nvml_device device, struct nvml_pci *pci);
    int (*minor)(nvml_device device, unsigned int *minor);
    int (*utilization)(nvml_device device, struct nvml_utilization *utilization);
    int (*ecc)(nvml_device device, int type, int counter, unsigned long long *count);
    int (*mig_mode)(nvml_device device, unsigned int *current, unsigned int *pending);
    int (*mig_count)(nvml_device device, unsigned int *count);
    int (*mig_handle)(nvml_device device, unsigned int index, nvml_device *instance);
    int (*gpu_instance)(nvml_device device, unsigned int *id);
    const char *(*error_text)(int code);
    struct ml_nvml_list lists[ML_NVML_LISTS];
};

/* Loads LIBRARY. Errors: there is none, or it lacks a call that all versions have. */
enum ml_status ml_nvml_calls_load(const char *library, struct ml_nvml_calls *out_calls,
                                  struct ml_error *err);

#endif
