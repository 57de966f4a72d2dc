/* The few collective operations that writing the file needs. Every member calls each of them in
 * the same order. */
#ifndef ML_STORE_TEAM_H
#define ML_STORE_TEAM_H

#include "base/error.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ml_team {
    int member; /* number of this one */
    int size;
    void *context;
    int failed;         /* code of the first call that failed: agree() then says so */
    bool writes_chunks; /* past HDF5: the file is not MPI-IO's (store/direct.h) */
    /* Sum of the lower members' VALUE; OUT_TOTAL gets the sum of all. */
    int64_t (*offset)(struct ml_team *team, int64_t value, int64_t *out_total);
    /* The same for each of N values; OUT_BEFORE and OUT_TOTALS have N elements too. */
    void (*offsets)(struct ml_team *team, const int64_t *values, size_t n, int64_t *out_before,
                    int64_t *out_totals);
    int64_t (*largest)(struct ml_team *team, int64_t value);
    /* One value of each member, in their order, into OUT_VALUES[size]. */
    void (*share)(struct ml_team *team, int64_t value, int64_t *out_values);
    /* N bytes of MEMBER for all. */
    void (*broadcast)(struct ml_team *team, int member, void *bytes, size_t n);
    /* To member i go COUNTS[i] of BYTES, which lie one after the other. Returns what comes from
     * all, in their order, OUT_COUNTS[size] bytes of each; the caller frees it. Any sizes; beside
     * the two lies no more than 32 MiB. When it fails what comes is unfit to be looked at: agree()
     * first. */
    void *(*exchange)(struct ml_team *team, const void *bytes, const size_t *counts,
                      size_t *out_counts);
    /* Worst status of all; its text becomes everybody's (of the lowest member that has it). */
    enum ml_status (*agree)(struct ml_team *team, enum ml_status status, struct ml_error *err);
    hid_t (*file_access)(struct ml_team *team); /* a property list; the caller closes it */
    hid_t (*transfer)(struct ml_team *team);    /* collective where there is more than one */
};

/* A team of one. */
void ml_team_solo(struct ml_team *out_team);

#endif
