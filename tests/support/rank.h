/* For preloaded libraries: which process of the job they are in. */
#ifndef RANK_H
#define RANK_H

#include <stdlib.h>
#include <string.h>

static inline int is_rank_1(void)
{
    const char *openmpi = getenv("OMPI_COMM_WORLD_RANK"), *hydra = getenv("PMI_RANK");
    const char *rank = openmpi ? openmpi : hydra;
    return rank && strcmp(rank, "1") == 0;
}

#endif
