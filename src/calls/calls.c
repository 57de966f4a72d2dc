#include "calls/calls.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/own.h"
#include "calls/mpi_growth.h"
#include "calls/mpi_page.h"
#include "calls/mpi_totals.h"
#include "mpi_hooks/calls.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between two writings of the totals: 1 s at first, then twice as long each time, up to the
 * longest. Where this process is killed, the totals lack at most that time: about half of a short
 * run, little of a long one. */
#define FIRST_TOTALS_NS ML_NS_PER_S
#define LONGEST_TOTALS_NS (30 * ML_NS_PER_S)

#define EVENTS_MAX 4096 /* regions and marks of a rank that are events */
#define POOL_LEAST 64

/* What is known of a rank through its page. */
struct watched {
    struct ml_page *page;
    struct ml_mpi_look seen; /* at the last look */
    bool pooled;             /* the page is for whichever process claims it, not for a known rank */
    int fd;                  /* the page's memfd, until the rank ends; -1 where pooled */
    bool over;               /* nothing more is read */
    int rank;                /* -1: not known yet */
    int pid;                 /* that claimed it; 0: none yet */
    int process;             /* its number; -1: not known yet */
    int home;      /* number of the page's first process: the page sums up all, under that one */
    int64_t rss_B; /* at this tick; -1: it was not seen */
    uint64_t cursor, lost;
    int64_t n_events, n_left_out;
    struct ml_mpi_growth growth;
    bool told_tool;
};

struct ml_calls {
    struct ml_calls_setup setup;
    struct ml_page *pool; /* [n_pool]; NULL: none */
    size_t n_pool;
    int pool_fd;
    struct watched *ranks;
    size_t n, capacity;
    int64_t totals_due_ns, totals_period_ns;
    bool told_uncounted;
};

struct ml_calls *ml_calls_open(const struct ml_calls_setup *setup)
{
    struct ml_calls *c = ml_alloc(sizeof *c);
    *c = (struct ml_calls){.setup = *setup, .pool_fd = -1, .totals_period_ns = FIRST_TOTALS_NS};
    return c;
}

static void add(struct ml_calls *c, const struct watched *r)
{
    ML_GROW(c->ranks, c->n, c->capacity);
    c->ranks[c->n++] = *r;
}

char *ml_calls_add(struct ml_calls *c, int rank, struct ml_error *err)
{
    struct watched r = {.rank = rank, .process = -1, .home = -1};
    if (ml_mpi_pages_create(1, &r.page, &r.fd, err) != ML_OK)
        return NULL;
    add(c, &r);
    return ml_mpi_page_environment(getpid(), r.fd);
}

static struct watched pooled(struct ml_page *page)
{
    return (struct watched){
        .page = page, .pooled = true, .fd = -1, .rank = -1, .process = -1, .home = -1};
}

