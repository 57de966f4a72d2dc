#include "elements.h"
#include "launch/plan.h"
#include "launch/settings.h"

#include "base/memory.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_NODES = 4, MAX_PROCESSES = 12, MANY_HOSTS = 300 };

/* A place made by hand: NODE_OF ends with -1. A node that no process is on has no host. */
struct site {
    struct ml_place place;
    struct ml_layout_node nodes[MAX_NODES];
    int node_of_host[MAX_NODES];
};

static char *names[MAX_NODES] = {"n0", "n1", "n2", "n3"};

static void make_site(struct site *s, int n_nodes, const int *node_of, const int *slots,
                      const int *apps)
{
    *s = (struct site){.place = {.node_of_host = s->node_of_host}};
    s->place.layout = (struct ml_layout){.n_nodes = n_nodes, .nodes = s->nodes};
    for (int n = 0; n < n_nodes; n++)
        s->nodes[n] = (struct ml_layout_node){names[n], -1, 0, slots ? slots[n] : 0};
    for (int r = 0; node_of[r] >= 0; r++) {
        struct ml_layout_node *node = &s->nodes[node_of[r]];
        ml_runs_append(&s->place.layout.node_of, node_of[r]);
        ml_runs_append(&s->place.app_of, apps ? apps[r] : 0);
        s->place.layout.n_ranks = ++s->place.size;
        node->ranks++;
        if (node->sampler < 0)
            node->sampler = r;
    }
    for (int n = 0; n < n_nodes; n++) {
        if (s->nodes[n].sampler < 0)
            continue;
        if (n == node_of[0])
            s->place.root_host = s->place.n_hosts;
        s->place.node_of_host[s->place.n_hosts++] = n;
    }
}

static void free_site(struct site *s)
{
    ml_runs_free(&s->place.layout.node_of);
    ml_runs_free(&s->place.app_of);
}

static char *plain_command[] = {"./app", "-in", "lj.in", NULL};

static struct ml_options options(int64_t ranks, int64_t per_node)
{
    return (struct ml_options){
        .ranks = ranks, .ranks_per_node = per_node, .command = plain_command};
}

static enum ml_status plan(const struct ml_options *o, struct site *s, enum ml_launcher launcher,
                           struct ml_plan *out, struct ml_error *err)
{
    s->place.form = ml_form_of(o);
    return ml_plan_make(o, &s->place, launcher, "r1", out, err);
}

/* "host:starter" of each rank. */
static void describe(const struct ml_plan *p, char *out)
{
    *out = 0;
    for (int r = 0; r < p->world.n_ranks; r++)
        out += sprintf(out, "%s%d:%d", r ? " " : "", ml_world_host(&p->world, r),
                       ml_runs_at(&p->starter_of, r));
}

static void forms(void **state)
{
    static const struct {
        const char *command;
        int launch;
        int64_t ranks, per_node;
        enum ml_form form;
    } table[] = {
        {"./app", ML_LAUNCH_AUTO, 0, 0, ML_FORM_RANKS},
        {"./app", ML_LAUNCH_RANKS, 0, 0, ML_FORM_RANKS},
        {"./app", ML_LAUNCH_ONCE, 0, 0, ML_FORM_ONCE},
        {"./app", ML_LAUNCH_AUTO, 4, 0, ML_FORM_OWN},
        {"./app", ML_LAUNCH_AUTO, 0, 2, ML_FORM_OWN},
        {"./app", ML_LAUNCH_RANKS, 4, 0, ML_FORM_OWN},
        {"./app", ML_LAUNCH_ONCE, 4, 0, ML_FORM_ONCE},
        {"mpiexec", ML_LAUNCH_AUTO, 0, 0, ML_FORM_ONCE},
        {"/opt/mpi/bin/mpirun", ML_LAUNCH_AUTO, 0, 0, ML_FORM_ONCE},
        {"mpiexec.hydra", ML_LAUNCH_AUTO, 0, 0, ML_FORM_ONCE},
        {"mpiexec.openmpi", ML_LAUNCH_AUTO, 0, 0, ML_FORM_ONCE},
        {"srun", ML_LAUNCH_AUTO, 0, 0, ML_FORM_ONCE},
        {"prterun", ML_LAUNCH_AUTO, 0, 0, ML_FORM_ONCE},
        {"mpiexec", ML_LAUNCH_RANKS, 0, 0, ML_FORM_RANKS},
        {"mpiexec", ML_LAUNCH_AUTO, 2, 0, ML_FORM_OWN},
        {"mpiexec2", ML_LAUNCH_AUTO, 0, 0, ML_FORM_RANKS},
        {"mpiexec/app", ML_LAUNCH_AUTO, 0, 0, ML_FORM_RANKS},
        {"mpirun_rsh_not", ML_LAUNCH_AUTO, 0, 0, ML_FORM_RANKS},
    };
    static const int node_of[] = {0, 0, -1};
    struct site s;
    (void)state;
    make_site(&s, 1, node_of, NULL, NULL);
    for (size_t i = 0; i < N(table); i++) {
        char *command[] = {(char *)table[i].command, "x", NULL};
        struct ml_options o = options(table[i].ranks, table[i].per_node);
        o.launch = table[i].launch;
        o.command = command;
        struct ml_plan p;
        assert_int_equal(plan(&o, &s, ML_LAUNCHER_NONE, &p, NULL), ML_OK);
        if (p.form != table[i].form)
            fail_msg("%s, launch %d: form %d", table[i].command, table[i].launch, p.form);
        bool once = p.form == ML_FORM_ONCE;
        assert_string_equal(p.mark, once ? "OMPI_MCA_memlog_run=r1" : "MEMLOG_RUN=r1");
        assert_string_equal(p.world.id, "memlog-r1");
        if (once)
            assert_int_equal(p.world.n_ranks, 0);
        ml_plan_free(&p);
    }
    free_site(&s);
}

