/* What the heap profiler is made of: chance, tables, lock; then all of it from several threads,
 * with made-up addresses and stacks. */
#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/allocator.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/chance.h"
#include "mpi_hooks/heap/filter.h"
#include "mpi_hooks/heap/modules.h"
#include "mpi_hooks/heap/sampler.h"
#include "mpi_hooks/heap/sampler_maps.h"
#include "mpi_hooks/heap/seldom.h"
#include "mpi_hooks/heap/start.h"
#include "mpi_hooks/heap/system.h"
#include "mpi_hooks/heap/thin.h"
#include "mpi_hooks/heap/walk.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

/* ------------------------------------------------------------------------------ made up */
#define MEAN_B 100000

enum ml_started ml_start(void)
{
    return ML_STARTED_ON;
}

enum ml_started ml_started(void)
{
    return ML_STARTED_ON;
}

bool ml_modules_is_ours(uintptr_t address)
{
    return address < 10;
}

void ml_allocator_tell(struct ml_heap_page *page)
{
    ML_STORE(page->in_use_B, 1);
}

void ml_heap_walk_refresh(void)
{
}

static _Thread_local uintptr_t caller;

/* Two frames of ours, then the caller. */
size_t ml_heap_walk(uintptr_t *out_pcs, size_t max)
{
    assert_true(max >= ML_HEAP_DEPTH);
    out_pcs[0] = 1;
    out_pcs[1] = 2;
    out_pcs[2] = caller;
    return 3;
}

/* ------------------------------------------------------------------------------ chance */
static void hits_are_those_of_libm(void **state)
{
    (void)state;
    for (double x = 1e-12; x < 100; x *= 1.37)
        assert_true(fabs(ml_chance_hit(x) / -expm1(-x) - 1) < 1e-14);
    assert_true(ml_chance_hit(0) == 0);
}

/* Of many distances, the share that is at most s: 1 - exp(-s / mean), within 5 standard errors. */
static void distances_are_exponential(void **state)
{
    (void)state;
    enum { N = 400000 };
    static const uint64_t limits[] = {1, 3, 10, 30, 100, 300};
    int within[6] = {0};
    uint64_t random = ml_chance_seed(state);
    for (int i = 0; i < N; i++) {
        uint64_t distance = ml_chance_distance(&random, 50);
        assert_true(distance >= 1);
        for (int k = 0; k < 6; k++)
            within[k] += distance <= limits[k];
    }
    for (int k = 0; k < 6; k++) {
        double p = -expm1(-(double)limits[k] / 50);
        assert_true(fabs(within[k] - N * p) < 5 * sqrt(N * p * (1 - p)));
    }
}

static void seeds_differ(void **state)
{
    (void)state;
    int a = 0, b = 0;
    assert_true(ml_chance_seed(&a) != ml_chance_seed(&b));
    assert_true(ml_chance_seed(&a) != 0);
}

/* ------------------------------------------------------------------------------ blocks */
static void *address(uint64_t i)
{
    return (void *)(uintptr_t)(0x10000 + 16 * i);
}

static void blocks_are_found_until_removed(void **state)
{
    (void)state;
    struct ml_blocks *blocks = calloc(1, sizeof *blocks);
    struct ml_sample sample = {64, 0.5F, 1};
    for (uint64_t i = 0; i < ML_BLOCKS_FULL; i++)
        assert_true(ml_blocks_add(blocks, address(i), &sample));
    for (uint64_t i = 0; i < ML_BLOCKS_FULL; i += 2) {
        assert_true(ml_filter_may_be(address(i)));
        ml_blocks_remove(blocks, ml_blocks_find(blocks, address(i)));
    }
    for (uint64_t i = 0; i < ML_BLOCKS_FULL; i++)
        assert_int_equal(ml_blocks_find(blocks, address(i)) != ML_BLOCKS_NONE, i % 2);
    assert_int_equal(blocks->n, ML_BLOCKS_FULL / 2);
    ml_filter_clear();
    free(blocks);
}

