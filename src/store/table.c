#include "base/memory.h"
#include "base/own.h"
#include "record/checksum.h"
#include "store/direct.h"
#include "store/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ROWS 65536
#define CHUNK_MAX_B (1 << 20) /* readers' chunk cache: larger ones thrash it */
#define CONTIGUOUS_MAX_B (1 << 20)
#define ROUND_MAX_B (16 << 20) /* column buffers of a member; HDF5 takes about as much again */
#define ROUND_MAX_ROWS (4 * CHUNK_ROWS)
#define BATCH_ROWS 64 /* stay in the processor's first cache until all columns have theirs */

struct column {
    const struct ml_column *is;
    size_t width; /* bytes a row */
    bool utf8;
    hid_t type, dataset;
    struct ml_direct_column chunks; /* of a large column */
    char *buffer;                   /* a round of this member's rows */
    uint64_t checksum;              /* of this member's rows */
};

struct write {
    struct ml_store *store;
    const struct ml_table *table;
    const struct ml_rows *sets;
    size_t n_sets;
    int64_t count, offset, total; /* of this member, before it, of all */
    int64_t round_rows;           /* a power of two: rounds lie on the chunks' grid */
    struct column *columns;
    struct ml_direct *direct; /* NULL: HDF5 filters */
    hid_t group;
    char *rows;          /* room for a batch */
    int64_t batch_rows;  /* fetched before their values go to the columns */
    size_t set, set_row; /* the next row to fetch */
};

static const void *field(const void *row, const struct ml_column *c)
{
    return (const char *)row + c->offset;
}

static const char *text_of(const void *row, const struct ml_column *c)
{
    return *(const char *const *)field(row, c);
}

size_t ml_store_text_length(const char *text)
{
    size_t n = strnlen(text, ML_STORE_TEXT_MAX_B + 1);
    if (n <= ML_STORE_TEXT_MAX_B)
        return n;
    for (n = ML_STORE_TEXT_MAX_B; n > ML_STORE_TEXT_MAX_B - 4; n--) {
        if (((unsigned char)text[n] & 0xc0) != 0x80)
            return n;
    }
    return ML_STORE_TEXT_MAX_B;
}

static void next_row(struct write *w, void *row)
{
    while (w->set_row == w->sets[w->set].count) {
        w->set++;
        w->set_row = 0;
    }
    const struct ml_rows *rows = &w->sets[w->set];
    rows->fetch(rows->context, w->set_row++, row);
}

static void rewind_rows(struct write *w)
{
    w->set = w->set_row = 0;
}

static bool has_text(const struct ml_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i].kind == ML_TEXT)
            return true;
    }
    return false;
}

/* The longest text of each column, and whether ASCII does for it. */
static void measure_texts(struct write *w)
{
    for (int64_t r = 0; r < w->count; r++) {
        next_row(w, w->rows);
        for (size_t i = 0; i < w->table->n_columns; i++) {
            struct column *c = &w->columns[i];
            if (c->is->kind != ML_TEXT)
                continue;
            const char *text = text_of(w->rows, c->is);
            size_t n = ml_store_text_length(text);
            c->width = n + 1 > c->width ? n + 1 : c->width;
            c->utf8 = c->utf8 || !ml_h5_is_ascii(text, n);
        }
    }
    rewind_rows(w);
}

static size_t width_of(enum ml_kind kind)
{
    switch (kind) {
    case ML_INT32:
        return sizeof(int32_t);
    case ML_CODE:
    case ML_TEXT: /* at least its NUL */
        return 1;
    default:
        return 8;
    }
}

static int64_t power_of_two_below(int64_t n)
{
    int64_t p = 1;
    while (2 * p <= n)
        p *= 2;
    return p;
}

static void agree_shape(struct write *w)
{
    struct ml_team *team = w->store->team;
    int64_t row_B = 1; /* one more than the sum: nothing is divided by 0 */
    for (size_t i = 0; i < w->table->n_columns; i++) {
        struct column *c = &w->columns[i];
        if (c->is->kind == ML_TEXT) {
            c->width = (size_t)team->largest(team, (int64_t)c->width);
            c->utf8 = team->largest(team, c->utf8);
        }
        row_B += (int64_t)c->width;
    }
    w->offset = team->offset(team, w->count, &w->total);
    w->round_rows = power_of_two_below(ROUND_MAX_B / row_B);
    if (w->round_rows > ROUND_MAX_ROWS)
        w->round_rows = ROUND_MAX_ROWS;
}