/* Each rank process starts its own; nodes that none is on are no hosts. */
static void one_each(void **state)
{
    static const int node_of[] = {2, 0, 0, 2, 3, -1};
    struct ml_options o = options(0, 0);
    struct site s;
    struct ml_plan p;
    char text[200];
    (void)state;
    make_site(&s, 4, node_of, NULL, NULL);
    s.place.host = 1;
    assert_int_equal(plan(&o, &s, ML_LAUNCHER_HYDRA, &p, NULL), ML_OK);
    describe(&p, text);
    assert_string_equal(text, "1:0 0:1 0:2 1:3 2:4");
    assert_int_equal(p.world.n_hosts, 3);
    assert_int_equal(p.world.here, 1);
    assert_string_equal(p.world.host_names[0], "n0");
    assert_string_equal(p.world.host_names[1], "n2");
    assert_string_equal(p.world.host_names[2], "n3");
    ml_plan_free(&p);
    ml_plan_free(&p);
    free_site(&s);
}

/* mpiexec -n 1 memlog-mpi -- a : -n 2 memlog-mpi -- b. */
static void several_commands(void **state)
{
    static const int node_of[] = {0, 1, 1, -1}, apps[] = {0, 1, 1};
    struct ml_options o = options(0, 0);
    struct site s;
    struct ml_plan p;
    (void)state;
    make_site(&s, 2, node_of, NULL, apps);
    assert_int_equal(plan(&o, &s, ML_LAUNCHER_HYDRA, &p, NULL), ML_OK);
    assert_int_equal(ml_world_count_apps(&p.world), 2);
    assert_int_equal(ml_world_app(&p.world, 0), 0);
    assert_int_equal(ml_world_app(&p.world, 2), 1);
    assert_int_equal(ml_runs_count(&p.world.app_of, 1, ml_world_app(&p.world, 1)), 0);
    assert_int_equal(ml_runs_count(&p.world.app_of, 2, ml_world_app(&p.world, 2)), 1);
    ml_plan_free(&p);
    free_site(&s);
}

/* Nothing is started, and nothing bears a mark. */
static void attached(void **state)
{
    static const int node_of[] = {0, 1, -1};
    char *none[] = {NULL};
    struct ml_options o = {.attach = "job", .command = none};
    const struct ml_form_traits *traits = ml_form_traits(ML_FORM_ATTACH);
    struct site s;
    struct ml_plan p;
    (void)state;
    make_site(&s, 2, node_of, NULL, NULL);
    assert_int_equal(plan(&o, &s, ML_LAUNCHER_OPENMPI, &p, NULL), ML_OK);
    assert_int_equal(p.form, ML_FORM_ATTACH);
    assert_int_equal(p.world.n_ranks, 0);
    assert_int_equal(p.world.n_hosts, 2);
    assert_false(traits->starts || traits->hosts);
    for (enum ml_form form = ML_FORM_RANKS; form < ML_FORM_ATTACH; form++)
        assert_true(ml_form_traits(form)->starts);
    ml_plan_free(&p);
    free_site(&s);
}

