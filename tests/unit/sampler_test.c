/* The sampler with sources of ours: in which order it calls them, and what it writes itself. */
#include "base/memory.h"
#include "journal/harvest.h"
#include "recorder/sampler.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define EXITED(code) ((code) << 8) /* a status of wait(2) */
#define MOST_ROWS 64

static char path[64], calls[4096];
static bool unseen;      /* the first source has news */
static int64_t burnt_ns; /* CPU time of a tick of the first source */
static int n_burnt;      /* ticks that did */
static struct ml_options options;
static struct ml_loop *loop;
static struct ml_sampler *sampler;

/* ---- sources ---- */

static void note(const void *state, const char *what)
{
    size_t n = strlen(calls);
    snprintf(calls + n, sizeof calls - n, "%s%s.%s", n ? " " : "", (const char *)state, what);
}

static enum ml_status open_first(const struct ml_source_setup *setup, void **out_state,
                                 struct ml_error *err)
{
    (void)err;
    assert_int_equal(setup->node, 3);
    assert_string_equal(setup->mark, "A=1");
    *out_state = "first";
    return ML_OK;
}

static enum ml_status open_second(const struct ml_source_setup *setup, void **out_state,
                                  struct ml_error *err)
{
    (void)setup, (void)err;
    *out_state = "second";
    return ML_OK;
}

static enum ml_status open_idle(const struct ml_source_setup *setup, void **out_state,
                                struct ml_error *err)
{
    (void)setup, (void)out_state, (void)err;
    return ML_OK;
}

static enum ml_status open_failing(const struct ml_source_setup *setup, void **out_state,
                                   struct ml_error *err)
{
    (void)setup, (void)out_state;
    return ml_fail(err, ML_NODE_LOST, "no such device");
}

static void describe(void *state, struct ml_node_row *row)
{
    note(state, "describe");
    row->memory_B = 4096;
}

static void start(void *state)
{
    note(state, "start");
}

static void look(void *state)
{
    note(state, "look");
}

static void tick(void *state, struct ml_tick *t)
{
    note(state, "tick");
    unseen = false;
    t->node.left_B = 100 + t->number;
    int64_t end_ns = ml_clock_read(CLOCK_PROCESS_CPUTIME_ID) + burnt_ns;
    n_burnt += burnt_ns > 0;
    while (ml_clock_read(CLOCK_PROCESS_CPUTIME_ID) < end_ns)
        ;
}

static void react(void *state, const struct ml_tick *t)
{
    note(state, "react");
    assert_int_equal(t->node.left_B, 100 + t->number);
}

static bool has_news(const void *state)
{
    (void)state;
    return unseen;
}

static void rank_ended(void *state, int rank, const struct ml_rank_exit *end)
{
    assert_int_equal(rank, 5);
    note(state, WIFSIGNALED(end->status) ? "killed" : "exited");
}

static void summarize(const void *state, const struct ml_node_sample_row *last,
                      struct ml_summary *summary)
{
    (void)state;
    summary->left_B = last->left_B;
}

static void end(void *state, struct ml_node_row *row)
{
    note(state, "stop");
    row->stacks = 9;
}

static void close_source(void *state)
{
    note(state, "close");
}

static const struct ml_source first = {.name = "first",
                                       .open = open_first,
                                       .describe = describe,
                                       .start = start,
                                       .look = look,
                                       .tick = tick,
                                       .react = react,
                                       .news = has_news,
                                       .rank_ended = rank_ended,
                                       .summarize = summarize,
                                       .stop = end,
                                       .close = close_source};
static const struct ml_source second = {.name = "second",
                                        .open = open_second,
                                        .look = look,
                                        .rank_ended = rank_ended,
                                        .close = close_source};
static const struct ml_source idle = {
    .name = "idle", .open = open_idle, .tick = tick, .close = close_source};
static const struct ml_source failing = {
    .name = "failing", .open = open_failing, .close = close_source};
static const struct ml_source *const table[] = {&first, &idle, &second, NULL};
static const struct ml_source *const table_that_fails[] = {&first, &failing, NULL};

