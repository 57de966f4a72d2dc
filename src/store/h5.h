/* The HDF5 calls that every table and attribute needs. Of src/store only. */
#ifndef ML_STORE_H5_H
#define ML_STORE_H5_H

#include "base/error.h"
#include "record/tables.h"

#include <hdf5.h>

static inline void ml_own_hid(const hid_t *id)
{
    if (*id >= 0)
        H5Idec_ref(*id);
}

/* For spaces, types and property lists; files and datasets are closed after agreement. */
#define ML_AUTO_HID __attribute__((cleanup(ml_own_hid)))

/* Fills ERR with PATH, what was tried (FORMAT), and what HDF5's error stack says; returns
 * ML_RUN_LOST. */
enum ml_status ml_h5_fail(struct ml_error *err, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Versions of the format that every HDF5 since 1.8 reads. */
herr_t ml_h5_set_versions(hid_t file_access);

/* No lock files: they fail on many file systems of clusters. */
herr_t ml_h5_set_no_locking(hid_t file_access);

/* A fixed-width, NUL-terminated type; UTF8 only if there is a byte >= 0x80, for Octave cannot load
 * that tag and h5py fails without it. */
hid_t ml_h5_text_type(size_t width, bool utf8);

bool ml_h5_is_ascii(const char *text, size_t n);

/* Attributes of LOC; an old one of that name is replaced. */
herr_t ml_h5_write_text(hid_t loc, const char *name, const char *text);
herr_t ml_h5_write_int64(hid_t loc, const char *name, int64_t value);
herr_t ml_h5_write_real(hid_t loc, const char *name, double value);

/* flag_values and flag_meanings, as CF has them. */
herr_t ml_h5_write_codes(hid_t loc, const struct ml_code *codes);

#endif
