#include "heap/heap.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "base/sum.h"
#include "heap/heap_file.h"
#include "heap/order.h"
#include "heap/sites.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* So many samples without a place are nothing to speak of: one in ... */
enum { LOST_PART = 100 };

struct watched {
    struct ml_heap_page *page;
    int pid; /* that has claimed it; 0: none */
    uint64_t image;
    int process; /* its number; -1: not known yet */
    struct ml_heap_sites sites;
    uint64_t changes; /* of the page, as they were seen last */
    struct ml_heap_pace pace;
    int64_t used_B, blocks_B; /* as the allocator told last; what lived in blocks then */
    bool told;
};

struct ml_heap {
    struct ml_heap_setup setup;
    struct ml_heap_file_map map;
    struct watched *pages; /* [map.n_pages] */
    int32_t n_numbers;     /* of sites that were given out */
    struct ml_buffer rows;
    bool ask_again;
};

enum ml_status ml_heap_open(const struct ml_heap_setup *setup, size_t n, int64_t mean_B,
                            double share, struct ml_heap **out_heap, struct ml_error *err)
{
    struct ml_heap_file_map map;
    n = n < ML_HEAP_PAGES_MAX ? n : ML_HEAP_PAGES_MAX;
    enum ml_status status = ml_heap_file_create(n, mean_B, share, &map, err);
    if (status != ML_OK)
        return status;
    struct ml_heap *h = ml_alloc(sizeof *h);
    *h = (struct ml_heap){.setup = *setup, .map = map};
    h->pages = ml_alloc(n * sizeof *h->pages);
    for (size_t i = 0; i < n; i++)
        h->pages[i] = (struct watched){.page = ml_heap_page_at(&map, i), .process = -1};
    *out_heap = h;
    return ML_OK;
}

char *ml_heap_environment(const struct ml_heap *h)
{
    return ml_heap_file_environment(&h->map, getpid());
}

/* ---- a page's process ---- */

static struct ml_heap_rows rows_of(struct ml_heap *h, const struct watched *w, int64_t now_ns)
{
    return (struct ml_heap_rows){&h->rows, w->process, now_ns};
}

static void hand_on(struct ml_heap *h, int64_t now_ns)
{
    h->setup.samples(h->setup.context, now_ns, h->rows.data, h->rows.length);
    ml_buffer_clear(&h->rows);
}

/* The pages of a node's ranks together are larger than what a processor has near by: of one in
 * which nothing has changed only the head is read, and no site that is as it was. */
static void look_at_sites(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look,
                          int64_t now_ns, bool all)
{
    struct ml_heap_floor floor = ml_heap_floor_now(&w->pace, &w->sites.sum, now_ns, all);
    struct ml_heap_rows rows = rows_of(h, w, now_ns);
    ml_heap_sites_find(&w->sites, w->page, look->n_stacks, &h->n_numbers, now_ns);
    ml_heap_sites_look(&w->sites, w->page, w->changes != look->changes, &floor, &rows);
    w->changes = look->changes;
    hand_on(h, now_ns);
}

/* Nothing lives of a program that is over; what it had allocated stays said. */
static void end_program(struct ml_heap *h, struct watched *w, int64_t now_ns)
{
    struct ml_heap_rows rows = rows_of(h, w, now_ns);
    if (w->process >= 0)
        ml_heap_sites_end(&w->sites, &rows);
    hand_on(h, now_ns);
    ml_heap_sites_forget(&w->sites);
}

static void follow(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look,
                   int64_t now_ns)
{
    if (look->pid == w->pid && look->image == w->image)
        return;
    end_program(h, w, now_ns);
    if (look->pid != w->pid)
        w->process = -1;
    w->pid = look->pid;
    w->image = look->image;
    w->told = false;
    w->pace = (struct ml_heap_pace){0};
}

/* What the profile of a process lacks; NULL: nothing. */
static const char *lack_of(const struct ml_heap_look *look)
{
    if (look->flags & ML_HEAP_STEPPED_BACK)
        return "a sanitizer has the program's allocator: no heap profile of it";
    if (look->flags & ML_HEAP_BYPASSED)
        return "the program has an allocator of its own, which goes by the heap profile: it sees "
               "maps alone";
    if (look->flags & ML_HEAP_NEW_BYPASSED)
        return "operator new of the program's allocator goes by the heap profile: it sees malloc "
               "and maps";
    if (look->n_lost > look->n_samples / LOST_PART)
        return "the heap profile has lost samples: it shows less than there was";
    return NULL;
}

static void tell(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look)
{
    const char *lack = w->told ? NULL : lack_of(look);
    if (!lack)
        return;
    w->told = true;
    h->setup.note(h->setup.context, w->process, lack);
}

