/* signals BLOCKS: allocates and frees, while a timer's handler does the same. The C library does
 * not allow that; the test has the allocator of bump.c behind us, which does. */
#include "known.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

enum { RING = 64 };
static void *ring[RING];
static volatile sig_atomic_t n_handled;

static OWNER void *own_handler(void)
{
    void *p = malloc(100);
    KEEP(p);
    return p;
}

static OWNER void *own_main(void)
{
    void *p = malloc(100);
    KEEP(p);
    return p;
}

static void handle(int number)
{
    (void)number;
    void *p = own_handler();
    free(ring[0]); /* of the thread that was interrupted */
    ring[0] = NULL;
    free(p);
    n_handled++;
}

int main(int argc, char **argv)
{
    int blocks = argc > 1 ? atoi(argv[1]) : 1000000;
    struct sigaction action = {.sa_handler = handle};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval often = {{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < blocks || n_handled < 100; i++) {
        int at = 1 + i % (RING - 1);
        free(ring[at]);
        ring[at] = own_main();
        void *p = own_main();
        __atomic_store_n(&ring[0], p, __ATOMIC_SEQ_CST);
        p = __atomic_exchange_n(&ring[0], NULL, __ATOMIC_SEQ_CST);
        free(p);
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < RING; i++)
        free(ring[i]);
    printf("{\"handled\": %d}\n", n_handled >= 100);
    return 0;
}
