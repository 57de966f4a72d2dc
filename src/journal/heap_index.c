#include "journal/heap_index.h"

#include <stdlib.h>

static struct ml_heap_site *site_of(struct ml_heap_index *x, int64_t number)
{
    if (number < 0 || number >= ML_NODE_SITES_MAX)
        return NULL;
    while (x->n_sites <= (size_t)number) {
        ML_GROW(x->sites, x->n_sites, x->sites_capacity);
        x->sites[x->n_sites++] = (struct ml_heap_site){.stack = -1};
    }
    return &x->sites[number];
}

int32_t ml_heap_index_stack(const struct ml_heap_index *x, int32_t site)
{
    return site >= 0 && (size_t)site < x->n_sites ? x->sites[site].stack : -1;
}

bool ml_heap_index_add(struct ml_heap_index *x, const struct ml_heap_sample_row *row, uint64_t at)
{
    if (!site_of(x, row->site))
        return false;
    ml_offsets_add(&x->samples, at);
    return true;
}

bool ml_heap_index_stacks(struct ml_heap_index *x, const struct ml_frame *f, size_t n_stacks)
{
    const uint8_t *p = f->payload, *end = p + f->length;
    while (p < end) {
        int64_t number, stack;
        if (!ml_varint_read(&p, end, &number) || !ml_varint_read(&p, end, &stack))
            return false;
        struct ml_heap_site *site = site_of(x, number);
        if (!site || stack < 0 || (uint64_t)stack >= n_stacks)
            return false;
        x->replaced |= site->stack >= 0;
        site->stack = (int32_t)stack;
    }
    return true;
}

void ml_heap_index_finish(struct ml_heap_index *x, const uint8_t *bytes, size_t length,
                          int64_t (*peak_ns)(void *context, int32_t process), void *context)
{
    for (size_t i = 0; i < x->samples.n; i++) {
        const uint8_t *p = bytes + x->samples.at[i];
        struct ml_heap_sample_row row;
        if (!ml_row_unpack(&ml_table_heap_samples, &p, bytes + length, &row))
            continue;
        struct ml_heap_site *site = site_of(x, row.site);
        if (row.time_ns <= peak_ns(context, row.process))
            site->peak_at = x->samples.at[i];
        site->last_at = x->samples.at[i];
    }
    x->used = ml_realloc_array(NULL, x->n_sites + 1, sizeof *x->used);
    for (size_t i = 0; i < x->n_sites; i++) {
        if (x->sites[i].last_at)
            x->used[x->n_used++] = (int32_t)i;
    }
}

void ml_heap_index_free(struct ml_heap_index *x)
{
    free(x->samples.at);
    free(x->sites);
    free(x->used);
    *x = (struct ml_heap_index){0};
}