/* Few blocks touch few pages. */
static void few_blocks_lie_close(void **state)
{
    (void)state;
    enum { FEW = 300 };
    struct ml_blocks *blocks = calloc(1, sizeof *blocks);
    struct ml_sample sample = {64, 0.5F, 1};
    for (uint64_t i = 0; i < FEW; i++) {
        assert_true(ml_blocks_add(blocks, address(1000 * i), &sample));
        assert_true(ml_blocks_find(blocks, address(1000 * i)) < 4 * FEW);
    }
    ml_filter_clear();
    free(blocks);
}

/* Its address may come back before it is removed. */
static void marked_blocks_are_nobodys(void **state)
{
    (void)state;
    struct ml_blocks *blocks = calloc(1, sizeof *blocks);
    struct ml_sample sample = {64, 0.5F, 1};
    ml_blocks_add(blocks, address(1), &sample);
    int32_t i = ml_blocks_find(blocks, address(1));
    ml_blocks_mark_freed(blocks, i, address(1));
    assert_int_equal(blocks->n_marked, 1);
    assert_int_equal(ml_blocks_find(blocks, address(1)), ML_BLOCKS_NONE);
    assert_true(ml_blocks_add(blocks, address(1), &sample));
    assert_int_equal(ml_blocks_next_marked(blocks, 0), i);
    ml_blocks_remove(blocks, i);
    assert_int_equal(ml_blocks_next_marked(blocks, 0), ML_BLOCKS_NONE);
    assert_true(ml_filter_may_be(address(1)));
    ml_blocks_remove(blocks, ml_blocks_find(blocks, address(1)));
    assert_false(ml_filter_may_be(address(1)));
    free(blocks);
}

/* ------------------------------------------------------------------------------ regions */
enum { PAGES = 300 };

/* Checks REGIONS against OWNER, which has for each page the stack of its map, 0 for none. */
static void check_regions(const struct ml_regions *regions, const uint32_t *owner)
{
    uint32_t seen[PAGES] = {0};
    for (size_t i = 0; i < regions->n; i++) {
        const struct ml_region *region = &regions->regions[i];
        assert_true(region->begin < region->end);
        assert_true(i == 0 || regions->regions[i - 1].end <= region->begin);
        for (uintptr_t page = region->begin; page < region->end; page++)
            seen[page] = region->stack;
    }
    assert_memory_equal(seen, owner, sizeof seen);
}

static void regions_are_cut_as_maps_are(void **state)
{
    (void)state;
    static struct ml_regions regions;
    uint32_t owner[PAGES] = {0};
    uint64_t random = ml_chance_seed(state);
    for (uint32_t step = 1; step < 20000; step++) {
        uintptr_t begin = (uintptr_t)(ml_chance_uniform(&random) * (PAGES - 40));
        uintptr_t end = begin + 1 + (uintptr_t)(ml_chance_uniform(&random) * 38);
        struct ml_region piece, new = {begin, end, 1, step, 1};
        while (ml_regions_cut(&regions, begin, end, &piece))
            for (uintptr_t page = piece.begin; page < piece.end; page++)
                assert_int_equal(owner[page], piece.stack);
        bool maps = step % 2;
        if (maps)
            assert_true(ml_regions_add(&regions, &new));
        for (uintptr_t page = begin; page < end; page++)
            owner[page] = maps ? step : 0;
        check_regions(&regions, owner);
    }
}

static void a_map_is_one_block_whatever_is_cut(void **state)
{
    (void)state;
    static struct ml_regions regions;
    struct ml_region piece, whole = {100, 200, 1, 1, 1};
    ml_regions_add(&regions, &whole);
    assert_true(ml_regions_cut(&regions, 140, 150, &piece));
    assert_false(piece.is_block);
    assert_true(ml_regions_at(&regions, 100)->is_block);
    assert_false(ml_regions_at(&regions, 150)->is_block);
    assert_true(ml_regions_cut(&regions, 0, 140, &piece));
    assert_true(piece.is_block);
    assert_true(ml_regions_cut(&regions, 0, 1000, &piece));
    assert_false(piece.is_block);
    assert_int_equal(regions.n, 0);
}

static void full_regions_lose_what_has_no_place(void **state)
{
    (void)state;
    static struct ml_regions regions;
    struct ml_region piece;
    for (uintptr_t i = 0; i < ML_REGIONS_MAX; i++)
        assert_true(ml_regions_add(&regions, &(struct ml_region){10 * i, 10 * i + 9, 1, 1, 1}));
    assert_false(ml_regions_add(&regions, &(struct ml_region){1 << 20, 1 << 21, 1, 1, 1}));
    assert_true(ml_regions_cut(&regions, 52, 54, &piece));
    assert_int_equal(piece.begin, 52);
    assert_int_equal(piece.end, 59);
    assert_int_equal(regions.n, ML_REGIONS_MAX);
}

