#include "elements.h"
#include "launch/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What becomes of an entry: '-' taken out of a rank's environment and a launcher's, 'j' out of a
 * launcher's only, ' ' stays. */
struct entry {
    char fate;
    const char *text;
};

/* Rank 0 of `mpiexec.openmpi -n 2 --mca pml ob1` (Open MPI 4.1.4), and what a user may have. */
static const struct entry openmpi[] = {
    {' ', "HOME=/home/u"},
    {' ', "HFI_NO_BACKTRACE=1"},
    {' ', "IPATH_NO_BACKTRACE=1"},
    {'j', "OMPI_APP_CTX_NUM_PROCS=2"},
    {'j', "OMPI_ARGV=-in lj.in"},
    {'j', "OMPI_COMMAND=lmp"},
    {'j', "OMPI_COMM_WORLD_LOCAL_RANK=0"},
    {'j', "OMPI_COMM_WORLD_LOCAL_SIZE=2"},
    {'j', "OMPI_COMM_WORLD_NODE_RANK=0"},
    {'j', "OMPI_COMM_WORLD_RANK=0"},
    {'j', "OMPI_COMM_WORLD_SIZE=2"},
    {'-', "OMPI_FILE_LOCATION=/tmp/ompi.n1.0/pid.5717/0/0"},
    {'j', "OMPI_FIRST_RANKS=0"},
    {'-', "OMPI_MCA_ess=^singleton"},
    {'-', "OMPI_MCA_ess_base_jobid=2058027009"},
    {'-', "OMPI_MCA_ess_base_vpid=0"},
    {'j', "OMPI_MCA_initial_wdir=/tmp"},
    {'j', "OMPI_MCA_mpi_oversubscribe=0"},
    {'-', "OMPI_MCA_orte_app_num=0"},
    {'-', "OMPI_MCA_orte_bound_at_launch=1"},
    {'-', "OMPI_MCA_orte_ess_node_rank=0"},
    {'-', "OMPI_MCA_orte_ess_num_procs=2"},
    {'-', "OMPI_MCA_orte_hnp_uri=2058027008.0;tcp://10.0.0.1:59779"},
    {'-', "OMPI_MCA_orte_jobfam_session_dir=/tmp/ompi.n1.0/pid.5717"},
    {'-', "OMPI_MCA_orte_launch=1"},
    {'-', "OMPI_MCA_orte_local_daemon_uri=2058027008.0;tcp://10.0.0.1:59779"},
    {'-', "OMPI_MCA_orte_num_nodes=1"},
    {'j', "OMPI_MCA_orte_precondition_transports=da692c4a7680b06c-8b0e5df2c36a2c03"},
    {'-', "OMPI_MCA_orte_tmpdir_base=/tmp"},
    {'-', "OMPI_MCA_orte_top_session_dir=/tmp/ompi.n1.0"},
    {'-', "OMPI_MCA_pmix=^s1,s2,cray,isolated"},
    {' ', "OMPI_MCA_pml=ob1"},
    {' ', "OMPI_MCA_btl_tcp_if_include=eth0"},
    {' ', "OMPI_MCA_rmaps_base_oversubscribe=1"},
    {'-', "OMPI_MCA_shmem_RUNTIME_QUERY_hint=mmap"},
    {'j', "OMPI_NUM_APP_CTX=1"},
    {'j', "OMPI_UNIVERSE_SIZE=2"},
    {' ', "OMPI_ALLOW_RUN_AS_ROOT=1"},
    {'-', "PMIX_BFROP_BUFFER_TYPE=PMIX_BFROP_BUFFER_NON_DESC"},
    {'-', "PMIX_DSTORE_21_BASE_PATH=/tmp/ompi.n1.0/pid.5717/pmix_dstor_ds21_5717"},
    {'-', "PMIX_GDS_MODULE=ds21,ds12,hash"},
    {'-', "PMIX_HOSTNAME=n1"},
    {'-', "PMIX_ID=2058027009.0"},
    {'-', "PMIX_NAMESPACE=2058027009"},
    {'-', "PMIX_RANK=0"},
    {'-', "PMIX_SECURITY_MODE=native"},
    {'-', "PMIX_SERVER_TMPDIR=/tmp/ompi.n1.0/pid.5717"},
    {'-', "PMIX_SERVER_URI41=2058027008.0;tcp4://127.0.0.1:47583"},
    {'-', "PMIX_SYSTEM_TMPDIR=/tmp"},
    {'-', "PMIX_VERSION=4.2.2rc2"},
    {' ', "PATH=/usr/bin"},
    {' ', "XPMIX_RANK=0"},
    {' ', "PMI=1"},
};

/* Rank 0 of `mpiexec.openmpi -n 2` (Open MPI 5.0.7, PRRTE 3.0.8, libpmix 5.0.7). */
static const struct entry prrte[] = {
    {'j', "OMPI_ARGV=-in lj.in"},
    {'j', "OMPI_COMMAND=lmp"},
    {'j', "OMPI_COMM_WORLD_LOCAL_RANK=0"},
    {'j', "OMPI_COMM_WORLD_SIZE=2"},
    {'-', "OMPI_FILE_LOCATION=/tmp/prte.n1.0/dvm.5717/1/0"},
    {'j', "OMPI_MCA_cpu_type=x86_64"},
    {'j', "OMPI_MCA_initial_wdir=/tmp"},
    {'j', "OMPI_MCA_num_procs=2"},
    {'j', "OMPI_NUM_APP_CTX=1"},
    {'j', "OMPI_UNIVERSE_SIZE=2"},
    {'j', "OMPI_WORLD_LOCAL_SIZE=2"},
    {'j', "OMPI_WORLD_SIZE=2"},
    {'-', "PMIX_NAMESPACE=prterun-n1-5717@1"},
    {'-', "PMIX_PARAM_FILE_PASSED=1"},
    {'-', "PMIX_RANK=0"},
    {'-', "PMIX_SERVER_URI41=prterun-n1-5717@0.0;tcp4://127.0.0.1:47583"},
    {'j', "PRTE_LAUNCHED=1"},
    {'j', "PRTE_SHARED_FS=FALSE"},
    {' ', "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe"},
    {' ', "OMPI_MCA_num_hugepages=2"},
};

