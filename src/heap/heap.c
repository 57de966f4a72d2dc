#include "heap/heap.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "base/sum.h"
#include "heap/heap_file.h"
#include "heap/order.h"
#include "heap/thinning.h"
#include "record/tables.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* So many samples without a place are nothing to speak of: one in ... */
enum { LOST_PART = 100 };

/* A process tells a little late where the code of a library lies that it has just loaded. */
#define CODE_NS (2 * ML_NS_PER_S)

/* What is known of a stack of a page. */
struct site {
    int32_t number;
    int64_t since_ns;     /* it is known */
    bool asked, answered; /* for its calls */
    struct ml_heap_site_look seen;
    struct ml_heap_amounts written; /* in its last row */
};

struct watched {
    struct ml_heap_page *page;
    int pid; /* that has claimed it; 0: none */
    uint64_t image;
    int process;        /* its number; -1: not known yet */
    struct site *sites; /* [n_sites], as the stacks of the page */
    size_t n_sites, capacity;
    size_t n_seen, n_unasked;   /* sites: looked at so far; that are to be asked for */
    uint64_t changes;           /* of the page, as they were seen last; */
    bool behind;                /* some of what was seen is in no row */
    struct ml_heap_amounts sum; /* bytes of all sites that were seen */
    int64_t in_blocks_B;        /* of these, what lives in blocks */
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

/* ---- rows ---- */

static void put_row(struct ml_heap *h, const struct watched *w, struct site *s, int64_t now_ns)
{
    const struct ml_heap_amounts *a = &s->seen.amounts;
    struct ml_heap_sample_row row = {.time_ns = now_ns,
                                     .process = w->process,
                                     .rank = -1, /* of the process, by whoever reads it */
                                     .site = s->number,
                                     .stack = -1,
                                     .kind = (int8_t)s->seen.kind,
                                     .live_B = a->live_B,
                                     .live_blocks = a->live_blocks,
                                     .live_error_B = ml_heap_error_B(a->live_variance),
                                     .allocated_B = a->allocated_B,
                                     .allocated_blocks = a->allocated_blocks,
                                     .allocated_error_B = ml_heap_error_B(a->allocated_variance)};
    ml_row_pack(&ml_table_heap_samples, &row, &h->rows);
    s->written = *a;
}

static void hand_on(struct ml_heap *h, int64_t now_ns)
{
    h->setup.samples(h->setup.context, now_ns, h->rows.data, h->rows.length);
    ml_buffer_clear(&h->rows);
}

static const struct ml_heap_floor no_floor = {1, 1, false};

static void judge(struct ml_heap *h, struct watched *w, struct site *s,
                  const struct ml_heap_floor *floor, int64_t now_ns)
{
    if (ml_heap_is_worth_a_row(floor, &s->written, &s->seen.amounts))
        put_row(h, w, s, now_ns);
    else
        w->behind |= ml_heap_is_worth_a_row(&no_floor, &s->written, &s->seen.amounts);
}

/* ---- a page's process ---- */

static void find_new_sites(struct ml_heap *h, struct watched *w, uint32_t n_stacks, int64_t now_ns)
{
    while (w->n_sites < n_stacks && h->n_numbers < INT32_MAX) {
        struct ml_heap_site_look seen;
        if (!ml_heap_page_site(w->page, (uint32_t)w->n_sites, &seen))
            break;
        ML_GROW(w->sites, w->n_sites, w->capacity);
        bool has_calls = w->n_sites > 0; /* the first is for all that have no place */
        w->n_unasked += has_calls;
        w->sites[w->n_sites++] = (struct site){
            .number = h->n_numbers++,
            .since_ns = now_ns,
            .asked = !has_calls,
            .answered = !has_calls,
            .seen.kind = seen.kind,
        };
    }
}

static void add_bytes(struct watched *w, const struct ml_heap_site_look *seen, int sign)
{
    ml_sum_add(&w->sum.live_B, sign * seen->amounts.live_B);
    ml_sum_add(&w->sum.allocated_B, sign * seen->amounts.allocated_B);
    if (seen->kind == ML_SITE_BLOCKS)
        ml_sum_add(&w->in_blocks_B, sign * seen->amounts.live_B);
}

/* Returns whether it is not as it was. */
static bool look_at_site(struct watched *w, uint32_t i)
{
    struct ml_heap_site_look *seen = &w->sites[i].seen;
    if (!ml_heap_page_site_moved(w->page, i, &seen->amounts))
        return false;
    add_bytes(w, seen, -1);
    ml_heap_page_site(w->page, i, seen);
    add_bytes(w, seen, 1);
    return true;
}

/* The pages of a node's ranks together are larger than what a processor has near by: of one in
 * which nothing has changed only the head is read, of sites that are as they were no more than
 * bytes. */
static void look_at_sites(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look,
                          int64_t now_ns, bool all)
{
    struct ml_heap_floor floor = ml_heap_floor_now(&w->pace, &w->sum, now_ns, all);
    find_new_sites(h, w, look->n_stacks, now_ns);
    bool changed = w->n_seen != w->n_sites || w->changes != look->changes;
    if (!changed && (floor.of_a_tick || !w->behind))
        return;
    w->n_seen = w->n_sites;
    w->changes = look->changes;
    w->behind = w->behind && floor.of_a_tick;
    for (uint32_t i = 0; i < w->n_sites; i++) {
        bool moved = changed && look_at_site(w, i);
        if (moved || !floor.of_a_tick)
            judge(h, w, &w->sites[i], &floor, now_ns);
    }
    hand_on(h, now_ns);
}

static void forget_sites(struct watched *w)
{
    w->n_sites = w->n_seen = w->n_unasked = 0;
    w->behind = false;
    w->sum = (struct ml_heap_amounts){0};
    w->in_blocks_B = 0;
}

/* Nothing lives of a program that is over; what it had allocated stays said. */
static void end_program(struct ml_heap *h, struct watched *w, int64_t now_ns)
{
    for (size_t i = 0; w->process >= 0 && i < w->n_sites; i++) {
        struct ml_heap_amounts *a = &w->sites[i].seen.amounts;
        a->live_B = a->live_blocks = 0;
        a->live_variance = 0;
        judge(h, w, &w->sites[i], &no_floor, now_ns);
    }
    hand_on(h, now_ns);
    forget_sites(w);
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
        w->blocks_B = w->in_blocks_B;
    }
    if (used_B >= 0) {
        ml_sum_add(&used_B, w->in_blocks_B - w->blocks_B);
        used_B = used_B > 0 ? used_B : 0;
        held_B -= look->used_B;
        ml_sum_add(&held_B, used_B);
    }
    h->setup.allocator(h->setup.context, w->pid, used_B, held_B);
}