/* ------------------------------------------------------------------------------ stacks */
static struct ml_heap_page *made_up_page(void)
{
    struct ml_heap_page *page = calloc(1, sizeof *page);
    page->n_stacks = 1;
    page->stacks[0].ready = 1;
    return page;
}

static void stacks_are_found_again(void **state)
{
    (void)state;
    struct ml_heap_page *page = made_up_page();
    struct ml_stack_index *index = calloc(1, sizeof *index);
    uintptr_t pcs[] = {1, 2, 3};
    uint32_t one = ml_stacks_find(page, index, ML_HEAP_BLOCKS, pcs, 3);
    assert_int_equal(one, 1);
    assert_int_equal(ml_stacks_find(page, index, ML_HEAP_BLOCKS, pcs, 3), one);
    assert_int_equal(ml_stacks_find(page, index, ML_HEAP_MAPPED, pcs, 3), 2);
    assert_int_equal(ml_stacks_find(page, index, ML_HEAP_BLOCKS, pcs, 2), 3);
    assert_int_equal(page->n_words, 8);
    free(index);
    free(page);
}

static void what_has_no_place_is_other(void **state)
{
    (void)state;
    struct ml_heap_page *page = made_up_page();
    struct ml_stack_index *index = calloc(1, sizeof *index);
    for (uintptr_t i = 1; i < 2 * ML_HEAP_STACKS; i++)
        assert_int_equal(ml_stacks_find(page, index, ML_HEAP_BLOCKS, &i, 1),
                         i < ML_HEAP_STACKS ? i : 0);
    uintptr_t known = 77;
    assert_int_equal(ml_stacks_find(page, index, ML_HEAP_BLOCKS, &known, 1), 77);
    memset(index, 0, sizeof *index);
    page->n_stacks = 1;
    page->n_words = ML_HEAP_WORDS - 1;
    uintptr_t pcs[] = {1, 2};
    assert_int_equal(ml_stacks_find(page, index, ML_HEAP_BLOCKS, pcs, 2), 0);
    assert_int_equal(ml_stacks_find(page, index, ML_HEAP_BLOCKS, pcs, 1), 1);
    free(index);
    free(page);
}

static void sums_come_back_to_nothing(void **state)
{
    (void)state;
    struct ml_heap_page *page = made_up_page();
    struct ml_sample sample = {1000, 0.3F, 0};
    ml_stacks_allocated(page, &sample, 1);
    ml_stacks_live(page, &sample, 1);
    assert_int_equal(page->stacks[0].live_B, 3333);
    assert_int_equal(page->stacks[0].live_blocks, 853);
    ml_stacks_end(page, &sample, 1);
    assert_int_equal(page->stacks[0].live_B, 0);
    assert_int_equal(page->stacks[0].live_blocks, 0);
    assert_true(page->stacks[0].live_variance == 0);
    assert_int_equal(page->stacks[0].allocated_B, 3333);
    free(page);
}

/* The sampling rank looks at no page where they are not, and at no stack whose bit is not set. */
static void changes_are_told(void **state)
{
    (void)state;
    struct ml_heap_page *page = made_up_page();
    struct ml_sample sample = {1000, 0.3F, 0};
    ml_stacks_allocated(page, &sample, 1);
    uint64_t allocated = page->changes;
    ml_stacks_live(page, &sample, 1);
    uint64_t lives = page->changes;
    assert_int_equal(page->moved[0], 1);
    sample.stack = 70;
    ml_stacks_end(page, &sample, 1);
    assert_int_equal(page->moved[1], 1 << 6);
    assert_true(allocated > 0 && lives > allocated && page->changes > lives);
    free(page);
}

/* ------------------------------------------------------------------------------ lock */
static void nobody_waits_for_ever(void **state)
{
    (void)state;
    struct ml_lock lock = {0};
    assert_true(ml_lock_take(&lock, 1));
    assert_false(ml_lock_take(&lock, 1));
    for (int i = 0; i < 10; i++)
        assert_false(ml_lock_take(&lock, 2));
    ml_lock_give(&lock);
    assert_true(ml_lock_take(&lock, 2));
    assert_int_equal(lock.n_given_up, 0);
}

