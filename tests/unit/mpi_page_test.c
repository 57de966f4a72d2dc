/* Reading a page that an application has scribbled over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/own.h"
#include "calls/mpi_page.h"
#include "mpi_hooks/calls.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
    *state = ml_alloc(sizeof(struct ml_page));
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void put_text(struct ml_page_text *out, const char *text)
{
    char bytes[sizeof *out] = "";
    memcpy(bytes, text, strlen(text));
    memcpy(out, bytes, sizeof bytes);
}

static void test_created(void **state)
{
    (void)state;
    struct ml_page *page;
    struct ml_error err;
    struct stat file;
    int fd;
    assert_int_equal(ml_mpi_pages_create(1, &page, &fd, &err), ML_OK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, ML_PAGE_STRIDE);
    assert_true(file.st_blocks * 512 <= 16384); /* sparse */
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ml_mpi_page_pid(page), 0);
    assert_int_equal(ml_mpi_page_running(page), ML_CALL_NONE);
    char *text = ml_mpi_page_environment(17, 4);
    assert_string_equal(text, "MEMLOG_HOOKS=/proc/17/fd/4");
    free(text);
    close(fd);
    ml_mpi_pages_close(page, 1);
    ml_mpi_pages_close(NULL, 1);
}

static void test_many_pages(void **state)
{
    (void)state;
    struct ml_page *first;
    struct ml_error err;
    int fd;
    assert_int_equal(ml_mpi_pages_create(3, &first, &fd, &err), ML_OK);
    for (int i = 0; i < 3; i++) {
        struct ml_page *page = ml_mpi_page_at(first, (size_t)i);
        page->pid = 100 + i;
        page->blocks[ML_PAGE_BLOCKS].tallies[ML_MPI_CALLS - 1].calls = 7;
    }
    struct ml_page *middle = ml_mpi_page_at(first, 1);
    ml_mpi_page_free(middle);
    assert_int_equal(ml_mpi_page_pid(first), 100);
    assert_int_equal(ml_mpi_page_pid(middle), 0);
    assert_int_equal(ml_mpi_page_pid(ml_mpi_page_at(first, 2)), 102);
    assert_int_equal(middle->blocks[ML_PAGE_BLOCKS].tallies[ML_MPI_CALLS - 1].calls, 0);
    assert_int_equal(first->blocks[ML_PAGE_BLOCKS].tallies[ML_MPI_CALLS - 1].calls, 7);
    assert_memory_equal(middle, first, offsetof(struct ml_page, pid)); /* may be claimed again */
    close(fd);
    ml_mpi_pages_close(first, 3);
}

static void test_running(void **state)
{
    struct ml_page *page = *state;
    for (int i = 0; i < 10; i++)
        page->slots[i].tid = 100 + i;
    page->slots[5].running = ML_CALL_Recv;
    page->slots[7].running = UINT32_MAX;
    page->slots[8].running = ML_MPI_CALLS;
    assert_int_equal(ml_mpi_page_running(page), ML_CALL_Recv);
    page->slots[9].is_main = 1;
    page->slots[9].running = ML_CALL_Allreduce;
    assert_int_equal(ml_mpi_page_running(page), ML_CALL_Allreduce);
    page->slots[9].running = UINT32_MAX;
    assert_int_equal(ml_mpi_page_running(page), ML_CALL_Recv);
    page->slots[5].running = ML_CALL_NONE;
    page->slots[ML_PAGE_SLOTS].running = ML_CALL_Send; /* of threads without a slot */
    assert_int_equal(ml_mpi_page_running(page), ML_CALL_Send);
    page->flags = ML_PAGE_BENEATH;
    assert_int_equal(ml_mpi_page_running(page), -1);
}

static void test_phases(void **state)
{
    struct ml_page *page = *state;
    char name[ML_MPI_TEXT];
    page->phase = UINT32_MAX;
    page->n_phases = UINT32_MAX;
    assert_int_equal(ml_mpi_page_phase(page), ML_PAGE_PHASES - 1);
    assert_int_equal(ml_mpi_page_phases(page), ML_PAGE_PHASES);
    memset(&page->phases[ML_PAGE_PHASES - 1], 'x', sizeof page->phases[0]);
    ml_mpi_page_phase_name(page, UINT32_MAX, name);
    assert_int_equal(strlen(name), ML_MPI_TEXT - 1);
}

static void put_event(struct ml_page *page, uint64_t number, uint32_t kind)
{
    struct ml_page_event *event = &page->events[number % ML_PAGE_EVENTS];
    event->sequence = number + 1;
    event->kind = kind;
    event->phase = 2;
    event->ns = (int64_t)number;
    put_text(&event->text, "text");
    page->n_events = number + 1;
}

static void test_events(void **state)
{
    struct ml_page *page = *state;
    uint64_t cursor = 0, lost = 0;
    struct ml_mpi_event event;
    assert_false(ml_mpi_page_next_event(page, &cursor, &event, &lost));
    for (uint64_t i = 0; i < 300; i++)
        put_event(page, i, ML_MPI_EVENT_MARK);
    assert_true(ml_mpi_page_next_event(page, &cursor, &event, &lost));
    assert_int_equal(lost, 300 - ML_PAGE_EVENTS);
    assert_int_equal(event.ns, 300 - ML_PAGE_EVENTS);
    assert_int_equal(event.kind, ML_MPI_EVENT_MARK);
    assert_string_equal(event.text, "text");
    int n = 1;
    while (ml_mpi_page_next_event(page, &cursor, &event, &lost))
        n++;
    assert_int_equal(n, ML_PAGE_EVENTS);
    assert_int_equal(event.ns, 299);
}

