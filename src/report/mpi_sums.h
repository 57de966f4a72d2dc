/* What a run did in MPI, summed over its ranks. */
#ifndef ML_REPORT_MPI_SUMS_H
#define ML_REPORT_MPI_SUMS_H

#include "base/error.h"
#include "report/facts.h"

/* Of a function, or of a phase. */
struct ml_mpi_sum {
    char *name;
    int64_t calls, messages, sent_B;
    double time_s, longest_s;
    int64_t inside_B, grown_B; /* growth of memory seen inside of MPI; of a phase: all growth */
};

struct ml_mpi_sums {
    struct ml_mpi_sum *calls; /* that were called, by time, the most first */
    size_t n_calls;
    struct ml_mpi_sum *phases; /* in the order of the first rank */
    size_t n_phases, phase_capacity;
    double time_s, rank_s; /* in MPI; for which its ranks ran */
};

/* FACTS is of RUN. A run without /mpi, or without rows there, has no sums. */
enum ml_status ml_mpi_sums_gather(struct ml_run *run, const struct ml_facts *facts,
                                  struct ml_mpi_sums *out_sums, struct ml_error *err);

void ml_mpi_sums_free(struct ml_mpi_sums *sums);

#endif
