#include "mpi_hooks/heap/sampler_maps.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/chance.h"
#include "mpi_hooks/heap/cost.h"
#include "mpi_hooks/heap/errand.h"
#include "mpi_hooks/heap/self.h"
#include "mpi_hooks/heap/start.h"
#include "mpi_hooks/heap/thin.h"

/* The probability with which a map of SIZE bytes was taken; 0: it was not. */
static float choose(size_t size)
{
    int64_t mean_B = ml_books_maps_mean();
    if (!mean_B)
        return 1;
    if (!ml_self.random)
        ml_self.random = ml_chance_seed(&ml_self);
    double probability = ml_chance_hit((double)size / (double)mean_B);
    return ml_chance_uniform(&ml_self.random) <= probability ? (float)probability : 0;
}

static void end(struct ml_heap_page *page, const struct ml_region *region)
{
    struct ml_sample sample = ml_region_sample(region);
    ml_stacks_end(page, &sample, region->is_block);
}

/* What was at its place has gone, seen or not. */
static void add(struct ml_heap_page *page, const struct ml_region *region)
{
    struct ml_regions *regions = &ml_books->regions;
    struct ml_region old;
    while (ml_regions_cut(regions, region->begin, region->end, &old))
        end(page, &old);
    if (ML_LOAD(regions->n) == ML_REGIONS_MAX)
        ml_thin_maps(page);
    struct ml_sample sample = ml_region_sample(region);
    if (ml_regions_add(regions, region))
        ml_stacks_live(page, &sample, region->is_block);
    else
        ML_ADD(page->n_lost, 1);
}

void ml_maps_made(uintptr_t begin, size_t size, enum ml_heap_kind kind)
{
    float probability = ml_start() == ML_STARTED_ON ? choose(size) : 0;
    struct ml_errand errand;
    if (probability == 0 || !ml_errand_begin(&errand))
        return;
    ml_errand_stack(&errand);
    if (ml_books_lock()) {
        struct ml_region region = {begin, begin + size, probability, ml_errand_owner(&errand, kind),
                                   true};
        struct ml_sample sample = ml_region_sample(&region);
        ml_stacks_allocated(errand.page, &sample, 1);
        add(errand.page, &region);
        ml_cost_check(errand.page);
        ml_books_unlock();
    } else {
        ML_ADD(errand.page->n_lost, 1);
    }
    ml_errand_end(&errand);
}

/* Whether there is anything to look for, and then the lock. A stale map, where the lock is not to
 * be had, goes when its place is used again. */
static bool look(void)
{
    return ml_books_are_open() && ML_LOAD(ml_books->regions.n) > 0 && !ml_books_are_lent() &&
           ml_books_lock();
}

static void leave(uintptr_t begin, uintptr_t end_, struct ml_pieces *out_pieces)
{
    struct ml_region piece;
    while (ml_regions_cut(&ml_books->regions, begin, end_, &piece)) {
        end(ML_LOAD(ml_books->page), &piece);
        if (out_pieces->n < sizeof out_pieces->pieces / sizeof *out_pieces->pieces)
            out_pieces->pieces[out_pieces->n++] = piece;
    }
}

void ml_maps_leave(uintptr_t begin, size_t size, struct ml_pieces *out_pieces)
{
    out_pieces->n = 0;
    if (!look())
        return;
    leave(begin, begin + size, out_pieces);
    ml_books_unlock();
}

void ml_maps_detach(uintptr_t begin, struct ml_pieces *out_pieces)
{
    out_pieces->n = 0;
    if (!look())
        return;
    const struct ml_region *region = ml_regions_at(&ml_books->regions, begin);
    if (region)
        leave(region->begin, region->end, out_pieces);
    ml_books_unlock();
}

void ml_maps_stay(const struct ml_pieces *pieces)
{
    if (pieces->n == 0 || !ml_books_lock())
        return;
    for (size_t i = 0; i < pieces->n; i++)
        add(ML_LOAD(ml_books->page), &pieces->pieces[i]);
    ml_books_unlock();
}

/* The kernel moves one map at a time, so there is one piece, unless the program has mapped
 * neighbours that the kernel joined: then the first stands for all. */
void ml_maps_moved(const struct ml_pieces *pieces, uintptr_t from, uintptr_t to, size_t size)
{
    if (pieces->n == 0 || !ml_books_lock())
        return;
    struct ml_heap_page *page = ML_LOAD(ml_books->page);
    struct ml_region region = pieces->pieces[0];
    uintptr_t old_end = pieces->pieces[pieces->n - 1].end;
    size_t offset = region.begin - from, old_size = old_end - region.begin;
    region.begin = to + offset;
    region.end = to + size;
    if (region.begin < region.end) {
        add(page, &region);
        size_t new_size = region.end - region.begin;
        struct ml_sample more = {new_size - old_size, region.probability, region.stack};
        if (new_size > old_size)
            ml_stacks_allocated(page, &more, 0);
    }
    ml_books_unlock();
}
