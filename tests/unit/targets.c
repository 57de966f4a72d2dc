#include "targets.h"

#include "wait_until.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct shared *shared;

bool targets_open(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared != MAP_FAILED;
}

void targets_close(void)
{
    munmap(shared, sizeof *shared);
}

pid_t start(void (*body)(void))
{
    shared->ready = shared->interrupted = shared->caught = shared->stop = shared->rounds = 0;
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    body();
    _exit(0);
}

char state_of(pid_t pid)
{
    char path[64], line[512], c = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file) && strrchr(line, ')'))
        c = strrchr(line, ')')[2];
    if (file)
        fclose(file);
    return c;
}

void await_ready(int threads)
{
    while (shared->ready < threads)
        usleep(1000);
}

void await_state(pid_t pid, char state)
{
    WAIT_UNTIL(state_of(pid) == state);
}

pid_t start_blocked(void (*body)(void))
{
    pid_t pid = start(body);
    await_ready(1);
    await_state(pid, 'S');
    return pid;
}

void finish(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void ready(void)
{
    __atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
}

/* What the processes do. Each function does something after its call, so that it has a frame. */
static volatile int sink_of_values;
#ifdef __clang__
#define OWN_FRAME __attribute__((noinline))
#else
#define OWN_FRAME __attribute__((noinline, noclone))
#endif

OWN_FRAME void blocked_in_nanosleep(void)
{
    ready();
    sleep(1000);
    sink_of_values++;
}

OWN_FRAME void blocked_in_poll(void)
{
    ready();
    poll(NULL, 0, -1);
    sink_of_values++;
}

OWN_FRAME void blocked_in_futex(void)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&lock);
    ready();
    pthread_cond_wait(&never, &lock);
    sink_of_values++;
}

OWN_FRAME void blocked_in_read(void)
{
    int ends[2];
    char byte;
    if (pipe(ends) < 0)
        _exit(1);
    ready();
    sink_of_values = (int)read(ends[0], &byte, 1);
    sink_of_values++;
}

OWN_FRAME void work(void)
{
    ready();
    while (!shared->stop)
        shared->rounds++;
    sink_of_values++;
}

/* Deeper than the stack was before, and just above the start of its last page. */
OWN_FRAME void work_at_the_end_of_the_stack(void)
{
    enum { DEEP_B = 512 << 10, ABOVE_B = 48 };
    uintptr_t here = (uintptr_t)__builtin_frame_address(0) - DEEP_B;
    volatile char *last = __builtin_alloca(DEEP_B + here % 4096 - ABOVE_B);
    *last = 1;
    ready();
    while (!shared->stop)
        shared->rounds++;
    sink_of_values = *last;
}

OWN_FRAME static void recurse(int depth, void (*bottom)(void))
{
    volatile char local[2048];
    local[depth] = 1;
    if (depth > 1)
        recurse(depth - 1, bottom);
    else
        bottom();
    local[depth]++;
}

OWN_FRAME void recurse_and_block(void)
{
    recurse(200, blocked_in_poll);
    sink_of_values++;
}

OWN_FRAME void recurse_and_work(void)
{
    recurse(200, work);
    sink_of_values++;
}

static void *work_in_thread(void *context)
{
    work();
    return context;
}

static void *block_in_thread(void *context)
{
    blocked_in_poll();
    return context;
}

OWN_FRAME void run_8_threads(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, i % 2 ? work_in_thread : block_in_thread, NULL);
    blocked_in_read();
    sink_of_values++;
}

static void (*in_handler)(void);

OWN_FRAME static void handle(int number)
{
    (void)number;
    in_handler();
    sink_of_values++;
}

OWN_FRAME static void raise_on_other_stack(void)
{
    stack_t other = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sink_of_values++;
}

void block_in_handler(void)
{
    in_handler = blocked_in_poll;
    raise_on_other_stack();
}

void work_in_handler(void)
{
    in_handler = work;
    raise_on_other_stack();
}

OWN_FRAME void ask_the_time(void)
{
    struct timespec t;
    ready();
    while (!shared->stop)
        clock_gettime(CLOCK_MONOTONIC, &t);
    sink_of_values++;
}

void wait_for_events(void)
{
    int epoll = epoll_create1(0);
    struct epoll_event event;
    ready();
    while (!shared->stop) {
        if (epoll_wait(epoll, &event, 1, 3) < 0 && errno == EINTR)
            shared->interrupted++;
        shared->rounds++;
    }
}

static void count_signal(int number)
{
    (void)number;
    shared->caught++;
}

void catch_signals(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    sigaction(SIGRTMIN, &action, NULL);
    wait_for_events();
}

void sigusr1_sleep(void)
{
    struct sigaction action = {.sa_handler = count_signal};
    sigaction(SIGUSR1, &action, NULL);
    ready();
    struct epoll_event event;
    int epoll = epoll_create1(0);
    while (!shared->caught) {
        if (epoll_wait(epoll, &event, 1, -1) < 0 && errno == EINTR)
            shared->interrupted++;
    }
}
