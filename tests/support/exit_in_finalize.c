/* LD_PRELOAD=exit_in_finalize.so: in rank process 1 of the recorder MPI_Finalize does not return,
 * but calls exit(1) at its end, as Open MPI's run-time may. */
#include "rank.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#pragma GCC visibility push(default)

int MPI_Finalize(void);

int MPI_Finalize(void)
{
    int (*next)(void) = (int (*)(void))dlsym(RTLD_NEXT, "MPI_Finalize");
    char name[16] = "";
    int code = next();
    prctl(PR_GET_NAME, name);
    if (is_rank_1() && strcmp(name, "memlog-mpi") == 0)
        exit(1);
    return code;
}
