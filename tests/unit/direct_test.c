/* Chunks that are packed past HDF5 are those that its own filters make. */
#include "store/direct.h"

#include "base/memory.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CHUNK_ROWS = 4096, ROWS = 5 * CHUNK_ROWS + 77 };

static char folder[] = "/tmp/memlog-direct-XXXXXX";
static hid_t file = H5I_INVALID_HID;

static int open_file(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    ML_AUTO_FREE char *path = ml_format("%s/x.h5", folder);
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    unlink(path);
    return file < 0 || rmdir(folder);
}

static int close_file(void **state)
{
    (void)state;
    return H5Fclose(file) < 0;
}

static hid_t make(const char *name, size_t width)
{
    hsize_t rows = ROWS, chunk = CHUNK_ROWS;
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &rows, NULL);
    hid_t type = H5Tcreate(H5T_OPAQUE, width);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    H5Pset_chunk(list, 1, &chunk);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, ML_DIRECT_LEVEL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Tclose(type);
    H5Sclose(space);
    H5Pclose(list);
    return dataset;
}

/* Chunks 1, 2 and 4 have one value each, the first two the same; the last chunk is a part. */
static uint8_t *make_cells(size_t width)
{
    uint8_t *cells = ml_realloc_array(NULL, ROWS, width);
    for (size_t i = 0; i < ROWS; i++) {
        size_t chunk = i / CHUNK_ROWS;
        uint32_t value = chunk == 1 || chunk == 2 ? 7U
                         : chunk == 4             ? 9U
                                                  : (uint32_t)i * 2654435761U;
        for (size_t byte = 0; byte < width; byte++)
            cells[i * width + byte] = (uint8_t)(value >> 8 * (byte % 4));
    }
    return cells;
}

static herr_t read_chunk(hid_t dataset, hsize_t row, uint32_t *mask, uint8_t *out, size_t n)
{
#if H5_VERSION_GE(2, 0, 0)
    return H5Dread_chunk2(dataset, H5P_DEFAULT, &row, mask, out, &n);
#else
    (void)n;
    return H5Dread_chunk(dataset, H5P_DEFAULT, &row, mask, out);
#endif
}

static void check_chunks(hid_t by_hdf5, hid_t by_us)
{
    for (hsize_t row = 0; row < ROWS; row += CHUNK_ROWS) {
        hsize_t theirs_B, ours_B;
        uint32_t theirs_mask, ours_mask;
        assert_true(H5Dget_chunk_storage_size(by_hdf5, &row, &theirs_B) >= 0);
        assert_true(H5Dget_chunk_storage_size(by_us, &row, &ours_B) >= 0);
        assert_int_equal(theirs_B, ours_B);
        ML_AUTO_FREE uint8_t *theirs = ml_alloc(theirs_B), *ours = ml_alloc(ours_B);
        assert_true(read_chunk(by_hdf5, row, &theirs_mask, theirs, theirs_B) >= 0);
        assert_true(read_chunk(by_us, row, &ours_mask, ours, ours_B) >= 0);
        assert_int_equal(theirs_mask, ours_mask);
        assert_memory_equal(theirs, ours, ours_B);
    }
}

/* In two pieces, as rounds come. */
static void chunks_of(const char *name, size_t width)
{
    ML_AUTO_FREE uint8_t *cells = make_cells(width), *back = ml_alloc(ROWS * width);
    ML_AUTO_FREE char *other = ml_format("%s by HDF5", name);
    hid_t by_us = make(name, width), by_hdf5 = make(other, width);
    hid_t type = H5Dget_type(by_us);
    struct ml_direct_column c = {.dataset = by_us, .width = width, .chunk_rows = CHUNK_ROWS};
    struct ml_direct *d = ml_direct_open(CHUNK_ROWS * width);
    assert_non_null(d);
    size_t first = 2 * (size_t)CHUNK_ROWS;
    assert_int_equal(ml_direct_write(d, &c, cells, 0, first), 0);
    assert_int_equal(ml_direct_write(d, &c, cells + first * width, first, ROWS - first), 0);
    ml_direct_close(d);
    free(c.same);
    assert_true(H5Dwrite(by_hdf5, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) >= 0);
    H5Fflush(file, H5F_SCOPE_LOCAL);
    check_chunks(by_hdf5, by_us);
    assert_true(H5Dread(by_us, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, back) >= 0);
    assert_memory_equal(back, cells, ROWS * width);
    H5Tclose(type);
    H5Dclose(by_us);
    H5Dclose(by_hdf5);
}

static void numbers(void **state)
{
    (void)state;
    chunks_of("numbers", sizeof(int64_t));
    chunks_of("small numbers", sizeof(int32_t));
}

static void codes(void **state)
{
    (void)state;
    chunks_of("codes", 1);
}

static void texts(void **state)
{
    (void)state;
    chunks_of("texts", 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(codes),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, open_file, close_file);
}
