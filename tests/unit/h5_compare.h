/* Run files looked at through plain HDF5 calls. */
#ifndef ML_TESTS_H5_COMPARE_H
#define ML_TESTS_H5_COMPARE_H

#include "record/tables.h"

#include <hdf5.h>
#include <stdbool.h>

hid_t h5_open(const char *path);

/* The column's bytes, in the file's type; the caller frees them. NULL: not there. */
void *h5_column(hid_t file, const char *table, const char *column, size_t *out_rows,
                size_t *out_width);

/* The attribute's number, -999 if it is not there. */
int64_t h5_number(hid_t loc, const char *name);

/* Into TEXT; "" if it is not there. */
void h5_text(hid_t loc, const char *name, char *text, size_t size);

/* Whether every column of every table has equal types, bytes and checksums; says on stderr what
 * differs. */
bool h5_same_tables(const char *path_a, const char *path_b);

#endif
