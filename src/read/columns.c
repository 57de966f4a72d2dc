/* Columns of a run file: opened with every check, read by slices. */
#include "base/memory.h"
#include "base/own.h"
#include "read/file.h"
#include "read/verify.h"

#include <stdio.h>
#include <string.h>

#define PATH_B 128
#define MAX_CELL_B 65536         /* of a text; the format has 512 */
#define MAX_CHUNK_B (64LL << 20) /* HDF5 takes the memory of one chunk; the format has 32 MiB */
#define MAX_COMPRESSION 1100     /* deflate reaches 1032:1 */

struct column {
    const char *table, *name;
    hid_t dataset, type;
    size_t rows, cell_B;
    bool chunked;
};

static const struct {
    const char *table, *column;
} required[] = {
    {"nodes", "name"},          {"processes", "process"},   {"processes", "rank"},
    {"processes", "node"},      {"processes", "first_row"}, {"processes", "n_rows"},
    {"samples", "time_s"},      {"samples", "process"},     {"samples", "rss_B"},
    {"node_samples", "time_s"}, {"node_samples", "node"},   {"node_samples", "rss_B"},
    {"job_samples", "time_s"},  {"job_samples", "rss_B"},
};

static bool is_required(const char *table, const char *column)
{
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (strcmp(required[i].table, table) == 0 && strcmp(required[i].column, column) == 0)
            return true;
    }
    return false;
}

bool ml_run_is_required(const char *table)
{
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (strcmp(required[i].table, table) == 0)
            return true;
    }
    return false;
}

