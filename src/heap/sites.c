#include "heap/sites.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/sum.h"
#include "record/tables.h"

#include <stdlib.h>
#include <string.h>

/* A process tells a little late where the code of a library lies that it has just loaded. */
#define CODE_NS (2 * ML_NS_PER_S)

struct ml_heap_balance {
    struct ml_heap_bytes seen, written; /* last; in its last row */
};

struct ml_heap_site {
    int32_t number;
    bool asked, answered; /* for its calls */
    int64_t since_ns;     /* it is known */
    struct ml_heap_details seen;
};

/* ---- amounts and rows ---- */

static const struct ml_heap_floor no_floor = {1, 1, false};

void ml_heap_sites_find(struct ml_heap_sites *sites, const struct ml_heap_page *page,
                        uint32_t n_stacks, int32_t *number, int64_t now_ns)
{
    while (sites->n < n_stacks && *number < INT32_MAX) {
        struct ml_heap_bytes bytes;
        struct ml_heap_details details;
        if (!ml_heap_page_site(page, (uint32_t)sites->n, &bytes, &details))
            break;
        ML_GROW(sites->balances, sites->n, sites->n_balances);
        ML_GROW(sites->list, sites->n, sites->capacity);
        bool has_calls = sites->n > 0; /* the first is for all that have no place */
        sites->n_unasked += has_calls;
        sites->balances[sites->n] = (struct ml_heap_balance){0};
        sites->list[sites->n++] = (struct ml_heap_site){
            .number = (*number)++,
            .since_ns = now_ns,
            .asked = !has_calls,
            .answered = !has_calls,
            .seen.kind = details.kind,
        };
    }
}

static void add(struct ml_heap_sites *sites, uint32_t i, int sign)
{
    const struct ml_heap_bytes *seen = &sites->balances[i].seen;
    ml_sum_add(&sites->sum.live, sign * seen->live);
    ml_sum_add(&sites->sum.allocated, sign * seen->allocated);
    if (sites->list[i].seen.kind == ML_SITE_BLOCKS)
        ml_sum_add(&sites->in_blocks_B, sign * seen->live);
}

static void look_at(struct ml_heap_sites *sites, const struct ml_heap_page *page, uint32_t i)
{
    add(sites, i, -1);
    ml_heap_page_site(page, i, &sites->balances[i].seen, &sites->list[i].seen);
    add(sites, i, 1);
}

static void put_row(struct ml_heap_sites *sites, uint32_t i, const struct ml_heap_rows *rows)
{
    struct ml_heap_balance *balance = &sites->balances[i];
    const struct ml_heap_site *site = &sites->list[i];
    const struct ml_heap_details *seen = &site->seen;
    struct ml_heap_sample_row row = {.time_ns = rows->now_ns,
                                     .process = rows->process,
                                     .rank = -1, /* of the process, by whoever reads it */
                                     .site = site->number,
                                     .stack = -1,
                                     .kind = (int8_t)seen->kind,
                                     .live_B = balance->seen.live,
                                     .live_blocks = seen->live_blocks,
                                     .live_error_B = ml_heap_error_B(seen->live_variance),
                                     .allocated_B = balance->seen.allocated,
                                     .allocated_blocks = seen->allocated_blocks,
                                     .allocated_error_B =
                                         ml_heap_error_B(seen->allocated_variance)};
    ml_row_pack(&ml_table_heap_samples, &row, rows->out);
    balance->written = balance->seen;
}

/* Returns whether what was seen of site I is in no row. */
static bool judge(struct ml_heap_sites *sites, uint32_t i, const struct ml_heap_floor *floor,
                  const struct ml_heap_rows *rows)
{
    const struct ml_heap_balance *balance = &sites->balances[i];
    bool worth = ml_heap_is_worth_a_row(floor, &balance->written, &balance->seen);
    if (worth)
        put_row(sites, i, rows);
    return !worth && ml_heap_is_worth_a_row(&no_floor, &balance->written, &balance->seen);
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

/* What lies in no cache is asked for all at once. */
static void fetch(const struct ml_heap_sites *sites, const struct ml_heap_page *page,
                  uint32_t group, uint64_t moved)
{
    for (; moved; moved &= moved - 1) {
        uint32_t i = group * 64 + (uint32_t)__builtin_ctzll(moved);
        __builtin_prefetch(&page->stacks[i]);
        __builtin_prefetch(&sites->balances[i], 1);
        __builtin_prefetch(&sites->list[i], 1);
    }
}

static void look_at_group(struct ml_heap_sites *sites, const struct ml_heap_page *page,
                          uint32_t group, uint64_t moved, const struct ml_heap_floor *floor,
                          const struct ml_heap_rows *rows)
{
    fetch(sites, page, group, moved);
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
    sites->is_behind = false;
    for (uint32_t group = 0; group * 64 < sites->n; group++)
        look_at_group(sites, page, group, changed ? to_look_at(sites, page, group) : 0, floor,
                      rows);
    sites->n_seen = sites->n;
}

void ml_heap_sites_end(struct ml_heap_sites *sites, const struct ml_heap_rows *rows)
{
    for (uint32_t i = 0; i < sites->n; i++) {
        struct ml_heap_details *seen = &sites->list[i].seen;
        sites->balances[i].seen.live = seen->live_blocks = 0;
        seen->live_variance = 0;
        judge(sites, i, &no_floor, rows);
    }
}

/* ---- names ---- */

static bool is_to_be_asked(const struct ml_heap_sites *sites, const struct ml_heap_page *page,
                           uint32_t i, const struct ml_heap_look *look, int64_t now_ns, bool all)
{
    const struct ml_heap_site *site = &sites->list[i];
    return !site->asked && (all || now_ns - site->since_ns >= CODE_NS ||
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
    return sites->list[i].number;
}

void ml_heap_sites_asked(struct ml_heap_sites *sites, const uint32_t *asked, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sites->list[asked[i]].asked = true;
    sites->n_unasked -= n;
}

static int by_number(const void *number, const void *site)
{
    int64_t wanted = *(const int64_t *)number, found = ((const struct ml_heap_site *)site)->number;
    return wanted < found ? -1 : wanted > found;
}

/* They are in the order of their numbers. */
bool ml_heap_sites_answered(struct ml_heap_sites *sites, int64_t number)
{
    struct ml_heap_site *found =
        sites->n ? bsearch(&number, sites->list, sites->n, sizeof *sites->list, by_number) : NULL;
    if (found)
        found->answered = true;
    return found != NULL;
}

void ml_heap_sites_ask_again(struct ml_heap_sites *sites)
{
    sites->n_unasked = 0;
    for (size_t i = 0; i < sites->n; i++) {
        sites->list[i].asked = sites->list[i].answered;
        sites->n_unasked += !sites->list[i].asked;
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
    free(sites->balances);
    free(sites->list);
    *sites = (struct ml_heap_sites){0};
}
