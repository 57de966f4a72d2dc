/* HDF5 has faults of its own on damaged files (1.10.8: bad pointers, divisions by zero). They are
 * told apart from ours, so that a person hears what is wrong. */
#ifndef ML_READ_HDF5_CRASH_H
#define ML_READ_HDF5_CRASH_H

#include <stdbool.h>

/* Loads what ml_hdf5_has_crashed needs, which a signal handler must not. */
void ml_hdf5_crash_prepare(void);

/* In the handler of SIGSEGV and the like: whether the innermost function that is not of the C
 * library or zlib is HDF5's. Where HDF5 is linked in statically that is not known: false. */
bool ml_hdf5_has_crashed(void);

#endif
