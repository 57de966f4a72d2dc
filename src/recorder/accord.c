#include "recorder/accord.h"

#include "base/memory.h"
#include "base/pack.h"
#include "store/team_mpi.h"

/* Options as rank 0 was given them. The texts last as long as the process. */
static void share_written(const struct ml_options *options, int rank, const char **out_written)
{
    struct ml_buffer bytes = {0};
    for (int i = 0; rank == 0 && i < ML_OPTIONS_N; i++) {
        ml_pack_int(&bytes, options->written[i] != NULL);
        ml_pack_text(&bytes, options->written[i] ? options->written[i] : "");
    }
    int n = (int)bytes.length;
    MPI_Bcast(&n, 1, MPI_INT, 0, MPI_COMM_WORLD);
    char *texts = rank == 0 ? bytes.data : ml_alloc((size_t)n);
    MPI_Bcast(texts, n, MPI_BYTE, 0, MPI_COMM_WORLD);
    struct ml_unpacker u = ml_unpack(texts, (size_t)n);
    for (int i = 0; i < ML_OPTIONS_N; i++) {
        bool given = ml_unpack_int(&u);
        const char *text = ml_unpack_text(&u);
        out_written[i] = given ? text : NULL;
    }
}

void ml_accord_options(struct ml_options *options, struct ml_error *out_other)
{
    const char *written[ML_OPTIONS_N], *other = NULL;
    struct ml_team all;
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    share_written(options, rank, written);
    enum ml_status status = ml_options_follow(options, written, &other, out_other);
    if (status == ML_OK && other)
        status = ml_fail(out_other, ML_SAMPLE_LOST,
                         "rank %d was given another --%s; the options of rank 0 hold for all", rank,
                         other);
    ml_team_mpi(MPI_COMM_WORLD, &all);
    if (all.agree(&all, status, out_other) == ML_OK)
        *out_other->text = 0;
}