/* The allocator tells once a second, and only while the program allocates: since then it has what
 * samples say more. */
static void tell_of_allocator(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look)
{
    int64_t used_B = look->used_B, held_B = look->held_B;
    if (used_B != w->used_B) {
        w->used_B = used_B;
        w->blocks_B = w->sites.in_blocks_B;
    }
    if (used_B >= 0) {
        ml_sum_add(&used_B, w->sites.in_blocks_B - w->blocks_B);
        used_B = used_B > 0 ? used_B : 0;
        held_B -= look->used_B;
        ml_sum_add(&held_B, used_B);
    }
    h->setup.allocator(h->setup.context, w->pid, used_B, held_B);
}

/* Asks for the calls of sites that are new. */
static void ask(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look,
                int64_t now_ns, bool all)
{
    struct ml_heap_order order;
    uint32_t asked[ML_HEAP_ORDER_MOST] = {0};
    size_t n = ml_heap_sites_to_ask(&w->sites, w->page, look, now_ns, all, asked);
    if (!n)
        return;
    ml_heap_order_begin(&order, w->page, w->pid, w->process, look->n_modules);
    for (size_t i = 0; i < n; i++)
        ml_heap_order_add(&order, w->page, asked[i], ml_heap_sites_number(&w->sites, asked[i]));
    if (h->setup.name(h->setup.context, ml_heap_order_end(&order)))
        ml_heap_sites_asked(&w->sites, asked, n);
    ml_heap_order_free(&order);
}

static bool is_gone(const struct watched *w)
{
    return kill(w->pid, 0) != 0 && errno == ESRCH;
}

static void work_on(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look,
                    int64_t now_ns, bool all)
{
    if (w->process < 0)
        w->process = h->setup.of_pid(h->setup.context, w->pid);
    if (w->process < 0)
        return;
    tell(h, w, look);
    look_at_sites(h, w, look, now_ns, all);
    tell_of_allocator(h, w, look);
    ask(h, w, look, now_ns, all);
}

static void visit(struct ml_heap *h, struct watched *w, int64_t now_ns, bool all)
{
    struct ml_heap_look look;
    ml_heap_page_look(w->page, &look);
    if (look.pid && !look.image) /* it is just being claimed */
        return;
    follow(h, w, &look, now_ns);
    if (!w->pid)
        return;
    bool is_at_work = look.changes != w->changes; /* if it has gone since, the next tick sees it */
    bool gone = (all || !is_at_work) && is_gone(w);
    work_on(h, w, &look, now_ns, all || gone);
    if (!gone)
        return;
    ml_heap_sites_forget(&w->sites); /* what lived at the end stays so */
    w->pid = 0;
    w->image = 0;
    w->process = -1;
    ml_heap_page_free(w->page);
}

/* The first from I on that has somebody, or may have. */
static size_t next_page(const struct ml_heap *h, size_t i)
{
    return i < h->map.n_pages && h->pages[i].pid ? i : ml_heap_file_next(&h->map, i);
}

void ml_heap_tick(struct ml_heap *h, int64_t now_ns)
{
    for (size_t i = next_page(h, 0); i < h->map.n_pages; i = next_page(h, i + 1)) {
        if (h->ask_again)
            ml_heap_sites_ask_again(&h->pages[i].sites);
        visit(h, &h->pages[i], now_ns, false);
    }
    h->ask_again = false;
}

void ml_heap_stop(struct ml_heap *h, int64_t now_ns)
{
    for (size_t i = next_page(h, 0); i < h->map.n_pages; i = next_page(h, i + 1))
        visit(h, &h->pages[i], now_ns, true);
}

/* ---- answers ---- */

static void note_answer(struct ml_heap *h, int64_t number)
{
    for (size_t i = 0; i < h->map.n_pages; i++) {
        if (ml_heap_sites_answered(&h->pages[i].sites, number))
            return;
    }
}

void ml_heap_answered(struct ml_heap *h, const void *pairs, size_t size)
{
    const uint8_t *p = pairs, *end = p + size;
    int64_t number, stack;
    while (ml_varint_read(&p, end, &number) && ml_varint_read(&p, end, &stack))
        note_answer(h, number);
}

void ml_heap_ask_again(struct ml_heap *h)
{
    h->ask_again = true;
}

void ml_heap_close(struct ml_heap *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->map.n_pages; i++)
        ml_heap_sites_free(&h->pages[i].sites);
    free(h->pages);
    ml_buffer_free(&h->rows);
    ml_heap_file_close(&h->map);
    free(h);
}
