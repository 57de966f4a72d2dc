/* memlog-mpi, where recorders are installed: becomes that of the MPI whose mpiexec started it. */
#include "base/log.h"
#include "base/own.h"
#include "chooser/choose.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_OURS = 70 };

static void find_folder(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    out[n > 0 ? n : 0] = 0;
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = 0;
}

int main(int argc, char **argv)
{
    char folder[PATH_MAX];
    ml_log_setup("memlog-mpi", NULL, ML_LOG_ERROR);
    find_folder(folder, sizeof folder);
    ML_AUTO_FREE char *recorder = ml_choose_recorder(folder, ml_choose_mpi(argc, argv));
    if (!recorder) {
        ml_log(ML_LOG_ERROR,
               "neither memlog-mpi.openmpi nor memlog-mpi.mpich is in %.300s; install memlog-mpi "
               "again, for the MPI that is wanted",
               folder);
        return EXIT_OURS;
    }
    execv(recorder, argv);
    ml_log(ML_LOG_ERROR, "start %.300s: %s", recorder, strerror(errno));
    return EXIT_OURS;
}
