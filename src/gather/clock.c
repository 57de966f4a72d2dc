#include "gather/clock.h"

#include "base/clock.h"

enum { ROUNDS = 8, TAG = 7 };

static void answer(MPI_Comm comm, int host)
{
    for (int i = 0; i < ROUNDS; i++) {
        char nothing = 0;
        MPI_Recv(&nothing, 1, MPI_CHAR, host, TAG, comm, MPI_STATUS_IGNORE);
        int64_t now = ml_mono_now().ns;
        MPI_Send(&now, 1, MPI_INT64_T, host, TAG, comm);
    }
}

static void ask(MPI_Comm comm, int root, int64_t *out_local, int64_t *out_offset,
                int64_t *out_error)
{
    *out_error = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        char nothing = 0;
        int64_t theirs;
        int64_t before = ml_mono_now().ns;
        MPI_Send(&nothing, 1, MPI_CHAR, root, TAG, comm);
        MPI_Recv(&theirs, 1, MPI_INT64_T, root, TAG, comm, MPI_STATUS_IGNORE);
        int64_t after = ml_mono_now().ns;
        int64_t half = (after - before) / 2;
        if (half < *out_error) {
            *out_error = half;
            *out_local = before + half;
            *out_offset = theirs - *out_local;
        }
    }
}

void ml_clock_align(MPI_Comm comm, int root, int64_t *out_local_ns, int64_t *out_offset_ns,
                    int64_t *out_error_ns)
{
    int host, size;
    MPI_Comm_rank(comm, &host);
    MPI_Comm_size(comm, &size);
    *out_local_ns = ml_mono_now().ns;
    *out_offset_ns = 0;
    *out_error_ns = 0;
    for (int i = 0; i < size; i++) {
        if (i == root)
            continue;
        /* The root serves one after the other: a queue there would look like distance. The first
         * round of each waits for its turn; the quickest counts. */
        if (host == root)
            answer(comm, i);
        else if (host == i)
            ask(comm, root, out_local_ns, out_offset_ns, out_error_ns);
    }
}
