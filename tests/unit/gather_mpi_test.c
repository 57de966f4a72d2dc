/* mpiexec -n N gather_mpi_test: clocks of one machine agree, and sums of all arrive at the root,
 * also where some contribute more often than others. */
#include "base/clock.h"
#include "gather/clock.h"
#include "gather/epochs.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROOT = 1, EPOCHS = 7 };

static int rank, size, n_gathered;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "rank %d: %s\n", rank, what);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void clocks(void)
{
    struct ml_clock_offset offset = ml_clock_align(MPI_COMM_WORLD, ROOT);
    must(offset.error_ns >= 0 && llabs(offset.offset_ns) <= offset.error_ns,
         "a clock of the same machine is off by more than its error");
    must((rank == ROOT) == (offset.error_ns == 0), "the root's clock alone has no error");
    must(offset.local_ns <= ml_mono_now().ns, "it was aligned before now");
}

static void gathered(void *context, const struct ml_job_sample_row *job)
{
    const int *all = context;
    n_gathered++;
    must(rank == ROOT, "the root alone hears of it");
    must(job->ranks == *all && job->memory_B == 1000 * (*all), "the sums are those of all nodes");
    must(job->largest_rank == size - 1 && job->largest_memory_B == 100 + size - 1,
         "the largest is told with its rank");
    must(job->least_node == 0 && job->least_available_B == 1, "the node with least is told");
}

static void epochs(void)
{
    struct ml_epochs *e;
    struct ml_error err;
    int all = size * (size + 1) / 2; /* node i has i + 1 ranks of 1000 B each */
    const struct ml_summary summary = {.ranks = rank + 1,
                                       .memory_B = 1000 * (rank + 1),
                                       .largest_rank = rank,
                                       .largest_memory_B = 100 + rank,
                                       .left_B = 1 + rank};
    struct ml_job_sample_row node = ml_memory_of_one_node(rank, &summary);
    must(ml_epochs_open(MPI_COMM_WORLD, ROOT, gathered, &all, &e, &err) == ML_OK, "open");
    must(ml_epochs_contribute(e, &node), "the first contribution is taken");
    while (rank % 2 && ml_epochs_count(e) < EPOCHS - 2) {
        ml_epochs_progress(e);
        ml_epochs_contribute(e, &node);
    }
    ml_epochs_close(e, EPOCHS);
    must(n_gathered == (rank == ROOT ? EPOCHS : 0), "each epoch is told once");
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    clocks();
    epochs();
    MPI_Finalize();
    return 0;
}
