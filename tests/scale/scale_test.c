/* scale_test: jobs of 2 to 1024 nodes (with MEMLOG_LONG in the environment 16384), each node with
 * the product's own clocks, exchange, sums of each second, failures and end. Prints what each part
 * takes of messages, connections and time, and asserts how that grows.
 *
 * What lies below is made up: MPI (network_mpi.c), the loop's timers, and the sampler, of which the
 * job wants a summary. */
#include "base/loop.h"
#include "base/memory.h"
#include "gather/clock.h"
#include "network.h"
#include "recorder/job.h"
#include "recorder/live.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOT = 0 };

struct ml_timer {
    void (*fired)(void *context);
    void *context;
    int64_t at_ns; /* NETWORK_NEVER: off */
};

enum { TIMERS = 3 }; /* of a job: sums, looks at an alarm, its last answers */

static struct node {
    int number;
    struct ml_place place;
    struct ml_exchange *exchange;
    struct ml_job *job;
    struct ml_timer timers[TIMERS]; /* that of the sums is the first */
    int n_timers;
    struct ml_clock_offset clock;
    bool ready, ended;
    bool is_queued;                      /* something: it wants to be asked again, as by the pump */
    bool fence, fail, done;              /* what it is to do */
    int n_fences, n_end_ranks, n_finish; /* what has come */
    int64_t fence_B;
} * nodes;

static int size, *node_numbers;
static int n_epochs; /* sums that came to the root */
static int64_t epoch_ranks;
static int n_told; /* nodes that were told to end their ranks */

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%d nodes: %s\n", size, what);
    exit(1);
}

/* ---- what lies below the job ---- */

struct ml_timer *ml_loop_timer(struct ml_loop *loop, void (*fired)(void *context), void *context)
{
    (void)loop;
    struct node *n = &nodes[network_here()];
    must(n->n_timers < TIMERS, "as many timers as a job has");
    struct ml_timer *timer = &n->timers[n->n_timers++];
    *timer = (struct ml_timer){fired, context, NETWORK_NEVER};
    return timer;
}

void ml_timer_set_in(struct ml_timer *timer, int64_t ns)
{
    timer->at_ns = network_now() + ns;
}

void ml_timer_off(struct ml_timer *timer)
{
    timer->at_ns = NETWORK_NEVER;
}

void ml_timer_stop(struct ml_timer *timer)
{
    timer->at_ns = NETWORK_NEVER;
}

void ml_sampler_summary(struct ml_sampler *s, struct ml_summary *out_summary)
{
    (void)s;
    *out_summary = (struct ml_summary){.memory_B = 1 << 20, .left_B = 1 << 30};
}

struct ml_journal *ml_sampler_journal(struct ml_sampler *s)
{
    (void)s;
    return NULL;
}

void ml_journal_row(struct ml_journal *j, enum ml_frame_type type, int64_t time_ns,
                    const struct ml_table *table, const void *row)
{
    (void)j, (void)type, (void)time_ns, (void)table;
    epoch_ranks = ((const struct ml_job_sample_row *)row)->ranks;
    n_epochs++;
}

struct ml_live *ml_live_open(const struct ml_options *options)
{
    (void)options;
    return NULL;
}

void ml_live_show(struct ml_live *live, const struct ml_job_sample_row *row, int64_t elapsed_ns,
                  const struct ml_layout_node *layout)
{
    (void)live, (void)row, (void)elapsed_ns, (void)layout;
}

void ml_live_close(struct ml_live *live)
{
    (void)live;
}

/* ---- a node ---- */

static void received(void *context, int from, enum ml_exchange_kind kind, const void *bytes,
                     size_t n)
{
    struct node *node = context;
    must(kind == ML_EXCHANGE_JOB, "a message keeps its kind");
    ml_job_received(node->job, from, bytes, n);
}

static void gathered(void *context, const void *bytes, size_t n)
{
    struct node *node = context;
    const int32_t *numbers = bytes;
    must(n == (size_t)size * sizeof *numbers, "a fence brings what all have");
    for (int i = 0; i < size; i += size / 8 + 1)
        must(numbers[i] == i, "a fence brings it in the order of the hosts");
    node->n_fences++;
}

static void queued(void *context)
{
    ((struct node *)context)->is_queued = true;
}

static void failed(void *context, const char *reason)
{
    (void)context;
    must(false, reason);
}

static void end_ranks(void *context)
{
    ((struct node *)context)->n_end_ranks++;
    n_told++;
}

