#include "gather/epochs.h"

#include "base/memory.h"
#include "gather/tree.h"

#include <stdlib.h>
#include <time.h>

enum { TAG = 8 };

struct ml_epochs {
    MPI_Comm comm;
    struct ml_tree tree;
    ml_epochs_gathered *gathered;
    void *context;
    struct ml_job_sample_row mine, sum, parts[ML_TREE_CHILDREN]; /* parts: of the children */
    MPI_Request from_children[ML_TREE_CHILDREN], to_parent;
    bool under_way, added, failed; /* added: SUM has all, and is on its way up */
    int64_t count;
};

enum ml_status ml_epochs_open(MPI_Comm comm, int root, ml_epochs_gathered *gathered, void *context,
                              struct ml_epochs **out_epochs, struct ml_error *err)
{
    int here, size;
    struct ml_epochs *e = ml_alloc(sizeof *e);
    *e =
        (struct ml_epochs){.gathered = gathered, .context = context, .to_parent = MPI_REQUEST_NULL};
    if (MPI_Comm_dup(comm, &e->comm) != MPI_SUCCESS) {
        free(e);
        return ml_fail(err, ML_RUN_LOST, "MPI_Comm_dup failed");
    }
    MPI_Comm_set_errhandler(e->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(e->comm, &here);
    MPI_Comm_size(e->comm, &size);
    e->tree = ml_tree_of(size, root, here);
    *out_epochs = e;
    return ML_OK;
}

bool ml_epochs_contribute(struct ml_epochs *e, const struct ml_job_sample_row *node)
{
    if (e->under_way || e->failed)
        return false;
    e->mine = *node;
    e->sum = *node;
    e->count++;
    for (int i = 0; i < e->tree.n_children && !e->failed; i++)
        e->failed = MPI_Irecv(&e->parts[i], sizeof e->parts[i], MPI_BYTE, e->tree.children[i], TAG,
                              e->comm, &e->from_children[i]) != MPI_SUCCESS;
    e->added = false;
    e->under_way = !e->failed;
    ml_epochs_progress(e);
    return true;
}

int64_t ml_epochs_count(const struct ml_epochs *e)
{
    return e->count;
}

/* All children have told: their sums and ours go up, or are there. */
static bool add_up(struct ml_epochs *e)
{
    for (int i = 0; i < e->tree.n_children; i++)
        ml_memory_add_part(&e->sum, &e->parts[i]);
    e->added = true;
    if (e->tree.parent >= 0)
        return MPI_Isend(&e->sum, sizeof e->sum, MPI_BYTE, e->tree.parent, TAG, e->comm,
                         &e->to_parent) == MPI_SUCCESS;
    e->gathered(e->context, &e->sum);
    return true;
}

static bool step(struct ml_epochs *e)
{
    int all = 0, sent = 0;
    MPI_Status statuses[ML_TREE_CHILDREN];
    if (!e->added) {
        if (MPI_Testall(e->tree.n_children, e->from_children, &all, statuses) != MPI_SUCCESS ||
            (all && !add_up(e)))
            return false;
    }
    if (e->added && MPI_Test(&e->to_parent, &sent, MPI_STATUS_IGNORE) != MPI_SUCCESS)
        return false;
    e->under_way = !sent;
    return true;
}

bool ml_epochs_progress(struct ml_epochs *e)
{
    if (e->under_way && !step(e)) {
        e->failed = true;
        e->under_way = false;
    }
    return e->under_way;
}

void ml_epochs_close(struct ml_epochs *e, int64_t count)
{
    struct timespec pause = {0, 200000};
    if (!e)
        return;
    while (!e->failed && (e->under_way || e->count < count)) {
        if (e->under_way) {
            nanosleep(&pause, NULL);
            ml_epochs_progress(e);
        } else {
            ml_epochs_contribute(e, &e->mine);
        }
    }
    if (!e->failed)
        MPI_Comm_free(&e->comm);
    free(e);
}
