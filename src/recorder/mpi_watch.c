#include "recorder/mpi_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"
#include "mpi_hooks/calls.h"
#include "probe/mpi_page.h"
#include "recorder/mpi_growth.h"
#include "recorder/mpi_totals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between two writings of the totals: 1 s at first, then twice as long each time, up to the
 * longest. So much may be lost with us: about half of a short run, little of a long one. */
#define FIRST_TOTALS_NS ML_NS_PER_S
#define LONGEST_TOTALS_NS (30 * ML_NS_PER_S)

#define EVENTS_MAX 4096 /* regions and marks of a rank that are events */
#define POOL_LEAST 64

/* What is known of a rank through its page. */
struct watched {
    struct ml_page *page;
    bool pooled; /* it is of the process that claims it, not of a rank that is known */
    int fd; /* of a page that is not pooled, until the rank has ended; its environment names it */
    bool over;     /* nothing more is read */
    int rank;      /* -1: not known yet */
    int pid;       /* that claimed it; 0: none yet */
    int process;   /* its number; -1: not known yet */
    int home;      /* the number of the first, whose all totals are: the page sums them up */
    int64_t rss_B; /* at this tick; -1: it was not seen */
    uint64_t cursor, lost;
    int64_t n_events, n_left_out;
    struct ml_mpi_growth growth;
    bool told_tool;
};

struct ml_mpi_watch {
    struct ml_probe *probe;
    struct ml_journal *journal;
    int node;
    struct ml_page *pool; /* [n_pool]; NULL: none */
    size_t n_pool;
    int pool_fd;
    struct watched *ranks;
    size_t n, capacity;
    int64_t totals_due_ns, totals_period_ns;
    bool told_tool; /* on the terminal */
};

struct ml_mpi_watch *ml_mpi_watch_open(struct ml_probe *probe, struct ml_journal *journal, int node)
{
    struct ml_mpi_watch *w = ml_alloc(sizeof *w);
    *w = (struct ml_mpi_watch){.probe = probe,
                               .journal = journal,
                               .node = node,
                               .pool_fd = -1,
                               .totals_period_ns = FIRST_TOTALS_NS};
    return w;
}

static void add(struct ml_mpi_watch *w, const struct watched *r)
{
    ml_probe_add_page(w->probe, r->page);
    ML_GROW(w->ranks, w->n, w->capacity);
    w->ranks[w->n++] = *r;
}

char *ml_mpi_watch_add(struct ml_mpi_watch *w, int rank, struct ml_error *err)
{
    struct watched r = {.rank = rank, .process = -1, .home = -1};
    if (ml_mpi_pages_create(1, &r.page, &r.fd, err) != ML_OK)
        return NULL;
    add(w, &r);
    return ml_mpi_page_environment(getpid(), r.fd);
}

static struct watched pooled(struct ml_page *page)
{
    return (struct watched){
        .page = page, .pooled = true, .fd = -1, .rank = -1, .process = -1, .home = -1};
}

