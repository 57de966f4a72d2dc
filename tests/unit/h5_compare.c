#include "h5_compare.h"

#include "base/memory.h"
#include "base/own.h"

#include <string.h>

hid_t h5_open(const char *path)
{
    return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

void *h5_column(hid_t file, const char *table, const char *column, size_t *out_rows,
                size_t *out_width)
{
    ML_AUTO_FREE char *name = ml_format("%s/%s", table, column);
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset < 0)
        return NULL;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    *out_rows = (size_t)H5Sget_simple_extent_npoints(space);
    *out_width = H5Tget_size(type);
    char *bytes = ml_alloc(*out_rows * *out_width);
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0) {
        free(bytes);
        bytes = NULL;
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
    return bytes;
}

int64_t h5_number(hid_t loc, const char *name)
{
    int64_t value = -999;
    hid_t attribute = H5Aopen(loc, name, H5P_DEFAULT);
    if (attribute >= 0) {
        H5Aread(attribute, H5T_NATIVE_INT64, &value);
        H5Aclose(attribute);
    }
    return value;
}

void h5_text(hid_t loc, const char *name, char *text, size_t size)
{
    memset(text, 0, size);
    hid_t attribute = H5Aopen(loc, name, H5P_DEFAULT);
    if (attribute < 0)
        return;
    hid_t type = H5Aget_type(attribute);
    if (H5Tget_size(type) <= size)
        H5Aread(attribute, type, text);
    H5Tclose(type);
    H5Aclose(attribute);
}

static bool same_type_and_checksum(hid_t a, hid_t b, const char *name)
{
    char p[32], q[32];
    hid_t x = H5Dopen2(a, name, H5P_DEFAULT), y = H5Dopen2(b, name, H5P_DEFAULT);
    hid_t s = H5Dget_type(x), t = H5Dget_type(y);
    h5_text(x, "checksum", p, sizeof p);
    h5_text(y, "checksum", q, sizeof q);
    bool same = H5Tequal(s, t) > 0 && *p && strcmp(p, q) == 0;
    H5Tclose(s);
    H5Tclose(t);
    H5Dclose(x);
    H5Dclose(y);
    return same;
}

static bool same_column(hid_t a, hid_t b, const char *table, const char *column)
{
    size_t n = 0, m = 0, v = 0, w = 0;
    ML_AUTO_FREE char *name = ml_format("%s/%s", table, column);
    ML_AUTO_FREE char *x = h5_column(a, table, column, &n, &v);
    ML_AUTO_FREE char *y = h5_column(b, table, column, &m, &w);
    bool same =
        x && y && n == m && v == w && !memcmp(x, y, n * v) && same_type_and_checksum(a, b, name);
    if (!same)
        fprintf(stderr, "%s differs (%zu rows of %zu bytes, %zu of %zu)\n", name, n, v, m, w);
    return same;
}

bool h5_same_tables(const char *path_a, const char *path_b)
{
    hid_t a = h5_open(path_a), b = h5_open(path_b);
    bool same = a >= 0 && b >= 0;
    for (const struct ml_table *const *t = ml_tables; same && *t; t++) {
        for (size_t i = 0; i < (*t)->n_columns; i++)
            same &= same_column(a, b, (*t)->name, (*t)->columns[i].name);
    }
    H5Fclose(a);
    H5Fclose(b);
    return same;
}
