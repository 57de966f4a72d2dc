/* gdb, kept alive: attach, ask for the frames, detach.
 *
 * The targets of an order are inferiors of one gdb, are all held before the first is asked, and are
 * all let go together. That is also quicker than one after the other, since inferiors share the
 * symbols of one file: for 4 ranks of LAMMPS (gdb 13.1) 0.4 to 0.8 s in place of 1.2 to 1.5 s. */
#include "debuggers/debuggers.h"

#include "base/clock.h"
#include "base/memory.h"
#include "debuggers/gdb_held.h"
#include "debuggers/gdb_session.h"

#include <stdlib.h>

struct gdb {
    struct ml_gdb session;
    struct ml_modules *modules;
    struct ml_symbols *symbols;
    struct ml_held **held; /* [n_held] one for each inferior of gdb; the first targets are theirs */
    size_t n_held, capacity;
};

static enum ml_status open_gdb(void **out_state, struct ml_error *err)
{
    struct gdb *g = ml_alloc(sizeof *g);
    enum ml_status status = ml_gdb_open(&g->session, err);
    if (status) {
        free(g);
        return status;
    }
    g->modules = ml_modules_open();
    g->symbols = ml_symbols_open();
    *out_state = g;
    return ML_OK;
}

static void close_session(struct gdb *g)
{
    ml_gdb_close(&g->session);
    for (size_t i = 0; i < g->n_held; i++)
        ml_held_close(g->held[i]);
    g->n_held = 0;
}

static enum ml_status make_room(struct gdb *g, size_t n, struct ml_error *err)
{
    enum ml_status status = ML_OK;
    while (g->n_held < n && !status) {
        ML_GROW(g->held, g->n_held, g->capacity);
        status = ml_held_open(&g->session, g->n_held == 0, &g->held[g->n_held], err);
        g->n_held += !status;
    }
    return status;
}

/* gdb is of no use any more: ends it, which releases what it holds. */
static void lose(struct gdb *g, size_t n, const char *why)
{
    ml_gdb_close(&g->session);
    for (size_t i = 0; i < n; i++)
        ml_held_lose(g->held[i], why);
}

static enum ml_status take(void *state, const struct ml_stack_target *targets, size_t n,
                           const struct ml_stack_sink *sink, struct ml_error *err)
{
    struct gdb *g = state;
    int64_t order_ns = ml_mono_now().ns;
    size_t begun = 0;
    struct ml_error why;
    enum ml_status status = make_room(g, n, &why);
    while (begun < n && !status) {
        status = ml_held_attach(g->held[begun], &targets[begun], &why);
        begun++;
    }
    for (size_t i = 0; i < n && !status; i++)
        status = ml_held_ask(g->held[i], &why);
    for (size_t i = 0; i < n && !status; i++)
        status = ml_held_detach(g->held[i], &why);
    if (status) {
        lose(g, begun, why.text);
        ml_fail(err, status, "%s", why.text);
    }
    if (g->session.spoilt) /* before settling: it may have begun to attach, and is killed */
        ml_gdb_close(&g->session);
    for (size_t i = 0; i < begun; i++)
        ml_held_settle(g->held[i]);
    for (size_t i = 0; i < begun; i++)
        ml_held_pass(g->held[i], order_ns, g->modules, g->symbols, sink);
    for (size_t i = begun; i < n; i++)
        sink->failed(sink->context, &targets[i], ML_STACK_FAILED, why.text);
    if (!status && g->session.spoilt) {
        close_session(g);
        status = ml_gdb_open(&g->session, err);
    }
    return status;
}

static void close_gdb(void *state)
{
    struct gdb *g = state;
    close_session(g);
    free(g->held);
    ml_symbols_close(g->symbols);
    ml_modules_close(g->modules);
    free(g);
}

static int64_t cpu_ns(void *state)
{
    const struct gdb *g = state;
    return ml_debugger_cpu_ns(&g->session.debugger);
}

const struct ml_stack_backend ml_stack_gdb = {
    .name = "gdb", .open = open_gdb, .take = take, .cpu_ns = cpu_ns, .close = close_gdb};
