#include "launch/environment.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* How processes find mpiexec: Open MPI 4 (mpirun sets OMPI_MCA_orte_*, _ess*, _pmix* and PMIX_*),
 * Open MPI 5 (PRTE), Hydra (PMI_*, HYDI_*), Slurm's PMI plug-ins. */
static const char *const connection[] = {
    "PMI_",
    "PMI2_",
    "PMIX_",
    "HYDI_",
    "OMPI_MCA_orte_",
    "OMPI_MCA_ess",
    "OMPI_MCA_pmix",
    "OMPI_MCA_shmem_RUNTIME",
    "OMPI_MCA_schizo",
    "OMPI_FILE_LOCATION",
    "SLURM_PMI",
    "PRTE_MCA_ess",
    NULL,
};

/* What tells a process which rank it is, and its launcher's further words. */
static const char *const job[] = {
    "OMPI_COMM_WORLD_",
    "OMPI_APP_CTX_NUM_PROCS",
    "OMPI_ARGV",
    "OMPI_COMMAND",
    "OMPI_FIRST_RANKS",
    "OMPI_NUM_APP_CTX",
    "OMPI_UNIVERSE_SIZE",
    "OMPI_MCA_initial_wdir",
    "OMPI_MCA_num_procs",
    "OMPI_MCA_num_restarts",
    "OMPI_MCA_cpu_type",
    "OMPI_WORLD_",
    "OMPI_APP_SIZES",
    "PRTE_LAUNCHED",
    "PRTE_SHARED_FS",
    "OMPI_MCA_mpi_oversubscribe",
    "OMPI_MCA_rmaps_base_mapping_policy",
    "OMPI_MCA_rmaps_base_ranking_policy",
    "OMPI_MCA_hwloc_base_binding_policy",
    "MPI_LOCALNRANKS",
    "MPI_LOCALRANKID",
    NULL,
};

/* Settings that the user may have made for any PMIx. */
static const char *const of_the_user[] = {"PMIX_MCA_", NULL};

/* Open MPI's, yet left in: the key by which ranks on Omni-Path know each other. */
static const char *const kept[] = {"OMPI_MCA_orte_precondition_transports=", NULL};

static bool begins_with_any(const char *entry, const char *const *prefixes)
{
    for (; *prefixes; prefixes++) {
        if (strncmp(entry, *prefixes, strlen(*prefixes)) == 0)
            return true;
    }
    return false;
}

bool ml_environment_strips(const char *entry, enum ml_strip strip)
{
    if (begins_with_any(entry, of_the_user))
        return false;
    if (strip == ML_STRIP_JOB)
        return begins_with_any(entry, connection) || begins_with_any(entry, job);
    return begins_with_any(entry, connection) && !begins_with_any(entry, kept);
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool has(char *const *environment, const char *entry)
{
    while (*environment && !same_name(entry, *environment))
        environment++;
    return *environment;
}

static void set(char **environment, size_t *count, const char *entry, char *const *outer)
{
    bool as_default = *entry == '?', if_there = *entry == '!';
    entry += as_default || if_there;
    if (if_there && !has(outer, entry))
        return;
    for (size_t i = 0; i < *count; i++) {
        if (!same_name(entry, environment[i]))
            continue;
        if (!as_default) {
            free(environment[i]);
            environment[i] = ml_strdup(entry);
        }
        return;
    }
    environment[(*count)++] = ml_strdup(entry);
}

char **ml_environment_make(char *const *outer, enum ml_strip strip, char *const *settings,
                           size_t n_settings)
{
    size_t n_outer = 0, count = 0;
    while (outer[n_outer])
        n_outer++;
    char **environment = ml_realloc_array(NULL, n_outer + n_settings + 1, sizeof *environment);
    for (size_t i = 0; i < n_outer; i++) {
        if (!ml_environment_strips(outer[i], strip))
            environment[count++] = ml_strdup(outer[i]);
    }
    for (size_t i = 0; i < n_settings; i++)
        set(environment, &count, settings[i], outer);
    environment[count] = NULL;
    return environment;
}

void ml_environment_free(char **environment)
{
    for (char **entry = environment; entry && *entry; entry++)
        free(*entry);
    free(environment);
}

const char *ml_environment_get(char *const *environment, const char *name)
{
    size_t n = strlen(name);
    for (; *environment; environment++) {
        if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
            return *environment + n + 1;
    }
    return NULL;
}