static void finish(void *context)
{
    ((struct node *)context)->n_finish++;
}

static int count_ranks(void *context)
{
    (void)context;
    return 1;
}

static void reopened(void *context)
{
    (void)context;
}

static void open_node(struct node *n)
{
    struct ml_error err;
    struct ml_exchange_events exchange = {n, received, gathered, queued, failed};
    struct ml_job_events job = {n, end_ranks, finish, count_ranks, reopened};
    n->clock = ml_clock_align(MPI_COMM_NULL, ROOT);
    n->place = (struct ml_place){
        .n_hosts = size, .host = n->number, .root_host = ROOT, .node_of_host = node_numbers};
    must(ml_exchange_open(MPI_COMM_NULL, &exchange, &n->exchange, &err) == ML_OK, "exchange");
    struct ml_job_setup setup = {.place = &n->place, .exchange = n->exchange};
    must(ml_job_open(NULL, &setup, &job, &n->job, &err) == ML_OK, "job");
    n->ready = true;
}

/* True if there was something to do. */
static bool obey(struct node *n)
{
    struct ml_verdict verdict = {.cause = ML_CAUSE_EXIT, .rank = n->number, .value = 1};
    int32_t number = n->number;
    bool something = n->fence || n->fail || n->done;
    if (n->fence)
        ml_exchange_gather(n->exchange, &number, sizeof number);
    if (n->fail)
        ml_job_failure(n->job, &verdict);
    if (n->done)
        ml_job_node_done(n->job);
    n->fence = n->fail = n->done = false;
    return something;
}

static bool step(struct node *n)
{
    bool something = obey(n) || n->is_queued;
    n->is_queued = false;
    for (int i = 0; i < n->n_timers; i++) {
        struct ml_timer *timer = &n->timers[i];
        if (timer->at_ns > network_now())
            continue;
        timer->at_ns = NETWORK_NEVER;
        timer->fired(timer->context);
        something = true;
    }
    ml_exchange_progress(n->exchange);
    ml_job_progress(n->job);
    return something || n->is_queued;
}

static int64_t next_timer(const struct node *n)
{
    int64_t next_ns = NETWORK_NEVER;
    for (int i = 0; i < n->n_timers; i++)
        next_ns = n->timers[i].at_ns < next_ns ? n->timers[i].at_ns : next_ns;
    return next_ns;
}

static void body(int number)
{
    struct node *n = &nodes[number];
    open_node(n);
    while (!n->n_finish) {
        if (!step(n) && !n->n_finish)
            network_wait(next_timer(n));
    }
    ml_exchange_close(n->exchange);
    ml_job_stop(n->job);
    ml_job_close(n->job);
    ml_clock_align(MPI_COMM_NULL, ROOT);
    n->ended = true;
}

/* ---- the parts of a run ---- */

static bool is_ready(const struct node *n)
{
    return n->ready;
}

static bool has_fence(const struct node *n)
{
    return n->n_fences > 0;
}

static bool has_ended(const struct node *n)
{
    return n->ended;
}

static bool (*wanted)(const struct node *n);
static int n_known;

static bool all_are(void)
{
    while (n_known < size && wanted(&nodes[n_known]))
        n_known++;
    return n_known == size;
}

static bool run_until_all(bool (*what)(const struct node *n))
{
    wanted = what;
    n_known = 0;
    return network_run_until(all_are);
}

static bool have_epoch(void)
{
    return n_epochs > 0;
}

static int n_may_end; /* all, or all but one that cannot */

static bool have_end_ranks(void)
{
    return n_told >= n_may_end;
}

static bool never(void)
{
    return false;
}

static void open_job(int n, int64_t latency_ns)
{
    size = n;
    n_epochs = 0;
    n_told = 0;
    n_may_end = n;
    nodes = ml_alloc((size_t)n * sizeof *nodes);
    node_numbers = ml_alloc((size_t)n * sizeof *node_numbers);
    for (int i = 0; i < n; i++) {
        nodes[i] = (struct node){.number = i};
        node_numbers[i] = i;
    }
    network_open(n, latency_ns, body);
}

static void close_job(void)
{
    network_close();
    free(nodes);
    free(node_numbers);
}

static int log2_of(int n)
{
    int bits = 0;
    while (1 << bits < n)
        bits++;
    return bits;
}

struct part {
    const char *name;
    int most_messages, most_bytes, root_messages, root_bytes, partners;
    double ms;
};