static void set_up(struct write *w)
{
    for (size_t i = 0; i < w->n_sets; i++)
        w->count += (int64_t)w->sets[i].count;
    w->batch_rows = has_text(w->table) ? 1 : BATCH_ROWS; /* a text is valid until the next row */
    w->rows = ml_alloc((size_t)w->batch_rows * w->table->row_size);
    w->columns = ml_alloc(w->table->n_columns * sizeof *w->columns);
    for (size_t i = 0; i < w->table->n_columns; i++) {
        const struct ml_column *is = &w->table->columns[i];
        w->columns[i] = (struct column){.is = is,
                                        .width = width_of(is->kind),
                                        .type = H5I_INVALID_HID,
                                        .dataset = H5I_INVALID_HID};
    }
    if (has_text(w->table))
        measure_texts(w);
    agree_shape(w);
    if (w->store->team->writes_chunks)
        w->direct = ml_direct_open(CHUNK_MAX_B);
    int64_t most = w->count < w->round_rows ? w->count : w->round_rows;
    for (size_t i = 0; i < w->table->n_columns; i++)
        w->columns[i].buffer = ml_realloc_array(NULL, (size_t)most + 1, w->columns[i].width);
}

/* rhdf5 (2.42) cannot read an empty column of 64-bit integers, and so no group that has one:
 * in a table without rows they are of 32 bits. */
static hid_t type_of(const struct write *w, const struct column *c)
{
    switch (c->is->kind) {
    case ML_INSTANT:
    case ML_SPAN:
    case ML_REAL:
        return H5Tcopy(H5T_IEEE_F64LE);
    case ML_INT64:
        return H5Tcopy(w->total ? H5T_STD_I64LE : H5T_STD_I32LE);
    case ML_INT32:
        return H5Tcopy(H5T_STD_I32LE);
    case ML_CODE:
        return H5Tcopy(H5T_STD_I8LE);
    case ML_TEXT:
        return ml_h5_text_type(c->width, c->utf8);
    }
    return H5I_INVALID_HID;
}

/* Large columns in compressed chunks, small ones plain. */
static bool is_large(const struct write *w, const struct column *c)
{
    return w->total * (int64_t)c->width > CONTIGUOUS_MAX_B;
}

static size_t chunk_rows(const struct write *w, const struct column *c)
{
    int64_t rows = power_of_two_below(CHUNK_MAX_B / (int64_t)c->width);
    rows = rows > CHUNK_ROWS ? CHUNK_ROWS : rows;
    return (size_t)(rows > w->round_rows ? w->round_rows : rows);
}

static hid_t dataset_list(const struct write *w, const struct column *c)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list < 0)
        return list;
    bool good =
        H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(list, 0) >= 0;
    if (is_large(w, c)) {
        hsize_t rows = chunk_rows(w, c);
        good = good && H5Pset_chunk(list, 1, &rows) >= 0 && H5Pset_shuffle(list) >= 0 &&
               H5Pset_deflate(list, ML_DIRECT_LEVEL) >= 0;
    }
    if (!good) {
        H5Pclose(list);
        return H5I_INVALID_HID;
    }
    return list;
}

static herr_t describe(const struct column *c)
{
    herr_t done = ml_h5_write_text(c->dataset, "units", c->is->units);
    if (done >= 0)
        done = ml_h5_write_text(c->dataset, "description", c->is->description);
    if (done >= 0 && c->is->codes)
        done = ml_h5_write_codes(c->dataset, c->is->codes);
    return done;
}

static enum ml_status create_datasets(struct write *w, struct ml_error *err)
{
    const char *name = w->table->name;
    w->group = H5Gcreate2(w->store->file, name, H5P_DEFAULT, w->store->group_creation, H5P_DEFAULT);
    if (w->group < 0 || ml_h5_write_text(w->group, "description", w->table->description) < 0)
        return ml_h5_fail(err, ml_draft_path(w->store->draft), "group %s", name);
    hsize_t total = (hsize_t)w->total;
    ML_AUTO_HID hid_t space = H5Screate_simple(1, &total, NULL);
    for (size_t i = 0; i < w->table->n_columns; i++) {
        struct column *c = &w->columns[i];
        ML_AUTO_HID hid_t list = dataset_list(w, c);
        c->type = type_of(w, c);
        c->dataset =
            H5Dcreate2(w->group, c->is->name, c->type, space, H5P_DEFAULT, list, H5P_DEFAULT);
        if (c->dataset < 0 || describe(c) < 0)
            return ml_h5_fail(err, ml_draft_path(w->store->draft), "create %s/%s", name,
                              c->is->name);
        c->chunks = (struct ml_direct_column){
            .dataset = c->dataset, .width = c->width, .chunk_rows = chunk_rows(w, c)};
    }
    return ML_OK;
}

