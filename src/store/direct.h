/* Compressed chunks of columns, made here and written past HDF5's cache. They are those that its
 * shuffle and deflate filters make, byte by byte, in less time: HDF5 copies each chunk four times,
 * and a chunk that has one value only is packed once. For a file that one process writes and that
 * is not MPI-IO's (H5Dwrite_chunk(3)). */
#ifndef ML_STORE_DIRECT_H
#define ML_STORE_DIRECT_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_DIRECT_LEVEL 1 /* of deflate */

struct ml_direct; /* what packs */

/* A column whose chunks are filtered by shuffle and then deflate. */
struct ml_direct_column {
    hid_t dataset;
    size_t width; /* bytes a row */
    size_t chunk_rows;
    /* The value of a chunk that has one only, and that chunk packed; NULL: none yet. */
    uint8_t *same;
    size_t same_B;
};

/* NULL: this HDF5 cannot do it, or zlib cannot. CHUNK_B: the largest chunk. */
struct ml_direct *ml_direct_open(size_t chunk_B);

/* Writes N rows from row FIRST on, where a chunk begins; the last chunk ends with zeros. */
herr_t ml_direct_write(struct ml_direct *d, struct ml_direct_column *c, const void *cells,
                       size_t first, size_t n);

void ml_direct_close(struct ml_direct *d); /* NULL is fine */

#endif