static struct part account(const char *name, int64_t begin_ns)
{
    struct part p = {.name = name, .ms = (double)(network_now() - begin_ns) / 1e6};
    for (int i = 0; i < size; i++) {
        struct network_traffic t = network_traffic(i);
        p.most_messages = t.messages > p.most_messages ? (int)t.messages : p.most_messages;
        p.most_bytes = t.bytes > p.most_bytes ? (int)t.bytes : p.most_bytes;
        p.partners = t.partners > p.partners ? t.partners : p.partners;
    }
    p.root_messages = (int)network_traffic(ROOT).messages;
    p.root_bytes = (int)network_traffic(ROOT).bytes;
    network_count_anew();
    return p;
}

static void print(const struct part *p)
{
    printf("%6d  %-8s  %9d  %9d  %9d  %9d  %11d  %9.3f\n", size, p->name, p->most_messages,
           p->most_bytes, p->root_messages, p->root_bytes, p->partners, p->ms);
}

static void order(size_t field)
{
    for (int i = 0; i < size; i++) {
        *(bool *)((char *)&nodes[i] + field) = true;
        network_wake(i);
    }
}

/* ---- a run as it should be ---- */

/* In a tree of depth D: a clock is eight round trips and a word; of fences, sums and the end there
 * is one message each way; a barrier has two for each step. */
static void check_growth(const struct part *start, const struct part *fence,
                         const struct part *second, const struct part *end, int64_t latency_ns)
{
    int d = log2_of(size);
    double hop_ms = (double)(latency_ns + 3000) / 1e6;
    must(start->most_messages <= 17 * d, "start: 17 log N messages a node");
    must(fence->most_messages <= 2 * d, "fence: 2 log N messages a node");
    must(second->most_messages <= d, "second: log N messages a node");
    must(end->most_messages <= (2 + 2 + 1 + 17) * d + 1, "end: 22 log N messages a node");
    must(end->partners <= d, "log N connections");
    must(start->ms <= 17 * d * d * hop_ms, "the start takes log N squared round trips at most");
    must(fence->ms <= 4 * d * hop_ms + 1e-4 * size, "a fence takes log N links, and its bytes");
}

static void check_clocks(void)
{
    for (int i = 0; i < size; i++) {
        int64_t offset_ns = -(int64_t)i * 1000000;
        must(llabs(nodes[i].clock.offset_ns - offset_ns) <= nodes[i].clock.error_ns,
             "a clock is as near to the root's as its error says");
    }
}

static void check_ends(int n_end_ranks)
{
    for (int i = 0; i < size; i++)
        must(nodes[i].n_finish == 1 && nodes[i].n_end_ranks == n_end_ranks,
             "each hears of it once");
}

static void run(int n, int64_t latency_ns, bool is_shown)
{
    size_t before_B = mallinfo2().uordblks;
    open_job(n, latency_ns);
    must(run_until_all(is_ready), "all begin");
    check_clocks();
    struct part start = account("start", 0);
    size_t node_B = (mallinfo2().uordblks - before_B) / (size_t)n;
    int64_t begin_ns = network_now();
    order(offsetof(struct node, fence));
    must(run_until_all(has_fence), "all have what all brought");
    struct part fence = account("fence", begin_ns);
    must(network_run_until(have_epoch), "the sums come to the root");
    must(epoch_ranks == n, "the sums are those of all");
    struct part second = account("second", nodes[ROOT].timers[0].at_ns - ML_NS_PER_S);
    begin_ns = network_now();
    order(offsetof(struct node, done));
    must(run_until_all(has_ended), "all end");
    check_ends(0);
    struct part end = account("end", begin_ns);
    check_growth(&start, &fence, &second, &end, latency_ns);
    close_job();
    if (!is_shown)
        return;
    print(&start);
    print(&fence);
    print(&second);
    print(&end);
    printf("%6d  %-8s  %9zu B a node\n", n, "memory", node_B);
}

/* ---- a run that fails ---- */

static void fail(int node)
{
    nodes[node].fail = true;
    network_wake(node);
}

static void end_all(void)
{
    order(offsetof(struct node, done));
    must(run_until_all(has_ended), "all end");
    check_ends(1);
    close_job();
}

