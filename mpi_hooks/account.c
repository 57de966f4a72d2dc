#include "mpi_hooks/account.h"

#include "mpi_hooks/hooks.h"
#include "mpi_hooks/next.h"

/* PMPI of the MPI behind us. */
#define REAL(name, arguments)                                                                      \
    ({                                                                                             \
        static _Atomic(void *) cache_;                                                             \
        __typeof__(&PMPI_##name) real_ = ML_NEXT(&cache_, "PMPI_" #name);                          \
        real_ arguments;                                                                           \
    })

/* MPI_Type_size takes 3 to 8 ns; most calls use the type of the call before. */
static _Thread_local struct {
    MPI_Datatype type;
    uint32_t generation;
    int64_t size;
} last __attribute__((tls_model("initial-exec")));
static _Atomic uint32_t generation = 1;

void ml_account_forget_types(void)
{
    ML_ADD(generation, 1);
}

/* MPI 4.1 deprecates MPI_Type_size_x, which all have from 3.0 on; MPI_Type_size_c came with 4.0. */
static bool ask_size(MPI_Datatype type, MPI_Count *out_size)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return REAL(Type_size_x, (type, out_size)) == MPI_SUCCESS && *out_size >= 0;
#pragma GCC diagnostic pop
}

static int64_t look_up_size(MPI_Datatype type)
{
    MPI_Count size = 0;
    uint32_t now = ML_LOAD(generation);
    if (!ask_size(type, &size))
        return 0;
    last.type = type;
    last.generation = now;
    last.size = size;
    return size;
}

static int64_t size_of(MPI_Datatype type)
{
    if (last.type == type && last.generation == ML_LOAD(generation))
        return last.size;
    return look_up_size(type);
}

static void add(_Atomic uint64_t *total, int64_t value)
{
    if (ML_UNLIKELY(ml_self.shared))
        ML_ADD(*total, (uint64_t)value);
    else
        ML_BUMP(*total, (uint64_t)value);
}

void ml_account_bytes(struct ml_page_tally *tally, int64_t count, MPI_Datatype type)
{
    if (count > 0)
        add(&tally->bytes, count * size_of(type));
}

void ml_account_sent(struct ml_page_tally *tally, int64_t count, MPI_Datatype type, int target)
{
    if (target == MPI_PROC_NULL)
        return;
    add(&tally->messages, 1);
    ml_account_bytes(tally, count, type);
}

static int64_t count_at(const void *counts, size_t size, int64_t i)
{
    return size == sizeof(int) ? ((const int *)counts)[i] : ((const MPI_Count *)counts)[i];
}

int64_t ml_account_sum(const void *counts, size_t size, int64_t n)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += count_at(counts, size, i);
    return sum;
}

void ml_account_each(struct ml_page_tally *tally, const void *counts, size_t size,
                     const MPI_Datatype *types, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (count_at(counts, size, i) > 0) /* where the count is 0, the type may be invalid */
            ml_account_bytes(tally, count_at(counts, size, i), types[i]);
}

int64_t ml_account_peers(MPI_Comm comm)
{
    int is_inter = 0, n = 0;
    if (REAL(Comm_test_inter, (comm, &is_inter)) != MPI_SUCCESS)
        return 0;
    int result = is_inter ? REAL(Comm_remote_size, (comm, &n)) : REAL(Comm_size, (comm, &n));
    return result == MPI_SUCCESS ? n : 0;
}

int ml_account_rank(MPI_Comm comm)
{
    int rank = 0;
    return REAL(Comm_rank, (comm, &rank)) == MPI_SUCCESS ? rank : 0;
}

int ml_account_is_root(int root, MPI_Comm comm)
{
    int is_inter = 0;
    if (root == MPI_ROOT)
        return 1;
    return root >= 0 && root == ml_account_rank(comm) &&
           REAL(Comm_test_inter, (comm, &is_inter)) == MPI_SUCCESS && !is_inter;
}
