#include "launch/startup.h"

#include "base/memory.h"
#include "base/own.h"
#include "flavour/program.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <mpi.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* What our own MPI, the sampler of some ranks and HDF5 have open together. */
enum { LEAST_FILES = 64 };

void ml_startup_hold_closed(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", O_RDWR | O_CLOEXEC); /* the lowest free number */
    }
}

bool ml_startup_is_closed(int fd)
{
    return fcntl(fd, F_GETFD) & FD_CLOEXEC;
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

int ml_startup_check_command(const char *command, bool here_too, struct ml_error *err)
{
    ML_AUTO_FREE char *name = ml_program_name(command, NULL, here_too), *path = NULL;
    int error = ml_program_find(name, NULL, &path);
    if (error == 0)
        return 0;
    if (error == ENOENT && command[strcspn(command, " \t")])
        ml_fail(err, ML_RUN_LOST,
                "%.150s: command not found; write it without quotes: memlog-mpi -- %.150s", command,
                command);
    else
        ml_fail(err, ML_RUN_LOST, "%.200s: %s", command,
                error == ENOENT ? "command not found" : "not an executable program");
    return error == ENOENT ? 127 : 126;
}

enum ml_status ml_startup_check_limits(struct ml_error *err)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max >= LEAST_FILES)
        return ML_OK;
    return ml_fail(err, ML_RUN_LOST, "%llu files may be open here (ulimit -n); it takes %d",
                   (unsigned long long)limit.rlim_max, LEAST_FILES);
}

#if defined(OMPI_MAJOR_VERSION) && OMPI_MAJOR_VERSION >= 5
/* Whether other hosts can be reached by IPv4. */
static bool has_ipv4(void)
{
    struct ifaddrs *all, *a;
    if (getifaddrs(&all))
        return false;
    for (a = all; a; a = a->ifa_next) {
        if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET && !(a->ifa_flags & IFF_LOOPBACK))
            break;
    }
    freeifaddrs(all);
    return a != NULL;
}

/* Open MPI 5.0 says of each peer "Unable to find reachable pairing between local and remote
 * interfaces" where a host has addresses of both families (upstream issue 14079). */
static void choose_family(void)
{
    if (has_ipv4())
        setenv("OMPI_MCA_btl_tcp_disable_family", "6", 0);
}
#else
static void choose_family(void)
{
}
#endif

void ml_startup_lighten_mpi(enum ml_launcher launcher, const char *scratch)
{
    static const char *const openmpi[][2] = {
        {"OMPI_MCA_pml", "ob1"},
        {"OMPI_MCA_btl", "tcp,vader,self"},
        {"OMPI_MCA_mpi_yield_when_idle", "1"},
        {"OMPI_MCA_coll_hcoll_enable", "0"},
        /* We have no use for shared file pointers, but 4.1 opens no file without a component for
         * them. That of sm has a semaphore which anybody can make first, /dev/shm/sem.OMPIO_FILE,
         * and then waits for ever; this one has files beside the file, which is in our folder. */
        {"OMPI_MCA_sharedfp", "individual"},
        {"OMPI_MCA_opal_warn_on_missing_libcuda", "0"},
    };
    static const char *const mpich[][2] = {
        {"UCX_TLS", "tcp,self,sm"},
        {"FI_PROVIDER", "tcp"},
    };
    setenv("HWLOC_COMPONENTS", "-gl", 0); /* see world/pmix.c */
    /* Its plugins find GPUs and other devices, for which our own MPI has no use. */
    setenv("HWLOC_PLUGINS_PATH", "/dev/null", 0);
    bool ours_is_openmpi = strcmp(MEMLOG_FLAVOUR, "openmpi") == 0;
    for (size_t i = 0; ours_is_openmpi && i < sizeof openmpi / sizeof *openmpi; i++)
        setenv(openmpi[i][0], openmpi[i][1], 1);
    for (size_t i = 0; !ours_is_openmpi && i < sizeof mpich / sizeof *mpich; i++)
        setenv(mpich[i][0], mpich[i][1], 1);
    choose_family();
    if (launcher != ML_LAUNCHER_NONE || !ours_is_openmpi)
        return;
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0); /* else Open MPI starts a daemon */
    unsetenv("SLURM_NODELIST"); /* else, in a task of srun, srun would have to speak PMI with it */
    if (*scratch) /* recorders of one user that end remove the folder that all of them would share
                   */
        setenv("OMPI_MCA_orte_tmpdir_base", scratch, 0);
}
