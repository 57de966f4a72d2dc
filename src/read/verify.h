/* Columns against the checksums with which they were written. Of src/read only. */
#ifndef ML_READ_VERIFY_H
#define ML_READ_VERIFY_H

#include <hdf5.h>
#include <stddef.h>

enum ml_verified {
    ML_VERIFIED_RIGHT,
    ML_VERIFIED_UNKNOWN, /* the column has no checksum: format 1.0 */
    ML_VERIFIED_WRONG,
    ML_VERIFIED_UNREADABLE, /* HDF5's error stack says why */
};

/* Reads all ROWS cells of CELL_B bytes of DATASET, whose type in the file is TYPE. */
enum ml_verified ml_verify(hid_t dataset, hid_t type, size_t rows, size_t cell_B);

#endif
