#include "recorder/about.h"

#include "base/own.h"
#include "launch/schedulers.h"
#include "recorder/hooks.h"
#include "store/store.h"
#include "version.h"
#include "world/pmix.h"

#include <mpi.h>
#include <string.h>

void ml_about_mpi(char *out, size_t size)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int n;
    MPI_Get_library_version(version, &n);
    version[strcspn(version, ",\n")] = 0;
    for (char *p = version; *p; p++) {
        if (*p == '\t')
            *p = ' ';
    }
    snprintf(out, size, "%s", version);
}

void ml_about_print(FILE *file)
{
    char mpi[200], hdf5[40];
    const struct ml_scheduler *scheduler = ml_scheduler_ours();
    const char *job = ml_scheduler_job();
    ML_AUTO_FREE char *hooks = ml_hooks_folder();
    ml_about_mpi(mpi, sizeof mpi);
    ml_store_library(hdf5, sizeof hdf5);
    fprintf(file, "memlog-mpi %s for %s\nMPI: %s\nHDF5: %s\nPMIx: %s\nhooks: %s\n", MEMLOG_VERSION,
            MEMLOG_FLAVOUR, mpi, hdf5, ml_pmix_built() ? "yes" : "no", hooks ? hooks : "");
    if (job)
        fprintf(file, "job: %s %s\n", scheduler->name, job);
}
