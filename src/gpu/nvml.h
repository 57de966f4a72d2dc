/* NVML, the library that NVIDIA's driver brings along. Any of its calls may take seconds, or not
 * return at all: it is for a process that may be killed (gpu/server.h). */
#ifndef ML_GPU_NVML_H
#define ML_GPU_NVML_H

#include "base/error.h"
#include "gpu/told.h"

struct ml_nvml;

/* LIBRARY: as for dlopen(3). Errors: it cannot be loaded, lacks what all versions have, or does not
 * work here. */
enum ml_status ml_nvml_open(const char *library, struct ml_nvml **out_nvml, struct ml_error *err);

/* GPUs that are open to us; of one that is divided, its instances. */
size_t ml_nvml_count(const struct ml_nvml *nvml);

void ml_nvml_describe(const struct ml_nvml *nvml, size_t device,
                      struct ml_gpu_told_device *out_device);

/* The processes are valid until the next look. */
void ml_nvml_look(struct ml_nvml *nvml, size_t device, struct ml_gpu_told_sample *out_sample);

/* NULL is fine. The library stays loaded. */
void ml_nvml_close(struct ml_nvml *nvml);

#endif
