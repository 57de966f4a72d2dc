/* The preloaded library's own logic, with many threads and a reader, and no MPI: calls are pairs of
 * ml_enter and ml_leave. Built a second time with ThreadSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "calls/mpi_page.h"
#include "mpi_hooks/attach.h"
#include "mpi_hooks/calls.h"
#include "mpi_hooks/hooks.h"
#include "mpi_hooks/next.h"
#include "mpi_hooks/phases.h"
#include "mpi_hooks/tool.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS 5000

static struct ml_page *page; /* as the sampling rank sees it */

bool ml_next_is_first(void)
{
    return true;
}

bool ml_next_fits(void)
{
    return true;
}

void *ml_next_find(_Atomic(void *) *cache, const char *symbol, const void *caller)
{
    (void)cache;
    (void)symbol;
    (void)caller;
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    int fd;
    struct ml_error err;
    struct ml_page *taken;
    assert_int_equal(ml_mpi_pages_create(3, &taken, &fd, &err), ML_OK);
    taken->pid = getppid();
    page = ml_mpi_page_at(taken, 1); /* the first that is free */
    char *variable = ml_mpi_page_environment(getpid(), fd);
    char *value = strchr(variable, '=') + 1;
    assert_int_equal(setenv(ML_PAGE_VARIABLE, value, 1), 0);
    free(variable);
    assert_non_null(ml_attach());
    close(fd);
    return 0;
}

static void call(unsigned number)
{
    struct ml_frame frame = ml_enter(number);
    struct ml_frame nested = ml_enter(ML_CALL_Barrier);
    assert_null(nested.tally);
    ml_leave(&nested);
    ml_leave(&frame);
}

static uint64_t count(const char *phase, int number)
{
    size_t n;
    uint64_t calls = 0;
    struct ml_mpi_total *rows = ml_mpi_page_totals(page, 1, &n);
    for (size_t i = 0; i < n; i++) {
        char name[ML_MPI_TEXT];
        ml_mpi_page_phase_name(page, rows[i].phase, name);
        if (rows[i].call == number && (!phase || strcmp(name, phase) == 0))
            calls += rows[i].calls;
    }
    free(rows);
    return calls;
}

static void *make_calls(void *argument)
{
    (void)argument;
    for (int i = 0; i < CALLS; i++)
        call(ML_CALL_Send);
    return NULL;
}

static void run_threads(int n, void *(*body)(void *))
{
    pthread_t threads[100];
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, NULL), 0);
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static _Atomic bool stop;

/* Beside the threads, and once more when they have ended. */
static void *watch(void *argument)
{
    uint64_t cursor = 0, lost = 0, events = 0;
    struct ml_mpi_event event;
    for (bool last = false; !last;) {
        last = atomic_load(&stop);
        int running = ml_mpi_page_running(page);
        assert_true(running == ML_CALL_NONE || running == ML_CALL_Send);
        (void)count(NULL, ML_CALL_Send);
        while (ml_mpi_page_next_event(page, &cursor, &event, &lost)) {
            assert_true(strncmp(event.text, "region", 6) == 0);
            events++;
        }
    }
    *(uint64_t *)argument = events + lost;
    return NULL;
}

/* First of all tests: the events are the first of the page. */
static void test_reader_beside_threads(void **state)
{
    (void)state;
    pthread_t reader;
    uint64_t events = 0;
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&reader, NULL, watch, &events), 0);
    for (int i = 0; i < 20; i++) {
        ml_phases_begin_region(page, i % 2 ? "region one" : "region two");
        run_threads(2, make_calls);
        ml_phases_end_region(page, i % 2 ? "region one" : "region two");
    }
    atomic_store(&stop, true);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_int_equal(events, 40);
    assert_int_equal(count("region one", ML_CALL_Send), 10 * 2 * CALLS);
    assert_int_equal(count("region two", ML_CALL_Send), 10 * 2 * CALLS);
    assert_int_equal(ml_mpi_page_running(page), ML_CALL_NONE);
}

/* The next event is of this kind, phase and text; its RSS. */
static int64_t expect_event(uint64_t *cursor, enum ml_page_event_kind kind, const char *phase,
                            const char *text)
{
    uint64_t lost = 0;
    struct ml_mpi_event event;
    char name[ML_MPI_TEXT];
    int64_t now_ns = ml_mono_now().ns;
    assert_true(ml_mpi_page_next_event(page, cursor, &event, &lost));
    assert_int_equal(lost, 0);
    assert_int_equal(event.kind, kind);
    assert_string_equal(event.text, text);
    ml_mpi_page_phase_name(page, event.phase, name);
    assert_string_equal(name, phase);
    assert_true(event.ns <= now_ns && event.ns > now_ns - 60 * ML_NS_PER_S);
    return event.rss_B;
}

