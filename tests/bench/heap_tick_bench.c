/* What a tick of the heap profile costs the sampling rank.
 *
 * heap_tick_bench RANKS SITES PERCENT [TICKS]: pages of as many processes, each with as many call
 * stacks, of which PERCENT have changed before each tick, by a thousandth of all or less. The ticks
 * are told that 250 ms lie between them. Prints CPU time, and its share of a core at 4 Hz. */
#include "base/clock.h"
#include "heap/heap.h"
#include "heap/heap_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PERIOD_NS (250 * ML_NS_PER_MS)
#define SITE_B (1 << 20)

enum { CALLS = 20, MODULES = 40 };

struct bench {
    int ranks, sites, percent, ticks;
    pid_t *pids;
    struct ml_heap_file *file;
    struct ml_heap *heap;
    int64_t rows_B;
};

static int of_pid(void *context, pid_t pid)
{
    const struct bench *b = context;
    for (int i = 0; i < b->ranks; i++) {
        if (b->pids[i] == pid)
            return i;
    }
    return -1;
}

static void samples(void *context, int64_t now_ns, const void *rows, size_t size)
{
    struct bench *b = context;
    (void)now_ns, (void)rows;
    b->rows_B += (int64_t)size;
}

static bool name(void *context, const struct ml_buffer *order)
{
    (void)context, (void)order;
    return true;
}

static void allocator(void *context, pid_t pid, int64_t used_B, int64_t held_B)
{
    (void)context, (void)pid, (void)used_B, (void)held_B;
}

static void note(void *context, int process, const char *text)
{
    (void)context, (void)process, (void)text;
}

static struct ml_heap_page *page_of(const struct bench *b, int rank)
{
    return (struct ml_heap_page *)((char *)b->file + ML_HEAP_FIRST + rank * ML_HEAP_STRIDE);
}

static void fill(struct bench *b, int rank)
{
    struct ml_heap_page *page = page_of(b, rank);
    page->pid = b->pids[rank];
    page->image = 1;
    page->in_use_B = page->held_B = -1;
    for (uint32_t i = 0; i < (uint32_t)b->sites; i++) {
        page->stacks[i].n = i ? CALLS : 0;
        page->stacks[i].first = i ? (i - 1) * CALLS : 0;
        for (uint32_t k = 0; i && k < CALLS; k++)
            page->words[(i - 1) * CALLS + k] = 0x1000 + i * CALLS + k;
        page->stacks[i].live_B = page->stacks[i].allocated_B = SITE_B;
        page->stacks[i].live_variance = page->stacks[i].allocated_variance = SITE_B;
        page->stacks[i].ready = 1;
    }
    for (uint32_t i = 0; i < MODULES; i++)
        page->modules[i] = (struct ml_heap_module){.end = UINT64_MAX, .path = "/usr/lib/libx.so"};
    page->n_modules = MODULES;
    page->n_stacks = (uint32_t)b->sites;
}

static void change(const struct bench *b, int tick)
{
    for (int rank = 0; rank < b->ranks; rank++) {
        struct ml_heap_page *page = page_of(b, rank);
        page->changes += b->percent > 0;
        for (int i = 1; i < b->sites; i++) {
            if ((i * 37 + tick * 11) % 100 >= b->percent)
                continue;
            page->stacks[i].live_B += tick % 2 ? SITE_B / 1000 : -SITE_B / 1000;
            page->stacks[i].allocated_B += SITE_B / 1000;
            page->moved[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
}

static pid_t spawn(void)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

static bool open_all(struct bench *b)
{
    struct ml_heap_setup setup = {b, of_pid, samples, name, allocator, note};
    struct ml_error err;
    if (ml_heap_open(&setup, (size_t)b->ranks, 1 << 19, 0.01, &b->heap, &err) != ML_OK)
        return false;
    char *entry = ml_heap_environment(b->heap);
    int fd = open(strchr(entry, '=') + 1, O_RDWR | O_CLOEXEC);
    size_t size = ML_HEAP_FIRST + (size_t)b->ranks * ML_HEAP_STRIDE;
    free(entry);
    b->file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (b->file == MAP_FAILED)
        return false;
    for (int rank = 0; rank < b->ranks; rank++) {
        b->pids[rank] = spawn();
        fill(b, rank);
    }
    return true;
}

static int64_t timed_tick(const struct bench *b, int64_t now_ns)
{
    int64_t begin_ns = ml_clock_read(CLOCK_THREAD_CPUTIME_ID);
    ml_heap_tick(b->heap, now_ns);
    return ml_clock_read(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
}

static void measure(struct bench *b)
{
    int64_t now_ns = ml_mono_now().ns, sum_ns = 0;
    int64_t first_ns = timed_tick(b, now_ns), first_B = b->rows_B;
    for (int i = 0; i < b->ticks; i++) {
        change(b, i);
        now_ns += PERIOD_NS;
        sum_ns += timed_tick(b, now_ns);
    }
    double tick_us = (double)sum_ns / b->ticks / 1e3;
    printf("%d ranks, %d sites, %d %% changed: first tick %.0f us, then %.0f us, %.3f %% of a core "
           "at 4 Hz; %.1f KiB of rows a second\n",
           b->ranks, b->sites, b->percent, (double)first_ns / 1e3, tick_us, tick_us * 4 / 1e4,
           4.0 * (double)(b->rows_B - first_B) / b->ticks / 1024);
}

int main(int argc, char **argv)
{
    struct bench b = {.ticks = 200};
    if (argc > 3) {
        b.ranks = atoi(argv[1]);
        b.sites = atoi(argv[2]);
        b.percent = atoi(argv[3]);
    }
    if (argc > 4)
        b.ticks = atoi(argv[4]);
    if (b.ranks < 1 || b.sites < 1 || b.sites > ML_HEAP_STACKS || b.ticks < 1) {
        fprintf(stderr, "usage: heap_tick_bench RANKS SITES PERCENT [TICKS]\n");
        return 2;
    }
    b.pids = calloc((size_t)b.ranks, sizeof *b.pids);
    if (!b.pids || !open_all(&b))
        return 1;
    measure(&b);
    ml_heap_close(b.heap);
    for (int i = 0; i < b.ranks; i++)
        kill(b.pids[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    free(b.pids);
    return 0;
}
