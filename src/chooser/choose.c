#include "chooser/choose.h"

#include "base/memory.h"
#include "base/own.h"
#include "flavour/launchers.h"
#include "flavour/program.h"

#include <stdlib.h>
#include <string.h>

/* Enough for our options, and for env OMP_NUM_THREADS=1 ./app. */
enum { LOOKED_AT = 64 };

static bool is_sure(enum ml_which_mpi mpi)
{
    return mpi == ML_MPI_IS_OPENMPI || mpi == ML_MPI_IS_MPICH;
}

static enum ml_which_mpi mpi_of_program(const char *word)
{
    ML_AUTO_FREE char *path = NULL;
    if (*word == '-' || ml_program_find(word, NULL, &path) != 0)
        return ML_MPI_IS_UNKNOWN;
    return ml_which_mpi(path, getenv("LD_LIBRARY_PATH"));
}

enum ml_which_mpi ml_choose_mpi(int argc, char *const *argv)
{
    enum ml_which_mpi mpi = ml_launcher_mpi(ml_launcher_ours());
    for (int i = 1; i < argc && i <= LOOKED_AT && !is_sure(mpi); i++)
        mpi = mpi_of_program(argv[i]);
    return is_sure(mpi) ? mpi : ML_MPI_IS_UNKNOWN;
}

char *ml_choose_recorder(const char *folder, enum ml_which_mpi wanted)
{
    static const char *const names[] = {"openmpi", "mpich"};
    int first = wanted == ML_MPI_IS_MPICH;
    for (int i = 0; i < 2; i++) {
        ML_AUTO_FREE char *wish = ml_format("%s/memlog-mpi.%s", folder, names[first ^ i]);
        char *path;
        if (ml_program_find(wish, NULL, &path) == 0)
            return path;
    }
    return NULL;
}
