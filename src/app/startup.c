#include "app/startup.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum ml_launcher ml_startup_launcher(void)
{
    if (getenv("OMPI_COMM_WORLD_SIZE"))
        return ML_LAUNCHER_OPENMPI;
    if (getenv("PMI_FD") || getenv("PMI_PORT"))
        return ML_LAUNCHER_HYDRA;
    if (getenv("PMI_RANK") || getenv("PMIX_RANK"))
        return ML_LAUNCHER_OTHER;
    return ML_LAUNCHER_NONE;
}

bool ml_startup_speaks(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *rank = getenv(variables[i]);
        if (rank)
            return strcmp(rank, "0") == 0;
    }
    return true;
}

enum ml_status ml_startup_check_launcher(enum ml_launcher launcher, struct ml_error *err)
{
    bool ours_is_openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    if (launcher == ML_LAUNCHER_HYDRA && ours_is_openmpi)
        return ml_fail(err, ML_RUN_LOST,
                       "started by MPICH's mpiexec (Hydra), but built for Open MPI; use Open MPI's "
                       "mpiexec, or the memlog-mpi that is built for MPICH");
    if (launcher == ML_LAUNCHER_OPENMPI && !ours_is_openmpi)
        return ml_fail(
            err, ML_RUN_LOST,
            "started by Open MPI's mpiexec, but built for MPICH; use MPICH's mpiexec, or "
            "the memlog-mpi that is built for Open MPI");
    return ML_OK;
}

/* 0, EACCES or ENOENT for one candidate. */
static int try_program(const char *path)
{
    struct stat s;
    if (stat(path, &s))
        return errno == EACCES ? EACCES : ENOENT;
    return S_ISREG(s.st_mode) && access(path, X_OK) == 0 ? 0 : EACCES;
}

static int search_path(const char *command)
{
    const char *path = getenv("PATH");
    ML_AUTO_FREE char *copy = ml_strdup(path ? path : "/bin:/usr/bin");
    int worst = ENOENT;
    for (char *rest = copy, *folder; (folder = strsep(&rest, ":"));) {
        ML_AUTO_FREE char *candidate = ml_format("%s/%s", *folder ? folder : ".", command);
        int error = try_program(candidate);
        if (error == 0)
            return 0;
        if (error == EACCES)
            worst = EACCES;
    }
    return worst;
}

int ml_startup_check_command(const char *command, struct ml_error *err)
{
    int error = strchr(command, '/') ? try_program(command) : search_path(command);
    if (error == 0)
        return 0;
    ml_fail(err, ML_RUN_LOST, "%.200s: %s", command,
            error == ENOENT ? "command not found" : "not an executable program");
    return error == ENOENT ? 127 : 126;
}

void ml_startup_lighten_mpi(enum ml_launcher launcher)
{
    static const char *const openmpi[][2] = {
        {"OMPI_MCA_pml", "ob1"},
        {"OMPI_MCA_btl", "tcp,vader,self"},
        {"OMPI_MCA_mpi_yield_when_idle", "1"},
        {"OMPI_MCA_coll_hcoll_enable", "0"},
        {"OMPI_MCA_opal_warn_on_missing_libcuda", "0"},
    };
    static const char *const mpich[][2] = {
        {"UCX_TLS", "tcp,self,sm"},
        {"FI_PROVIDER", "tcp"},
    };
    bool ours_is_openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    for (size_t i = 0; ours_is_openmpi && i < sizeof openmpi / sizeof *openmpi; i++)
        setenv(openmpi[i][0], openmpi[i][1], 1);
    for (size_t i = 0; !ours_is_openmpi && i < sizeof mpich / sizeof *mpich; i++)
        setenv(mpich[i][0], mpich[i][1], 1);
    if (launcher == ML_LAUNCHER_NONE && ours_is_openmpi)
        setenv("OMPI_MCA_ess_singleton_isolated", "1", 0); /* no daemon for one process */
}

enum { HOST_NAME_SIZE = 256 };

