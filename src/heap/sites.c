#include "heap/sites.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/sum.h"
#include "record/tables.h"

#include <stdlib.h>
#include <string.h>

/* A process tells a little late where the code of a library lies that it has just loaded. */
#define CODE_NS (2 * ML_NS_PER_S)

/* What a tick looks at lies in no cache, so it is one line: what was seen last, and what of that is
 * in a row. */
struct ml_heap_site {
    _Alignas(64) struct ml_heap_bytes seen;
    struct ml_heap_bytes written;
    struct ml_heap_details details; /* as seen */
};
_Static_assert(sizeof(struct ml_heap_site) == 64, "a cache line");

struct ml_heap_naming {
    int64_t since_ns; /* the site is known */
    int32_t number;
    bool asked, answered; /* for its calls */
};

/* ---- amounts and rows ---- */

static const struct ml_heap_floor no_floor = {1, 1, false};

void ml_heap_sites_find(struct ml_heap_sites *sites, const struct ml_heap_page *page,
                        uint32_t n_stacks, int32_t *number, int64_t now_ns)
{
    while (sites->n < n_stacks && *number < INT32_MAX) {
        struct ml_heap_site found = {0};
        struct ml_heap_bytes bytes;
        if (!ml_heap_page_site(page, (uint32_t)sites->n, &bytes, &found.details))
            break;
        if (!sites->list) /* what is not touched of it costs nothing */
            sites->list = ml_alloc_aligned(_Alignof(struct ml_heap_site),
                                           ML_HEAP_STACKS * sizeof *sites->list);
        ML_GROW(sites->naming, sites->n, sites->capacity);
        bool has_calls = sites->n > 0; /* the first is for all that have no place */
        sites->n_unasked += has_calls;
        sites->list[sites->n] = found;
        sites->naming[sites->n++] = (struct ml_heap_naming){
            .number = (*number)++,
            .since_ns = now_ns,
            .asked = !has_calls,
            .answered = !has_calls,
        };
    }
}

static void add(struct ml_heap_sites *sites, const struct ml_heap_site *site, int sign)
{
    ml_sum_add(&sites->sum.live, sign * site->seen.live);
    ml_sum_add(&sites->sum.allocated, sign * site->seen.allocated);
    if (site->details.kind == ML_SITE_BLOCKS)
        ml_sum_add(&sites->in_blocks_B, sign * site->seen.live);
}

static void look_at(struct ml_heap_sites *sites, const struct ml_heap_page *page, uint32_t i)
{
    struct ml_heap_site *site = &sites->list[i];
    add(sites, site, -1);
    ml_heap_page_site(page, i, &site->seen, &site->details);
    add(sites, site, 1);
}

static void put_row(const struct ml_heap_sites *sites, uint32_t i, const struct ml_heap_rows *rows)
{
    struct ml_heap_site *site = &sites->list[i];
    const struct ml_heap_details *details = &site->details;
    struct ml_heap_sample_row row = {.time_ns = rows->now_ns,
                                     .process = rows->process,
                                     .rank = -1, /* of the process, by whoever reads it */
                                     .site = sites->naming[i].number,
                                     .stack = -1,
                                     .kind = (int8_t)details->kind,
                                     .live_B = site->seen.live,
                                     .live_blocks = details->live_blocks,
                                     .live_error_B = ml_heap_error_B(details->live_variance),
                                     .allocated_B = site->seen.allocated,
                                     .allocated_blocks = details->allocated_blocks,
                                     .allocated_error_B =
                                         ml_heap_error_B(details->allocated_variance)};
    ml_row_pack(&ml_table_heap_samples, &row, rows->out);
    site->written = site->seen;
}

/* Returns whether what was seen of site I is in no row. */
static bool judge(const struct ml_heap_sites *sites, uint32_t i, const struct ml_heap_floor *floor,
                  const struct ml_heap_rows *rows)
{
    const struct ml_heap_site *site = &sites->list[i];
    bool worth = ml_heap_is_worth_a_row(floor, &site->written, &site->seen);
    if (worth)
        put_row(sites, i, rows);
    return !worth && ml_heap_is_worth_a_row(&no_floor, &site->written, &site->seen);
}

/* A bit for each site of GROUP that is one of the N first. */
static uint64_t first_of(size_t n, uint32_t group)
{
    size_t before = (size_t)group * 64;
    if (n <= before)
        return 0;
    return n - before >= 64 ? UINT64_MAX : (UINT64_C(1) << (n - before)) - 1;
}

/* Those that have moved, and those that are new: what was said of these before is gone. */
static uint64_t to_look_at(const struct ml_heap_sites *sites, struct ml_heap_page *page,
                           uint32_t group)
{
    uint64_t known = first_of(sites->n_seen, group), all = first_of(sites->n, group);
    return (ml_heap_page_moved(page, group) & known) | (all & ~known);
}

/* What lies in no cache is asked for before it is wanted, all at once. GCC 12 takes a function that
 * does only this for one without effect, and leaves its calls out: so it must be inline. */