static void commands_that_go_together(void **state)
{
    static const struct {
        enum ml_form forms[3];
        int apps[3];
        bool agree;
    } table[] = {
        {{ML_FORM_RANKS, ML_FORM_RANKS, ML_FORM_RANKS}, {0, 1, 2}, true},
        {{ML_FORM_OWN, ML_FORM_OWN, ML_FORM_OWN}, {0, 0, 0}, true},
        {{ML_FORM_ONCE, ML_FORM_ONCE, ML_FORM_ONCE}, {0, 0, 0}, true},
        {{ML_FORM_OWN, ML_FORM_OWN, ML_FORM_OWN}, {0, 1, 1}, false},
        {{ML_FORM_RANKS, ML_FORM_RANKS, ML_FORM_ONCE}, {0, 0, 1}, false},
        {{ML_FORM_RANKS, ML_FORM_OWN, ML_FORM_RANKS}, {0, 0, 0}, false},
        {{ML_FORM_ATTACH, ML_FORM_ATTACH, ML_FORM_ATTACH}, {0, 0, 0}, true},
        {{ML_FORM_ATTACH, ML_FORM_RANKS, ML_FORM_ATTACH}, {0, 1, 0}, false},
    };
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        enum ml_status status = ml_form_agree(table[i].forms, table[i].apps, 3, NULL);
        assert_int_equal(status == ML_OK, table[i].agree);
    }
}

/* mpiexec -ppn 1 memlog-mpi -n N: three nodes, the node of process 0 not the first. */
static void shares(void **state)
{
    static const struct {
        int64_t ranks, per_node;
        int slots[3];
        const char *text; /* NULL: an error */
    } table[] = {
        {6, 0, {2, 2, 2}, "0:1 0:1 1:0 1:0 2:2 2:2"},
        {4, 0, {2, 2, 2}, "0:1 0:1 1:0 1:0"},
        {5, 0, {1, 3, 1}, "0:1 1:0 1:0 1:0 2:2"},
        {6, 0, {1, 3, 0}, "0:1 0:1 1:0 1:0 1:0 1:0"},
        {7, 0, {1, 1, 1}, "0:1 0:1 0:1 1:0 1:0 2:2 2:2"},
        {1, 0, {0, 0, 2}, "2:2"},
        {5, 0, {0, 0, 0}, "0:1 0:1 1:0 1:0 2:2"},
        {2, 0, {0, 0, 0}, "0:1 1:0"},
        {ML_RANKS_BY_SLOTS, 0, {1, 0, 2}, "0:1 2:2 2:2"},
        {ML_RANKS_BY_SLOTS, 0, {0, 0, 0}, NULL},
        {0, 2, {0, 0, 0}, "0:1 0:1 1:0 1:0 2:2 2:2"},
        {0, 1, {4, 4, 4}, "0:1 1:0 2:2"},
        {3, 2, {4, 4, 4}, "0:1 0:1 1:0"},
        {6, 2, {1, 1, 1}, "0:1 0:1 1:0 1:0 2:2 2:2"},
        {7, 2, {9, 9, 9}, NULL},
        {ML_RANKS_BY_SLOTS, 1, {1, 1, 1}, "0:1 1:0 2:2"},
    };
    static const int node_of[] = {1, 0, 2, -1};
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_options o = options(table[i].ranks, table[i].per_node);
        struct site s;
        struct ml_plan p;
        struct ml_error err = {""};
        char text[200];
        make_site(&s, 3, node_of, table[i].slots, NULL);
        enum ml_status status = plan(&o, &s, ML_LAUNCHER_HYDRA, &p, &err);
        assert_int_equal(status == ML_OK, table[i].text != NULL);
        if (status != ML_OK) {
            assert_int_equal(strncmp(err.text, "--ranks", 7), 0);
            free_site(&s);
            continue;
        }
        describe(&p, text);
        if (strcmp(text, table[i].text) != 0)
            fail_msg("shares %zu: %s, not %s", i, text, table[i].text);
        ml_plan_free(&p);
        free_site(&s);
    }
}

/* More places than an int counts. */
static void many_places(void **state)
{
    static struct ml_layout_node nodes[MANY_HOSTS];
    static int node_of_host[MANY_HOSTS];
    struct ml_runs node_of = {0};
    struct ml_options o = options(4, 10000000);
    struct ml_plan p;
    struct ml_error err = {""};
    (void)state;
    for (int i = 0; i < MANY_HOSTS; i++) {
        nodes[i] = (struct ml_layout_node){"n", i, 1, 0};
        node_of_host[i] = i;
        ml_runs_append(&node_of, i);
    }
    const struct ml_place place = {.form = ML_FORM_OWN,
                                   .size = MANY_HOSTS,
                                   .layout = {MANY_HOSTS, nodes, MANY_HOSTS, node_of},
                                   .n_hosts = MANY_HOSTS,
                                   .node_of_host = node_of_host};
    if (ml_plan_make(&o, &place, ML_LAUNCHER_HYDRA, "r1", &p, &err) != ML_OK)
        fail_msg("%s", err.text);
    assert_int_equal(p.world.n_ranks, 4);
    ml_plan_free(&p);
    ml_runs_free(&node_of);
}