static void expect_no_event(uint64_t *cursor)
{
    struct ml_mpi_event event;
    uint64_t lost = 0;
    assert_false(ml_mpi_page_next_event(page, cursor, &event, &lost));
    assert_int_equal(lost, 0);
}

/* An end closes what was opened in its region, and no region around it. */
static void test_events_of_regions(void **state)
{
    (void)state;
    uint64_t cursor = ML_LOAD(page->n_events);
    ml_phases_begin_region(page, "region a");
    ml_phases_begin_region(page, "region b");
    ml_phases_begin_region(page, "region c");
    assert_int_equal(ML_LOAD(page->depth), 3);
    ml_phases_end_region(page, "region b");
    assert_int_equal(ML_LOAD(page->depth), 1);
    ml_phases_end_region(page, "region c"); /* is not open any more */
    ml_phases_mark(page, ML_MPI_EVENT_MARK, "here");
    ml_phases_mark(page, ML_MPI_EVENT_ABORT, "");
    ml_phases_end_region(page, "region a");
    assert_int_equal(ML_LOAD(page->depth), 0);
    assert_int_equal(expect_event(&cursor, ML_MPI_EVENT_REGION_BEGIN, "region a", "region a"), -1);
    assert_int_equal(expect_event(&cursor, ML_MPI_EVENT_REGION_BEGIN, "region b", "region b"), -1);
    assert_int_equal(expect_event(&cursor, ML_MPI_EVENT_REGION_BEGIN, "region c", "region c"), -1);
    assert_int_equal(expect_event(&cursor, ML_MPI_EVENT_REGION_END, "region a", "region b"), -1);
    assert_int_equal(expect_event(&cursor, ML_MPI_EVENT_MARK, "region a", "here"), -1);
    assert_int_equal(expect_event(&cursor, ML_MPI_EVENT_ABORT, "region a", ""), -1);
    assert_int_equal(expect_event(&cursor, ML_MPI_EVENT_REGION_END, "before MPI_Init", "region a"),
                     -1);
    expect_no_event(&cursor);
}

static int64_t own_rss_B(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* A region that is open counts between the phases of MPI, not in them. */
static void test_events_of_phases(void **state)
{
    static const struct {
        enum ml_page_phase base;
        enum ml_page_event_kind kind;
        const char *phase;
    } changes[] = {
        {ML_PHASE_INIT, ML_MPI_EVENT_INIT_BEGIN, "MPI_Init"},
        {ML_PHASE_APPLICATION, ML_MPI_EVENT_INIT_END, "region a"},
        {ML_PHASE_FINALIZE, ML_MPI_EVENT_FINALIZE_BEGIN, "MPI_Finalize"},
        {ML_PHASE_AFTER, ML_MPI_EVENT_FINALIZE_END, "region a"},
    };
    (void)state;
    ml_phases_begin_region(page, "region a");
    uint64_t cursor = ML_LOAD(page->n_events);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        ml_phases_change(page, changes[i].base, changes[i].kind, "MPI");
        int64_t rss_B = expect_event(&cursor, changes[i].kind, changes[i].phase, "MPI");
        assert_in_range(rss_B, own_rss_B() / 2, own_rss_B() * 2);
    }
    expect_no_event(&cursor);
    ml_phases_end_region(page, "region a");
    assert_int_equal(ml_mpi_page_phase(page), ML_PHASE_AFTER);
    ml_phases_begin_region(page, "region a");
    ml_phases_reset(page);
    assert_int_equal(ML_LOAD(page->depth), 0);
    assert_int_equal(ml_mpi_page_phase(page), ML_PHASE_BEFORE);
}

/* Somebody was interrupted with the lock held: it is not waited for, and what is lost counts. */
static void test_lock_that_stays(void **state)
{
    (void)state;
    uint64_t events = ML_LOAD(page->n_events), lost = ML_LOAD(page->n_events_lost);
    ML_STORE(page->phase_lock, 1);
    ml_phases_mark(page, ML_MPI_EVENT_MARK, "here");
    ml_phases_change(page, ML_PHASE_INIT, ML_MPI_EVENT_INIT_BEGIN, "MPI_Init");
    ml_phases_begin_region(page, "region a");
    ml_phases_end_region(page, "region a");
    assert_int_equal(ML_LOAD(page->n_events), events);
    assert_int_equal(ML_LOAD(page->n_events_lost), lost + 4);
    assert_int_equal(ML_LOAD(page->depth), 0);
    assert_int_equal(ml_mpi_page_phase(page), ML_PHASE_BEFORE);
    assert_int_equal(ML_LOAD(page->phase_lock), 1);
    ml_phases_reset(page); /* as after a fork */
    ml_phases_mark(page, ML_MPI_EVENT_MARK, "here");
    assert_int_equal(expect_event(&events, ML_MPI_EVENT_MARK, "before MPI_Init", "here"), -1);
    ML_STORE(page->n_events_lost, lost);
}