/* ---- the tests' own ---- */

static enum ml_status open_sampler(const struct ml_source *const *sources, struct ml_error *err)
{
    struct ml_journal_header header = {.node = 3, .n_nodes = 4, .root = 1};
    struct ml_sampler_setup setup = {&options, 3, "n3", "A=1", NULL, path, &header, NULL, sources};
    return ml_sampler_open(loop, &setup, &sampler, err);
}

static int set_up(void **state)
{
    (void)state;
    options = (struct ml_options){.repeat_rate_ns = 10 * ML_NS_PER_MS, .overhead = 1};
    snprintf(path, sizeof path, "/tmp/sampler_test.%d.journal", (int)getpid());
    *calls = '\0';
    unseen = false;
    burnt_ns = 0;
    sampler = NULL;
    loop = ml_loop_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ml_sampler_close(sampler);
    ml_loop_free(loop);
    unlink(path);
    return 0;
}

/* The events of the journal: "kind value text" a line. */
static char *events(void)
{
    struct ml_harvest *h;
    struct ml_error err;
    struct ml_buffer out = {0};
    assert_int_equal(ml_harvest_open(path, NULL, &h, &err), ML_OK);
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_events);
    for (size_t i = 0; i < rows.count && i < MOST_ROWS; i++) {
        struct ml_event_row row;
        rows.fetch(rows.context, i, &row);
        assert_int_equal(row.node, 3);
        assert_int_equal(row.process, -1);
        ml_buffer_printf(&out, "%d %lld %s\n", row.kind, (long long)row.value, row.text);
    }
    ml_harvest_close(h);
    ml_buffer_append(&out, "", 1);
    return out.data;
}

/* ---- tests ---- */

static void walks_the_table(void **state)
{
    struct ml_error err;
    (void)state;
    assert_int_equal(open_sampler(table, &err), ML_OK);
    ml_sampler_stop(sampler);
    ml_sampler_close(sampler);
    sampler = NULL;
    assert_string_equal(calls, "first.describe first.look second.look first.tick first.describe "
                               "first.stop second.close first.close");
}

static void reacts_while_it_runs(void **state)
{
    struct ml_error err;
    (void)state;
    assert_int_equal(open_sampler(table, &err), ML_OK);
    *calls = '\0';
    ml_sampler_start(sampler);
    ml_sampler_start(sampler); /* once is enough */
    while (!strstr(calls, "react"))
        ml_loop_step(loop);
    assert_memory_equal(calls, "first.start first.look second.look first.tick first.react", 56);
    *calls = '\0';
    ml_sampler_stop(sampler);
    assert_null(strstr(calls, "react"));
}

static void ends_close_what_is_open(void **state)
{
    struct ml_error err;
    (void)state;
    assert_int_equal(open_sampler(table_that_fails, &err), ML_NODE_LOST);
    assert_string_equal(err.text, "no such device");
    assert_string_equal(calls, "first.close");
}

/* A rank that ended before a tick saw it gets one, and only then. */
static void a_tick_before_an_end(void **state)
{
    struct ml_error err;
    (void)state;
    assert_int_equal(open_sampler(table, &err), ML_OK);
    *calls = '\0';
    ml_sampler_rank_ended(sampler, 5, &(struct ml_rank_exit){EXITED(0), -1});
    assert_string_equal(calls, "first.look second.look first.tick first.exited second.exited");
    *calls = '\0';
    ml_sampler_rank_ended(sampler, 5, &(struct ml_rank_exit){SIGKILL, -1});
    assert_string_equal(calls, "first.killed second.killed");
    *calls = '\0';
    unseen = true;
    ml_sampler_rank_ended(sampler, 5, &(struct ml_rank_exit){SIGKILL, -1});
    assert_string_equal(calls, "first.look second.look first.tick first.killed second.killed");
}

