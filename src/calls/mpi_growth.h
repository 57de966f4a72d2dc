/* In which phases and MPI calls a process's memory grew, from what was seen of it. Pure. */
#ifndef ML_CALLS_MPI_GROWTH_H
#define ML_CALLS_MPI_GROWTH_H

#include <stddef.h>
#include <stdint.h>

struct ml_mpi_growth_entry {
    uint32_t phase;
    int call; /* 0: outside of MPI */
    int64_t grown_B;
};

struct ml_mpi_growth {
    struct ml_mpi_growth_entry *entries;
    size_t n, capacity;
    int call;         /* at the last look; 0: none */
    int64_t rss_B;    /* then */
    int64_t known_ns; /* when that was */
};

/* At NS the process was in CALL (0: none; -1: unknown) of PHASE and had RSS_B. Growth counts to a
 * call where this look and the one before found the process in MPI, else to what is outside; what
 * is older than the last look is nothing new. */
void ml_mpi_growth_look(struct ml_mpi_growth *growth, int64_t ns, uint32_t phase, int call,
                        int64_t rss_B);

/* At NS, which the process itself measured, CALL began a phase or was over, with RSS_B. */
void ml_mpi_growth_enter(struct ml_mpi_growth *growth, int64_t ns, uint32_t phase_before, int call,
                         int64_t rss_B);
void ml_mpi_growth_leave(struct ml_mpi_growth *growth, int64_t ns, uint32_t phase, int call,
                         int64_t rss_B);

/* Another process takes the place of one that has ended. */
void ml_mpi_growth_restart(struct ml_mpi_growth *growth);

/* 0 where nothing was seen. */
int64_t ml_mpi_growth_of(const struct ml_mpi_growth *growth, uint32_t phase, int call);

void ml_mpi_growth_free(struct ml_mpi_growth *growth);

#endif
