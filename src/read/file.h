/* Inside of struct ml_run, for src/read alone. */
#ifndef ML_READ_FILE_H
#define ML_READ_FILE_H

#include "read/run.h"

#include <hdf5.h>

struct ml_run {
    char *path;
    hid_t file; /* -1: not open */
    int64_t size_B;
    struct ml_attribute *attributes;
    size_t n_attributes, capacity;
};

/* Fills RUN's list of attributes from the root group. What cannot be read is left out. */
void ml_run_load_attributes(struct ml_run *run);

/* The value of attribute NAME, or NULL. */
const char *ml_run_attribute(const struct ml_run *run, const char *name);

/* The first cause on HDF5's error stack, or "unknown cause". Valid until the next call. */
const char *ml_run_hdf5_cause(void);

#endif
