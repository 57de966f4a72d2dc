#include "mpi_hooks/heap/stacks.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/code.h"

#define PLACES (2 * ML_HEAP_STACKS)
#define NUMBER (ML_HEAP_STACKS - 1)

_Static_assert((ML_HEAP_STACKS & NUMBER) == 0 && ML_HEAP_STACKS <= 4096, "12 bits for the number");

static uint64_t hash_of(enum ml_heap_kind kind, const uintptr_t *pcs, size_t n)
{
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)kind + 1);
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ pcs[i]) * UINT64_C(0xd6e8feb86659fd93);
        hash ^= hash >> 32;
    }
    return hash;
}

static bool is_same(const struct ml_heap_page *page, const struct ml_heap_stack *stack,
                    enum ml_heap_kind kind, const uintptr_t *pcs, size_t n)
{
    bool same = stack->kind == (uint32_t)kind && stack->n == n;
    for (size_t i = 0; same && i < n; i++)
        same = ML_LOAD(page->words[stack->first + i]) == pcs[i];
    return same;
}

/* 0: there is no place for it. */
static uint32_t enter(struct ml_heap_page *page, enum ml_heap_kind kind, const uintptr_t *pcs,
                      size_t n)
{
    uint32_t number = ML_LOAD(page->n_stacks), first = ML_LOAD(page->n_words);
    if (number >= ML_HEAP_STACKS || n > ML_HEAP_WORDS - first)
        return 0;
    ml_code_know(page, pcs, n);
    for (size_t i = 0; i < n; i++)
        ML_STORE(page->words[first + i], pcs[i]);
    struct ml_heap_stack *stack = &page->stacks[number];
    stack->kind = (uint32_t)kind;
    stack->first = first;
    stack->n = (uint32_t)n;
    atomic_store_explicit(&stack->ready, 1, memory_order_release);
    ML_STORE(page->n_words, first + (uint32_t)n);
    atomic_store_explicit(&page->n_stacks, number + 1, memory_order_release);
    return number;
}

/* The places are never full: there are twice as many as stacks. */
uint32_t ml_stacks_find(struct ml_heap_page *page, struct ml_stack_index *index,
                        enum ml_heap_kind kind, const uintptr_t *pcs, size_t n)
{
    uint64_t hash = hash_of(kind, pcs, n);
    ml_code_catch_up(page);
    size_t i = hash % PLACES;
    for (; index->places[i]; i = (i + 1) % PLACES) {
        uint32_t number = index->places[i] & NUMBER;
        if (((index->places[i] ^ hash) & ~(uint64_t)NUMBER) == 0 &&
            is_same(page, &page->stacks[number], kind, pcs, n))
            return number;
    }
    uint32_t number = enter(page, kind, pcs, n);
    if (number)
        index->places[i] = (hash & ~(uint64_t)NUMBER) | number;
    return number;
}

static int64_t rounded(double x)
{
    return (int64_t)(x + 0.5);
}

static int64_t blocks_of(const struct ml_sample *sample, int blocks)
{
    return rounded(blocks * ML_HEAP_BLOCK / (double)sample->probability);
}

static void tell_change(struct ml_heap_page *page, uint32_t stack)
{
    atomic_fetch_or_explicit(&page->moved[stack / 64], UINT64_C(1) << stack % 64,
                             memory_order_release);
    atomic_store_explicit(&page->changes, ML_LOAD(page->changes) + 1, memory_order_release);
}

static void count(struct ml_heap_page *page, struct ml_heap_stack *stack, int64_t blocks)
{
    int64_t live = ML_LOAD(page->live_blocks) + blocks;
    ML_STORE(page->live_blocks, live);
    if (live > ML_LOAD(page->peak_blocks))
        ML_STORE(page->peak_blocks, live);
    ML_BUMP(stack->live_blocks, blocks);
}

/* Bytes are stored last: what a reader finds beside them is as new. */
static void store_bytes(_Atomic int64_t *bytes, int64_t value)
{
    atomic_store_explicit(bytes, value, memory_order_release);
}

void ml_stacks_live(struct ml_heap_page *page, const struct ml_sample *sample, int blocks)
{
    struct ml_heap_stack *stack = &page->stacks[sample->stack];
    count(page, stack, blocks_of(sample, blocks));
    ML_BUMP(stack->live_variance, ml_sample_variance(sample));
    store_bytes(&stack->live_B, ML_LOAD(stack->live_B) + rounded(ml_sample_B(sample)));
    tell_change(page, sample->stack);
}

/* What was added comes off again to the byte; of the variance, a sum of floats, a rest may stay. */
void ml_stacks_end(struct ml_heap_page *page, const struct ml_sample *sample, int blocks)
{
    struct ml_heap_stack *stack = &page->stacks[sample->stack];
    int64_t live_B = ML_LOAD(stack->live_B) - rounded(ml_sample_B(sample));
    double variance = ML_LOAD(stack->live_variance) - ml_sample_variance(sample);
    count(page, stack, -blocks_of(sample, blocks));
    ML_STORE(stack->live_variance, live_B == 0 || variance < 0 ? 0 : variance);
    store_bytes(&stack->live_B, live_B);
    tell_change(page, sample->stack);
}

void ml_stacks_allocated(struct ml_heap_page *page, const struct ml_sample *sample, int blocks)
{
    struct ml_heap_stack *stack = &page->stacks[sample->stack];
    ML_BUMP(stack->allocated_blocks, blocks_of(sample, blocks));
    ML_BUMP(stack->allocated_variance, ml_sample_variance(sample));
    store_bytes(&stack->allocated_B, ML_LOAD(stack->allocated_B) + rounded(ml_sample_B(sample)));
    tell_change(page, sample->stack);
}
