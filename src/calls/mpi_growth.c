#include "calls/mpi_growth.h"

#include "base/memory.h"

#include <stdlib.h>

static void add(struct ml_mpi_growth *g, int64_t ns, uint32_t phase, int call, int64_t rss_B)
{
    int64_t grown_B = rss_B - g->rss_B;
    g->rss_B = rss_B;
    g->known_ns = ns;
    for (size_t i = 0; i < g->n; i++) {
        if (g->entries[i].phase == phase && g->entries[i].call == call) {
            g->entries[i].grown_B += grown_B;
            return;
        }
    }
    ML_GROW(g->entries, g->n, g->capacity);
    g->entries[g->n++] = (struct ml_mpi_growth_entry){phase, call, grown_B};
}

void ml_mpi_growth_look(struct ml_mpi_growth *g, int64_t ns, uint32_t phase, int call,
                        int64_t rss_B)
{
    if (rss_B < 0 || ns < g->known_ns)
        return;
    add(g, ns, phase, call > 0 && g->call > 0 ? call : 0, rss_B);
    g->call = call;
}

void ml_mpi_growth_enter(struct ml_mpi_growth *g, int64_t ns, uint32_t phase_before, int call,
                         int64_t rss_B)
{
    if (rss_B >= 0)
        add(g, ns, phase_before, 0, rss_B);
    g->call = call;
}

void ml_mpi_growth_leave(struct ml_mpi_growth *g, int64_t ns, uint32_t phase, int call,
                         int64_t rss_B)
{
    if (rss_B >= 0)
        add(g, ns, phase, call, rss_B);
    g->call = 0;
}

void ml_mpi_growth_restart(struct ml_mpi_growth *g)
{
    g->call = 0;
    g->rss_B = 0;
}

int64_t ml_mpi_growth_of(const struct ml_mpi_growth *g, uint32_t phase, int call)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->entries[i].phase == phase && g->entries[i].call == call)
            return g->entries[i].grown_B;
    }
    return 0;
}

void ml_mpi_growth_free(struct ml_mpi_growth *g)
{
    free(g->entries);
    *g = (struct ml_mpi_growth){0};
}