static void tells_of_ends(void **state)
{
    struct ml_error err;
    char expected[300];
    (void)state;
    assert_int_equal(open_sampler(table, &err), ML_OK);
    ml_sampler_rank_ended(sampler, 5, &(struct ml_rank_exit){EXITED(0), -1});
    ml_sampler_rank_ended(sampler, 5, &(struct ml_rank_exit){EXITED(3), -1});
    ml_sampler_rank_ended(sampler, 5, &(struct ml_rank_exit){SIGSEGV, -1});
    ml_sampler_event(sampler, -1, ML_EVENT_NOTE, 7, "a note");
    ml_sampler_complete(sampler);
    snprintf(expected, sizeof expected,
             "%d 3 exit code other than 0\n%d 11 ended by a signal\n%d 7 a note\n", ML_EVENT_EXIT,
             ML_EVENT_SIGNAL, ML_EVENT_NOTE);
    char *told = events();
    assert_string_equal(told, expected);
    free(told);
}

/* Ticks of 5 ms at a hundredth of a core: not every 10 ms, and the record says so. */
static void slows_down(void **state)
{
    struct ml_error err;
    int64_t period_ns;
    (void)state;
    options.overhead = 0.05;
    burnt_ns = 5 * ML_NS_PER_MS;
    assert_int_equal(open_sampler(table, &err), ML_OK);
    ml_sampler_start(sampler);
    while (n_burnt < 20)
        ml_loop_step(loop);
    burnt_ns = 0;
    ml_sampler_stop(sampler);
    ml_sampler_complete(sampler);
    char *told = events(), text[100];
    assert_int_equal(sscanf(told, "%*d %ld %99[^\n]", &period_ns, text), 2);
    assert_int_equal(atoi(told), ML_EVENT_SLOWED);
    assert_true(period_ns >= 90 * ML_NS_PER_MS); /* 100, but for how the kernel counts CPU time */
    assert_string_equal(text, "sampling slows down to stay within --overhead");
    free(told);
}

static void sums_up(void **state)
{
    struct ml_error err;
    struct ml_summary summary;
    (void)state;
    assert_int_equal(open_sampler(table, &err), ML_OK);
    ml_sampler_summary(sampler, &summary);
    assert_int_equal(summary.rss_B, 0);
    assert_int_equal(summary.largest_rank, -1);
    assert_int_equal(summary.left_B, ML_NOT_MEASURED);
    ml_sampler_stop(sampler);
    ml_sampler_summary(sampler, &summary);
    assert_int_equal(summary.left_B, 100);
}

static void writes_the_node(void **state)
{
    struct ml_error err;
    struct ml_harvest *h;
    struct ml_node_row node;
    struct ml_node_sample_row sample;
    (void)state;
    assert_int_equal(open_sampler(table, &err), ML_OK);
    ml_sampler_rank_ended(sampler, 5, &(struct ml_rank_exit){EXITED(0), -1});
    ml_sampler_stop(sampler);
    ml_sampler_complete(sampler);
    assert_int_equal(ml_harvest_open(path, NULL, &h, &err), ML_OK);
    ml_harvest_node(h, 3, &node);
    assert_string_equal(node.name, "n3");
    assert_int_equal(node.memory_B, 4096);
    assert_int_equal(node.ticks, 2);
    assert_int_equal(node.missed, 0);
    assert_int_equal(node.stacks, 9);
    assert_true(node.cpu_ns > 0);
    struct ml_rows rows = ml_harvest_rows(h, &ml_table_node_samples);
    assert_int_equal(rows.count, 2);
    rows.fetch(rows.context, 1, &sample);
    assert_int_equal(sample.node, 3);
    assert_int_equal(sample.tick, 1);
    assert_int_equal(sample.left_B, 101);
    assert_int_equal(sample.rss_B, ML_NOT_MEASURED); /* nobody measured it */
    assert_true(sample.sampler_cpu_ns > 0);
    ml_harvest_close(h);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(walks_the_table),
        TEST(reacts_while_it_runs),
        TEST(ends_close_what_is_open),
        TEST(a_tick_before_an_end),
        TEST(tells_of_ends),
        TEST(slows_down),
        TEST(sums_up),
        TEST(writes_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