/* Seconds, rounded to 2^-20: the low bytes are zero, which halves the file. */
static double seconds(int64_t ns)
{
    if (ns == ML_NOT_MEASURED)
        return ML_NOT_MEASURED;
    int64_t whole = ns / 1000000000, rest = ns % 1000000000;
    return (double)whole + rint((double)rest * 1048576e-9) / 1048576;
}

static void put_text(char *to, size_t width, const char *text)
{
    size_t n = ml_store_text_length(text);
    n = n < width ? n : width - 1;
    memcpy(to, text, n);
    memset(to + n, 0, width - n);
}

/* N fields of WIDTH bytes, each STRIDE bytes behind the one before. Inlined for a width that is
 * known then. */
static inline void gather(char *to, const char *from, size_t width, size_t stride, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * width, from + i * stride, width);
}

static void gather_seconds(char *to, const char *from, size_t stride, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t ns;
        memcpy(&ns, from + i * stride, sizeof ns);
        memcpy(to + i * sizeof(double), &(double){seconds(ns)}, sizeof(double));
    }
}

/* What N rows of a batch have of column C goes into its buffer, from row FIRST of the round on. */
static void put(const struct write *w, const struct column *c, int64_t first, size_t n)
{
    size_t stride = w->table->row_size;
    char *to = c->buffer + (size_t)first * c->width;
    const char *from = w->rows + c->is->offset;
    switch (c->is->kind) {
    case ML_INSTANT:
    case ML_SPAN:
        gather_seconds(to, from, stride, n);
        break;
    case ML_INT64:
    case ML_REAL:
        gather(to, from, 8, stride, n);
        break;
    case ML_INT32:
        gather(to, from, sizeof(int32_t), stride, n);
        break;
    case ML_CODE:
        gather(to, from, 1, stride, n);
        break;
    case ML_TEXT:
        put_text(to, c->width, text_of(w->rows, c->is));
        break;
    }
}

static void fill_buffers(struct write *w, int64_t n)
{
    for (int64_t i = 0; i < n; i += w->batch_rows) {
        int64_t rows = n - i < w->batch_rows ? n - i : w->batch_rows;
        for (int64_t k = 0; k < rows; k++)
            next_row(w, w->rows + (size_t)k * w->table->row_size);
        for (size_t k = 0; k < w->table->n_columns; k++)
            put(w, &w->columns[k], i, (size_t)rows);
    }
}

/* N rows of a column. SPACES: of memory and file. */
static herr_t write_column(struct write *w, struct column *c, int64_t first, int64_t n,
                           const hid_t spaces[2])
{
    if (is_large(w, c) && w->direct)
        return ml_direct_write(w->direct, &c->chunks, c->buffer, (size_t)first, (size_t)n);
    return H5Dwrite(c->dataset, c->type, spaces[0], spaces[1],
                    is_large(w, c) ? w->store->transfer : H5P_DEFAULT, c->buffer);
}

/* N rows of every column, at row FIRST of the file. A member without rows selects none, and takes
 * part. Compressed columns must be written collectively; for plain ones each on its own saves most
 * of the messages: with more ranks than cores that is 3 times as fast. */
static enum ml_status write_round(struct write *w, int64_t first, int64_t n, struct ml_error *err)
{
    hsize_t start = (hsize_t)first, count = (hsize_t)n, total = (hsize_t)w->total;
    ML_AUTO_HID hid_t file_space = H5Screate_simple(1, &total, NULL);
    ML_AUTO_HID hid_t memory_space = H5Screate_simple(1, &count, NULL);
    if (n) {
        H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &start, NULL, &count, NULL);
    } else {
        H5Sselect_none(file_space);
        H5Sselect_none(memory_space);
    }
    enum ml_status status = ML_OK;
    for (size_t i = 0; i < w->table->n_columns; i++) {
        struct column *c = &w->columns[i];
        c->checksum += ml_checksum(c->buffer, c->width, (uint64_t)first, (size_t)n);
        if (write_column(w, c, first, n, (hid_t[]){memory_space, file_space}) < 0 &&
            status == ML_OK)
            status = ml_h5_fail(err, ml_draft_path(w->store->draft), "write %s/%s", w->table->name,
                                c->is->name);
    }
    return status;
}