/* The last node fails, or ALL do at once. */
static void run_that_fails(int n, bool all, int64_t latency_ns, bool is_shown)
{
    int d = log2_of(n);
    open_job(n, latency_ns);
    must(run_until_all(is_ready), "all begin");
    network_count_anew();
    int64_t begin_ns = network_now();
    if (all)
        order(offsetof(struct node, fail));
    else
        fail(n - 1);
    must(network_run_until(have_end_ranks), "all end their ranks");
    struct part failure = account(all ? "all fail" : "failure", begin_ns);
    must(failure.most_messages <= 2 * d, "failure: 2 log N messages a node");
    must(failure.partners <= d, "failure: log N connections");
    must(failure.ms <= 4 * d * (double)(latency_ns + 3000) / 1e6, "failure: 2 log N links");
    end_all();
    if (is_shown)
        print(&failure);
}

/* ---- nodes that do not answer ---- */

static uint32_t draw(uint32_t n)
{
    static uint32_t random = 1;
    random = random * 1664525U + 1013904223U;
    return (random >> 8) % n;
}

static void open_with(int n, const bool *stopped)
{
    open_job(n, 2000);
    must(run_until_all(is_ready), "all begin");
    network_count_anew();
    for (int i = 0; i < n; i++) {
        n_may_end -= stopped[i];
        if (stopped[i])
            network_stop(i);
    }
}

static void with_stopped(int n, const bool *stopped, double most_ms, bool is_shown)
{
    open_with(n, stopped);
    int64_t begin_ns = network_now();
    fail(n - 1);
    must(network_run_until(have_end_ranks), "all others end their ranks");
    struct part part = account("stopped", begin_ns);
    must(part.ms <= most_ms, "they do so soon");
    for (int i = 0; i < n; i++) {
        must(!stopped[i] || nodes[i].n_end_ranks == 0, "but not those that are stopped");
        if (stopped[i])
            network_go_on(i);
    }
    end_all();
    if (is_shown)
        print(&part);
}

/* It is passed over after a quarter of a second, on the way up and once more on the way down. */
static void with_one_that_is_stopped(int n, int number, bool is_shown)
{
    bool *stopped = ml_alloc((size_t)n * sizeof *stopped);
    stopped[number] = true;
    with_stopped(n, stopped, 510, is_shown);
    free(stopped);
}

/* A third of all: in a row of K that are silent, one below another, each has twice the time of the
 * one before, and the way may be up and down again. */
static void with_many_that_are_stopped(int n)
{
    bool *stopped = ml_alloc((size_t)n * sizeof *stopped);
    for (int i = 0; i < n - 1; i++)
        stopped[i] = draw(3) == 0;
    with_stopped(n, stopped, 250 << (2 * log2_of(n) + 4), false);
    free(stopped);
}

static void with_one_that_is_lost(int n, int lost)
{
    open_job(n, 2000);
    must(run_until_all(is_ready), "all begin");
    network_lose(lost);
    n_may_end = n - 1;
    fail(n - 1);
    must(network_run_until(have_end_ranks), "all others end their ranks");
    order(offsetof(struct node, done));
    for (int i = 0; i < n; i++)
        nodes[i].timers[0].at_ns = NETWORK_NEVER;
    must(!network_run_until(never), "nobody goes on by itself");
    for (int i = 0; i < n; i++)
        must(nodes[i].n_finish == 0, "the job does not end as if that node had");
    close_job();
}

static void check_small(void)
{
    for (int n = 2; n < 40; n++) {
        run(n, 2000, false);
        run_that_fails(n, false, 2000, false);
        run_that_fails(n, true, 2000, false);
    }
    for (int n = 4; n < 40; n++) {
        with_one_that_is_stopped(n, ROOT, false);
        with_one_that_is_stopped(n, 2, false);
        with_one_that_is_lost(n, ROOT);
        with_one_that_is_lost(n, 2);
        with_many_that_are_stopped(n);
    }
    for (int i = 0; i < 4; i++)
        with_many_that_are_stopped(200);
}

int main(void)
{
    static const int64_t latencies_ns[] = {2000, 50000};
    int most = getenv("MEMLOG_LONG") ? 16384 : 1024;
    check_small();
    for (size_t i = 0; i < 2; i++) {
        printf("links of %d us\n%6s  %-8s  %9s  %9s  %9s  %9s  %11s  %9s\n",
               (int)latencies_ns[i] / 1000, "nodes", "part", "messages", "bytes", "at root",
               "bytes", "connections", "ms");
        for (int n = 2; n <= most; n *= n < 128 ? 2 : n < 1024 ? 8 : 16) {
            run(n, latencies_ns[i], true);
            run_that_fails(n, false, latencies_ns[i], true);
            run_that_fails(n, true, latencies_ns[i], true);
            if (i == 0 && n > 2)
                with_one_that_is_stopped(n, n / 2, true);
        }
    }
    return 0;
}
