/* survivor [MS]: does at once what suffers when a process is stopped, looked at or signalled: waits
 * with time-outs, counted signals, children, threads, libraries that come and go, memory, sums.
 * Prints `ready`, and when stdin ends (or after MS milliseconds, to be seen plainly)
 *
 *   NAME turns=100 eintr=0 [wrong: what]       for each part
 *   right | wrong
 *
 * and exits with 0 only if everything was right. A call that ends with EINTR is right: whoever
 * looks at the process may be held to eintr=0. */
#include "survivor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUEUED_MAX 64

static atomic_bool over;
static atomic_long sent, received; /* real-time signals */
static atomic_long out_of_order;
static atomic_bool all_sent;

void part_wrong(struct part *part, const char *what, long value)
{
    if (!part->wrong[0])
        snprintf(part->wrong, sizeof part->wrong, "turn %ld: %s %ld (%s)", part->turns, what, value,
                 strerror(errno));
}

bool part_interrupted(struct part *part, long result)
{
    bool is_so = result < 0 && errno == EINTR;
    part->eintr += is_so;
    return is_so;
}

void short_sleep(long ns)
{
    struct timespec left = {.tv_nsec = ns};
    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* Each signal carries the number after the last one's. */
static void on_counted(int number, siginfo_t *info, void *unused)
{
    (void)number, (void)unused;
    if (info->si_value.sival_int != (int)(received + 1))
        out_of_order++;
    received++;
}

/* Sends to the process: the thread that receives is the only one that does not block it, and stays
 * until all were sent. */
static void turn_send(struct part *part, long turn)
{
    (void)turn;
    if (sent - received >= QUEUED_MAX && !part->last) {
        short_sleep(100000);
        return;
    }
    union sigval value = {.sival_int = (int)(sent + 1)};
    sent++;
    if (sigqueue(getpid(), SIGRTMIN, value))
        part_wrong(part, "sigqueue", sent);
    if (part->last) {
        for (int i = 0; i < 5000 && received < sent; i++)
            short_sleep(1000000);
        if (received != sent || out_of_order)
            part_wrong(part, "signals lost", sent - received);
        all_sent = true;
    }
}

static void turn_receive(struct part *part, long turn)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    if (turn == 0 && pthread_sigmask(SIG_UNBLOCK, &set, NULL))
        part_wrong(part, "sigmask", 0);
    for (volatile int i = 0; i < 20000; i++)
        ;
    while (part->last && !all_sent)
        short_sleep(1000000);
}

static struct part parts[] = {
    {.name = "epoll_wait", .turn = turn_epoll},
    {.name = "recv", .turn = turn_recv},
    {.name = "sigtimedwait", .turn = turn_sigtimedwait},
    {.name = "semtimedop", .turn = turn_semtimedop},
    {.name = "nanosleep", .turn = turn_nanosleep},
    {.name = "poll", .turn = turn_poll},
    {.name = "fork", .turn = turn_fork},
    {.name = "posix_spawn", .turn = turn_spawn},
    {.name = "dlopen", .turn = turn_dlopen},
    {.name = "pthread_create", .turn = turn_thread},
    {.name = "heap", .turn = turn_heap},
    {.name = "sum", .turn = turn_sum},
    {.name = "receive", .turn = turn_receive},
    {.name = "send", .turn = turn_send},
};
#define N_PARTS (sizeof parts / sizeof *parts)

static void *run_part(void *argument)
{
    struct part *part = argument;
    while (!part->last) {
        part->last = over;
        part->turn(part, part->turns);
        part->turns++;
    }
    return NULL;
}

static void wait_for_the_end(int timeout_ms)
{
    char byte;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, timeout_ms) < 0 && errno == EINTR)
        ;
    if (input.revents)
        (void)!read(STDIN_FILENO, &byte, 1);
}

int main(int argc, char **argv)
{
    pthread_t threads[N_PARTS];
    struct sigaction action = {.sa_sigaction = on_counted, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGRTMIN);
    sigaddset(&blocked, SIGRTMIN + 2);
    /* It is ignored, but not while its thread is in glibc's posix_spawn, which blocks all signals:
     * any other thread would then be woken for it, and see an EINTR that nobody else made. */
    sigaddset(&blocked, SIGCHLD);
    sigaction(SIGRTMIN, &action, NULL);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    for (size_t i = 0; i < N_PARTS; i++) {
        if (pthread_create(&threads[i], NULL, run_part, &parts[i]))
            return 2;
    }
    puts("ready");
    fflush(stdout);
    wait_for_the_end(argc > 1 ? atoi(argv[1]) : -1);
    over = true;
    bool right = true;
    for (size_t i = 0; i < N_PARTS; i++) {
        pthread_join(threads[i], NULL);
        printf("%s turns=%ld eintr=%ld%s%s\n", parts[i].name, parts[i].turns, parts[i].eintr,
               parts[i].wrong[0] ? " wrong: " : "", parts[i].wrong);
        right = right && !parts[i].wrong[0];
    }
    printf("signals sent=%ld received=%ld out_of_order=%ld\n", (long)sent, (long)received,
           (long)out_of_order);
    puts(right && sent == received ? "right" : "wrong");
    return right && sent == received ? 0 : 1;
}