static void universe(void **state)
{
    static const int node_of[] = {0, 0, -1};
    bool openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    struct ml_options o = options(0, 0);
    struct site s;
    struct ml_plan p;
    (void)state;
    make_site(&s, 1, node_of, NULL, NULL);
    setenv("OMPI_UNIVERSE_SIZE", "16", 1);
    plan(&o, &s, ML_LAUNCHER_OPENMPI, &p, NULL);
    assert_int_equal(p.world.universe_size, 16);
    ml_plan_free(&p);
    unsetenv("OMPI_UNIVERSE_SIZE");
    plan(&o, &s, ML_LAUNCHER_NONE, &p, NULL);
    assert_int_equal(p.world.universe_size, openmpi ? 2 : -1);
    ml_plan_free(&p);
    free_site(&s);
}

/* ---- settings ---- */

struct texts {
    struct ml_buffer packed;
    const char *list[64];
    int n;
};

static void read_texts(struct texts *t)
{
    struct ml_unpacker u = ml_unpack(t->packed.data, t->packed.length);
    assert_in_range(t->n, 0, N(t->list));
    for (int i = 0; i < t->n; i++)
        t->list[i] = ml_unpack_text(&u);
    assert_false(u.failed);
    assert_ptr_equal(u.cursor, u.end);
}

static bool has(const struct texts *t, const char *text)
{
    for (int i = 0; i < t->n; i++) {
        if (strcmp(t->list[i], text) == 0)
            return true;
    }
    return false;
}

static const char yield[] = "?OMPI_MCA_mpi_yield_when_idle=1";

static void identity(void **state)
{
    static const struct ml_settings_rank rank = {5, 8, 1, 4};
    struct ml_plan p = {.form = ML_FORM_RANKS, .mark = "MEMLOG_RUN=r1"};
    struct texts t = {.n = 0};
    (void)state;
    p.world.universe_size = 12;
    t.n = ml_settings_pack(&p, ML_LAUNCHER_OPENMPI, &rank, plain_command, 4, 4, &t.packed);
    read_texts(&t);
    assert_true(has(&t, "MEMLOG_RUN=r1"));
    assert_true(has(&t, "OMPI_COMMAND=app"));
    assert_true(has(&t, "OMPI_ARGV=-in lj.in"));
    if (strcmp(MEMLOG_FLAVOUR, "openmpi") == 0) {
        assert_true(has(&t, "OMPI_COMM_WORLD_RANK=5"));
        assert_true(has(&t, "OMPI_COMM_WORLD_SIZE=8"));
        assert_true(has(&t, "OMPI_COMM_WORLD_LOCAL_RANK=1"));
        assert_true(has(&t, "OMPI_COMM_WORLD_LOCAL_SIZE=4"));
        assert_true(has(&t, "OMPI_COMM_WORLD_NODE_RANK=1"));
        assert_true(has(&t, "OMPI_UNIVERSE_SIZE=12"));
    } else {
        assert_true(has(&t, "MPI_LOCALRANKID=1"));
        assert_true(has(&t, "MPI_LOCALNRANKS=4"));
    }
    assert_false(has(&t, yield));
    assert_true(has(&t, "!PMI_LOCAL_RANK=1")); /* which is hidden from the rank */
    assert_false(has(&t, "!SLURM_PROCID=5"));  /* which is srun's word, of this very process */
    ml_buffer_free(&t.packed);
}

/* One process of ours a node has one word of its launcher for all of its ranks. */
static void identity_of_our_own_ranks(void **state)
{
    static const char *const wanted[] = {
        "!SLURM_PROCID=5",
        "!SLURM_LOCALID=1",
        "!SLURM_NODEID=2",
        "!SLURM_NTASKS=8",
        "!FLUX_TASK_LOCAL_ID=1",
        "!PALS_RANKID=5",
        "!PALS_LOCAL_RANKID=1",
        "!JSM_NAMESPACE_RANK=5",
        "!MV2_COMM_WORLD_LOCAL_RANK=1",
        "!PMI_LOCAL_RANK=1",
        "!JSM_NAMESPACE_LOCAL_SIZE=4",
    };
    static const struct ml_settings_rank rank = {5, 8, 1, 4};
    struct ml_plan p = {.form = ML_FORM_OWN, .mark = "MEMLOG_RUN=r1"};
    struct texts t = {.n = 0};
    (void)state;
    p.world.here = 2;
    t.n = ml_settings_pack(&p, ML_LAUNCHER_OTHER, &rank, plain_command, 4, 4, &t.packed);
    read_texts(&t);
    for (size_t i = 0; i < N(wanted); i++) {
        if (!has(&t, wanted[i]))
            fail_msg("%s is not there", wanted[i]);
    }
    ml_buffer_free(&t.packed);
}

