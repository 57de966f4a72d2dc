/* Phases by MPI_Pcontrol and by memlog.h; says when it began and ended them (CLOCK_MONOTONIC). */
#include "../../mpi_hooks/memlog.h"
#include "hooks.h"

#include <time.h>

static int rank;

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void barriers(int n)
{
    for (int i = 0; i < n; i++)
        MPI_Barrier(MPI_COMM_WORLD);
}

#define TIMED(what, call)                                                                          \
    do {                                                                                           \
        long long before = now_ns();                                                               \
        call;                                                                                      \
        say(rank, "%s %lld %lld", what, before, now_ns());                                         \
    } while (0)

int main(int argc, char **argv)
{
    const char *text =
        getenv("OMPI_COMM_WORLD_RANK") ? getenv("OMPI_COMM_WORLD_RANK") : getenv("PMI_RANK");
    rank = text ? atoi(text) : 0;
    memlog_region_begin("read input");
    memlog_region_end("read input");
    TIMED("init", MPI_Init(&argc, &argv));
    barriers(3);
    TIMED("outer+", MPI_Pcontrol(1, "outer"));
    barriers(5);
    TIMED("inner+", memlog_region_begin("inner"));
    barriers(7);
    memlog_mark("half way");
    TIMED("inner-", memlog_region_end("inner"));
    barriers(11);
    TIMED("outer-", MPI_Pcontrol(-1, "outer"));
    barriers(13);
    MPI_Pcontrol(0);
    MPI_Pcontrol(1, (char *)16); /* no text, and no address */
    memlog_region_end("never begun");
    TIMED("finalize", MPI_Finalize());
    memlog_mark("end");
    return 0;
}