static inline __attribute__((always_inline)) void fetch(const struct ml_heap_sites *sites,
                                                        const struct ml_heap_page *page,
                                                        uint32_t group, uint64_t moved)
{
    for (; moved; moved &= moved - 1) {
        uint32_t i = group * 64 + (uint32_t)__builtin_ctzll(moved);
        __builtin_prefetch(&page->stacks[i]);
        __builtin_prefetch(&sites->list[i], 1);
    }
}

static void look_at_group(struct ml_heap_sites *sites, const struct ml_heap_page *page,
                          uint32_t group, uint64_t moved, const struct ml_heap_floor *floor,
                          const struct ml_heap_rows *rows)
{
    sites->behind[group] |= moved;
    for (uint64_t left = floor->of_a_tick ? moved : sites->behind[group]; left; left &= left - 1) {
        uint64_t bit = left & -left;
        uint32_t i = group * 64 + (uint32_t)__builtin_ctzll(left);
        if (moved & bit)
            look_at(sites, page, i);
        if (!judge(sites, i, floor, rows))
            sites->behind[group] &= ~bit;
    }
    sites->is_behind |= sites->behind[group] != 0;
}

void ml_heap_sites_look(struct ml_heap_sites *sites, struct ml_heap_page *page, bool changed,
                        const struct ml_heap_floor *floor, const struct ml_heap_rows *rows)
{
    changed |= sites->n_seen != sites->n;
    if (!changed && (floor->of_a_tick || !sites->is_behind))
        return;
    uint64_t moved[ML_HEAP_STACK_GROUPS] = {0};
    for (uint32_t group = 0; changed && group * 64 < sites->n; group++) {
        moved[group] = to_look_at(sites, page, group);
        fetch(sites, page, group, moved[group]);
    }
    sites->is_behind = false;
    for (uint32_t group = 0; group * 64 < sites->n; group++)
        look_at_group(sites, page, group, moved[group], floor, rows);
    sites->n_seen = sites->n;
}

void ml_heap_sites_end(struct ml_heap_sites *sites, const struct ml_heap_rows *rows)
{
    for (uint32_t i = 0; i < sites->n; i++) {
        struct ml_heap_site *site = &sites->list[i];
        site->seen.live = site->details.live_blocks = 0;
        site->details.live_variance = 0;
        judge(sites, i, &no_floor, rows);
    }
}

/* ---- names ---- */

static bool is_to_be_asked(const struct ml_heap_sites *sites, const struct ml_heap_page *page,
                           uint32_t i, const struct ml_heap_look *look, int64_t now_ns, bool all)
{
    const struct ml_heap_naming *naming = &sites->naming[i];
    return !naming->asked && (all || now_ns - naming->since_ns >= CODE_NS ||
                              ml_heap_page_knows(page, look->n_modules, i));
}

size_t ml_heap_sites_to_ask(const struct ml_heap_sites *sites, const struct ml_heap_page *page,
                            const struct ml_heap_look *look, int64_t now_ns, bool all,
                            uint32_t out[ML_HEAP_ORDER_MOST])
{
    size_t n = 0;
    for (uint32_t i = 0; sites->n_unasked && i < sites->n && n < ML_HEAP_ORDER_MOST; i++) {
        if (is_to_be_asked(sites, page, i, look, now_ns, all))
            out[n++] = i;
    }
    return n;
}

int32_t ml_heap_sites_number(const struct ml_heap_sites *sites, uint32_t i)
{
    return sites->naming[i].number;
}

void ml_heap_sites_asked(struct ml_heap_sites *sites, const uint32_t *asked, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sites->naming[asked[i]].asked = true;
    sites->n_unasked -= n;
}

static int by_number(const void *number, const void *naming)
{
    int64_t wanted = *(const int64_t *)number;
    int64_t found = ((const struct ml_heap_naming *)naming)->number;
    return wanted < found ? -1 : wanted > found;
}

/* They are in the order of their numbers. */
bool ml_heap_sites_answered(struct ml_heap_sites *sites, int64_t number)
{
    struct ml_heap_naming *found =
        sites->n ? bsearch(&number, sites->naming, sites->n, sizeof *sites->naming, by_number)
                 : NULL;
    if (found)
        found->answered = true;
    return found != NULL;
}

void ml_heap_sites_ask_again(struct ml_heap_sites *sites)
{
    sites->n_unasked = 0;
    for (size_t i = 0; i < sites->n; i++) {
        sites->naming[i].asked = sites->naming[i].answered;
        sites->n_unasked += !sites->naming[i].asked;
    }
}

void ml_heap_sites_forget(struct ml_heap_sites *sites)
{
    sites->n = sites->n_seen = sites->n_unasked = 0;
    sites->is_behind = false;
    memset(sites->behind, 0, sizeof sites->behind);
    sites->sum = (struct ml_heap_bytes){0};
    sites->in_blocks_B = 0;
}

void ml_heap_sites_free(struct ml_heap_sites *sites)
{
    free(sites->list);
    free(sites->naming);
    *sites = (struct ml_heap_sites){0};
}
