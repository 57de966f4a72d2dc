/* Which process speaks before MPI is there, so that what all see is said once. */
#ifndef ML_LAUNCH_SPEAKER_H
#define ML_LAUNCH_SPEAKER_H

#include <stdbool.h>

/* Whether this process speaks for all: rank 0 by the launcher's word. */
bool ml_speaker_is_us(void);

/* Whether it speaks for its node: the first of it by the launcher's word. */
bool ml_speaker_of_node_is_us(void);

#endif
