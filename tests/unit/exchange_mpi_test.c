/* mpiexec -n N exchange_mpi_test: what each host has comes to all, in the hosts' order, however
 * unlike they are in size and in time, and beside other messages. */
#include "world/exchange.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GATHERINGS = 20 };

static int rank, size, n_gathered, n_received;

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "rank %d, gathering %d: %s\n", rank, n_gathered, what);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

/* Of HOST in gathering I: nothing, some bytes, or a megabyte. */
static size_t length_of(int host, int i)
{
    if ((host + i) % 4 == 0)
        return 0;
    return (host * 7 + i) % 11 == 0 ? 1 << 20 : (size_t)(1 + (host * 131 + i * 17) % 900);
}

static void fill(char *bytes, int host, int i)
{
    for (size_t k = 0; k < length_of(host, i); k++)
        bytes[k] = (char)(host * 16 + i + (int)k);
}

static void gathered(void *context, const void *bytes, size_t n)
{
    const char *p = bytes;
    (void)context;
    size_t total = 0;
    for (int host = 0; host < size; host++)
        total += length_of(host, n_gathered);
    must(n == total, "the sum has the length of all");
    for (int host = 0; host < size; host++) {
        size_t length = length_of(host, n_gathered);
        char *expected = malloc(length + 1);
        fill(expected, host, n_gathered);
        must(memcmp(p, expected, length) == 0, "each has its bytes in its place");
        free(expected);
        p += length;
    }
    n_gathered++;
}

static void received(void *context, int from, enum ml_exchange_kind kind, const void *bytes,
                     size_t n)
{
    (void)context;
    must(kind == ML_EXCHANGE_HOST, "a message keeps its kind");
    must(n == sizeof(int) && memcmp(bytes, &from, n) == 0, "a message keeps its bytes");
    n_received++;
}

static void queued(void *context)
{
    (void)context;
}

static void failed(void *context, const char *reason)
{
    (void)context;
    must(false, reason);
}

/* There may be more ranks than cores. */
static void progress(struct ml_exchange *x)
{
    ml_exchange_progress(x);
    sched_yield();
}

static void join(struct ml_exchange *x, int i)
{
    char *bytes = malloc(length_of(rank, i) + 1);
    fill(bytes, rank, i);
    ml_exchange_gather(x, bytes, length_of(rank, i));
    free(bytes);
}

/* Some have all gatherings waiting at once, some come late to each. */
static void gather_all(struct ml_exchange *x)
{
    struct timespec pause = {0, 100000 * (rank + 1)};
    bool at_once = rank % 3 == 0;
    for (int i = 0; at_once && i < GATHERINGS; i++)
        join(x, i);
    for (int i = 0; i < GATHERINGS; i++) {
        if (!at_once) {
            nanosleep(&pause, NULL);
            join(x, i);
        }
        ml_exchange_send(x, (rank + i) % size, ML_EXCHANGE_HOST, &rank, sizeof rank);
        while (n_gathered <= i)
            progress(x);
    }
}

int main(int argc, char **argv)
{
    struct ml_exchange *x;
    struct ml_error err;
    struct ml_exchange_events events = {NULL, received, gathered, queued, failed};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    must(ml_exchange_open(MPI_COMM_WORLD, &events, &x, &err) == ML_OK, "open");
    gather_all(x);
    while (n_received < GATHERINGS)
        progress(x);
    must(n_gathered == GATHERINGS, "each gathering is told once");
    ml_exchange_close(x);
    MPI_Finalize();
    return 0;
}
