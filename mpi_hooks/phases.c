#include "mpi_hooks/phases.h"

#include "mpi_hooks/atomics.h"
#include "mpi_hooks/page_text.h"
#include "mpi_hooks/ticks.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES 10000 /* of a lock that nobody holds for more than some microseconds */

/* A signal handler may have interrupted the holder: who waits too long gives up, and it is counted
 * as an event that was lost. */
static bool lock(struct ml_page *page)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t free = 0;
        if (atomic_compare_exchange_weak_explicit(&page->phase_lock, &free, 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
        if (i % 100 == 99)
            sched_yield();
    }
    ML_ADD(page->n_events_lost, 1);
    return false;
}

static void unlock(struct ml_page *page)
{
    atomic_store_explicit(&page->phase_lock, 0, memory_order_release);
}

/* "12345 2345 ...": pages in all, pages resident. */
static int64_t read_rss_B(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    const char *resident = strchr(text, ' ');
    return resident ? strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) : -1;
}

/* With the lock held. The sequence tells a reader whether what it read is of one event. */
static void add_event(struct ml_page *page, enum ml_page_event_kind kind, const char *text,
                      int64_t rss_B)
{
    uint64_t number = ML_LOAD(page->n_events);
    struct ml_page_event *event = &page->events[number % ML_PAGE_EVENTS];
    atomic_exchange_explicit(&event->sequence, 0, memory_order_acq_rel);
    ML_STORE(event->kind, kind);
    ML_STORE(event->phase, ML_LOAD(page->phase));
    ML_STORE(event->ns, ml_ticks_mono_ns());
    ML_STORE(event->rss_B, rss_B);
    ml_page_text_store(&event->text, text);
    atomic_store_explicit(&event->sequence, number + 1, memory_order_release);
    atomic_store_explicit(&page->n_events, number + 1, memory_order_release);
}

/* The lock is held where depth_of, choose_phase and find_phase are called. */
static uint32_t depth_of(const struct ml_page *page)
{
    uint32_t depth = ML_LOAD(page->depth);
    return depth < ML_PAGE_REGIONS ? depth : ML_PAGE_REGIONS;
}

static void choose_phase(struct ml_page *page)
{
    uint32_t base = ML_LOAD(page->base_phase), depth = depth_of(page);
    bool regions_count = base != ML_PHASE_INIT && base != ML_PHASE_FINALIZE;
    ML_STORE(page->phase, regions_count && depth ? ML_LOAD(page->open[depth - 1]) : base);
}

static uint32_t find_phase(struct ml_page *page, const struct ml_page_text *name, bool add)
{
    uint32_t n = ML_LOAD(page->n_phases);
    if (n > ML_PAGE_PHASES)
        n = ML_PAGE_PHASES;
    for (uint32_t i = ML_PHASE_REGIONS; i < n; i++)
        if (ml_page_text_equal(&page->phases[i], name))
            return i;
    if (!add || n == ML_PAGE_PHASES)
        return ML_PHASE_OTHERS;
    ml_page_text_copy(&page->phases[n], name);
    atomic_store_explicit(&page->n_phases, n + 1, memory_order_release);
    return n;
}

void ml_phases_reset(struct ml_page *page)
{
    static const char *const names[ML_PHASE_REGIONS] = {
        "before MPI_Init", "MPI_Init", "application", "MPI_Finalize", "after MPI", "other regions",
    };
    for (int i = 0; i < ML_PHASE_REGIONS; i++)
        ml_page_text_store(&page->phases[i], names[i]);
    if (ML_LOAD(page->n_phases) < ML_PHASE_REGIONS)
        ML_STORE(page->n_phases, ML_PHASE_REGIONS);
    ML_STORE(page->depth, 0);
    ML_STORE(page->base_phase, ML_PHASE_BEFORE);
    ML_STORE(page->phase, ML_PHASE_BEFORE);
    unlock(page);
}

void ml_phases_change(struct ml_page *page, enum ml_page_phase base, enum ml_page_event_kind event,
                      const char *text)
{
    int64_t rss_B = read_rss_B();
    if (!lock(page))
        return;
    ML_STORE(page->base_phase, base);
    choose_phase(page);
    add_event(page, event, text, rss_B);
    unlock(page);
}

void ml_phases_begin_region(struct ml_page *page, const char *name)
{
    struct ml_page_text text;
    ml_page_text_store(&text, name);
    if (!lock(page))
        return;
    uint32_t depth = ML_LOAD(page->depth);
    if (depth < ML_PAGE_REGIONS)
        ML_STORE(page->open[depth], find_phase(page, &text, true));
    ML_STORE(page->depth, depth + 1);
    choose_phase(page);
    add_event(page, ML_MPI_EVENT_REGION_BEGIN, name, -1);
    unlock(page);
}

void ml_phases_end_region(struct ml_page *page, const char *name)
{
    struct ml_page_text text;
    ml_page_text_store(&text, name);
    if (!lock(page))
        return;
    uint32_t wanted = find_phase(page, &text, false), depth = ML_LOAD(page->depth);
    if (depth <= ML_PAGE_REGIONS) /* deeper ones are not told apart */
        while (depth > 0 && ML_LOAD(page->open[depth - 1]) != wanted)
            depth--;
    if (depth > 0) {
        ML_STORE(page->depth, depth - 1);
        choose_phase(page);
        add_event(page, ML_MPI_EVENT_REGION_END, name, -1);
    }
    unlock(page);
}

void ml_phases_mark(struct ml_page *page, enum ml_page_event_kind event, const char *text)
{
    if (!lock(page))
        return;
    add_event(page, event, text, -1);
    unlock(page);
}
