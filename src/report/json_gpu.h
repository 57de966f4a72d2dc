#ifndef ML_REPORT_JSON_GPU_H
#define ML_REPORT_JSON_GPU_H

#include "report/gpu.h"

#include <jansson.h>

/* The GPUs, and what each rank had of them at most. */
json_t *ml_json_gpus(const struct ml_gpu_facts *gpus);

#endif