char *ml_calls_add_pool(struct ml_calls *c, struct ml_error *err)
{
    size_t n = POOL_LEAST + 2 * (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (ml_mpi_pages_create(n, &c->pool, &c->pool_fd, err) != ML_OK)
        return NULL;
    c->n_pool = n;
    for (size_t i = 0; i < n; i++) {
        struct watched r = pooled(ml_mpi_page_at(c->pool, i));
        add(c, &r);
    }
    return ml_mpi_page_environment(getpid(), c->pool_fd);
}

/* ---- events ---- */

static int process_of(const struct ml_calls *c, const struct watched *r)
{
    return r->process >= 0 ? r->process : c->setup.of_rank(c->setup.context, r->rank);
}

static void put_event(struct ml_calls *c, const struct watched *r, int64_t time_ns,
                      enum ml_event_kind kind, int64_t value, const char *text)
{
    c->setup.event(c->setup.context, time_ns, process_of(c, r), kind, value, text);
}

static int call_of(const char *name)
{
    for (int call = ML_CALL_NONE + 1; call < ML_MPI_CALLS; call++) {
        if (strcmp(ml_mpi_call_name(call), name) == 0)
            return call;
    }
    return ML_CALL_NONE;
}

static void put_world_event(struct ml_calls *c, struct watched *r, const struct ml_mpi_event *e)
{
    bool is_init = e->kind == ML_MPI_EVENT_INIT_BEGIN || e->kind == ML_MPI_EVENT_INIT_END;
    bool begins = e->kind == ML_MPI_EVENT_INIT_BEGIN || e->kind == ML_MPI_EVENT_FINALIZE_BEGIN;
    uint32_t before = is_init ? ML_PHASE_BEFORE : ML_PHASE_APPLICATION;
    uint32_t during = is_init ? ML_PHASE_INIT : ML_PHASE_FINALIZE;
    if (begins)
        ml_mpi_growth_enter(&r->growth, e->ns, before, call_of(e->text), e->rss_B);
    else
        ml_mpi_growth_leave(&r->growth, e->ns, during, call_of(e->text), e->rss_B);
    put_event(c, r, e->ns, begins ? ML_EVENT_PHASE_BEGIN : ML_EVENT_PHASE_END, e->rss_B,
              is_init ? "MPI_Init" : "MPI_Finalize");
}

static void put_own_event(struct ml_calls *c, struct watched *r, const struct ml_mpi_event *e)
{
    enum ml_event_kind kind = e->kind == ML_MPI_EVENT_MARK           ? ML_EVENT_MARK
                              : e->kind == ML_MPI_EVENT_REGION_BEGIN ? ML_EVENT_PHASE_BEGIN
                                                                     : ML_EVENT_PHASE_END;
    if (r->n_events++ < EVENTS_MAX)
        put_event(c, r, e->ns, kind, ML_NOT_MEASURED, e->text);
    else
        r->n_left_out++;
}

static void take_events(struct ml_calls *c, struct watched *r)
{
    struct ml_mpi_event event;
    while (ml_mpi_page_next_event(r->page, &r->cursor, &event, &r->lost)) {
        switch (event.kind) {
        case ML_MPI_EVENT_INIT_BEGIN:
        case ML_MPI_EVENT_INIT_END:
        case ML_MPI_EVENT_FINALIZE_BEGIN:
        case ML_MPI_EVENT_FINALIZE_END:
            put_world_event(c, r, &event);
            break;
        case ML_MPI_EVENT_REGION_BEGIN:
        case ML_MPI_EVENT_REGION_END:
        case ML_MPI_EVENT_MARK:
            put_own_event(c, r, &event);
            break;
        default: /* of an abort the process manager tells */
            break;
        }
    }
}

static void tell_of_tools(struct ml_calls *c, struct watched *r)
{
    if (r->told_tool || !r->seen.flags)
        return;
    r->told_tool = true;
    bool first = r->seen.flags & ML_PAGE_BENEATH;
    ML_AUTO_FREE char *text = ml_format(
        first ? "%s wraps MPI before us: MPI calls are not counted, only phases are recorded"
              : "%s wraps MPI too: its own MPI calls are not counted",
        r->seen.tool);
    put_event(c, r, ml_mono_now().ns, ML_EVENT_NOTE, 0, text);
    if (first && !c->told_uncounted)
        c->setup.uncounted(c->setup.context, text);
    c->told_uncounted |= first;
}

static void put_totals(struct ml_calls *c, const struct watched *r)
{
    if (r->home < 0)
        return;
    struct ml_buffer rows = {0};
    ml_mpi_totals_pack(r->page, &r->growth, r->home, r->rank, &rows);
    c->setup.totals(c->setup.context, rows.data, rows.length);
    ml_buffer_free(&rows);
}

/* ---- life ---- */

static void follow(struct watched *r)
{
    ml_mpi_page_look(r->page, &r->seen);
    if (r->seen.pid == r->pid)
        return;
    r->pid = r->seen.pid;
    r->process = -1;
    ml_mpi_growth_restart(&r->growth);
}

static void identify(struct ml_calls *c, struct watched *r)
{
    struct ml_calls_process p;
    r->rss_B = ML_NOT_MEASURED;
    if (!r->pid || r->over || !c->setup.find(c->setup.context, r->pid, &p))
        return;
    r->process = p.number;
    r->rss_B = p.rss_B;
    if (r->home < 0)
        r->home = p.number;
    if (r->rank < 0)
        r->rank = p.rank;
}

static void work_on(struct ml_calls *c, struct watched *r, int64_t now_ns, bool totals_due)
{
    if (process_of(c, r) < 0) /* before its first sample; nobody could say whose events they are */
        return;
    take_events(c, r);
    tell_of_tools(c, r);
    ml_mpi_growth_look(&r->growth, now_ns, r->seen.phase, r->seen.call, r->rss_B);
    if (totals_due)
        put_totals(c, r);
}

static void tell_of_lost(struct ml_calls *c, const struct watched *r)
{
    int64_t missing = (int64_t)r->lost + r->n_left_out;
    if (!missing)
        return;
    ML_AUTO_FREE char *text =
        ml_format("%lld of its regions and marks are no events: too many", (long long)missing);
    put_event(c, r, ml_mono_now().ns, ML_EVENT_NOTE, missing, text);
}

static void end(struct ml_calls *c, struct watched *r)
{
    if (r->over)
        return;
    follow(r);
    if (r->pooled && r->process < 0) /* it was not seen since it claimed the page */
        r->process = c->setup.of_pid(c->setup.context, r->pid, &r->rank);
    if (r->pid && !(r->pooled && r->process < 0)) {
        take_events(c, r);
        tell_of_tools(c, r);
        if (r->home < 0)
            r->home = process_of(c, r);
        put_totals(c, r);
        tell_of_lost(c, r);
    }
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->over = true;
}

/* Nobody tells us when the process of a pooled page ends, so the kernel is asked. */
static bool is_gone(const struct watched *r)
{
    return r->pooled && r->pid && r->rss_B == ML_NOT_MEASURED && kill(r->pid, 0) && errno == ESRCH;
}

static void make_free(struct ml_calls *c, struct watched *r)
{
    end(c, r);
    ml_mpi_growth_free(&r->growth);
    ml_mpi_page_free(r->page);
    *r = pooled(r->page);
}

static bool totals_are_due(struct ml_calls *c, int64_t now_ns)
{
    bool first = !c->totals_due_ns, due = !first && now_ns >= c->totals_due_ns;
    if (due)
        c->totals_period_ns *= 2;
    if (c->totals_period_ns > LONGEST_TOTALS_NS)
        c->totals_period_ns = LONGEST_TOTALS_NS;
    if (first || due)
        c->totals_due_ns = now_ns + c->totals_period_ns;
    return due;
}

void ml_calls_look(struct ml_calls *c)
{
    for (size_t i = 0; i < c->n; i++)
        follow(&c->ranks[i]);
}

void ml_calls_each(const struct ml_calls *c, void (*visit)(void *context, pid_t pid, int call),
                   void *context)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->ranks[i].pid > 0)
            visit(context, c->ranks[i].pid, c->ranks[i].seen.call);
    }
}

void ml_calls_tick(struct ml_calls *c, int64_t now_ns)
{
    if (!c->n)
        return;
    bool totals_due = totals_are_due(c, now_ns);
    for (size_t i = 0; i < c->n; i++) {
        struct watched *r = &c->ranks[i];
        identify(c, r);
        if (is_gone(r))
            make_free(c, r);
        else if (r->pid && !r->over)
            work_on(c, r, now_ns, totals_due);
    }
}

void ml_calls_rank_ended(struct ml_calls *c, int rank)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->ranks[i].rank == rank)
            end(c, &c->ranks[i]);
    }
}

void ml_calls_stop(struct ml_calls *c)
{
    for (size_t i = 0; i < c->n; i++)
        end(c, &c->ranks[i]);
}

void ml_calls_close(struct ml_calls *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++) {
        struct watched *r = &c->ranks[i];
        if (r->fd >= 0)
            close(r->fd);
        if (!r->pooled)
            ml_mpi_pages_close(r->page, 1);
        ml_mpi_growth_free(&r->growth);
    }
    ml_mpi_pages_close(c->pool, c->n_pool);
    if (c->pool_fd >= 0)
        close(c->pool_fd);
    free(c->ranks);
    free(c);
}
