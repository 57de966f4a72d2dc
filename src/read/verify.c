#include "read/verify.h"

#include "base/memory.h"
#include "base/own.h"
#include "record/checksum.h"

#define SLICE_B (1 << 20)

/* The text of DATASET's attribute; empty: it is no such text. */
static void read_text(hid_t dataset, char out[ML_CHECKSUM_TEXT_B])
{
    out[0] = 0;
    hid_t attribute = H5Aopen(dataset, ML_CHECKSUM_NAME, H5P_DEFAULT);
    hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
    if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
        H5Tget_size(type) == ML_CHECKSUM_TEXT_B &&
        H5Aget_storage_size(attribute) == ML_CHECKSUM_TEXT_B && H5Aread(attribute, type, out) < 0)
        out[0] = 0;
    out[ML_CHECKSUM_TEXT_B - 1] = 0;
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
}

static bool add_slice(hid_t dataset, hid_t type, hsize_t first, hsize_t n, size_t cell_B,
                      void *cells, uint64_t *in_out_sum)
{
    hid_t in_file = H5Dget_space(dataset), in_memory = H5Screate_simple(1, &n, NULL);
    bool read = in_file >= 0 && in_memory >= 0 &&
                H5Sselect_hyperslab(in_file, H5S_SELECT_SET, &first, NULL, &n, NULL) >= 0 &&
                H5Dread(dataset, type, in_memory, in_file, H5P_DEFAULT, cells) >= 0;
    if (read)
        *in_out_sum += ml_checksum(cells, cell_B, first, n);
    if (in_memory >= 0)
        H5Sclose(in_memory);
    if (in_file >= 0)
        H5Sclose(in_file);
    return read;
}

enum ml_verified ml_verify(hid_t dataset, hid_t type, size_t rows, size_t cell_B)
{
    char text[ML_CHECKSUM_TEXT_B];
    uint64_t wanted, sum = 0;
    htri_t exists = H5Aexists(dataset, ML_CHECKSUM_NAME);
    if (exists == 0)
        return ML_VERIFIED_UNKNOWN;
    read_text(dataset, text);
    if (exists < 0 || !ml_checksum_parse(text, &wanted))
        return ML_VERIFIED_WRONG;
    size_t slice = SLICE_B / cell_B + 1;
    ML_AUTO_FREE void *cells = ml_realloc_array(NULL, rows < slice ? rows + 1 : slice, cell_B);
    for (size_t first = 0; first < rows; first += slice) {
        size_t n = rows - first < slice ? rows - first : slice;
        if (!add_slice(dataset, type, first, n, cell_B, cells, &sum))
            return ML_VERIFIED_UNREADABLE;
    }
    return sum == wanted ? ML_VERIFIED_RIGHT : ML_VERIFIED_WRONG;
}
