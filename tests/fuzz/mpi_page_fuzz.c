/* A page that is scribbled over: each 12 bytes of the input are a place in it and what goes there.
 */
#include "base/memory.h"
#include "calls/mpi_page.h"
#include "mpi_hooks/calls.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void scribble(struct ml_page *page, const uint8_t *data, size_t size)
{
    for (; size >= 12; data += 12, size -= 12) {
        uint32_t place;
        memcpy(&place, data, sizeof place);
        /* Most of the page is tallies: half of all goes before them. */
        size_t room = place & 1 ? sizeof *page : offsetof(struct ml_page, blocks);
        memcpy((char *)page + place / 2 % (room - 8), data + 4, 8);
    }
}

static void read_events(const struct ml_page *page)
{
    struct ml_mpi_event event;
    uint64_t cursor = 0, lost = 0;
    for (int i = 0; ml_mpi_page_next_event(page, &cursor, &event, &lost); i++) {
        must(i < ML_PAGE_EVENTS);
        must(event.kind > 0 && event.kind < ML_MPI_EVENT_KINDS);
        must(event.phase < ML_PAGE_PHASES && strlen(event.text) < ML_MPI_TEXT);
    }
}

static void read_totals(const struct ml_page *page)
{
    size_t n;
    double tick_ns = ml_mpi_page_tick_ns(page, 1000000, 1000000);
    struct ml_mpi_total *rows = ml_mpi_page_totals(page, tick_ns, &n);
    for (size_t i = 0; i < n; i++)
        must(rows[i].phase < ML_PAGE_PHASES && *ml_mpi_call_name(rows[i].call) && rows[i].ns >= 0);
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[ML_MPI_TEXT];
    struct ml_page *page = ml_alloc(sizeof *page);
    scribble(page, data, size);
    int running = ml_mpi_page_running(page);
    must(running >= -1 && running < ML_MPI_CALLS);
    must(ml_mpi_page_phase(page) < ML_PAGE_PHASES && ml_mpi_page_phases(page) <= ML_PAGE_PHASES);
    ml_mpi_page_phase_name(page, (uint32_t)size, text);
    must(strlen(text) < ML_MPI_TEXT);
    (void)ml_mpi_page_tools(page, text);
    read_events(page);
    read_totals(page);
    free(page);
    return 0;
}
