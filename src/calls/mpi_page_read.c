/* Reading a page that may hold anything. Pure. */
#include "base/memory.h"
#include "calls/mpi_page.h"
#include "mpi_hooks/calls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOAD(object) atomic_load_explicit(&(object), memory_order_relaxed)
#define LOAD_IN_ORDER(object) atomic_load_explicit(&(object), memory_order_acquire)

#define LONGEST_TICK_NS 1e4

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void read_text(const struct ml_page_text *text, char out[ML_MPI_TEXT])
{
    uint64_t words[ML_PAGE_TEXT_WORDS] = {0};
    _Static_assert(sizeof words == ML_MPI_TEXT, "a text fits");
    for (int i = 0; i < ML_PAGE_TEXT_WORDS; i++)
        words[i] = LOAD_IN_ORDER(text->words[i]);
    memcpy(out, words, sizeof words);
    out[ML_MPI_TEXT - 1] = '\0';
}

int ml_mpi_page_pid(const struct ml_page *page)
{
    return LOAD(page->pid);
}

static int running_in(const struct ml_page_slot *slot)
{
    uint32_t running = LOAD(slot->running);
    return running < ML_MPI_CALLS ? (int)running : ML_CALL_NONE;
}

int ml_mpi_page_running(const struct ml_page *page)
{
    if (LOAD(page->flags) & ML_PAGE_BENEATH)
        return -1;
    int any = running_in(&page->slots[ML_PAGE_SLOTS]);
    for (int i = 0; i < ML_PAGE_SLOTS && LOAD(page->slots[i].tid) != 0; i++) {
        int running = running_in(&page->slots[i]);
        if (running != ML_CALL_NONE && LOAD(page->slots[i].is_main))
            return running;
        if (any == ML_CALL_NONE)
            any = running;
    }
    return any;
}

uint32_t ml_mpi_page_tools(const struct ml_page *page, char out_tool[ML_MPI_TEXT])
{
    read_text(&page->tool, out_tool);
    return LOAD(page->flags);
}

uint32_t ml_mpi_page_phase(const struct ml_page *page)
{
    return least(LOAD(page->phase), ML_PAGE_PHASES - 1);
}

uint32_t ml_mpi_page_phases(const struct ml_page *page)
{
    return least(LOAD_IN_ORDER(page->n_phases), ML_PAGE_PHASES);
}

void ml_mpi_page_phase_name(const struct ml_page *page, uint32_t phase, char out_name[ML_MPI_TEXT])
{
    read_text(&page->phases[least(phase, ML_PAGE_PHASES - 1)], out_name);
}

void ml_mpi_page_look(const struct ml_page *page, struct ml_mpi_look *out_look)
{
    *out_look = (struct ml_mpi_look){.pid = ml_mpi_page_pid(page)};
    if (out_look->pid <= 0)
        return;
    out_look->call = ml_mpi_page_running(page);
    out_look->phase = ml_mpi_page_phase(page);
    out_look->flags = ml_mpi_page_tools(page, out_look->tool);
}

static bool read_event(const struct ml_page *page, uint64_t number, struct ml_mpi_event *out_event)
{
    const struct ml_page_event *event = &page->events[number % ML_PAGE_EVENTS];
    uint64_t sequence = LOAD_IN_ORDER(event->sequence);
    uint32_t kind = LOAD_IN_ORDER(event->kind);
    out_event->kind = (enum ml_page_event_kind)kind;
    out_event->phase = least(LOAD_IN_ORDER(event->phase), ML_PAGE_PHASES - 1);
    out_event->ns = LOAD_IN_ORDER(event->ns);
    out_event->rss_B = LOAD_IN_ORDER(event->rss_B);
    read_text(&event->text, out_event->text);
    return sequence == number + 1 && LOAD_IN_ORDER(event->sequence) == sequence && kind > 0 &&
           kind < ML_MPI_EVENT_KINDS;
}