static void test_many_threads(void **state)
{
    (void)state;
    uint64_t before = count(NULL, ML_CALL_Send);
    run_threads(100, make_calls);
    assert_int_equal(count(NULL, ML_CALL_Send) - before, 100 * CALLS);
}

static void *begin_and_end(void *argument)
{
    (void)argument;
    for (int i = 0; i < 200; i++) {
        ml_phases_begin_region(page, "region of all");
        ml_phases_end_region(page, "region of all");
    }
    return NULL;
}

static void test_regions_of_many_threads(void **state)
{
    (void)state;
    run_threads(8, begin_and_end);
    uint64_t lost = ML_LOAD(page->n_events_lost);
    if (!lost) /* a begin that was lost leaves an end that ends nothing */
        assert_int_equal(ML_LOAD(page->depth), 0);
    while (ML_LOAD(page->depth))
        ml_phases_end_region(page, "region of all");
    assert_int_equal(ml_mpi_page_phase(page), ML_PHASE_BEFORE);
}

static void test_deep_and_many_regions(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "region %d", i);
        ml_phases_begin_region(page, name);
    }
    call(ML_CALL_Recv);
    for (int i = 99; i >= 0; i--) {
        snprintf(name, sizeof name, "region %d", i);
        ml_phases_end_region(page, name);
    }
    assert_int_equal(ML_LOAD(page->depth), 0);
    assert_int_equal(count("region 31", ML_CALL_Recv), 1);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "region of many %d", i);
        ml_phases_begin_region(page, name);
        call(ML_CALL_Bsend);
        ml_phases_end_region(page, name);
    }
    assert_int_equal(ml_mpi_page_phases(page), ML_PAGE_PHASES);
    assert_int_equal(count("region of many 0", ML_CALL_Bsend), 1);
    assert_int_equal(count(NULL, ML_CALL_Bsend), 100);
    ml_phases_end_region(page, "never begun");
    assert_int_equal(ml_mpi_page_phase(page), ML_PHASE_BEFORE);
}

static struct ml_page_tally simulate(int calls, uint64_t ticks)
{
    struct ml_page_tally tally = {.calls = 0};
    for (int i = 0; i < calls; i++) {
        uint32_t left = ML_LOAD(tally.left);
        ML_BUMP(tally.calls, 1);
        if (left > 1)
            ML_STORE(tally.left, left - 1);
        else
            ml_tally_time(&tally, ml_ticks() - ticks, false);
    }
    return tally;
}

/* Short calls are timed once in each 16, long ones always. The longest tells of interruptions by
 * the machine, after which calls count as long for a while. */
static void test_what_is_timed(void **state)
{
    (void)state;
    uint64_t us = ml_ticks_per_us();
    struct ml_page_tally long_calls = simulate(1600, 5 * us);
    assert_int_equal(ML_LOAD(long_calls.timed), 1600);
    assert_true(ML_LOAD(long_calls.ticks) >= 1600 * 5 * us);
    assert_true(ML_LOAD(long_calls.variance) == 0);
    struct ml_page_tally short_calls = simulate(16000, us / 100);
    assert_in_range(ML_LOAD(short_calls.timed), 1000, 16000);
    if (ML_LOAD(short_calls.longest_ticks) < us)
        assert_in_range(ML_LOAD(short_calls.timed), 1000, 1002);
    assert_true(ML_LOAD(short_calls.variance) > 0);
    assert_true(ML_LOAD(short_calls.ticks) >= 15900 * (us / 100));
}

/* After the tests that count, because a child that only forked must not be seen. */
static void test_child_of_fork(void **state)
{
    (void)state;
    uint64_t before = count(NULL, ML_CALL_Send);
    pid_t child = fork();
    if (child == 0) {
        call(ML_CALL_Send);
        _exit(ml_attach() ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(count(NULL, ML_CALL_Send), before);
}

static void test_another_tool(void **state)
{
    (void)state;
    char tool[ML_MPI_TEXT];
    ml_tool_note(ML_PAGE_CHAINED, "/opt/tools/libtool.so");
    assert_int_equal(ml_mpi_page_tools(page, tool), ML_PAGE_CHAINED);
    assert_string_equal(tool, "libtool.so");
    ml_tool_note(ML_PAGE_BENEATH, "/opt/tools/other.so");
    assert_int_equal(ml_mpi_page_tools(page, tool), ML_PAGE_CHAINED | ML_PAGE_BENEATH);
    assert_string_equal(tool, "libtool.so");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_beside_threads),
        cmocka_unit_test(test_events_of_regions),
        cmocka_unit_test(test_events_of_phases),
        cmocka_unit_test(test_lock_that_stays),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_regions_of_many_threads),
        cmocka_unit_test(test_what_is_timed),
        cmocka_unit_test(test_child_of_fork),
        cmocka_unit_test(test_deep_and_many_regions),
        cmocka_unit_test(test_another_tool),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
