/* A question of the sampling rank to its stack server: which functions are the calls of some sites
 * of a process? The process need not live any more: its modules are in the question. */
#ifndef ML_HEAP_ORDER_H
#define ML_HEAP_ORDER_H

#include "base/buffer.h"
#include "heap/heap_file.h"

enum { ML_HEAP_ORDER_MOST = 512 }; /* sites of one order */

struct ml_heap_order {
    struct ml_buffer head, sites, whole;
    size_t n_sites;
};

void ml_heap_order_begin(struct ml_heap_order *order, const struct ml_heap_page *page, int pid,
                         int process, uint32_t n_modules);

/* Stack I of the page is the site of that number. */
void ml_heap_order_add(struct ml_heap_order *order, const struct ml_heap_page *page, uint32_t i,
                       int32_t number);

/* The message, as stack/sites.h reads it; valid until the order is freed. */
const struct ml_buffer *ml_heap_order_end(struct ml_heap_order *order);

void ml_heap_order_free(struct ml_heap_order *order);

#endif
