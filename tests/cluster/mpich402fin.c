/*
 * A work-around for Debian 12's MPICH 4.0.2 (ch4:ucx), to be preloaded into MPICH programs that
 * run over several hosts, and for tests only.
 *
 * MPI_Finalize of that version waits for a flushing disconnect of every endpoint while the peer
 * may already sit in a blocking PMI barrier, where it answers nothing (mended upstream by pull
 * request 6596): about half of the runs over several hosts hang there, with or without
 * memlog-mpi. Here the first disconnect drains the worker for 50 ms, and the closing is left to
 * ucp_worker_destroy.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <time.h>

typedef int (*create_fn)(void *context, const void *params, void **out_worker);
typedef unsigned (*progress_fn)(void *worker);

static void *worker;

int ucp_worker_create(void *context, const void *params, void **out_worker);
void *ucp_disconnect_nb(void *endpoint);

int ucp_worker_create(void *context, const void *params, void **out_worker)
{
    create_fn create = (create_fn)dlsym(RTLD_NEXT, "ucp_worker_create");
    int status = create(context, params, out_worker);
    if (status == 0)
        worker = *out_worker;
    return status;
}

static long ns_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000000000L + now.tv_nsec - start->tv_nsec;
}

/* NULL stands for UCS_OK: the disconnect is complete. */
void *ucp_disconnect_nb(void *endpoint)
{
    static int drained;
    progress_fn progress = (progress_fn)dlsym(RTLD_NEXT, "ucp_worker_progress");
    struct timespec start;
    (void)endpoint;
    if (drained++ || !worker || !progress)
        return NULL;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        progress(worker);
    while (ns_since(&start) < 50 * 1000000L);
    return NULL;
}
