#include "network.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_B (128 << 10)
#define OVERHEAD_NS 1000 /* of each end, for a message */
#define NS_PER_BYTE 0.8  /* 10 Gbit/s */
#define SKEW_NS 1000000  /* of each node's clock to the one before it */

struct node {
    ucontext_t context;
    void *stack;
    struct network_message *first, **last; /* that have come */
    int64_t sends_ns, takes_ns;            /* until then its link is busy */
    uint64_t waits;                        /* number of its wait: wakes of others are void */
    bool deaf;                             /* sleeps, whatever comes */
    bool ended, stopped, lost, due;        /* due: it would run, were it not stopped */
    int64_t messages, bytes;
    int *partners;
    size_t n_partners, capacity;
};

/* A message that comes, or the end of a wait. */
struct event {
    int64_t time_ns;
    uint64_t number; /* of two at one time the earlier one comes first */
    struct network_message *message;
    int node;
    uint64_t wait;
};

static struct {
    struct node *nodes;
    int n, here;
    int64_t now_ns, latency_ns;
    uint64_t numbers;
    struct event *events; /* a heap, the earliest first */
    size_t n_events, capacity;
    ucontext_t main;
    void (*body)(int node);
} net = {.here = -1};

/* ---- events ---- */

static bool is_before(size_t a, size_t b)
{
    const struct event *x = &net.events[a], *y = &net.events[b];
    return x->time_ns != y->time_ns ? x->time_ns < y->time_ns : x->number < y->number;
}

static void swap(size_t a, size_t b)
{
    struct event event = net.events[a];
    net.events[a] = net.events[b];
    net.events[b] = event;
}

static void post(struct event event)
{
    size_t i = net.n_events;
    event.number = net.numbers++;
    ML_GROW(net.events, net.n_events, net.capacity);
    net.events[net.n_events++] = event;
    for (; i && is_before(i, (i - 1) / 2); i = (i - 1) / 2)
        swap(i, (i - 1) / 2);
}

static struct event next_event(void)
{
    struct event first = net.events[0];
    net.events[0] = net.events[--net.n_events];
    for (size_t i = 0, least = 0;; i = least) {
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < net.n_events; child++) {
            if (is_before(child, least))
                least = child;
        }
        if (least == i)
            return first;
        swap(i, least);
    }
}

/* ---- who runs ---- */

static void run(int number)
{
    struct node *node = &net.nodes[number];
    node->due = node->stopped;
    if (node->ended || node->lost || node->stopped)
        return;
    net.here = number;
    swapcontext(&net.main, &node->context);
    net.here = -1;
}

static void begin(void)
{
    struct node *node = &net.nodes[net.here];
    net.body(net.here);
    node->ended = true;
    swapcontext(&node->context, &net.main);
}

static void suspend(int64_t until_ns, bool deaf)
{
    struct node *node = &net.nodes[net.here];
    node->waits++;
    node->deaf = deaf;
    if (until_ns != NETWORK_NEVER)
        post((struct event){.time_ns = until_ns, .node = net.here, .wait = node->waits});
    swapcontext(&node->context, &net.main);
    node->deaf = false;
}

void network_wait(int64_t until_ns)
{
    suspend(until_ns, false);
}

void network_sleep(int64_t ns)
{
    suspend(net.now_ns + ns, true);
}

void network_wake(int number)
{
    post((struct event){.time_ns = net.now_ns, .node = number, .wait = net.nodes[number].waits});
}

static void take(const struct event *event)
{
    struct node *node = &net.nodes[event->node];
    net.now_ns = event->time_ns;
    if (!event->message) {
        if (event->wait == node->waits)
            run(event->node);
        return;
    }
    if (node->lost) {
        free(event->message);
        return;
    }
    *node->last = event->message;
    node->last = &event->message->next;
    if (!node->deaf)
        run(event->node);
}

bool network_run_until(bool (*done)(void))
{
    while (!done()) {
        if (!net.n_events)
            return false;
        struct event event = next_event();
        take(&event);
    }
    return true;
}