static bool is_to_be_asked(const struct watched *w, uint32_t i, const struct ml_heap_look *look,
                           int64_t now_ns, bool all)
{
    const struct site *s = &w->sites[i];
    return !s->asked && (all || now_ns - s->since_ns >= CODE_NS ||
                         ml_heap_page_knows(w->page, look->n_modules, i));
}

/* Asks for the calls of sites that are new. */
static void ask(struct ml_heap *h, struct watched *w, const struct ml_heap_look *look,
                int64_t now_ns, bool all)
{
    struct ml_heap_order order;
    uint32_t asked[ML_HEAP_ORDER_MOST] = {0};
    size_t n = 0;
    for (uint32_t i = 0; w->n_unasked && i < w->n_sites && n < ML_HEAP_ORDER_MOST; i++) {
        if (is_to_be_asked(w, i, look, now_ns, all))
            asked[n++] = i;
    }
    if (!n)
        return;
    ml_heap_order_begin(&order, w->page, w->pid, w->process, look->n_modules);
    for (size_t i = 0; i < n; i++)
        ml_heap_order_add(&order, w->page, asked[i], w->sites[asked[i]].number);
    bool taken = h->setup.name(h->setup.context, ml_heap_order_end(&order));
    for (size_t i = 0; i < n; i++)
        w->sites[asked[i]].asked = taken;
    w->n_unasked -= taken ? n : 0;
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
    bool gone = is_gone(w);
    work_on(h, w, &look, now_ns, all || gone);
    if (!gone)
        return;
    forget_sites(w); /* what lived at the end stays so */
    w->pid = 0;
    w->image = 0;
    w->process = -1;
    ml_heap_page_free(w->page);
}

static void forget_question(struct watched *w)
{
    w->n_unasked = 0;
    for (size_t i = 0; i < w->n_sites; i++) {
        w->sites[i].asked = w->sites[i].answered;
        w->n_unasked += !w->sites[i].asked;
    }
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
            forget_question(&h->pages[i]);
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

static int by_number(const void *number, const void *site)
{
    int64_t wanted = *(const int64_t *)number, found = ((const struct site *)site)->number;
    return wanted < found ? -1 : wanted > found;
}

/* The sites of a page are in the order of their numbers. */
static void note_answer(struct ml_heap *h, int64_t number)
{
    struct site *found = NULL;
    for (size_t p = 0; p < h->map.n_pages && !found; p++) {
        const struct watched *w = &h->pages[p];
        if (w->n_sites)
            found = bsearch(&number, w->sites, w->n_sites, sizeof *w->sites, by_number);
    }
    if (found)
        found->answered = true;
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
        free(h->pages[i].sites);
    free(h->pages);
    ml_buffer_free(&h->rows);
    ml_heap_file_close(&h->map);
    free(h);
}
