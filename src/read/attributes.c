/* The root group's attributes as texts. */
#include "base/memory.h"
#include "base/own.h"
#include "read/file.h"

#include <string.h>

#define MAX_ATTRIBUTES 1024
#define MAX_TEXT_B (1 << 20)

static char *read_variable_text(hid_t attribute, hid_t type)
{
    char *text = NULL;
    if (H5Aread(attribute, type, &text) < 0 || !text)
        return NULL;
    char *copy = ml_strdup(text);
    H5free_memory(text);
    return copy;
}

static char *read_text(hid_t attribute, hid_t type)
{
    if (H5Tis_variable_str(type) > 0)
        return read_variable_text(attribute, type);
    size_t width = H5Tget_size(type);
    if (width == 0 || width > MAX_TEXT_B || H5Aget_storage_size(attribute) < width)
        return NULL;
    char *text = ml_alloc(width + 1);
    if (H5Aread(attribute, type, text) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

static char *read_integer(hid_t attribute)
{
    int64_t value;
    return H5Aread(attribute, H5T_NATIVE_INT64, &value) < 0 ? NULL
                                                            : ml_format("%lld", (long long)value);
}

static char *read_real(hid_t attribute)
{
    double value;
    return H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) < 0 ? NULL : ml_format("%.17g", value);
}

/* The one value of ATTRIBUTE as text, for the caller to free; NULL if it is something else. */
static char *read_value(hid_t attribute, enum ml_kind *out_kind)
{
    char *text = NULL;
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    if (type < 0 || space < 0 || H5Sget_simple_extent_npoints(space) != 1)
        goto done;
    switch (H5Tget_class(type)) {
    case H5T_STRING:
        *out_kind = ML_TEXT;
        text = read_text(attribute, type);
        break;
    case H5T_INTEGER:
        *out_kind = ML_INT64;
        text = read_integer(attribute);
        break;
    case H5T_FLOAT:
        *out_kind = ML_REAL;
        text = read_real(attribute);
        break;
    default:
        break;
    }
done:
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return text;
}

static herr_t add(hid_t group, const char *name, const H5A_info_t *info, void *context)
{
    (void)info;
    struct ml_run *run = context;
    enum ml_kind kind = ML_TEXT;
    hid_t attribute = H5Aopen(group, name, H5P_DEFAULT);
    char *text = attribute < 0 ? NULL : read_value(attribute, &kind);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (text) {
        ML_GROW(run->attributes, run->n_attributes, run->capacity);
        run->attributes[run->n_attributes++] = (struct ml_attribute){ml_strdup(name), kind, text};
    }
    return run->n_attributes >= MAX_ATTRIBUTES;
}

void ml_run_load_attributes(struct ml_run *run)
{
    hsize_t from = 0;
    H5Aiterate2(run->file, H5_INDEX_NAME, H5_ITER_NATIVE, &from, add, run);
}

const char *ml_run_attribute(const struct ml_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_attributes; i++) {
        if (strcmp(run->attributes[i].name, name) == 0)
            return run->attributes[i].text;
    }
    return NULL;
}
