/* Eight threads allocate, free what another one has allocated, and fork. Exits with 5. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 20000, BETWEEN_FORKS = 5000 };

static _Atomic(char *) handed[THREADS];
static atomic_int failed;

static void fork_once(void)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0) {
        free(malloc(100000));
        _exit(0);
    }
    waitpid(pid, &status, 0);
    failed += status != 0;
}

static void *work(void *context)
{
    uintptr_t me = (uintptr_t)context;
    for (int i = 1; i <= ROUNDS; i++) {
        char *p = malloc(1000 + i % 5000);
        *p = 1;
        free(atomic_exchange(&handed[(me + 1) % THREADS], p));
        if (i % BETWEEN_FORKS == 0)
            fork_once();
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return failed ? 1 : 5;
}