bool ml_run_is_hard_link(hid_t file, const char *path)
{
    H5L_info_t info;
    return H5Lexists(file, path, H5P_DEFAULT) > 0 &&
           H5Lget_info(file, path, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

bool ml_run_has(struct ml_run *run, const char *table, const char *column)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", table, column);
    return ml_run_is_hard_link(run->file, table) && ml_run_is_hard_link(run->file, path);
}

static void column_close(struct column *c)
{
    if (c->type >= 0)
        H5Tclose(c->type);
    if (c->dataset >= 0)
        H5Dclose(c->dataset);
}

static enum ml_status damaged(const struct ml_run *run, const struct column *c, const char *what,
                              struct ml_error *err)
{
    return ml_fail(err, ML_RUN_LOST, "%.300s: column %s/%s %s", run->path, c->table, c->name, what);
}

static enum ml_status unreadable(const struct ml_run *run, const struct column *c,
                                 struct ml_error *err)
{
    return ml_fail(err, ML_RUN_LOST, "%.300s: column %s/%s is damaged: %s", run->path, c->table,
                   c->name, ml_run_hdf5_cause());
}

/* Whether the data lie in this file, in chunks of a size that fits in memory. */
static bool is_layout_plain(const struct column *c, bool *out_chunked)
{
    bool plain = false;
    hsize_t chunk = 0;
    hid_t plist = H5Dget_create_plist(c->dataset);
    if (plist < 0)
        return false;
    H5D_layout_t layout = H5Pget_layout(plist);
    *out_chunked = layout == H5D_CHUNKED;
    if (layout == H5D_CHUNKED)
        plain = H5Pget_chunk(plist, 1, &chunk) == 1 && chunk <= MAX_CHUNK_B / c->cell_B;
    else
        plain = (layout == H5D_CONTIGUOUS || layout == H5D_COMPACT) &&
                H5Pget_external_count(plist) == 0;
    H5Pclose(plist);
    return plain;
}

static enum ml_status check_extent(const struct ml_run *run, struct column *c, struct ml_error *err)
{
    hsize_t rows = 0;
    hid_t space = H5Dget_space(c->dataset);
    bool plain = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                 H5Sget_simple_extent_dims(space, &rows, NULL) == 1;
    if (space >= 0)
        H5Sclose(space);
    if (!plain)
        return damaged(run, c, "is not a list", err);
    if (!is_layout_plain(c, &c->chunked))
        return damaged(run, c, "does not keep its data in this file as columns do", err);
    hsize_t stored_B = H5Dget_storage_size(c->dataset);
    if (stored_B > (hsize_t)run->size_B)
        stored_B = (hsize_t)run->size_B;
    hsize_t most = (stored_B * (c->chunked ? MAX_COMPRESSION : 1)) / c->cell_B;
    if (rows > most)
        return damaged(run, c, "has more rows than the file holds data", err);
    c->rows = (size_t)rows;
    return ML_OK;
}

/* Remembers a column that is right: it is compared once. */
static enum ml_status verify(struct ml_run *run, const struct column *c, const char *path,
                             bool *out_known, struct ml_error *err)
{
    enum ml_verified verified = ml_verify(c->dataset, c->type, c->rows, c->cell_B);
    *out_known = verified != ML_VERIFIED_UNKNOWN;
    if (verified == ML_VERIFIED_UNREADABLE)
        return unreadable(run, c, err);
    if (verified == ML_VERIFIED_WRONG)
        return damaged(run, c, "is damaged: its values are not those that were written", err);
    ml_intern_add(&run->verified, path, strlen(path));
    return ML_OK;
}

/* Closes what it opened when it fails. */
static enum ml_status column_find(struct ml_run *run, const char *table, const char *name,
                                  char path[PATH_B], struct column *out, struct ml_error *err)
{
    struct column c = {.table = table, .name = name, .dataset = -1, .type = -1};
    snprintf(path, PATH_B, "%s/%s", table, name);
    if (!ml_run_is_hard_link(run->file, table))
        return ml_fail(err, ML_RUN_LOST, "%.300s: table %s is missing", run->path, table);
    if (!ml_run_is_hard_link(run->file, path))
        return damaged(run, &c, "is missing", err);
    c.dataset = H5Dopen2(run->file, path, H5P_DEFAULT);
    if (c.dataset < 0)
        return damaged(run, &c, "cannot be opened", err);
    c.type = H5Dget_type(c.dataset);
    c.cell_B = c.type < 0 ? 0 : H5Tget_size(c.type);
    enum ml_status status = c.cell_B == 0 || c.cell_B > MAX_CELL_B
                                ? damaged(run, &c, "has values of an odd size", err)
                                : check_extent(run, &c, err);
    if (status)
        column_close(&c);
    else
        *out = c;
    return status;
}

/* For reading; nothing is open when it fails. Of what is compressed zlib tells that it is damaged.
 */
static enum ml_status column_open(struct ml_run *run, const char *table, const char *name,
                                  struct column *out, struct ml_error *err)
{
    char path[PATH_B];
    bool known;
    enum ml_status status = column_find(run, table, name, path, out, err);
    if (status || out->chunked ||
        ml_intern_find(&run->verified, path, strlen(path)) != ML_INTERN_NONE)
        return status;
    status = verify(run, out, path, &known, err);
    if (status)
        column_close(out);
    return status;
}

enum ml_status ml_run_column_verify(struct ml_run *run, const char *table, const char *name,
                                    bool *out_known, int64_t *out_values_B, struct ml_error *err)
{
    struct column c = {.type = -1, .dataset = -1};
    char path[PATH_B];
    enum ml_status status = column_find(run, table, name, path, &c, err);
    if (status)
        return status;
    *out_values_B = (int64_t)(c.rows * c.cell_B);
    status = verify(run, &c, path, out_known, err);
    column_close(&c);
    return status;
}

enum ml_status ml_run_count(struct ml_run *run, const struct ml_table *table, size_t *out_rows,
                            struct ml_error *err)
{
    const char *first = NULL;
    size_t rows = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *name = table->columns[i].name;
        struct column c = {.type = -1, .dataset = -1};
        if (!ml_run_has(run, table->name, name) && !is_required(table->name, name) &&
            ml_run_is_hard_link(run->file, table->name))
            continue;
        enum ml_status status = column_open(run, table->name, name, &c, err);
        if (status)
            return status;
        column_close(&c);
        if (first && c.rows != rows)
            return ml_fail(err, ML_RUN_LOST,
                           "%.300s: table %s has columns of unequal length: %s %zu, %s %zu",
                           run->path, table->name, first, rows, name, c.rows);
        first = name;
        rows = c.rows;
    }
    *out_rows = rows;
    return ML_OK;
}

