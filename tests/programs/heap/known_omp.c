/* Eight threads of OpenMP, at the same time: each frees what its neighbour has allocated. */
#include "known.h"

#include <stdlib.h>

enum { THREADS = 8, N = 20000 };
static void *blocks[THREADS][N];

static OWNER void *own_thread(void)
{
    void *p = malloc(400);
    KEEP(p);
    return p;
}

static OWNER void *own_scratch(void)
{
    void *p = malloc(100);
    KEEP(p);
    return p;
}

int main(void)
{
#pragma omp parallel for num_threads(THREADS) schedule(static, 1)
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < N; i++) {
            blocks[t][i] = own_thread();
            for (int j = 0; j < 4; j++)
                free(own_scratch());
        }
#pragma omp parallel for num_threads(THREADS) schedule(static, 1)
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < N; i += 2)
            free(blocks[(t + 1) % THREADS][i]);
    told("thread", 400, THREADS * N, THREADS * N / 2);
    told("scratch", 100, 4.0 * THREADS * N, 0);
    return 0;
}
