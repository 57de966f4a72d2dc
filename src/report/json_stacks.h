/* Stacks as JSON; for src/report's own use. */
#ifndef ML_REPORT_JSON_STACKS_H
#define ML_REPORT_JSON_STACKS_H

#include "read/stacks.h"

#include <jansson.h>

/* Calls once, and samples that refer to them by number. */
/* [functions] of all frames, by their numbers. */
json_t *ml_json_calls(const struct ml_stacks *stacks);

json_t *ml_json_stacks(const struct ml_stacks *stacks);

#endif