char *ml_mpi_watch_add_pool(struct ml_mpi_watch *w, struct ml_error *err)
{
    size_t n = POOL_LEAST + 2 * (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (ml_mpi_pages_create(n, &w->pool, &w->pool_fd, err) != ML_OK)
        return NULL;
    w->n_pool = n;
    for (size_t i = 0; i < n; i++) {
        struct watched r = pooled(ml_mpi_page_at(w->pool, i));
        add(w, &r);
    }
    return ml_mpi_page_environment(getpid(), w->pool_fd);
}

/* ---- events ---- */

static int process_of(const struct ml_mpi_watch *w, const struct watched *r)
{
    return r->process >= 0 ? r->process : ml_probe_process_of_rank(w->probe, r->rank);
}

static void put_event(struct ml_mpi_watch *w, const struct watched *r, int64_t time_ns,
                      enum ml_event_kind kind, int64_t value, const char *text)
{
    struct ml_event_row row = {.time_ns = time_ns,
                               .node = w->node,
                               .process = process_of(w, r),
                               .kind = (int8_t)kind,
                               .value = value,
                               .text = text};
    ml_journal_row(w->journal, ML_FRAME_EVENT, time_ns, &ml_table_events, &row);
}

static int call_of(const char *name)
{
    for (int call = ML_CALL_NONE + 1; call < ML_MPI_CALLS; call++) {
        if (strcmp(ml_mpi_call_name(call), name) == 0)
            return call;
    }
    return ML_CALL_NONE;
}

static void put_world_event(struct ml_mpi_watch *w, struct watched *r, const struct ml_mpi_event *e)
{
    bool is_init = e->kind == ML_MPI_EVENT_INIT_BEGIN || e->kind == ML_MPI_EVENT_INIT_END;
    bool begins = e->kind == ML_MPI_EVENT_INIT_BEGIN || e->kind == ML_MPI_EVENT_FINALIZE_BEGIN;
    uint32_t before = is_init ? ML_PHASE_BEFORE : ML_PHASE_APPLICATION;
    uint32_t during = is_init ? ML_PHASE_INIT : ML_PHASE_FINALIZE;
    if (begins)
        ml_mpi_growth_enter(&r->growth, e->ns, before, call_of(e->text), e->rss_B);
    else
        ml_mpi_growth_leave(&r->growth, e->ns, during, call_of(e->text), e->rss_B);
    put_event(w, r, e->ns, begins ? ML_EVENT_PHASE_BEGIN : ML_EVENT_PHASE_END, e->rss_B,
              is_init ? "MPI_Init" : "MPI_Finalize");
}

static void put_own_event(struct ml_mpi_watch *w, struct watched *r, const struct ml_mpi_event *e)
{
    enum ml_event_kind kind = e->kind == ML_MPI_EVENT_MARK           ? ML_EVENT_MARK
                              : e->kind == ML_MPI_EVENT_REGION_BEGIN ? ML_EVENT_PHASE_BEGIN
                                                                     : ML_EVENT_PHASE_END;
    if (r->n_events++ < EVENTS_MAX)
        put_event(w, r, e->ns, kind, ML_NOT_MEASURED, e->text);
    else
        r->n_left_out++;
}

static void take_events(struct ml_mpi_watch *w, struct watched *r)
{
    struct ml_mpi_event event;
    while (ml_mpi_page_next_event(r->page, &r->cursor, &event, &r->lost)) {
        switch (event.kind) {
        case ML_MPI_EVENT_INIT_BEGIN:
        case ML_MPI_EVENT_INIT_END:
        case ML_MPI_EVENT_FINALIZE_BEGIN:
        case ML_MPI_EVENT_FINALIZE_END:
            put_world_event(w, r, &event);
            break;
        case ML_MPI_EVENT_REGION_BEGIN:
        case ML_MPI_EVENT_REGION_END:
        case ML_MPI_EVENT_MARK:
            put_own_event(w, r, &event);
            break;
        default: /* an abort comes by the process manager too */
            break;
        }
    }
}

static void tell_of_tools(struct ml_mpi_watch *w, struct watched *r)
{
    char tool[ML_MPI_TEXT];
    uint32_t flags = ml_mpi_page_tools(r->page, tool);
    if (r->told_tool || !flags)
        return;
    r->told_tool = true;
    bool first = flags & ML_PAGE_BENEATH;
    ML_AUTO_FREE char *text = ml_format(
        first ? "%s wraps MPI before us: MPI calls are not counted, only phases are recorded"
              : "%s wraps MPI too: its own MPI calls are not counted",
        tool);
    put_event(w, r, ml_mono_now().ns, ML_EVENT_NOTE, 0, text);
    if (first && !w->told_tool)
        ml_log(ML_LOG_NOTICE, "%s", text);
    w->told_tool |= first;
}

static void put_totals(struct ml_mpi_watch *w, const struct watched *r)
{
    if (r->home < 0)
        return;
    struct ml_buffer rows = {0};
    ml_mpi_totals_pack(r->page, &r->growth, r->home, r->rank, &rows);
    ml_journal_packed(w->journal, ML_FRAME_MPI, ml_mono_now().ns, rows.data, rows.length);
    ml_buffer_free(&rows);
}

/* ---- life ---- */

static void follow(struct watched *r)
{
    int pid = ml_mpi_page_pid(r->page);
    if (pid == r->pid)
        return;
    r->pid = pid;
    r->process = -1;
    ml_mpi_growth_restart(&r->growth);
}

static void identify(void *context, const struct ml_probe_process *p)
{
    struct ml_mpi_watch *w = context;
    for (size_t i = 0; i < w->n; i++) {
        struct watched *r = &w->ranks[i];
        if (r->pid != p->pid || r->over)
            continue;
        r->process = p->number;
        r->rss_B = p->rss_B;
        if (r->home < 0)
            r->home = p->number;
        if (r->rank < 0)
            r->rank = p->rank;
    }
}

static void look(struct ml_mpi_watch *w, struct watched *r, int64_t now_ns, bool totals_due)
{
    if (process_of(w, r) < 0) /* before its first sample; nobody could say whose events they are */
        return;
    take_events(w, r);
    tell_of_tools(w, r);
    ml_mpi_growth_look(&r->growth, now_ns, ml_mpi_page_phase(r->page), ml_mpi_page_running(r->page),
                       r->rss_B);
    if (totals_due)
        put_totals(w, r);
}

static void tell_of_lost(struct ml_mpi_watch *w, const struct watched *r)
{
    int64_t missing = (int64_t)r->lost + r->n_left_out;
    if (!missing)
        return;
    ML_AUTO_FREE char *text =
        ml_format("%lld of its regions and marks are no events: too many", (long long)missing);
    put_event(w, r, ml_mono_now().ns, ML_EVENT_NOTE, missing, text);
}

static void end(struct ml_mpi_watch *w, struct watched *r)
{
    if (r->over)
        return;
    follow(r);
    if (r->pooled && r->process < 0) /* it was not seen since it claimed the page */
        r->process = ml_probe_process_of_pid(w->probe, r->pid, &r->rank);
    if (r->pid && !(r->pooled && r->process < 0)) {
        take_events(w, r);
        tell_of_tools(w, r);
        if (r->home < 0)
            r->home = process_of(w, r);
        put_totals(w, r);
        tell_of_lost(w, r);
    }
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->over = true;
}

/* The end of a pooled page's process is not told, as a rank's is. */
static bool is_gone(const struct watched *r)
{
    return r->pooled && r->pid && r->rss_B == ML_NOT_MEASURED && kill(r->pid, 0) && errno == ESRCH;
}

static void make_free(struct ml_mpi_watch *w, struct watched *r)
{
    end(w, r);
    ml_mpi_growth_free(&r->growth);
    ml_mpi_page_free(r->page);
    *r = pooled(r->page);
}

static bool totals_are_due(struct ml_mpi_watch *w, int64_t now_ns)
{
    bool first = !w->totals_due_ns, due = !first && now_ns >= w->totals_due_ns;
    if (due)
        w->totals_period_ns *= 2;
    if (w->totals_period_ns > LONGEST_TOTALS_NS)
        w->totals_period_ns = LONGEST_TOTALS_NS;
    if (first || due)
        w->totals_due_ns = now_ns + w->totals_period_ns;
    return due;
}

void ml_mpi_watch_tick(struct ml_mpi_watch *w, int64_t now_ns)
{
    if (!w->n)
        return;
    bool totals_due = totals_are_due(w, now_ns);
    for (size_t i = 0; i < w->n; i++) {
        follow(&w->ranks[i]);
        w->ranks[i].rss_B = ML_NOT_MEASURED;
    }
    ml_probe_each(w->probe, identify, w);
    for (size_t i = 0; i < w->n; i++) {
        struct watched *r = &w->ranks[i];
        if (is_gone(r))
            make_free(w, r);
        else if (r->pid && !r->over)
            look(w, r, now_ns, totals_due);
    }
}

void ml_mpi_watch_rank_ended(struct ml_mpi_watch *w, int rank)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->ranks[i].rank == rank)
            end(w, &w->ranks[i]);
    }
}

void ml_mpi_watch_stop(struct ml_mpi_watch *w)
{
    for (size_t i = 0; i < w->n; i++)
        end(w, &w->ranks[i]);
}

void ml_mpi_watch_close(struct ml_mpi_watch *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n; i++) {
        struct watched *r = &w->ranks[i];
        if (r->fd >= 0)
            close(r->fd);
        if (!r->pooled)
            ml_mpi_pages_close(r->page, 1);
        ml_mpi_growth_free(&r->growth);
    }
    ml_mpi_pages_close(w->pool, w->n_pool);
    if (w->pool_fd >= 0)
        close(w->pool_fd);
    free(w->ranks);
    free(w);
}
