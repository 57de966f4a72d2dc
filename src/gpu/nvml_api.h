/* What is used of NVML (libnvidia-ml.so.1), declared by ourselves, so that no header of NVIDIA's is
 * needed to build. Names and layouts are those of nvml.h of NVML 12, as github.com/NVIDIA/go-nvml
 * has it (gen/nvml/nvml.h); that of the processes of R535 is told below. */
#ifndef ML_GPU_NVML_API_H
#define ML_GPU_NVML_API_H

#include <assert.h>
#include <stddef.h>

typedef struct nvml_device *nvml_device; /* nvmlDevice_t, opaque */

enum { /* nvmlReturn_t */
       NVML_SUCCESS = 0,
       NVML_ERROR_NOT_SUPPORTED = 3,
       NVML_ERROR_NO_PERMISSION = 4,
       NVML_ERROR_NOT_FOUND = 6,
       NVML_ERROR_INSUFFICIENT_SIZE = 7,
       NVML_ERROR_GPU_IS_LOST = 15,
};

/* NVML_VALUE_NOT_AVAILABLE, as an unsigned long long. */
#define NVML_NOT_AVAILABLE (~0ULL)

/* nvmlMemory_t; what the driver reserves is part of `used`. */
struct nvml_memory {
    unsigned long long total, free, used;
};
static_assert(sizeof(struct nvml_memory) == 24, "nvmlMemory_t");

/* nvmlMemory_v2_t, since driver 510. */
struct nvml_memory_v2 {
    unsigned int version;
    unsigned long long total, reserved, free, used;
};
static_assert(sizeof(struct nvml_memory_v2) == 40, "nvmlMemory_v2_t");
static_assert(offsetof(struct nvml_memory_v2, total) == 8, "nvmlMemory_v2_t");

/* nvmlMemory_v2: NVML_STRUCT_VERSION(Memory, 2). */
#define NVML_MEMORY_V2 (sizeof(struct nvml_memory_v2) | 2U << 24)

/* nvmlPciInfo_t of _v3. That of _v2, nvmlPciInfo_v2_t, has the same fields up to pciSubSystemId,
 * and four numbers behind them. */
struct nvml_pci {
    char busIdLegacy[16];
    unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
    char busId[32];
};
static_assert(sizeof(struct nvml_pci) == 68, "nvmlPciInfo_t");
static_assert(offsetof(struct nvml_pci, domain) == 16, "nvmlPciInfo_t");
static_assert(offsetof(struct nvml_pci, busId) == 36, "nvmlPciInfo_t");

/* nvmlUtilization_t, percent. */
struct nvml_utilization {
    unsigned int gpu, memory;
};
static_assert(sizeof(struct nvml_utilization) == 8, "nvmlUtilization_t");

/* nvmlProcessInfo_v1_t, of the calls without a version. */
struct nvml_process_v1 {
    unsigned int pid;
    unsigned long long usedGpuMemory;
};
static_assert(sizeof(struct nvml_process_v1) == 16, "nvmlProcessInfo_v1_t");

/* nvmlProcessInfo_v2_t, of those of _v2 and _v3. */
struct nvml_process_v2 {
    unsigned int pid;
    unsigned long long usedGpuMemory;
    unsigned int gpuInstanceId, computeInstanceId;
};
static_assert(sizeof(struct nvml_process_v2) == 24, "nvmlProcessInfo_v2_t");
static_assert(offsetof(struct nvml_process_v2, usedGpuMemory) == 8, "nvmlProcessInfo_v2_t");

/* Drivers 535.43 to 535.86 have a longer one in _v3, under the same name
 * (github.com/XuehaiPan/nvitop/pull/79): they know nvmlDeviceGetConfComputeMemSizeInfo, and not yet
 * nvmlDeviceGetRunningProcessDetailList. */
struct nvml_process_535 {
    struct nvml_process_v2 v2;
    unsigned long long usedGpuCcProtectedMemory;
};
static_assert(sizeof(struct nvml_process_535) == 32, "nvmlProcessInfo_t of R535");

enum { NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 1 }; /* nvmlMemoryErrorType_t */
enum { NVML_VOLATILE_ECC = 0 }; /* nvmlEccCounterType_t: since the driver's start */
enum { NVML_DEVICE_MIG_ENABLE = 1 };

#endif
