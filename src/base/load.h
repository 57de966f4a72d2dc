/* How much the node has to do. */
#ifndef ML_BASE_LOAD_H
#define ML_BASE_LOAD_H

#include <stdbool.h>

/* Whether more wants to run than there are N_CPUS, over the last minute: what waits for an answer
 * may then wait for somebody who waits for a CPU. Async-signal-safe. */
bool ml_load_is_full(int n_cpus);

#endif
