/* The heap profile as JSON; for src/report's own use. */
#ifndef ML_REPORT_JSON_HEAP_H
#define ML_REPORT_JSON_HEAP_H

#include "read/heap_budget.h"

#include <jansson.h>

json_t *ml_json_heap(const struct ml_heap_profile *profile, const struct ml_heap_choice *choice,
                     const struct ml_heap_budget *budget);

#endif
