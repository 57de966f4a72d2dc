/* What a profiler before malloc costs, from a program that knows nothing of it.
 *
 *   heap_bench PAIRS [THREADS]: ns for malloc and free of 64 bytes, least of ten rounds. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 10 };

static long pairs;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *allocate(void *out_least_ns)
{
    double *least_ns = out_least_ns;
    *least_ns = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now_ns();
        for (long i = 0; i < pairs / ROUNDS; i++) {
            void *p = malloc(64);
            __asm__ volatile("" : : "r"(p) : "memory");
            free(p);
        }
        double ns = (now_ns() - begin) / (double)(pairs / ROUNDS);
        *least_ns = ns < *least_ns ? ns : *least_ns;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int n = argc > 2 ? atoi(argv[2]) : 1;
    pthread_t threads[64];
    double least_ns[64], sum = 0;
    pairs = argc > 1 ? atol(argv[1]) : 20000000;
    if (n < 1 || n > 64 || pairs < ROUNDS)
        return 2;
    for (int i = 1; i < n; i++)
        pthread_create(&threads[i], NULL, allocate, &least_ns[i]);
    allocate(&least_ns[0]);
    for (int i = 1; i < n; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < n; i++)
        sum += least_ns[i] / n;
    printf("%.3f ns\n", sum);
    return 0;
}