void network_open(int n, int64_t latency_ns, void (*body)(int node))
{
    net.nodes = ml_alloc((size_t)n * sizeof *net.nodes);
    net.n = n;
    net.now_ns = 0;
    net.latency_ns = latency_ns;
    net.body = body;
    for (int i = 0; i < n; i++) {
        struct node *node = &net.nodes[i];
        node->last = &node->first;
        node->stack = mmap(NULL, STACK_B, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (node->stack == MAP_FAILED)
            abort();
        getcontext(&node->context);
        node->context.uc_stack.ss_sp = node->stack;
        node->context.uc_stack.ss_size = STACK_B;
        makecontext(&node->context, begin, 0);
        post((struct event){.node = i});
    }
}

void network_close(void)
{
    while (net.n_events)
        free(next_event().message);
    for (int i = 0; i < net.n; i++) {
        struct node *node = &net.nodes[i];
        while (node->first) {
            struct network_message *next = node->first->next;
            free(node->first);
            node->first = next;
        }
        munmap(node->stack, STACK_B);
        free(node->partners);
    }
    free(net.nodes);
    net.nodes = NULL;
}

int64_t network_now(void)
{
    return net.now_ns;
}

int network_here(void)
{
    return net.here;
}

int network_size(void)
{
    return net.n;
}

void network_stop(int node)
{
    net.nodes[node].stopped = true;
}

void network_go_on(int node)
{
    net.nodes[node].stopped = false;
    if (net.nodes[node].due)
        run(node);
}

void network_lose(int node)
{
    net.nodes[node].lost = true;
}

/* ---- messages ---- */

static void meet(struct node *node, int other)
{
    for (size_t i = 0; i < node->n_partners; i++) {
        if (node->partners[i] == other)
            return;
    }
    ML_GROW(node->partners, node->n_partners, node->capacity);
    node->partners[node->n_partners++] = other;
}

static void count(struct node *node, int other, int n)
{
    node->messages++;
    node->bytes += n;
    meet(node, other);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void network_send(int to, int comm, int tag, const void *bytes, int n)
{
    struct node *from = &net.nodes[net.here], *other = &net.nodes[to];
    struct network_message *m = ml_alloc(sizeof *m + (size_t)n);
    *m = (struct network_message){.from = net.here, .to = to, .comm = comm, .tag = tag, .n = n};
    memcpy(m->bytes, bytes, (size_t)n);
    count(from, to, n);
    count(other, net.here, n);
    from->sends_ns = later(from->sends_ns, net.now_ns) + OVERHEAD_NS + (int64_t)(n * NS_PER_BYTE);
    other->takes_ns = later(other->takes_ns, from->sends_ns + net.latency_ns) + OVERHEAD_NS;
    post((struct event){.time_ns = other->takes_ns, .message = m, .node = to});
}

struct network_message *network_find(int from, int comm, int tag, bool is_taken)
{
    struct node *node = &net.nodes[net.here];
    for (struct network_message **link = &node->first; *link; link = &(*link)->next) {
        struct network_message *m = *link;
        if (m->comm != comm || (from >= 0 && m->from != from) || (tag >= 0 && m->tag != tag))
            continue;
        if (is_taken) {
            *link = m->next;
            if (!m->next)
                node->last = link;
        }
        return m;
    }
    return NULL;
}

void network_count(int node, int64_t messages)
{
    net.nodes[node].messages += messages;
}

void network_count_anew(void)
{
    for (int i = 0; i < net.n; i++)
        net.nodes[i].messages = net.nodes[i].bytes = 0;
}

struct network_traffic network_traffic(int node)
{
    const struct node *n = &net.nodes[node];
    return (struct network_traffic){n->messages, n->bytes, (int)n->n_partners};
}

/* ---- time, as the product asks for it ---- */

int clock_gettime(clockid_t clock, struct timespec *out)
{
    if (net.here < 0)
        return (int)syscall(SYS_clock_gettime, clock, out);
    int64_t now_ns = net.now_ns + (int64_t)net.here * SKEW_NS;
    *out = (struct timespec){now_ns / 1000000000, now_ns % 1000000000};
    return 0;
}

int nanosleep(const struct timespec *span, struct timespec *left)
{
    if (net.here < 0)
        return (int)syscall(SYS_nanosleep, span, left);
    network_sleep(span->tv_sec * 1000000000LL + span->tv_nsec);
    return 0;
}
