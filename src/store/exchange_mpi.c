#include "store/exchange_mpi.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdint.h>
#include <string.h>

/* What a rank sends in a round, and what it receives: MPI counts in int, so the rest waits for the
 * next one. */
#define ROUND_B (16 << 20)

/* One direction of an exchange. */
struct side {
    char *bytes; /* all, by rank */
    const size_t *counts;
    char *staged; /* of this round, by rank */
    int *sizes, *starts;
};

struct exchange {
    MPI_Comm comm;
    int size;
    size_t share; /* bytes of a round from one rank to one */
    int code;
};

static void note(struct exchange *x, int code)
{
    if (code != MPI_SUCCESS && x->code == MPI_SUCCESS)
        x->code = code;
}

static struct side open_side(const struct exchange *x, const void *bytes, const size_t *counts)
{
    size_t n = (size_t)x->size;
    return (struct side){.bytes = (char *)bytes,
                         .counts = counts,
                         .staged = ml_realloc_array(NULL, n * x->share, 1),
                         .sizes = ml_alloc(n * sizeof(int)),
                         .starts = ml_alloc(n * sizeof(int))};
}

static void close_side(struct side *s)
{
    free(s->staged);
    free(s->sizes);
    free(s->starts);
}

/* Which bytes of each rank ROUND moves. */
static void plan_round(const struct exchange *x, struct side *s, size_t round)
{
    size_t done = round * x->share;
    int start = 0;
    for (int i = 0; i < x->size; i++) {
        size_t left = s->counts[i] > done ? s->counts[i] - done : 0;
        s->sizes[i] = (int)(left < x->share ? left : x->share);
        s->starts[i] = start;
        start += s->sizes[i];
    }
}

static void stage(const struct exchange *x, struct side *s, size_t round)
{
    char *rank = s->bytes;
    for (int i = 0; i < x->size; rank += s->counts[i++]) {
        if (s->sizes[i])
            memcpy(s->staged + s->starts[i], rank + round * x->share, (size_t)s->sizes[i]);
    }
}

static void unstage(const struct exchange *x, struct side *s, size_t round)
{
    char *rank = s->bytes;
    for (int i = 0; i < x->size; rank += s->counts[i++]) {
        if (s->sizes[i])
            memcpy(rank + round * x->share, s->staged + s->starts[i], (size_t)s->sizes[i]);
    }
}

static size_t count_rounds(struct exchange *x, const size_t *counts)
{
    uint64_t largest = 0, of_all = 0;
    for (int i = 0; i < x->size; i++)
        largest = counts[i] > largest ? counts[i] : largest;
    note(x, MPI_Allreduce(&largest, &of_all, 1, MPI_UINT64_T, MPI_MAX, x->comm));
    return (of_all + x->share - 1) / x->share;
}

void *ml_exchange_mpi(MPI_Comm comm, const void *bytes, const size_t *counts, size_t *out_counts,
                      int *out_code)
{
    _Static_assert(sizeof(size_t) == sizeof(uint64_t), "counts travel as MPI_UINT64_T");
    struct exchange x = {.comm = comm, .code = MPI_SUCCESS};
    note(&x, MPI_Comm_size(comm, &x.size));
    x.share = x.size < ROUND_B ? (size_t)(ROUND_B / x.size) : 1;
    note(&x, MPI_Alltoall(counts, 1, MPI_UINT64_T, out_counts, 1, MPI_UINT64_T, comm));
    if (x.code != MPI_SUCCESS)
        memset(out_counts, 0, (size_t)x.size * sizeof *out_counts);
    size_t total = 0, rounds = count_rounds(&x, counts);
    for (int i = 0; i < x.size; i++)
        total += out_counts[i];
    void *received = ml_realloc_array(NULL, total + 1, 1);
    struct side out = open_side(&x, bytes, counts), in = open_side(&x, received, out_counts);
    for (size_t round = 0; round < rounds; round++) {
        plan_round(&x, &out, round);
        plan_round(&x, &in, round);
        stage(&x, &out, round);
        note(&x, MPI_Alltoallv(out.staged, out.sizes, out.starts, MPI_BYTE, in.staged, in.sizes,
                               in.starts, MPI_BYTE, comm));
        unstage(&x, &in, round);
    }
    close_side(&out);
    close_side(&in);
    *out_code = x.code;
    return received;
}