/* COUNT cells of C as MEMORY_TYPE into OUT. */
static enum ml_status read_slice(struct ml_run *run, const struct column *c, hid_t memory_type,
                                 size_t first, size_t count, void *out, struct ml_error *err)
{
    hsize_t start = first, n = count;
    if (first > c->rows || count > c->rows - first)
        return damaged(run, c, "has fewer rows than others refer to", err);
    if (count == 0)
        return ML_OK;
    hid_t in_file = H5Dget_space(c->dataset);
    hid_t in_memory = H5Screate_simple(1, &n, NULL);
    bool ok = in_file >= 0 && in_memory >= 0 &&
              H5Sselect_hyperslab(in_file, H5S_SELECT_SET, &start, NULL, &n, NULL) >= 0 &&
              H5Dread(c->dataset, memory_type, in_memory, in_file, H5P_DEFAULT, out) >= 0;
    enum ml_status status = ok ? ML_OK : unreadable(run, c, err);
    if (in_memory >= 0)
        H5Sclose(in_memory);
    if (in_file >= 0)
        H5Sclose(in_file);
    return status;
}

static enum ml_status read_numbers(struct ml_run *run, const char *table, const char *column,
                                   hid_t memory_type, size_t first, size_t count, void *out,
                                   struct ml_error *err)
{
    struct column c = {.type = -1, .dataset = -1};
    enum ml_status status = column_open(run, table, column, &c, err);
    if (status)
        return status;
    H5T_class_t class = H5Tget_class(c.type);
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || c.cell_B > 8)
        status = damaged(run, &c, "does not hold numbers", err);
    else
        status = read_slice(run, &c, memory_type, first, count, out, err);
    column_close(&c);
    return status;
}

enum ml_status ml_run_column_real(struct ml_run *run, const char *table, const char *column,
                                  size_t first, size_t count, double *out_values,
                                  struct ml_error *err)
{
    return read_numbers(run, table, column, H5T_NATIVE_DOUBLE, first, count, out_values, err);
}

enum ml_status ml_run_column_int64(struct ml_run *run, const char *table, const char *column,
                                   size_t first, size_t count, int64_t *out_values,
                                   struct ml_error *err)
{
    return read_numbers(run, table, column, H5T_NATIVE_INT64, first, count, out_values, err);
}

/* A type for a NUL-terminated copy of C's cells; HDF5 converts the padding, but no character
 * set, so that is taken over. */
static hid_t text_type(const struct column *c)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 &&
        (H5Tset_size(type, c->cell_B + 1) < 0 || H5Tset_cset(type, H5Tget_cset(c->type)) < 0)) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

enum ml_status ml_run_column_text(struct ml_run *run, const char *table, const char *column,
                                  size_t first, size_t count, char **out_cells, size_t *out_width,
                                  struct ml_error *err)
{
    struct column c = {.type = -1, .dataset = -1};
    ML_AUTO_FREE char *cells = NULL;
    enum ml_status status = column_open(run, table, column, &c, err);
    if (status)
        return status;
    hid_t type = -1;
    if (H5Tget_class(c.type) != H5T_STRING || H5Tis_variable_str(c.type) != 0 ||
        (type = text_type(&c)) < 0) {
        status = damaged(run, &c, "does not hold text of fixed width", err);
        goto done;
    }
    cells = ml_realloc_array(NULL, count, c.cell_B + 1);
    status = read_slice(run, &c, type, first, count, cells, err);
    if (status)
        goto done;
    *out_width = c.cell_B + 1;
    *out_cells = ML_TAKE_POINTER(cells);
done:
    if (type >= 0)
        H5Tclose(type);
    column_close(&c);
    return status;
}
