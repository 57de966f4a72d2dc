#include "stacks.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 512

static _Thread_local const char *chain[DEPTH_MAX];
static _Thread_local int depth;
static atomic_int to_come;
static bool spins;
static const char *hold_by;
static int never[2]; /* a pipe through which nothing comes */
static char program[512];
static volatile unsigned long turns;

static void on_input(int number)
{
    (void)number;
    if (write(STDOUT_FILENO, "done\n", 5) != 5)
        _exit(74);
    _exit(0);
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    _exit(9);
}

void stacks_begin(int argc, char **argv, int threads, const char *hold)
{
    if (argc < 2)
        fail("hold or spin?");
    spins = strcmp(argv[1], "spin") == 0;
    hold_by = argc > 2 ? argv[2] : hold;
    to_come = threads;
    if (pipe2(never, O_CLOEXEC) || !realpath("/proc/self/exe", program))
        fail("pipe or realpath");
    /* A signal, so that no thread need wait for the input */
    struct sigaction action = {.sa_handler = on_input};
    if (sigaction(SIGIO, &action, NULL) || fcntl(STDIN_FILENO, F_SETOWN, getpid()) ||
        fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_ASYNC))
        fail("stdin is no pipe");
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&input, 1, 0) != 0)
        on_input(SIGIO);
}

void stacks_enter(const char *name)
{
    if (depth == DEPTH_MAX)
        fail("too deep");
    chain[depth++] = name;
}

void stacks_leave(void)
{
    depth--;
}

void stacks_enter_at(void *return_address)
{
    Dl_info info;
    struct link_map *map;
    char *place;
    if (!dladdr1(return_address, &info, (void **)&map, RTLD_DL_LINKMAP) ||
        asprintf(&place, "%s+0x%lx", map->l_name[0] ? map->l_name : program,
                 (unsigned long)((uintptr_t)return_address - map->l_addr)) < 0)
        fail("an address of no module");
    stacks_enter(place);
}

int stacks_spins(void)
{
    return spins;
}

void stacks_announce(const char *blocked_by)
{
    static char lines[16][65536];
    static atomic_int next;
    char *text = lines[next++ % 16];
    int thread = (int)syscall(SYS_gettid);
    int used = sprintf(text, "expect %d ", thread);
    for (int i = 0; i < depth; i++)
        used += sprintf(text + used, "%s%s", i ? ";" : "", chain[i]);
    used += sprintf(text + used, "\n");
    if (!spins && blocked_by)
        used += sprintf(text + used, "blocked %d %s\n", thread, blocked_by);
    if (write(STDOUT_FILENO, text, (size_t)used) != used)
        fail("write");
    if (--to_come == 0 && write(STDOUT_FILENO, "ready\n", 6) != 6)
        fail("write");
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

CALLED void stacks_stay(void)
{
    char byte;
    ENTER();
#ifdef WITHOUT_NAMES
    char here[sizeof program + 2];
    snprintf(here, sizeof here, "%s+?", program);
    stacks_enter(here);
#endif
    stacks_announce(hold_by);
    while (spins)
        turns++;
    if (strcmp(hold_by, "nanosleep") == 0) {
        nanosleep(&(struct timespec){.tv_sec = 100000}, NULL);
    } else if (strcmp(hold_by, "poll") == 0) {
        poll(&(struct pollfd){.fd = never[0], .events = POLLIN}, 1, 100000000);
    } else if (strcmp(hold_by, "futex") == 0) {
        pthread_mutex_lock(&mutex);
        pthread_cond_wait(&condition, &mutex);
    } else if (strcmp(hold_by, "read") == 0) {
        if (read(never[0], &byte, 1) >= 0)
            fail("read");
    } else if (strcmp(hold_by, "stdio") == 0) {
        getc(fdopen(never[0], "r"));
    } else if (strcmp(hold_by, "pause") == 0) {
        pause();
    } else if (strcmp(hold_by, "stop") == 0) {
        raise(SIGSTOP);
        pause();
    }
    /* Whoever takes its stack must not wake it */
    fail("it was woken");
}