/* Goes on after an error: the others are in the same collective calls. */
static enum ml_status write_rows(struct write *w, struct ml_error *err)
{
    struct ml_team *team = w->store->team;
    int64_t end = w->offset + w->count, grid = w->offset / w->round_rows;
    int64_t rounds = w->count ? (end - 1) / w->round_rows - grid + 1 : 0;
    enum ml_status status = ML_OK;
    rounds = team->largest(team, rounds);
    int64_t first = w->offset;
    for (int64_t r = 0; r < rounds; r++) {
        int64_t stop = (grid + r + 1) * w->round_rows;
        stop = stop < end ? stop : end;
        int64_t n = stop > first ? stop - first : 0;
        fill_buffers(w, n);
        enum ml_status written = write_round(w, first, n, status == ML_OK ? err : NULL);
        status = written > status ? written : status;
        first += n;
    }
    return status;
}

/* Of all members' rows. Added up in halves: no sum of signed numbers overflows. */
static enum ml_status write_checksums(struct write *w, struct ml_error *err)
{
    struct ml_team *team = w->store->team;
    size_t n = w->table->n_columns;
    ML_AUTO_FREE int64_t *halves = ml_realloc_array(NULL, 2 * n, sizeof *halves);
    ML_AUTO_FREE int64_t *before = ml_realloc_array(NULL, 2 * n, sizeof *before);
    ML_AUTO_FREE int64_t *totals = ml_realloc_array(NULL, 2 * n, sizeof *totals);
    for (size_t i = 0; i < n; i++) {
        halves[2 * i] = (int64_t)(w->columns[i].checksum >> 32);
        halves[2 * i + 1] = (int64_t)(w->columns[i].checksum & UINT32_MAX);
    }
    team->offsets(team, halves, 2 * n, before, totals);
    enum ml_status status = ML_OK;
    for (size_t i = 0; i < n; i++) {
        char text[ML_CHECKSUM_TEXT_B];
        ml_checksum_format(text, ((uint64_t)totals[2 * i] << 32) + (uint64_t)totals[2 * i + 1]);
        if (ml_h5_write_text(w->columns[i].dataset, ML_CHECKSUM_NAME, text) < 0 && status == ML_OK)
            status = ml_h5_fail(err, ml_draft_path(w->store->draft), "checksum of %s/%s",
                                w->table->name, w->columns[i].is->name);
    }
    return status;
}

/* The one place where the datasets are closed, which writes what HDF5 held back. */
static enum ml_status tear_down(struct write *w, struct ml_error *err)
{
    enum ml_status status = ML_OK;
    for (size_t i = 0; i < w->table->n_columns; i++) {
        struct column *c = &w->columns[i];
        if (c->dataset >= 0 && H5Dclose(c->dataset) < 0)
            status = ml_h5_fail(err, ml_draft_path(w->store->draft), "close %s/%s", w->table->name,
                                c->is->name);
        ml_own_hid(&c->type);
        free(c->chunks.same);
        free(c->buffer);
    }
    ml_direct_close(w->direct);
    if (w->group >= 0)
        H5Gclose(w->group);
    free(w->columns);
    free(w->rows);
    return status;
}

enum ml_status ml_store_table(struct ml_store *store, const struct ml_table *table,
                              const struct ml_rows *sets, size_t n_sets, struct ml_error *err)
{
    struct ml_team *team = store->team;
    struct write w = {
        .store = store, .table = table, .sets = sets, .n_sets = n_sets, .group = H5I_INVALID_HID};
    set_up(&w);
    enum ml_status status = team->agree(team, create_datasets(&w, err), err);
    if (status == ML_OK) {
        status = write_rows(&w, err);
        /* Goes on after an error, too: the others are in the same collective calls. */
        enum ml_status summed = write_checksums(&w, status == ML_OK ? err : NULL);
        status = summed > status ? summed : status;
    }
    enum ml_status closed = tear_down(&w, status == ML_OK ? err : NULL);
    return team->agree(team, closed > status ? closed : status, err);
}
