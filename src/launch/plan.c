#include "launch/plan.h"

#include "base/memory.h"
#include "base/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANKS = 10000000 }; /* as --ranks */

static void add_rank(struct ml_plan *plan, int host, int starter, int app)
{
    plan->world.n_ranks++;
    ml_runs_append(&plan->world.host_of, host);
    ml_runs_append(&plan->world.app_of, app);
    ml_runs_append(&plan->starter_of, starter);
}

static void plan_one_each(struct ml_plan *plan, const struct ml_place *place)
{
    ML_AUTO_FREE int *host_of = ml_alloc((size_t)place->layout.n_nodes * sizeof *host_of);
    for (int h = 0; h < place->n_hosts; h++)
        host_of[place->node_of_host[h]] = h;
    for (int r = 0; r < place->size; r++)
        add_rank(plan, host_of[ml_runs_at(&place->layout.node_of, r)], r,
                 ml_runs_at(&place->app_of, r));
}

/* Shares of N ranks by slots, as mpiexec fills them: each node's slots in turn, then round again.
 * Without a node file each node counts as its equal share. */
static void share_out(int n, const struct ml_place *place, int *shares)
{
    int placed = 0;
    bool has_slots = false;
    for (int h = 0; h < place->n_hosts; h++) {
        shares[h] = 0;
        has_slots = has_slots || place->layout.nodes[place->node_of_host[h]].slots > 0;
    }
    while (placed < n) {
        for (int h = 0; h < place->n_hosts && placed < n; h++) {
            int slots = has_slots ? place->layout.nodes[place->node_of_host[h]].slots
                                  : (n + place->n_hosts - 1) / place->n_hosts;
            int share = slots < n - placed ? slots : n - placed;
            shares[h] += share;
            placed += share;
        }
    }
}

static int count_slots(const struct ml_place *place)
{
    int slots = 0;
    for (int h = 0; h < place->n_hosts; h++)
        slots += place->layout.nodes[place->node_of_host[h]].slots;
    return slots;
}

static enum ml_status plan_own(struct ml_plan *plan, const struct ml_options *o,
                               const struct ml_place *place, struct ml_error *err)
{
    int64_t wanted = o->ranks;
    if (o->ranks == ML_RANKS_BY_SLOTS)
        wanted = count_slots(place);
    else if (o->ranks == ML_RANKS_AS_MPIEXEC)
        wanted = o->ranks_per_node * place->n_hosts;
    if (wanted > MAX_RANKS)
        return ml_fail(err, ML_RUN_LOST, "--ranks-per-node: %lld ranks on %d nodes are too many",
                       (long long)o->ranks_per_node, place->n_hosts);
    int n = (int)wanted;
    if (n <= 0)
        return ml_fail(err, ML_RUN_LOST,
                       "--ranks slots: nothing here says how many there are; write a number");
    if (o->ranks_per_node > 0 && n > o->ranks_per_node * place->n_hosts)
        return ml_fail(err, ML_RUN_LOST, "--ranks %d is more than %d on each of %d nodes", n,
                       (int)o->ranks_per_node, place->n_hosts);
    int *shares = ml_alloc((size_t)place->n_hosts * sizeof *shares);
    share_out(n, place, shares);
    for (int h = 0, left = n; o->ranks_per_node > 0 && h < place->n_hosts; h++) {
        shares[h] = left < (int)o->ranks_per_node ? left : (int)o->ranks_per_node;
        left -= shares[h];
    }
    for (int h = 0; h < place->n_hosts; h++) {
        for (int i = 0; i < shares[h]; i++)
            add_rank(plan, h, place->layout.nodes[place->node_of_host[h]].sampler, 0);
    }
    free(shares);
    return ML_OK;
}

/* MPI_UNIVERSE_SIZE as the outer launcher has it: Open MPI's slots; Hydra has none. */
static int universe_size(enum ml_launcher launcher, int n_ranks)
{
    const char *slots = getenv("OMPI_UNIVERSE_SIZE");
    if (launcher == ML_LAUNCHER_OPENMPI && slots)
        return atoi(slots);
    return strcmp(MEMLOG_FLAVOUR, "openmpi") == 0 ? n_ranks : -1;
}

enum ml_status ml_plan_make(const struct ml_options *options, const struct ml_place *place,
                            enum ml_launcher launcher, const char *run, struct ml_plan *out_plan,
                            struct ml_error *err)
{
    struct ml_plan plan = {.form = place->form};
    enum ml_status status = ML_OK;
    snprintf(plan.mark, sizeof plan.mark, "%s=%s", ml_form_traits(plan.form)->mark, run);
    snprintf(plan.world.id, sizeof plan.world.id, "memlog-%s", run);
    if (plan.form == ML_FORM_RANKS)
        plan_one_each(&plan, place);
    else if (plan.form == ML_FORM_OWN)
        status = plan_own(&plan, options, place, err);
    plan.world.n_hosts = place->n_hosts;
    plan.world.here = place->host;
    plan.world.host_names = ml_alloc((size_t)place->n_hosts * sizeof(char *));
    for (int h = 0; h < place->n_hosts; h++)
        plan.world.host_names[h] = ml_strdup(place->layout.nodes[place->node_of_host[h]].name);
    plan.world.universe_size = universe_size(launcher, plan.world.n_ranks);
    if (status != ML_OK) {
        ml_plan_free(&plan);
        return status;
    }
    *out_plan = plan;
    return ML_OK;
}

void ml_plan_free(struct ml_plan *plan)
{
    ml_world_free(&plan->world);
    ml_runs_free(&plan->starter_of);
}
