/* The phases of a run, by its events: MPI_Init, MPI_Finalize and the regions that it names. */
#ifndef ML_READ_PHASES_H
#define ML_READ_PHASES_H

#include "read/run.h"

struct ml_run_phase {
    char *name; /* owned */
    int64_t begin_ns, end_ns;
};

struct ml_run_phases {
    struct ml_run_phase *list; /* in order of their begin */
    size_t n, capacity;
};

/* Those of the lowest rank that has any, in OUT_PHASES. One whose end was not recorded lasts until
 * END_NS. RANKS: to which each of RUN's processes belongs (ml_owner_ranks). */
enum ml_status ml_run_phases_read(struct ml_run *run, const int32_t *ranks, size_t n_processes,
                                  int64_t end_ns, struct ml_run_phases *out_phases,
                                  struct ml_error *err);

void ml_run_phases_free(struct ml_run_phases *phases);

#endif
