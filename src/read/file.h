/* Inside of struct ml_run, for src/read alone. */
#ifndef ML_READ_FILE_H
#define ML_READ_FILE_H

#include "base/intern.h"
#include "read/run.h"

#include <hdf5.h>

struct ml_run {
    char *path;
    hid_t file; /* -1: not open */
    int64_t size_B;
    struct ml_attribute *attributes;
    size_t n_attributes, capacity;
    struct ml_intern verified; /* paths of columns */
};

/* Fills RUN's list of attributes from the root group. What cannot be read is left out. */
void ml_run_load_attributes(struct ml_run *run);

/* The value of attribute NAME, or NULL. */
const char *ml_run_attribute(const struct ml_run *run, const char *name);

/* Whether PATH is a hard link: soft and external ones could lead out of the file. */
bool ml_run_is_hard_link(hid_t file, const char *path);

/* Whether a run without TABLE is none. */
bool ml_run_is_required(const char *table);

/* Whether a column's values are those that were written; OUT_KNOWN: whether it has a checksum.
 * Errors: those of reading, and that they are not. */
enum ml_status ml_run_column_verify(struct ml_run *run, const char *table, const char *name,
                                    bool *out_known, int64_t *out_values_B, struct ml_error *err);

/* The first cause on HDF5's error stack, or "unknown cause". Valid until the next call. */
const char *ml_run_hdf5_cause(void);

#endif
