#include "store/team_mpi.h"

#include "base/own.h"
#include "store/exchange_mpi.h"
#include "store/h5.h"
#include "store/hints.h"

#include <limits.h>
#include <string.h>

#ifndef H5_HAVE_PARALLEL
#error "this HDF5 has no parallel access: take libhdf5-openmpi-dev or libhdf5-mpich-dev"
#endif

static MPI_Comm comm_of(const struct ml_team *team)
{
    return MPI_Comm_f2c((MPI_Fint)(intptr_t)team->context);
}

static void note(struct ml_team *team, int code)
{
    if (code != MPI_SUCCESS && !team->failed)
        team->failed = code;
}

static void mpi_offsets(struct ml_team *team, const int64_t *values, size_t n, int64_t *out_before,
                        int64_t *out_totals)
{
    memset(out_before, 0, n * sizeof *out_before);
    memcpy(out_totals, values, n * sizeof *values);
    note(team, MPI_Exscan(values, out_before, (int)n, MPI_INT64_T, MPI_SUM, comm_of(team)));
    note(team, MPI_Allreduce(values, out_totals, (int)n, MPI_INT64_T, MPI_SUM, comm_of(team)));
    if (team->member == 0) /* MPI leaves it undefined there */
        memset(out_before, 0, n * sizeof *out_before);
}

static int64_t mpi_offset(struct ml_team *team, int64_t value, int64_t *out_total)
{
    int64_t before;
    team->offsets(team, &value, 1, &before, out_total);
    return before;
}

static int64_t mpi_largest(struct ml_team *team, int64_t value)
{
    int64_t largest = value;
    note(team, MPI_Allreduce(&value, &largest, 1, MPI_INT64_T, MPI_MAX, comm_of(team)));
    return largest;
}

static void mpi_share(struct ml_team *team, int64_t value, int64_t *out_values)
{
    for (int i = 0; i < team->size; i++)
        out_values[i] = value;
    note(team, MPI_Allgather(&value, 1, MPI_INT64_T, out_values, 1, MPI_INT64_T, comm_of(team)));
}

static void mpi_broadcast(struct ml_team *team, int member, void *bytes, size_t n)
{
    note(team, MPI_Bcast(bytes, (int)n, MPI_BYTE, member, comm_of(team)));
}

static void *mpi_exchange(struct ml_team *team, const void *bytes, const size_t *counts,
                          size_t *out_counts)
{
    int code;
    void *received = ml_exchange_mpi(comm_of(team), bytes, counts, out_counts, &code);
    note(team, code);
    return received;
}

static enum ml_status mpi_agree(struct ml_team *team, enum ml_status status, struct ml_error *err)
{
    struct ml_error own = {{0}}, *text = err ? err : &own;
    if (team->failed && status == ML_OK) {
        char reason[MPI_MAX_ERROR_STRING] = "";
        int n = 0;
        MPI_Error_string(team->failed, reason, &n);
        status =
            ml_fail(text, ML_RUN_LOST, "MPI failed while the file was written: %.300s", reason);
    }
    /* The worst status wins, and of those that have it the lowest member. */
    int64_t mine = (int64_t)status << 32 | (INT_MAX - team->member);
    int64_t worst = mpi_largest(team, mine);
    enum ml_status agreed = (enum ml_status)(worst >> 32);
    if (agreed != ML_OK)
        mpi_broadcast(team, INT_MAX - (int)(worst & 0xffffffff), text->text, sizeof text->text);
    return agreed;
}

/* ROMIO: without data sieving no rank rewrites bytes of another's; with collective buffering small
 * pieces become large writes. OMPIO ignores both. By how many members they are written is for MPI
 * to choose, one a node, unless these are so many that they would be in each other's way. */
static const struct hint {
    const char *name, *value;
    int above; /* members; with fewer it is not set */
} hints[] = {
    {"romio_ds_write", "disable", 0}, {"romio_cb_write", "enable", 0}, {"cb_nodes", "64", 64}};

#define N_HINTS (sizeof hints / sizeof *hints)

/* What nobody has set otherwise, as member 0 knows it: a hint must be the same for all. */
static void set_hints(struct ml_team *team, MPI_Info info)
{
    bool ours[N_HINTS];
    ML_AUTO_FREE char *theirs = ml_hints_read();
    for (size_t i = 0; i < N_HINTS; i++)
        ours[i] = !ml_hints_have(theirs, hints[i].name);
    mpi_broadcast(team, 0, ours, sizeof ours);
    for (size_t i = 0; i < N_HINTS; i++) {
        if (ours[i] && team->size > hints[i].above)
            MPI_Info_set(info, hints[i].name, hints[i].value);
    }
}

static hid_t mpi_file_access(struct ml_team *team)
{
    MPI_Info info;
    if (MPI_Info_create(&info) != MPI_SUCCESS)
        return H5I_INVALID_HID;
    set_hints(team, info);
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    /* Collective metadata: without it 1.10.8 crashes or hangs on filtered writes of more than
     * about 3000 chunks. */
    if (list >= 0 && (H5Pset_fapl_mpio(list, comm_of(team), info) < 0 ||
                      H5Pset_coll_metadata_write(list, 1) < 0 || ml_h5_set_versions(list) < 0)) {
        H5Pclose(list);
        list = H5I_INVALID_HID;
    }
    MPI_Info_free(&info); /* HDF5 has its own copy */
    return list;
}

static hid_t mpi_transfer(struct ml_team *team)
{
    (void)team;
    hid_t list = H5Pcreate(H5P_DATASET_XFER);
    if (list >= 0 && H5Pset_dxpl_mpio(list, H5FD_MPIO_COLLECTIVE) < 0) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

void ml_team_mpi(MPI_Comm comm, struct ml_team *out_team)
{
    struct ml_team team = {.context = (void *)(intptr_t)MPI_Comm_c2f(comm),
                           .offset = mpi_offset,
                           .offsets = mpi_offsets,
                           .largest = mpi_largest,
                           .share = mpi_share,
                           .broadcast = mpi_broadcast,
                           .exchange = mpi_exchange,
                           .agree = mpi_agree,
                           .file_access = mpi_file_access,
                           .transfer = mpi_transfer};
    note(&team, MPI_Comm_rank(comm, &team.member));
    note(&team, MPI_Comm_size(comm, &team.size));
    *out_team = team;
}