bool ml_mpi_page_next_event(const struct ml_page *page, uint64_t *cursor,
                            struct ml_mpi_event *out_event, uint64_t *lost)
{
    uint64_t end = LOAD_IN_ORDER(page->n_events);
    if (*cursor > end) /* the count is damaged; later events may be good */
        *cursor = end;
    if (end - *cursor > ML_PAGE_EVENTS) {
        *lost += end - ML_PAGE_EVENTS - *cursor;
        *cursor = end - ML_PAGE_EVENTS;
    }
    for (; *cursor < end; ++*cursor, ++*lost) {
        struct ml_mpi_event event;
        if (!read_event(page, *cursor, &event))
            continue; /* overwritten meanwhile */
        *out_event = event;
        ++*cursor;
        return true;
    }
    return false;
}

double ml_mpi_page_tick_ns(const struct ml_page *page, int64_t now_ns, uint64_t now_ticks)
{
    double ns = (double)now_ns - (double)LOAD(page->claimed_ns);
    uint64_t claimed_ticks = LOAD(page->claimed_ticks);
    if (ns <= 0 || now_ticks <= claimed_ticks)
        return 0;
    double tick_ns = ns / (double)(now_ticks - claimed_ticks);
    return tick_ns < LONGEST_TICK_NS ? tick_ns : 0;
}

/* Sums, before ticks become nanoseconds. */
struct sum {
    uint64_t calls, messages, bytes, longest_ticks;
    double ticks, variance;
};

typedef struct sum (*sums_of_phases)[ML_MPI_CALLS];

static void add_block(const struct ml_page_block *block, struct sum sums[ML_MPI_CALLS])
{
    for (int call = ML_CALL_NONE + 1; call < ML_MPI_CALLS; call++) {
        const struct ml_page_tally *tally = &block->tallies[call];
        struct sum *sum = &sums[call];
        uint64_t longest = LOAD(tally->longest_ticks);
        double variance = LOAD(tally->variance);
        sum->calls += LOAD(tally->calls);
        sum->messages += LOAD(tally->messages);
        sum->bytes += LOAD(tally->bytes);
        sum->ticks += (double)LOAD(tally->ticks);
        if (variance > 0) /* false for NaN */
            sum->variance += variance;
        if (longest > sum->longest_ticks)
            sum->longest_ticks = longest;
    }
}

static int64_t to_ns(double ticks, double tick_ns)
{
    double ns = ticks * tick_ns;
    return ns < 9e18 ? (int64_t)ns : INT64_MAX;
}

static struct ml_mpi_total *to_rows(sums_of_phases sums, double tick_ns, size_t *out_n)
{
    struct ml_mpi_total *rows = NULL;
    size_t n = 0, capacity = 0;
    for (uint32_t phase = 0; phase < ML_PAGE_PHASES; phase++)
        for (int call = 0; call < ML_MPI_CALLS; call++) {
            const struct sum *sum = &sums[phase][call];
            if (!sum->calls)
                continue;
            ML_GROW(rows, n, capacity);
            rows[n++] = (struct ml_mpi_total){
                .phase = phase,
                .call = call,
                .calls = sum->calls,
                .messages = sum->messages,
                .bytes = sum->bytes,
                .ns = to_ns(sum->ticks, tick_ns),
                .error_ns = to_ns(sqrt(sum->variance), tick_ns),
                .longest_ns = to_ns((double)sum->longest_ticks, tick_ns),
            };
        }
    *out_n = n;
    return rows;
}

struct ml_mpi_total *ml_mpi_page_totals(const struct ml_page *page, double tick_ns, size_t *out_n)
{
    sums_of_phases sums = ml_alloc(ML_PAGE_PHASES * sizeof *sums);
    for (int i = 0; i < ML_PAGE_BLOCKS; i++) {
        uint32_t owner = LOAD_IN_ORDER(page->owners[i]);
        if (owner) /* reading an unused block would make the kernel allocate it */
            add_block(&page->blocks[i], sums[(owner - 1) % ML_PAGE_PHASES]);
    }
    add_block(&page->blocks[ML_PAGE_BLOCKS], sums[ML_PHASE_OTHERS]);
    struct ml_mpi_total *rows = to_rows(sums, tick_ns, out_n);
    free(sums);
    return rows;
}
