#ifdef MEMLOG_WITH_PMIX

#include "world/pmix_client.h"

#include <pmix.h>

#define MOST_INITS 8 /* each layer of Open MPI may have called PMIx_Init: the last end counts */

void ml_pmix_client_leave(void)
{
    for (int i = 0; i < MOST_INITS && PMIx_Initialized(); i++)
        PMIx_Finalize(NULL, 0);
}

#endif
