/* What is known of the sites of one process, the call stacks of its page: how much was seen of each
 * last, what of that is in a row, and whether its calls have names. */
#ifndef ML_HEAP_SITES_H
#define ML_HEAP_SITES_H

#include "heap/heap_file.h"
#include "heap/order.h"
#include "heap/thinning.h"

struct ml_heap_sites {
    /* By stack of the page. The amounts, one cache line each, have room for all that a page may
     * have; NULL: not wanted yet. What is wanted more seldom lies apart. */
    struct ml_heap_site *list;
    struct ml_heap_naming *naming;
    size_t n, capacity;
    size_t n_seen, n_unasked;              /* looked at so far; that are to be asked for */
    bool is_behind;                        /* some of what was seen is in no row: */
    uint64_t behind[ML_HEAP_STACK_GROUPS]; /* a bit for each such site */
    struct ml_heap_bytes sum;              /* of all that were seen */
    int64_t in_blocks_B;                   /* of these, what lives in blocks */
};

/* Where rows of ml_table_heap_samples go. */
struct ml_heap_rows {
    struct ml_buffer *out;
    int process;
    int64_t now_ns;
};

/* Adds those of the N_STACKS of PAGE that are new; *NUMBER is that of the next one, and goes up. */
void ml_heap_sites_find(struct ml_heap_sites *sites, const struct ml_heap_page *page,
                        uint32_t n_stacks, int32_t *number, int64_t now_ns);

/* Reads what has changed in PAGE (CHANGED false: nothing has), and writes what is worth a row by
 * FLOOR. */
void ml_heap_sites_look(struct ml_heap_sites *sites, struct ml_heap_page *page, bool changed,
                        const struct ml_heap_floor *floor, const struct ml_heap_rows *rows);

/* Rows that say that nothing lives any more; what was allocated stays said. */
void ml_heap_sites_end(struct ml_heap_sites *sites, const struct ml_heap_rows *rows);

/* The sites whose calls are to be asked for, ML_HEAP_ORDER_MOST at most: those whose modules LOOK
 * has, and that have waited for these for long; with ALL, any. Returns the number of them. */
size_t ml_heap_sites_to_ask(const struct ml_heap_sites *sites, const struct ml_heap_page *page,
                            const struct ml_heap_look *look, int64_t now_ns, bool all,
                            uint32_t out[ML_HEAP_ORDER_MOST]);

int32_t ml_heap_sites_number(const struct ml_heap_sites *sites, uint32_t i);

/* The N sites were asked for. */
void ml_heap_sites_asked(struct ml_heap_sites *sites, const uint32_t *asked, size_t n);

/* Site NUMBER has been answered. False: it is of another process. */
bool ml_heap_sites_answered(struct ml_heap_sites *sites, int64_t number);

/* Whoever was asked will not answer. */
void ml_heap_sites_ask_again(struct ml_heap_sites *sites);

void ml_heap_sites_forget(struct ml_heap_sites *sites); /* keeps the allocation */
void ml_heap_sites_free(struct ml_heap_sites *sites);

#endif