/* ------------------------------------------------------------------------------ all of it */
static int make_file(char path[64], uint32_t pages)
{
    int fd = memfd_create("heap_test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct ml_heap_file head = {ML_HEAP_MAGIC, ML_HEAP_VERSION, pages, ML_HEAP_STRIDE, MEAN_B, 1e9};
    assert_int_equal(ftruncate(fd, (off_t)(ML_HEAP_FIRST + pages * ML_HEAP_STRIDE)), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    assert_int_equal(pwrite(fd, &head, sizeof head, 0), sizeof head);
    snprintf(path, 64, "/proc/%d/fd/%d", getpid(), fd);
    return fd;
}

enum { PAGES_OF_FILE = 16, FORKS = 8 };

static int open_books(void **state)
{
    (void)state;
    char path[64];
    struct ml_heap_settings settings;
    make_file(path, PAGES_OF_FILE);
    setenv(ML_HEAP_VARIABLE, path, 1);
    return ml_heap_attach_open(&settings) && settings.mean_B == MEAN_B &&
                   ml_books_create(&settings, ML_HEAP_OWN_ALLOCATOR) && ml_books_page()
               ? 0
               : -1;
}

enum { THREADS = 8, ROUNDS = 100000, HELD = 1000, SIZE_B = 5000 };

/* Each has its own addresses; every fourth block is handed on to the next thread. */
static _Atomic(void *) handed[THREADS];

static void end(void *p)
{
    if (p && ml_filter_may_be(p))
        ml_sampler_freed(p);
}

static void *allocate_and_free(void *context)
{
    uintptr_t me = (uintptr_t)context;
    void *held[HELD] = {0};
    caller = 100 + me;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        void *p = address(me * ROUNDS + i);
        float probability = ml_sampler_passes(SIZE_B) ? 0 : ml_sampler_choose(SIZE_B);
        if (probability > 0)
            ml_sampler_made(p, SIZE_B, probability);
        void **place = &held[i % HELD], *old = *place;
        *place = p;
        end(i % 4 ? old : atomic_exchange(&handed[(me + 1) % THREADS], old));
    }
    for (int i = 0; i < HELD; i++)
        end(held[i]);
    return NULL;
}

static void begin_threads(pthread_t threads[THREADS], void *(*run)(void *))
{
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, (void *)i), 0);
}

