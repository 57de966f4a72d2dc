#include "gather/clock.h"

#include "base/clock.h"
#include "gather/tree.h"

enum { ROUNDS = 8, TAG = 7 };

/* What CHILD asks for is the root's clock, as well as it is known here; then, how well that is. */
static void answer(MPI_Comm comm, int child, const struct ml_clock_offset *mine)
{
    for (int i = 0; i < ROUNDS; i++) {
        char nothing = 0;
        MPI_Recv(&nothing, 1, MPI_CHAR, child, TAG, comm, MPI_STATUS_IGNORE);
        int64_t now = ml_mono_now().ns + mine->offset_ns;
        MPI_Send(&now, 1, MPI_INT64_T, child, TAG, comm);
    }
    MPI_Send(&mine->error_ns, 1, MPI_INT64_T, child, TAG, comm);
}

static struct ml_clock_offset ask(MPI_Comm comm, int parent)
{
    struct ml_clock_offset best = {.error_ns = INT64_MAX};
    int64_t theirs, error_ns;
    for (int i = 0; i < ROUNDS; i++) {
        char nothing = 0;
        int64_t before = ml_mono_now().ns;
        MPI_Send(&nothing, 1, MPI_CHAR, parent, TAG, comm);
        MPI_Recv(&theirs, 1, MPI_INT64_T, parent, TAG, comm, MPI_STATUS_IGNORE);
        int64_t half = (ml_mono_now().ns - before) / 2;
        if (half < best.error_ns)
            best = (struct ml_clock_offset){before + half, theirs - before - half, half};
    }
    MPI_Recv(&error_ns, 1, MPI_INT64_T, parent, TAG, comm, MPI_STATUS_IGNORE);
    best.error_ns += error_ns;
    return best;
}

struct ml_clock_offset ml_clock_align(MPI_Comm comm, int root)
{
    int here, size;
    MPI_Comm_rank(comm, &here);
    MPI_Comm_size(comm, &size);
    struct ml_tree tree = ml_tree_of(size, root, here);
    struct ml_clock_offset offset = {.local_ns = ml_mono_now().ns};
    if (tree.parent >= 0)
        offset = ask(comm, tree.parent);
    /* One after the other: a queue would look like distance. The first round of each waits for its
     * turn; the quickest counts. */
    for (int i = 0; i < tree.n_children; i++)
        answer(comm, tree.children[i], &offset);
    return offset;
}
