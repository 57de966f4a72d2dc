#include "mpi_hooks/heap/sampler.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/allocator.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/chance.h"
#include "mpi_hooks/heap/cost.h"
#include "mpi_hooks/heap/errand.h"
#include "mpi_hooks/heap/start.h"
#include "mpi_hooks/heap/thin.h"

#define NEVER ((uint64_t)INT64_MAX)

_Thread_local struct ml_self ml_self __attribute__((tls_model("initial-exec")));

static void draw(void)
{
    ml_self.mean_B = ml_books_blocks_mean();
    ml_self.countdown = ml_chance_distance(&ml_self.random, (double)ml_self.mean_B) - 1;
}

float ml_sampler_choose(size_t size)
{
    switch (ml_start()) {
    case ML_STARTED_NOT_YET:
        return 0;
    case ML_STARTED_OFF:
        ml_self.countdown = NEVER;
        return 0;
    case ML_STARTED_ON:
        break;
    }
    if (!ml_self.random)
        ml_self.random = ml_chance_seed(&ml_self);
    if (!ml_self.mean_B)
        draw();
    if (ml_sampler_passes(size))
        return 0;
    int64_t mean_B = ml_self.mean_B;
    draw();
    return (float)ml_chance_hit((double)size / (double)mean_B);
}

static void end(struct ml_heap_page *page, int32_t block)
{
    ml_stacks_end(page, &ml_books->blocks.samples[block], 1);
    ml_blocks_remove(&ml_books->blocks, block);
}

/* A block that is here already was freed in a way that nobody saw. */
static void add(struct ml_heap_page *page, const void *p, const struct ml_sample *sample)
{
    struct ml_blocks *blocks = &ml_books->blocks;
    int32_t old = ml_blocks_find(blocks, p);
    if (old != ML_BLOCKS_NONE)
        end(page, old);
    if (blocks->n >= ML_BLOCKS_FULL)
        ml_thin_blocks(page);
    if (!ml_blocks_add(blocks, p, sample)) {
        ml_thin_blocks(page);
        if (!ml_blocks_add(blocks, p, sample)) {
            ML_ADD(page->n_lost, 1);
            return;
        }
    }
    ml_stacks_live(page, sample, 1);
}

void ml_sampler_made(const void *p, size_t size, float probability)
{
    struct ml_errand errand;
    if (!ml_errand_begin(&errand))
        return;
    ml_errand_stack(&errand);
    if (ml_books_lock()) {
        struct ml_sample sample = {size, probability, ml_errand_owner(&errand, ML_HEAP_BLOCKS)};
        ml_stacks_allocated(errand.page, &sample, 1);
        add(errand.page, p, &sample);
        ml_cost_check(errand.page);
        ml_books_unlock();
    } else {
        ML_ADD(errand.page->n_lost, 1);
    }
    ml_errand_end(&errand);
}

/* Looked for without the lock first: nobody else can free P, or be given it, meanwhile. */
bool ml_sampler_leaves(const void *p, struct ml_sample *out_sample)
{
    int32_t i = ml_books_are_open() ? ml_blocks_find(&ml_books->blocks, p) : ML_BLOCKS_NONE;
    if (i == ML_BLOCKS_NONE)
        return false;
    if (ml_books_are_lent() || !ml_books_lock()) {
        ml_blocks_mark_freed(&ml_books->blocks, i, p);
        return false;
    }
    bool is_here = ML_LOAD(ml_books->blocks.addresses[i]) == (uintptr_t)p; /* or thinned out */
    if (is_here) {
        *out_sample = ml_books->blocks.samples[i];
        end(ML_LOAD(ml_books->page), i);
    }
    ml_books_unlock();
    return is_here;
}

void ml_sampler_freed(const void *p)
{
    struct ml_sample sample;
    ml_sampler_leaves(p, &sample);
}

void ml_sampler_stays(const void *p, const struct ml_sample *sample)
{
    if (!ml_books_lock())
        return;
    add(ML_LOAD(ml_books->page), p, sample);
    ml_books_unlock();
}
