#include "gather/epochs.h"

#include "base/memory.h"

#include <stdlib.h>
#include <time.h>

enum { FIELDS = sizeof(struct ml_summary) / sizeof(int64_t) };

struct ml_epochs {
    MPI_Comm comm;
    int root, size, here;
    ml_epochs_gathered *gathered;
    void *context;
    struct ml_summary mine, *all;
    MPI_Request request;
    bool under_way, failed;
    int64_t count;
};

enum ml_status ml_epochs_open(MPI_Comm comm, int root, ml_epochs_gathered *gathered, void *context,
                              struct ml_epochs **out_epochs, struct ml_error *err)
{
    struct ml_epochs *e = ml_alloc(sizeof *e);
    *e = (struct ml_epochs){.root = root, .gathered = gathered, .context = context};
    if (MPI_Comm_dup(comm, &e->comm) != MPI_SUCCESS) {
        free(e);
        return ml_fail(err, ML_RUN_LOST, "MPI_Comm_dup failed");
    }
    MPI_Comm_set_errhandler(e->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(e->comm, &e->here);
    MPI_Comm_size(e->comm, &e->size);
    if (e->here == root)
        e->all = ml_alloc((size_t)e->size * sizeof *e->all);
    *out_epochs = e;
    return ML_OK;
}

bool ml_epochs_contribute(struct ml_epochs *e, const struct ml_summary *summary)
{
    if (e->under_way || e->failed)
        return false;
    e->mine = *summary;
    e->count++;
    if (e->size == 1) {
        e->gathered(e->context, &e->mine, 1);
        return true;
    }
    e->failed = MPI_Igather(&e->mine, FIELDS, MPI_INT64_T, e->all, FIELDS, MPI_INT64_T, e->root,
                            e->comm, &e->request) != MPI_SUCCESS;
    e->under_way = !e->failed;
    return true;
}

int64_t ml_epochs_count(const struct ml_epochs *e)
{
    return e->count;
}

bool ml_epochs_progress(struct ml_epochs *e)
{
    int done = 0;
    if (!e->under_way)
        return false;
    if (MPI_Test(&e->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
        e->failed = true;
        e->under_way = false;
    } else if (done) {
        e->under_way = false;
        if (e->here == e->root)
            e->gathered(e->context, e->all, e->size);
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
    free(e->all);
    free(e);
}
