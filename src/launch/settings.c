#include "launch/settings.h"

#include "base/memory.h"
#include "base/own.h"
#include "base/pack.h"
#include "launch/environment.h"

#include <stdlib.h>
#include <string.h>

struct settings {
    struct ml_buffer *out;
    int n;
};

static void add(struct settings *s, char *entry)
{
    ml_pack_text(s->out, entry);
    free(entry);
    s->n++;
}

/* PRRTE, Open MPI's launcher since 5, says the sizes under these names too. */
static void add_sizes_of_prrte(struct settings *s, const struct ml_settings_rank *r)
{
    if (!getenv("PRTE_LAUNCHED"))
        return;
    add(s, ml_format("OMPI_WORLD_SIZE=%d", r->size));
    add(s, ml_format("OMPI_WORLD_LOCAL_SIZE=%d", r->local_size));
    add(s, ml_format("OMPI_MCA_num_procs=%d", r->size));
}

enum fact { RANK, SIZE, LOCAL_RANK, LOCAL_SIZE, NODE, UNIVERSE };

/* What scripts read to learn which rank they are, and so which GPU to take: the words of the
 * mpiexec that the user knows, and those of other launchers (NULL) where they are there. */
static const struct {
    const char *variable;
    enum fact fact;
    const char *flavour;
} identity[] = {
    {"OMPI_COMM_WORLD_RANK", RANK, "openmpi"},
    {"OMPI_COMM_WORLD_SIZE", SIZE, "openmpi"},
    {"OMPI_COMM_WORLD_LOCAL_RANK", LOCAL_RANK, "openmpi"},
    {"OMPI_COMM_WORLD_LOCAL_SIZE", LOCAL_SIZE, "openmpi"},
    {"OMPI_COMM_WORLD_NODE_RANK", LOCAL_RANK, "openmpi"},
    {"OMPI_UNIVERSE_SIZE", UNIVERSE, "openmpi"},
    {"MPI_LOCALRANKID", LOCAL_RANK, "mpich"},
    {"MPI_LOCALNRANKS", LOCAL_SIZE, "mpich"},
    {"PMI_LOCAL_RANK", LOCAL_RANK, NULL},
    {"PMI_LOCAL_SIZE", LOCAL_SIZE, NULL},
    {"SLURM_PROCID", RANK, NULL},
    {"SLURM_LOCALID", LOCAL_RANK, NULL},
    {"SLURM_NODEID", NODE, NULL},
    {"SLURM_NTASKS", SIZE, NULL},
    {"SLURM_NPROCS", SIZE, NULL},
    {"SLURM_STEP_NUM_TASKS", SIZE, NULL},
    {"FLUX_TASK_RANK", RANK, NULL},
    {"FLUX_TASK_LOCAL_ID", LOCAL_RANK, NULL},
    {"FLUX_JOB_SIZE", SIZE, NULL},
    {"PALS_RANKID", RANK, NULL},
    {"PALS_LOCAL_RANKID", LOCAL_RANK, NULL},
    {"PALS_LOCAL_SIZE", LOCAL_SIZE, NULL},
    {"PALS_NODEID", NODE, NULL},
    {"JSM_NAMESPACE_RANK", RANK, NULL},
    {"JSM_NAMESPACE_LOCAL_RANK", LOCAL_RANK, NULL},
    {"JSM_NAMESPACE_SIZE", SIZE, NULL},
    {"JSM_NAMESPACE_LOCAL_SIZE", LOCAL_SIZE, NULL},
    {"MV2_COMM_WORLD_RANK", RANK, NULL},
    {"MV2_COMM_WORLD_LOCAL_RANK", LOCAL_RANK, NULL},
    {"MV2_COMM_WORLD_SIZE", SIZE, NULL},
    {"MV2_COMM_WORLD_LOCAL_SIZE", LOCAL_SIZE, NULL},
};

/* Where each process of ours starts one rank, what its launcher said holds, unless it is hidden as
 * a word of the connection to it. */
static void add_identity(struct settings *s, const struct ml_plan *plan,
                         const struct ml_settings_rank *r)
{
    const int values[] = {
        [RANK] = r->rank,
        [SIZE] = r->size,
        [LOCAL_RANK] = r->local_rank,
        [LOCAL_SIZE] = r->local_size,
        [NODE] = plan->world.here,
        [UNIVERSE] = plan->world.universe_size,
    };
    for (size_t i = 0; i < sizeof identity / sizeof *identity; i++) {
        const char *flavour = identity[i].flavour, *variable = identity[i].variable;
        bool wanted = flavour ? strcmp(flavour, MEMLOG_FLAVOUR) == 0
                              : plan->form == ML_FORM_OWN ||
                                    ml_environment_strips(variable, ML_STRIP_CONNECTION);
        if (wanted)
            add(s, ml_format("%s%s=%d", flavour ? "" : "!", variable, values[identity[i].fact]));
    }
    if (strcmp(MEMLOG_FLAVOUR, "openmpi") == 0)
        add_sizes_of_prrte(s, r);
}

/* MPI_INFO_ENV of Open MPI is made of these. */
static void add_command(struct settings *s, char *const *command)
{
    ML_AUTO_FREE char *arguments = ml_join(command + 1, " ");
    const char *slash = strrchr(command[0], '/');
    add(s, ml_format("OMPI_COMMAND=%s", slash ? slash + 1 : command[0]));
    if (command[1])
        add(s, ml_format("OMPI_ARGV=%s", arguments));
}

int ml_settings_pack(const struct ml_plan *plan, enum ml_launcher launcher,
                     const struct ml_settings_rank *rank, char *const *command, int allowed_cpus,
                     int running, struct ml_buffer *out)
{
    struct settings s = {out, 0};
    add(&s, ml_strdup(plan->mark));
    if (!rank)
        return s.n;
    add_identity(&s, plan, rank);
    if (launcher == ML_LAUNCHER_OPENMPI)
        add_command(&s, command);
    bool told_by_mpiexec = plan->form == ML_FORM_RANKS && launcher == ML_LAUNCHER_OPENMPI &&
                           running <= rank->local_size;
    if (!told_by_mpiexec && running > allowed_cpus)
        add(&s, ml_strdup("?OMPI_MCA_mpi_yield_when_idle=1"));
    return s.n;
}
