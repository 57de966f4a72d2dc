#include "mpi_hooks/heap/thin.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/heap/books.h"
#include "mpi_hooks/heap/chance.h"
#include "mpi_hooks/heap/self.h"

#define LONGEST_B ((int64_t)1 << 60)
#define SHORTEST_OF_MAPS_B ((int64_t)1 << 16)

/* Whether SAMPLE stays; then with its new probability. */
static bool stays(struct ml_sample *sample, int64_t mean_B)
{
    float old = sample->probability;
    float new = (float)ml_chance_hit((double)sample->size_B / (double)mean_B);
    if (new >= old)
        return true;
    sample->probability = new;
    return new > 0 && ml_chance_uniform(&ml_self.random) * (double)old <= (double)new;
}

static void thin_blocks(struct ml_heap_page *page, int64_t mean_B)
{
    struct ml_blocks *blocks = &ml_books->blocks;
    for (int32_t i = 0; i < ML_BLOCKS_MAX; i++) {
        if (ML_LOAD(blocks->addresses[i]) == 0)
            continue;
        struct ml_sample *sample = &blocks->samples[i];
        ml_stacks_end(page, sample, 1);
        if (stays(sample, mean_B))
            ml_stacks_live(page, sample, 1);
        else
            ml_blocks_remove(blocks, i);
    }
}

void ml_thin_blocks(struct ml_heap_page *page)
{
    int64_t mean_B = ml_books_blocks_mean();
    do {
        mean_B *= 2;
        thin_blocks(page, mean_B);
    } while (ml_books->blocks.n >= ML_BLOCKS_FULL && mean_B < LONGEST_B);
    ml_books->least_mean_B = mean_B;
    ML_STORE(ml_books->blocks_mean_B, mean_B);
    ML_STORE(page->mean_B, mean_B);
}

static void thin_maps(struct ml_heap_page *page, int64_t mean_B)
{
    struct ml_regions *regions = &ml_books->regions;
    for (size_t i = ML_LOAD(regions->n); i-- > 0;) {
        struct ml_region *region = &regions->regions[i];
        struct ml_sample sample = ml_region_sample(region);
        ml_stacks_end(page, &sample, region->is_block);
        if (stays(&sample, mean_B)) {
            region->probability = sample.probability;
            ml_stacks_live(page, &sample, region->is_block);
        } else {
            ml_regions_remove(regions, i);
        }
    }
}

void ml_thin_maps(struct ml_heap_page *page)
{
    int64_t mean_B = ml_books_maps_mean();
    do {
        mean_B = mean_B ? 2 * mean_B : SHORTEST_OF_MAPS_B;
        thin_maps(page, mean_B);
    } while (ML_LOAD(ml_books->regions.n) > ML_REGIONS_MAX / 4 * 3 && mean_B < LONGEST_B);
    ML_STORE(ml_books->maps_mean_B, mean_B);
}