/* Rank 0 of `mpiexec.hydra -n 2` (MPICH 4.0.2). */
static const struct entry hydra[] = {
    {' ', "GFORTRAN_UNBUFFERED_PRECONNECTED=y"},
    {'-', "HYDI_CONTROL_FD=7"},
    {' ', "MPIR_CVAR_CH3_INTERFACE_HOSTNAME=n1"},
    {'j', "MPI_LOCALNRANKS=2"},
    {'j', "MPI_LOCALRANKID=0"},
    {'-', "PMI_FD=6"},
    {'-', "PMI_RANK=0"},
    {'-', "PMI_SIZE=2"},
    {' ', "MPICH_ASYNC_PROGRESS=1"},
    {' ', "UCX_TLS=ib"},
    {' ', "FI_PROVIDER=verbs"},
};

static void check_fates(const struct entry *entries, size_t n)
{
    char *outer[64], **ranks, **launchers;
    assert_true(n < N(outer));
    for (size_t i = 0; i < n; i++)
        outer[i] = (char *)entries[i].text;
    outer[n] = NULL;
    ranks = ml_environment_make(outer, ML_STRIP_CONNECTION, NULL, 0);
    launchers = ml_environment_make(outer, ML_STRIP_JOB, NULL, 0);
    size_t r = 0, l = 0;
    for (size_t i = 0; i < n; i++) {
        if (entries[i].fate != '-') {
            assert_non_null(ranks[r]);
            assert_string_equal(ranks[r++], entries[i].text);
        }
        if (entries[i].fate == ' ') {
            assert_non_null(launchers[l]);
            assert_string_equal(launchers[l++], entries[i].text);
        }
        assert_int_equal(ml_environment_strips(entries[i].text, ML_STRIP_CONNECTION),
                         entries[i].fate == '-');
    }
    assert_null(ranks[r]);
    assert_null(launchers[l]);
    ml_environment_free(ranks);
    ml_environment_free(launchers);
}

static void under_openmpi(void **state)
{
    (void)state;
    check_fates(openmpi, N(openmpi));
}

static void under_prrte(void **state)
{
    (void)state;
    check_fates(prrte, N(prrte));
}

static void under_hydra(void **state)
{
    (void)state;
    check_fates(hydra, N(hydra));
}

static void users_pmix_settings_stay(void **state)
{
    (void)state;
    assert_false(ml_environment_strips("PMIX_MCA_gds=hash", ML_STRIP_CONNECTION));
    assert_false(ml_environment_strips("PMIX_MCA_psec=none", ML_STRIP_CONNECTION));
    assert_true(ml_environment_strips("PMIX_RANK=0", ML_STRIP_CONNECTION));
}

static void settings(void **state)
{
    static char *outer[] = {"A=1", "AB=2", "B=", "PMI_FD=7", "C=3", NULL};
    static char *set[] = {"A=new", "?B=default", "?D=default", "?PMI_FD=9", "E=a=b", "E=twice",
                          "?F=1",  "F=2",        "!C=4",       "!G=1",      "!F=3",  "!PMI_FD=8"};
    static const char *const wanted[] = {"A=new",     "AB=2",     "B=",      "C=4",
                                         "D=default", "PMI_FD=8", "E=twice", "F=2"};
    (void)state;
    char **made = ml_environment_make(outer, ML_STRIP_CONNECTION, set, N(set));
    for (size_t i = 0; i < N(wanted); i++) {
        assert_non_null(made[i]);
        assert_string_equal(made[i], wanted[i]);
    }
    assert_null(made[N(wanted)]);
    assert_string_equal(ml_environment_get(made, "A"), "new");
    assert_string_equal(ml_environment_get(made, "B"), "");
    assert_string_equal(ml_environment_get(made, "AB"), "2");
    assert_null(ml_environment_get(made, "G"));
    assert_null(ml_environment_get(made, "PMI"));
    ml_environment_free(made);
    ml_environment_free(NULL);
}

static void odd_entries(void **state)
{
    static char *outer[] = {"", "=", "noequals", "=X=1", "A=1", NULL};
    static char *set[] = {"A=2", "=X=2"};
    static char *none[] = {NULL};
    (void)state;
    char **made = ml_environment_make(outer, ML_STRIP_JOB, set, N(set));
    assert_string_equal(ml_environment_get(made, "A"), "2");
    assert_string_equal(made[2], "noequals");
    ml_environment_free(made);
    made = ml_environment_make(none, ML_STRIP_JOB, NULL, 0);
    assert_null(made[0]);
    assert_null(ml_environment_get(made, "A"));
    ml_environment_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(under_openmpi), cmocka_unit_test(under_prrte),
        cmocka_unit_test(under_hydra),   cmocka_unit_test(users_pmix_settings_stay),
        cmocka_unit_test(settings),      cmocka_unit_test(odd_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