static void join_threads(const pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void end_handed(void)
{
    for (int i = 0; i < THREADS; i++)
        end(atomic_exchange(&handed[i], NULL));
    assert_true(ml_books_lock()); /* what was marked goes */
    ml_books_unlock();
}

static void threads_agree(void **state)
{
    (void)state;
    struct ml_heap_page *page = ml_books_page();
    pthread_t threads[THREADS];
    begin_threads(threads, allocate_and_free);
    join_threads(threads);
    end_handed();
    int64_t live_B = 0, allocated_B = 0;
    for (uint32_t i = 0; i < page->n_stacks; i++) {
        live_B += page->stacks[i].live_B;
        allocated_B += page->stacks[i].allocated_B;
    }
    double hit = -expm1(-(double)SIZE_B / MEAN_B), n = (double)THREADS * ROUNDS;
    assert_true(fabs((double)allocated_B - n * SIZE_B) <
                5 * SIZE_B * sqrt(n * (1 - hit) / hit) + SIZE_B / hit * (double)page->n_lost);
    assert_int_equal(live_B, 0);
    assert_int_equal(ml_books->blocks.n, 0);
    assert_int_equal(page->n_stacks, 1 + THREADS);
    assert_int_equal(page->flags, ML_HEAP_OWN_ALLOCATOR);
}

static void *map_and_unmap(void *context)
{
    uintptr_t me = (uintptr_t)context, begin = (me + 1) << 30;
    struct ml_pieces pieces;
    caller = 200;
    for (int i = 0; i < 5000; i++) {
        ml_maps_made(begin, 1 << 20, ML_HEAP_MAPPED);
        ml_maps_leave(begin, 1 << 19, &pieces);
        ml_maps_leave(begin + (1 << 19), 1 << 19, &pieces);
    }
    return NULL;
}

static void threads_map(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    begin_threads(threads, map_and_unmap);
    join_threads(threads);
    assert_int_equal(ml_books->regions.n, 0);
}

static void make(uint64_t from, uint64_t n, uint64_t size_B, float probability)
{
    for (uint64_t i = from; i < from + n; i++)
        ml_sampler_made(address(i), size_B, probability);
}

/* The sum of a stack stays what it was, but for chance; large blocks stay one and all. */
static void thinning_keeps_the_sums(void **state)
{
    (void)state;
    enum { SMALL = 20000, LARGE = 100 };
    struct ml_heap_page *page = ml_books_page();
    float hit = (float)-expm1(-0.01);
    caller = 300;
    make(0, SMALL, MEAN_B / 100, hit);
    caller = 301;
    make(SMALL, LARGE, (uint64_t)MEAN_B * 100, 1);
    struct ml_heap_stack *small = &page->stacks[page->n_stacks - 2];
    struct ml_heap_stack *large = &page->stacks[page->n_stacks - 1];
    int64_t small_B = small->live_B, large_B = large->live_B;
    assert_true(ml_books_lock());
    ml_thin_blocks(page);
    ml_books_unlock();
    assert_int_equal(page->mean_B, 2 * MEAN_B);
    assert_true(abs(ml_books->blocks.n - LARGE - SMALL / 2) < 5 * sqrt(SMALL) / 2);
    assert_true(fabs((double)(small->live_B - small_B)) < 5 * MEAN_B * sqrt(SMALL));
    assert_int_equal(large->live_B, large_B);
    for (uint64_t i = 0; i < SMALL + LARGE; i++)
        end(address(i));
    assert_int_equal(small->live_B, 0);
    assert_int_equal(large->live_B, 0);
}

static void a_sample_within_a_sample_is_lost(void **state)
{
    (void)state;
    struct ml_heap_page *page = ml_books_page();
    int64_t n = page->n_samples, lost = page->n_lost;
    ml_self.inside = true;
    ml_sampler_made(address(1), 100, 1);
    ml_self.inside = false;
    assert_int_equal(page->n_samples, n + 1);
    assert_int_equal(page->n_lost, lost + 1);
    assert_int_equal(ml_books->blocks.n, 0);
}

/* As if a signal handler came while this thread holds the lock. */
static void what_is_freed_meanwhile_goes_later(void **state)
{
    (void)state;
    struct ml_heap_page *page = ml_books_page();
    caller = 400;
    ml_sampler_made(address(1), 100, 1);
    struct ml_heap_stack *stack = &page->stacks[page->n_stacks - 1];
    assert_true(ml_books_lock());
    ml_sampler_freed(address(1));
    assert_int_equal(stack->live_B, 100);
    ml_books_unlock();
    assert_true(ml_books_lock());
    ml_books_unlock();
    assert_int_equal(stack->live_B, 0);
    assert_int_equal(ml_books->blocks.n, 0);
}

static void an_address_that_comes_again_was_freed(void **state)
{
    (void)state;
    struct ml_heap_page *page = ml_books_page();
    caller = 500;
    ml_sampler_made(address(1), 100, 1);
    ml_sampler_made(address(1), 300, 1);
    assert_int_equal(page->stacks[page->n_stacks - 1].live_B, 300);
    ml_sampler_freed(address(1));
    assert_int_equal(page->stacks[page->n_stacks - 1].live_B, 0);
}

static bool is_asked_after(struct ml_heap_page *page, int64_t pause_ns)
{
    int64_t now_ns = ml_sys_ns(CLOCK_MONOTONIC);
    ML_STORE(ml_books->seldom_ns, 0);
    ML_STORE(ml_books->asked_ns, now_ns - pause_ns);
    ML_STORE(page->in_use_B, -1);
    ml_seldom(page, now_ns);
    return ML_LOAD(page->in_use_B) == 1;
}

/* 300 000 free pieces take 30 ms, until it is known better. */
static void the_allocator_is_asked_when_that_is_quick(void **state)
{
    (void)state;
    struct ml_heap_page *page = ml_books_page();
    int64_t live = ML_LOAD(page->live_blocks), second_ns = 1000000000;
    assert_true(ML_LOAD(page->peak_blocks) > 0);
    ML_STORE(page->peak_blocks, live + (int64_t)300000 * ML_HEAP_BLOCK);
    ML_STORE(ml_books->piece_ns, 0);
    assert_false(is_asked_after(page, 25 * second_ns));
    assert_true(is_asked_after(page, 35 * second_ns));
    assert_true(is_asked_after(page, 25 * second_ns));
    ML_STORE(ml_books->piece_ns, 0);
    ML_STORE(page->peak_blocks, live + (int64_t)9000000 * ML_HEAP_BLOCK);
    assert_false(is_asked_after(page, 50 * second_ns));
    assert_true(is_asked_after(page, 70 * second_ns));
    ML_STORE(page->peak_blocks, live);
    assert_true(is_asked_after(page, 0));
}

static int32_t claimed_by_child(void)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int32_t claimed = ml_books_are_open();
        caller = 600;
        ml_sampler_freed(address(1));
        ml_sampler_made(address(2), 100, 1);
        claimed = claimed ? -1 : ML_LOAD(ml_books->page) ? ml_books_page()->pid : 0;
        claimed = write(fds[1], &claimed, sizeof claimed) == sizeof claimed ? 0 : 1;
        _exit(claimed);
    }
    int32_t claimed = -2;
    assert_int_equal(read(fds[0], &claimed, sizeof claimed), sizeof claimed);
    close(fds[0]);
    close(fds[1]);
    waitpid(pid, NULL, 0);
    return claimed == pid;
}

