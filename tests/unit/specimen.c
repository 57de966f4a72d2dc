#include "specimen.h"

#include "trace/tracing.h"
#include "wait_until.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct specimen_board *specimen_board;

static volatile int for_ever = 1; /* as the compiler cannot know */

CALLED void specimen_stay_busy(void);

CALLED void specimen_stay_busy(void)
{
    specimen_board->n_ready++;
    while (for_ever)
        specimen_board->turns++;
}

void specimen_call_busy(void)
{
    specimen_stay_busy();
    __asm__ volatile(""); /* no tail call */
}

static void *sleep_in_thread(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void on_signal(int number)
{
    (void)number;
    specimen_board->n_signals++;
}

void specimen_busy(void)
{
    pthread_t thread;
    signal(SIGRTMIN, on_signal);
    pthread_create(&thread, NULL, sleep_in_thread, NULL);
    specimen_call_busy();
    __asm__ volatile("");
}

void specimen_open(void)
{
    specimen_board = mmap(NULL, sizeof *specimen_board, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(specimen_board, MAP_FAILED);
}

pid_t specimen_start(void (*run)(void))
{
    int before = specimen_board->n_ready;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
        run();
        _exit(1);
    }
    WAIT_UNTIL(specimen_board->n_ready > before);
    return pid;
}

void specimen_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void specimen_check_runs(pid_t pid)
{
    long turns = specimen_board->turns;
    assert_int_equal(ml_tracing_of(pid).tracer, 0);
    WAIT_UNTIL(specimen_board->turns != turns); /* two may count, and set each other back */
    usleep(20000); /* a stop that was still on its way would show now */
    assert_false(ml_tracing_of(pid).stopped);
}
