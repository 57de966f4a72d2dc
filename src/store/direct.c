#include "store/direct.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct ml_direct {
    z_stream deflate;
    uint8_t *shuffled, *packed;
    size_t room; /* of packed */
};

struct ml_direct *ml_direct_open(size_t chunk_B)
{
#if H5_VERSION_GE(1, 10, 3)
    struct ml_direct *d = ml_alloc(sizeof *d);
    if (deflateInit(&d->deflate, ML_DIRECT_LEVEL) == Z_OK) {
        d->room = deflateBound(&d->deflate, chunk_B);
        d->shuffled = ml_realloc_array(NULL, chunk_B, 1);
        d->packed = ml_realloc_array(NULL, d->room, 1);
        return d;
    }
    free(d);
#endif
    (void)chunk_B;
    return NULL;
}

void ml_direct_close(struct ml_direct *d)
{
    if (!d)
        return;
    deflateEnd(&d->deflate);
    free(d->shuffled);
    free(d->packed);
    free(d);
}

/* Exchanges the bytes of A that lie BITS above those of MASK with those of B in MASK. */
static inline void exchange(uint64_t *a, uint64_t *b, unsigned bits, uint64_t mask)
{
    uint64_t differ = (*a >> bits ^ *b) & mask;
    *b ^= differ;
    *a ^= differ << bits;
}

/* Eight cells of eight bytes as eight words, of all first bytes and so on: a matrix of bytes is
 * turned by exchanging blocks of 4, 2 and 1. */
static inline void turn(uint64_t words[8])
{
    for (int i = 0; i < 4; i++)
        exchange(&words[i], &words[i + 4], 32, 0x00000000ffffffff);
    for (int i = 0; i < 8; i += i % 4 == 1 ? 3 : 1)
        exchange(&words[i], &words[i + 2], 16, 0x0000ffff0000ffff);
    for (int i = 0; i < 8; i += 2)
        exchange(&words[i], &words[i + 1], 8, 0x00ff00ff00ff00ff);
}

/* Returns how many cells of eight bytes it has shuffled: as many as there are whole eights. */
static size_t shuffle_eights(uint8_t *out, const uint8_t *cells, size_t n, size_t rows)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t words[8];
        memcpy(words, cells + i * 8, sizeof words);
        turn(words);
        for (size_t byte = 0; byte < 8; byte++)
            memcpy(out + byte * rows + i, &words[byte], 8);
    }
    return i;
}

/* All first bytes, then all second ones, ...: H5Pset_shuffle(3). */
static void shuffle(uint8_t *out, const uint8_t *cells, size_t width, size_t n, size_t rows)
{
    size_t done = width == 8 ? shuffle_eights(out, cells, n, rows) : 0;
    for (size_t byte = 0; byte < width; byte++) {
        for (size_t i = done; i < n; i++)
            out[i] = cells[i * width + byte];
        memset(out + n, 0, rows - n);
        out += rows;
    }
}

/* N cells as a chunk of the column; returns its length, 0 after an error. */
static size_t pack(struct ml_direct *d, const struct ml_direct_column *c, const uint8_t *cells,
                   size_t n)
{
    size_t chunk_B = c->chunk_rows * c->width;
    shuffle(d->shuffled, cells, c->width, n, c->chunk_rows);
    if (deflateReset(&d->deflate) != Z_OK)
        return 0;
    d->deflate.next_in = d->shuffled;
    d->deflate.avail_in = (uInt)chunk_B;
    d->deflate.next_out = d->packed;
    d->deflate.avail_out = (uInt)d->room;
    if (deflate(&d->deflate, Z_FINISH) != Z_STREAM_END)
        return 0;
    return d->room - d->deflate.avail_out;
}

static bool has_one_value(const struct ml_direct_column *c, const uint8_t *cells, size_t n)
{
    return n == c->chunk_rows && memcmp(cells, cells + c->width, (n - 1) * c->width) == 0;
}

static herr_t put(const struct ml_direct_column *c, const uint8_t *chunk, size_t n, size_t row)
{
#if H5_VERSION_GE(1, 10, 3)
    hsize_t offset = row;
    return n ? H5Dwrite_chunk(c->dataset, H5P_DEFAULT, 0, &offset, n, chunk) : -1;
#else
    (void)c, (void)chunk, (void)n, (void)row;
    return -1;
#endif
}

/* Keeps what is packed as the chunk of the one value that CELLS have. */
static void remember(struct ml_direct *d, struct ml_direct_column *c, const uint8_t *cells,
                     size_t n)
{
    c->same = ml_realloc_array(c->same, c->width + n, 1);
    c->same_B = n;
    memcpy(c->same, cells, c->width);
    memcpy(c->same + c->width, d->packed, n);
}

static herr_t write_chunk(struct ml_direct *d, struct ml_direct_column *c, const uint8_t *cells,
                          size_t n, size_t row)
{
    bool one_value = has_one_value(c, cells, n);
    if (one_value && c->same && memcmp(c->same, cells, c->width) == 0)
        return put(c, c->same + c->width, c->same_B, row);
    size_t packed_B = pack(d, c, cells, n);
    if (one_value && packed_B)
        remember(d, c, cells, packed_B);
    return put(c, d->packed, packed_B, row);
}

herr_t ml_direct_write(struct ml_direct *d, struct ml_direct_column *c, const void *cells,
                       size_t first, size_t n)
{
    const uint8_t *p = cells;
    for (size_t row = 0; row < n; row += c->chunk_rows) {
        size_t rows = n - row < c->chunk_rows ? n - row : c->chunk_rows;
        if (write_chunk(d, c, p + row * c->width, rows, first + row) < 0)
            return -1;
    }
    return 0;
}
