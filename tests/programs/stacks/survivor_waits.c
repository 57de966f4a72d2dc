/* Parts that wait: two turns of three run into the time-out, in the third there is something. */
#include "survivor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 2

static bool is_given(long turn)
{
    return turn % 3 == 2;
}

/* Of a call that returns how many are ready: it returned N. */
static void check_ready(struct part *part, long n, long turn)
{
    if (!part_interrupted(part, n) && n != is_given(turn))
        part_wrong(part, "ready", n);
}

void turn_epoll(struct part *part, long turn)
{
    static int set = -1, event;
    if (set < 0) {
        set = epoll_create1(EPOLL_CLOEXEC);
        event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        struct epoll_event what = {.events = EPOLLIN};
        if (set < 0 || event < 0 || epoll_ctl(set, EPOLL_CTL_ADD, event, &what))
            part_wrong(part, "epoll_ctl", set);
    }
    uint64_t one = 1;
    if (is_given(turn) && write(event, &one, sizeof one) != sizeof one)
        part_wrong(part, "eventfd write", event);
    struct epoll_event got;
    check_ready(part, epoll_wait(set, &got, 1, WAIT_MS), turn);
    if (is_given(turn) && (read(event, &one, sizeof one) != sizeof one || one != 1))
        part_wrong(part, "eventfd read", (long)one);
}

void turn_poll(struct part *part, long turn)
{
    static int ends[2];
    char byte = 'x';
    if (turn == 0 && pipe2(ends, O_CLOEXEC))
        part_wrong(part, "pipe", 0);
    if (is_given(turn) && write(ends[1], &byte, 1) != 1)
        part_wrong(part, "write", ends[1]);
    check_ready(part, poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, WAIT_MS), turn);
    if (is_given(turn) && read(ends[0], &byte, 1) != 1)
        part_wrong(part, "read", ends[0]);
}

void turn_recv(struct part *part, long turn)
{
    static int ends[2];
    struct timeval limit = {.tv_usec = WAIT_MS * 1000};
    if (turn == 0 && (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) ||
                      setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)))
        part_wrong(part, "socketpair", 0);
    if (is_given(turn) && send(ends[1], &turn, sizeof turn, 0) != sizeof turn)
        part_wrong(part, "send", turn);
    for (;;) {
        long what = -1;
        ssize_t n = recv(ends[0], &what, sizeof what, 0);
        if (part_interrupted(part, n))
            continue;
        if (is_given(turn) ? n != sizeof what || what != turn : n >= 0 || errno != EAGAIN)
            part_wrong(part, "recv", what);
        return;
    }
}

/* A signal that the whole process has blocked, and that this thread sends to itself. */
void turn_sigtimedwait(struct part *part, long turn)
{
    sigset_t set;
    siginfo_t info;
    int number = SIGRTMIN + 2;
    sigemptyset(&set);
    sigaddset(&set, number);
    union sigval value = {.sival_int = (int)(turn & 0xffffff)};
    if (is_given(turn) && pthread_sigqueue(pthread_self(), number, value))
        part_wrong(part, "sigqueue", turn);
    for (;;) {
        int got = sigtimedwait(&set, &info, &(struct timespec){.tv_nsec = WAIT_MS * 1000000});
        if (part_interrupted(part, got))
            continue;
        if (is_given(turn) ? got != number || info.si_value.sival_int != value.sival_int
                           : got >= 0 || errno != EAGAIN)
            part_wrong(part, "sigtimedwait", got);
        return;
    }
}

void turn_semtimedop(struct part *part, long turn)
{
    static int semaphore = -1;
    if (turn == 0) {
        semaphore = semget(IPC_PRIVATE, 1, 0600);
        if (semaphore < 0)
            part_wrong(part, "semget", semaphore);
    }
    struct sembuf up = {.sem_op = 1}, down = {.sem_op = -1};
    if (is_given(turn) && semop(semaphore, &up, 1))
        part_wrong(part, "semop", semaphore);
    for (;;) {
        int result =
            semtimedop(semaphore, &down, 1, &(struct timespec){.tv_nsec = WAIT_MS * 1000000});
        if (part_interrupted(part, result))
            continue;
        if (is_given(turn) ? result != 0 : result >= 0 || errno != EAGAIN)
            part_wrong(part, "semtimedop", result);
        break;
    }
    /* It would outlive the process: it is removed as soon as nothing is asked of it any more */
    if (part->last && semctl(semaphore, 0, IPC_RMID))
        part_wrong(part, "semctl", semaphore);
}

/* None returns before its time, unless it says EINTR. */
void turn_nanosleep(struct part *part, long turn)
{
    struct timespec begin, end, time = {.tv_nsec = 500000 + turn % 7 * 100000}, left;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    int result = nanosleep(&time, &left);
    clock_gettime(CLOCK_MONOTONIC, &end);
    long took_ns = (end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec;
    if (!part_interrupted(part, result) && (result || took_ns < time.tv_nsec))
        part_wrong(part, "nanosleep", took_ns);
}
