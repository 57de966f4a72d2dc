#include "heap/order.h"

#include "base/pack.h"

static void pack_module(struct ml_buffer *out, const struct ml_heap_page *page, uint32_t i)
{
    struct ml_heap_module m;
    ml_heap_page_module(page, i, &m);
    ml_pack_int(out, (int64_t)m.start);
    ml_pack_int(out, (int64_t)m.end);
    ml_pack_int(out, (int64_t)m.offset);
    ml_pack_text(out, m.path);
}

void ml_heap_order_begin(struct ml_heap_order *o, const struct ml_heap_page *page, int pid,
                         int process, uint32_t n_modules)
{
    *o = (struct ml_heap_order){0};
    ml_pack_int(&o->head, pid);
    ml_pack_int(&o->head, process);
    ml_pack_int(&o->head, n_modules);
    for (uint32_t i = 0; i < n_modules; i++)
        pack_module(&o->head, page, i);
}

void ml_heap_order_add(struct ml_heap_order *o, const struct ml_heap_page *page, uint32_t i,
                       int32_t number)
{
    uint64_t pcs[ML_HEAP_DEPTH];
    size_t n = ml_heap_page_calls(page, i, pcs);
    ml_pack_int(&o->sites, number);
    ml_pack_int(&o->sites, n == ML_HEAP_DEPTH);
    ml_pack_int(&o->sites, (int64_t)n);
    for (size_t k = 0; k < n; k++)
        ml_pack_int(&o->sites, (int64_t)pcs[k]);
    o->n_sites++;
}

const struct ml_buffer *ml_heap_order_end(struct ml_heap_order *o)
{
    ml_buffer_append(&o->whole, o->head.data, o->head.length);
    ml_pack_int(&o->whole, (int64_t)o->n_sites);
    ml_buffer_append(&o->whole, o->sites.data, o->sites.length);
    return &o->whole;
}

void ml_heap_order_free(struct ml_heap_order *o)
{
    ml_buffer_free(&o->head);
    ml_buffer_free(&o->sites);
    ml_buffer_free(&o->whole);
}