/* Open MPI 5's mpiexec says them of our own world, which may have other sizes. */
static void sizes_of_prrte(void **state)
{
    static const struct ml_settings_rank rank = {5, 8, 1, 4};
    static const char *const sizes[] = {"OMPI_WORLD_SIZE=8", "OMPI_WORLD_LOCAL_SIZE=4",
                                        "OMPI_MCA_num_procs=8"};
    struct ml_plan p = {.form = ML_FORM_OWN, .mark = "MEMLOG_RUN=r1"};
    (void)state;
    for (int launched = 0; launched < 2; launched++) {
        struct texts t = {.n = 0};
        if (launched)
            setenv("PRTE_LAUNCHED", "1", 1);
        else
            unsetenv("PRTE_LAUNCHED");
        t.n = ml_settings_pack(&p, ML_LAUNCHER_OPENMPI, &rank, plain_command, 4, 4, &t.packed);
        read_texts(&t);
        for (size_t i = 0; i < N(sizes); i++)
            assert_int_equal(has(&t, sizes[i]), launched && strcmp(MEMLOG_FLAVOUR, "openmpi") == 0);
        ml_buffer_free(&t.packed);
    }
    unsetenv("PRTE_LAUNCHED");
}

static void a_launcher_gets_the_mark_alone(void **state)
{
    struct ml_plan p = {.form = ML_FORM_ONCE, .mark = "OMPI_MCA_memlog_run=r1"};
    struct texts t = {.n = 0};
    (void)state;
    t.n = ml_settings_pack(&p, ML_LAUNCHER_OPENMPI, NULL, plain_command, 1, 9, &t.packed);
    read_texts(&t);
    assert_int_equal(t.n, 1);
    assert_true(has(&t, "OMPI_MCA_memlog_run=r1"));
    ml_buffer_free(&t.packed);
}

static void ranks_yield_where_cpus_are_few(void **state)
{
    static const struct {
        enum ml_form form;
        enum ml_launcher launcher;
        int cpus, running;
        bool yields;
    } table[] = {
        {ML_FORM_OWN, ML_LAUNCHER_NONE, 4, 4, false},
        {ML_FORM_OWN, ML_LAUNCHER_NONE, 4, 5, true},
        {ML_FORM_OWN, ML_LAUNCHER_OPENMPI, 2, 4, true},
        {ML_FORM_RANKS, ML_LAUNCHER_HYDRA, 2, 4, true},
        {ML_FORM_RANKS, ML_LAUNCHER_OPENMPI, 2, 4, false}, /* mpiexec has said so, or not */
        {ML_FORM_RANKS, ML_LAUNCHER_OPENMPI, 2, 6, true},  /* it knows nothing of those spawned */
    };
    static const struct ml_settings_rank rank = {0, 4, 0, 4};
    static char *bare[] = {"./app", NULL};
    (void)state;
    for (size_t i = 0; i < N(table); i++) {
        struct ml_plan p = {.form = table[i].form, .mark = "M=1"};
        struct texts t = {.n = 0};
        t.n = ml_settings_pack(&p, table[i].launcher, &rank, bare, table[i].cpus, table[i].running,
                               &t.packed);
        read_texts(&t);
        assert_int_equal(has(&t, yield), table[i].yields);
        assert_false(has(&t, "OMPI_ARGV="));
        ml_buffer_free(&t.packed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(one_each),
        cmocka_unit_test(several_commands),
        cmocka_unit_test(attached),
        cmocka_unit_test(commands_that_go_together),
        cmocka_unit_test(shares),
        cmocka_unit_test(many_places),
        cmocka_unit_test(universe),
        cmocka_unit_test(identity),
        cmocka_unit_test(sizes_of_prrte),
        cmocka_unit_test(identity_of_our_own_ranks),
        cmocka_unit_test(a_launcher_gets_the_mark_alone),
        cmocka_unit_test(ranks_yield_where_cpus_are_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
