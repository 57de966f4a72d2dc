#include "launch/settings.h"

#include "base/memory.h"
#include "base/pack.h"

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

/* What scripts read to learn their rank, in the words of the mpiexec that the user knows. */
static void add_identity(struct settings *s, const struct ml_plan *plan,
                         const struct ml_settings_rank *r)
{
    if (strcmp(MEMLOG_FLAVOUR, "openmpi") == 0) {
        add(s, ml_format("OMPI_COMM_WORLD_RANK=%d", r->rank));
        add(s, ml_format("OMPI_COMM_WORLD_SIZE=%d", r->size));
        add(s, ml_format("OMPI_COMM_WORLD_LOCAL_RANK=%d", r->local_rank));
        add(s, ml_format("OMPI_COMM_WORLD_LOCAL_SIZE=%d", r->local_size));
        add(s, ml_format("OMPI_COMM_WORLD_NODE_RANK=%d", r->local_rank));
        add(s, ml_format("OMPI_UNIVERSE_SIZE=%d", plan->world.universe_size));
        add_sizes_of_prrte(s, r);
    } else {
        add(s, ml_format("MPI_LOCALRANKID=%d", r->local_rank));
        add(s, ml_format("MPI_LOCALNRANKS=%d", r->local_size));
    }
}

/* MPI_INFO_ENV of Open MPI is made of these. */
static void add_command(struct settings *s, char *const *command)
{
    struct ml_buffer arguments = {0};
    for (char *const *word = command + 1; *word; word++)
        ml_buffer_printf(&arguments, "%s%s", word == command + 1 ? "" : " ", *word);
    ml_buffer_append(&arguments, "", 1);
    add(s, ml_format("OMPI_COMMAND=%s", command[0]));
    if (command[1])
        add(s, ml_format("OMPI_ARGV=%s", arguments.data));
    ml_buffer_free(&arguments);
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
