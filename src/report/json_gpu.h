#ifndef ML_REPORT_JSON_GPU_H
#define ML_REPORT_JSON_GPU_H

#include "report/facts.h"

#include <jansson.h>

/* The GPUs, and what each rank had of them at most. */
json_t *ml_json_gpus(const struct ml_gpu_facts *gpus);

/* When a GPU was as full as none was at another time; null: not known. */
json_t *ml_json_fullest_gpu(const struct ml_facts *facts);

#endif