/* The parent's sums do not know of them. */
static void children_begin_while_threads_work(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    begin_threads(threads, allocate_and_free);
    for (int i = 0; i < FORKS; i++)
        assert_true(claimed_by_child());
    join_threads(threads);
    end_handed();
    assert_int_equal(ml_books->blocks.n, 0);
    assert_int_equal(ml_books_page()->pid, getpid());
}

/* Until all pages are taken; the sampling rank would free them. */
static void children_have_pages_of_their_own(void **state)
{
    (void)state;
    struct ml_heap_page *page = ml_books_page();
    caller = 601;
    ml_sampler_made(address(1), 100, 1);
    struct ml_heap_stack *stack = &page->stacks[page->n_stacks - 1];
    for (int i = 1 + FORKS; i < PAGES_OF_FILE; i++)
        assert_true(claimed_by_child());
    assert_false(claimed_by_child());
    assert_int_equal(page->pid, getpid());
    assert_int_equal(stack->live_B, 100);
    ml_sampler_freed(address(1));
    assert_int_equal(stack->live_B, 0);
}

int main(void)
{
    static const struct CMUnitTest parts[] = {
        cmocka_unit_test(hits_are_those_of_libm),
        cmocka_unit_test(distances_are_exponential),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(blocks_are_found_until_removed),
        cmocka_unit_test(few_blocks_lie_close),
        cmocka_unit_test(marked_blocks_are_nobodys),
        cmocka_unit_test(regions_are_cut_as_maps_are),
        cmocka_unit_test(a_map_is_one_block_whatever_is_cut),
        cmocka_unit_test(full_regions_lose_what_has_no_place),
        cmocka_unit_test(stacks_are_found_again),
        cmocka_unit_test(what_has_no_place_is_other),
        cmocka_unit_test(sums_come_back_to_nothing),
        cmocka_unit_test(changes_are_told),
        cmocka_unit_test(nobody_waits_for_ever),
    };
    static const struct CMUnitTest whole[] = {
        cmocka_unit_test(threads_agree),
        cmocka_unit_test(threads_map),
        cmocka_unit_test(thinning_keeps_the_sums),
        cmocka_unit_test(a_sample_within_a_sample_is_lost),
        cmocka_unit_test(what_is_freed_meanwhile_goes_later),
        cmocka_unit_test(an_address_that_comes_again_was_freed),
        cmocka_unit_test(the_allocator_is_asked_when_that_is_quick),
        cmocka_unit_test(children_begin_while_threads_work),
        cmocka_unit_test(children_have_pages_of_their_own),
    };
    int failed = cmocka_run_group_tests_name("parts", parts, NULL, NULL);
    return cmocka_run_group_tests_name("whole", whole, open_books, NULL) || failed;
}