static void test_hostile_events(void **state)
{
    struct ml_page *page = *state;
    static const struct {
        uint64_t n_events, cursor;
    } cases[] = {{UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX - 3}, {0, UINT64_MAX}, {5, 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ml_mpi_event event;
        uint64_t cursor = cases[i].cursor, lost = 0;
        page->n_events = cases[i].n_events;
        assert_false(ml_mpi_page_next_event(page, &cursor, &event, &lost));
        assert_true(cursor == cases[i].n_events);
    }
    static const uint32_t kinds[] = {0, ML_MPI_EVENT_KINDS, UINT32_MAX};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct ml_mpi_event event;
        uint64_t cursor = 10, lost = 0;
        put_event(page, 10, kinds[i]);
        assert_false(ml_mpi_page_next_event(page, &cursor, &event, &lost));
        assert_int_equal(lost, 1);
    }
    put_event(page, 10, ML_MPI_EVENT_MARK);
    page->events[10].sequence = 0; /* being written */
    uint64_t cursor = 10, lost = 0;
    struct ml_mpi_event event;
    assert_false(ml_mpi_page_next_event(page, &cursor, &event, &lost));
}

static void test_totals(void **state)
{
    struct ml_page *page = *state;
    size_t n;
    page->owners[3] = 1 + 5 * ML_PAGE_PHASES + 7;
    page->owners[4] = 1 + 6 * ML_PAGE_PHASES + 7;
    for (int block = 3; block < 5; block++) {
        struct ml_page_tally *tally = &page->blocks[block].tallies[ML_CALL_Send];
        tally->calls = 10;
        tally->bytes = 100;
        tally->messages = 9;
        tally->ticks = 1000;
        tally->variance = 50;
        tally->longest_ticks = 300;
    }
    page->blocks[9].tallies[ML_CALL_Send].calls = 77; /* nobody's */
    struct ml_mpi_total *rows = ml_mpi_page_totals(page, 2, &n);
    assert_int_equal(n, 1);
    assert_int_equal(rows->phase, 7);
    assert_int_equal(rows->call, ML_CALL_Send);
    assert_int_equal(rows->calls, 20);
    assert_int_equal(rows->bytes, 200);
    assert_int_equal(rows->messages, 18);
    assert_int_equal(rows->ns, 4000);
    assert_int_equal(rows->error_ns, 20);
    assert_int_equal(rows->longest_ns, 600);
    free(rows);
}

static void test_hostile_totals(void **state)
{
    struct ml_page *page = *state;
    static const double ticks[] = {0, 1, 1e4};
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        size_t n;
        memset(page, 0xff, sizeof *page);
        struct ml_mpi_total *rows = ml_mpi_page_totals(page, ticks[i], &n);
        assert_true(n <= (size_t)ML_PAGE_PHASES * ML_MPI_CALLS);
        for (size_t k = 0; k < n; k++) {
            assert_in_range(rows[k].phase, 0, ML_PAGE_PHASES - 1);
            assert_in_range(rows[k].call, 1, ML_MPI_CALLS - 1);
            assert_true(rows[k].ns >= 0 && rows[k].error_ns >= 0);
        }
        free(rows);
    }
}

static void test_tick(void **state)
{
    struct ml_page *page = *state;
    page->claimed_ns = 1000;
    page->claimed_ticks = 5000;
    assert_true(fabs(ml_mpi_page_tick_ns(page, 2000, 7500) - 0.4) < 1e-12);
    assert_true(ml_mpi_page_tick_ns(page, 2000, 5000) == 0);
    assert_true(ml_mpi_page_tick_ns(page, 500, 7500) == 0);
    assert_true(ml_mpi_page_tick_ns(page, INT64_MAX, 5001) == 0);
    page->claimed_ns = INT64_MIN;
    assert_true(ml_mpi_page_tick_ns(page, INT64_MAX, 5001) == 0);
}

/* The list of calls in docs is the table's. */
static void test_docs(void **state)
{
    (void)state;
    ML_AUTO_FILE FILE *file = fopen(MEMLOG_CALLS_DOC, "r");
    assert_non_null(file);
    char line[512];
    int call = ML_CALL_NONE;
    while (fgets(line, sizeof line, file)) {
        char name[128], kind[32];
        if (sscanf(line, "| %127s | %31s |", name, kind) != 2 || strncmp(name, "MPI_", 4) != 0)
            continue;
        call++;
        assert_string_equal(name, ml_mpi_call_name(call));
        assert_string_equal(kind, ml_mpi_kind_name(ml_mpi_call_kind(call)));
    }
    assert_int_equal(call, ML_MPI_CALLS - 1);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(ml_mpi_call_name(ML_CALL_Allreduce), "MPI_Allreduce");
    assert_int_equal(ml_mpi_call_kind(ML_CALL_Allreduce), ML_MPI_COLLECTIVE);
    static const int none[] = {0, -1, ML_MPI_CALLS, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_string_equal(ml_mpi_call_name(none[i]), "");
        assert_int_equal(ml_mpi_call_kind(none[i]), ML_MPI_KINDS);
    }
    assert_string_equal(ml_mpi_kind_name(ML_MPI_KINDS), "");
}

int main(void)
{
#define ON_A_PAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_created), cmocka_unit_test(test_many_pages),
        ON_A_PAGE(test_running),        ON_A_PAGE(test_phases),
        ON_A_PAGE(test_events),         ON_A_PAGE(test_hostile_events),
        ON_A_PAGE(test_totals),         ON_A_PAGE(test_hostile_totals),
        ON_A_PAGE(test_tick),           cmocka_unit_test(test_docs),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