/* The node file's text at rank 0 for all; a NULL file where there is none. */
static enum ml_status share_nodefile(const struct ml_options *options, int rank,
                                     struct ml_nodefile **out_file, struct ml_error *err,
                                     struct ml_error *out_warning)
{
    const char *path = *options->nodefile ? options->nodefile : getenv("PBS_NODEFILE");
    struct ml_nodefile *file = NULL;
    struct ml_error why = {""};
    int status = ML_OK;
    if (rank == 0 && path) {
        file = ml_alloc(sizeof *file);
        status = (int)ml_nodefile_read(path, file, &why);
        if (status != ML_OK) {
            free(file);
            file = NULL;
        }
    }
    bool demanded = *options->nodefile;
    if (status != ML_OK && !demanded) {
        ml_fail(out_warning, ML_OK, "%.400s; the nodes are those that MPI names", why.text);
        status = ML_OK;
    } else if (rank == 0 && !path && getenv("PBS_JOBID")) {
        ml_fail(out_warning, ML_OK,
                "PBS_NODEFILE is not set although this is a PBS job; the nodes are those that MPI "
                "names");
    }
    MPI_Bcast(&status, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Bcast(why.text, sizeof why.text, MPI_CHAR, 0, MPI_COMM_WORLD);
    *out_file = file;
    if (status != ML_OK)
        return ml_fail(err, ML_RUN_LOST, "--nodefile: %.480s", why.text);
    return ML_OK;
}

static void share_layout(struct ml_layout *layout, int rank)
{
    int counts[2] = {layout->n_nodes, layout->n_ranks};
    MPI_Bcast(counts, 2, MPI_INT, 0, MPI_COMM_WORLD);
    if (rank != 0) {
        layout->n_nodes = counts[0];
        layout->n_ranks = counts[1];
        layout->nodes = ml_alloc((size_t)counts[0] * sizeof *layout->nodes);
        layout->node_of = ml_alloc((size_t)counts[1] * sizeof *layout->node_of);
    }
    MPI_Bcast(layout->node_of, counts[1], MPI_INT, 0, MPI_COMM_WORLD);
    for (int i = 0; i < layout->n_nodes; i++) {
        struct ml_layout_node *node = &layout->nodes[i];
        char name[HOST_NAME_SIZE] = "";
        int numbers[3] = {node->sampler, node->ranks, node->slots};
        if (rank == 0)
            snprintf(name, sizeof name, "%s", node->name);
        MPI_Bcast(name, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);
        MPI_Bcast(numbers, 3, MPI_INT, 0, MPI_COMM_WORLD);
        if (rank != 0)
            *node = (struct ml_layout_node){ml_strdup(name), numbers[0], numbers[1], numbers[2]};
    }
}

/* Rank 0 hears every rank's host and leader, and tells all what follows from it. */
static void make_layout(const struct ml_nodefile *file, struct ml_place *place)
{
    char name[HOST_NAME_SIZE] = "";
    int leader = place->rank;
    gethostname(name, sizeof name - 1);
    MPI_Bcast(&leader, 1, MPI_INT, 0, place->node_comm);
    ML_AUTO_FREE char *names = NULL;
    ML_AUTO_FREE int *leaders = NULL;
    if (place->rank == 0) {
        names = ml_alloc((size_t)place->size * HOST_NAME_SIZE);
        leaders = ml_alloc((size_t)place->size * sizeof *leaders);
    }
    MPI_Gather(name, sizeof name, MPI_CHAR, names, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);
    MPI_Gather(&leader, 1, MPI_INT, leaders, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (place->rank == 0) {
        ML_AUTO_FREE const char **hosts = ml_alloc((size_t)place->size * sizeof *hosts);
        for (int r = 0; r < place->size; r++)
            hosts[r] = names + (size_t)r * HOST_NAME_SIZE;
        struct ml_error warning = {""};
        ml_layout_make(file, place->size, hosts, leaders, &place->layout, &warning);
        if (*warning.text)
            place->warning = warning;
    }
    share_layout(&place->layout, place->rank);
}

static void find_hosts(struct ml_place *place)
{
    const struct ml_layout *layout = &place->layout;
    place->node = layout->node_of[place->rank];
    place->node_of_host = ml_alloc((size_t)layout->n_nodes * sizeof(int));
    for (int i = 0; i < layout->n_nodes; i++) {
        if (layout->nodes[i].sampler < 0)
            continue;
        if (i == place->node)
            place->host = place->n_hosts;
        if (i == layout->node_of[0])
            place->root_host = place->n_hosts;
        place->node_of_host[place->n_hosts++] = i;
    }
}

enum ml_status ml_startup_find_place(const struct ml_options *options, struct ml_place *out_place,
                                     struct ml_error *err)
{
    struct ml_place *place = out_place;
    *place = (struct ml_place){.samplers = MPI_COMM_NULL};
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &place->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &place->size);
    struct ml_nodefile *file = NULL;
    enum ml_status status = share_nodefile(options, place->rank, &file, err, &place->warning);
    if (status != ML_OK)
        return status;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, place->rank, MPI_INFO_NULL,
                        &place->node_comm);
    make_layout(file, place);
    find_hosts(place);
    bool sampling = place->layout.nodes[place->node].sampler == place->rank;
    MPI_Comm_split(MPI_COMM_WORLD, sampling ? 0 : MPI_UNDEFINED, place->host, &place->samplers);
    if (file) {
        ml_nodefile_free(file);
        free(file);
    }
    return ML_OK;
}
