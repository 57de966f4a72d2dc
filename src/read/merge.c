#include "read/merge.h"

#include "base/memory.h"
#include "base/own.h"
#include "read/slice.h"

#define MOST_BLOCKS 65536
#define ROWS_IN_MEMORY (1u << 17)  /* of some 200 bytes */
#define TEXTS_IN_MEMORY (1u << 15) /* rows with texts, of up to 512 bytes */
#define FEWEST_ROWS 256            /* of a block in memory */

/* Rows whose times ascend. */
struct block {
    size_t next, end; /* rows in the file: the next to be read, the end */
    struct ml_slice slice;
    size_t at; /* in the slice */
};

struct ml_merge {
    struct ml_run *run;
    const struct ml_table *table;
    struct block *blocks;
    size_t n_blocks, capacity;
    size_t slice_rows;
    size_t *heap; /* blocks that have rows left, the earliest first */
    size_t n_heap;
    bool begun;
};

static const void *row_of(const struct ml_merge *m, size_t block)
{
    const struct block *b = &m->blocks[block];
    return (const char *)b->slice.rows + b->at * m->table->row_size;
}

/* Ties go to the block that comes first in the file. */
static bool is_before(const struct ml_merge *m, size_t a, size_t b)
{
    int64_t x = *(const int64_t *)row_of(m, a), y = *(const int64_t *)row_of(m, b);
    return x != y ? x < y : a < b;
}

static void sink(struct ml_merge *m, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < m->n_heap; child++) {
            if (is_before(m, m->heap[child], m->heap[least]))
                least = child;
        }
        if (least == i)
            return;
        size_t block = m->heap[i];
        m->heap[i] = m->heap[least];
        m->heap[least] = block;
        i = least;
    }
}

static enum ml_status find_blocks_in(struct ml_merge *m, const double *time_s, size_t first,
                                     size_t count, double *in_out_last_s, struct ml_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (m->n_blocks == 0 || time_s[i] < *in_out_last_s) {
            if (m->n_blocks == MOST_BLOCKS)
                return ml_fail(err, ML_RUN_LOST, "table %s is in no order of time", m->table->name);
            ML_GROW(m->blocks, m->n_blocks, m->capacity);
            m->blocks[m->n_blocks++] = (struct block){.next = first + i};
        }
        m->blocks[m->n_blocks - 1].end = first + i + 1;
        *in_out_last_s = time_s[i];
    }
    return ML_OK;
}

static enum ml_status find_blocks(struct ml_merge *m, struct ml_error *err)
{
    size_t rows = 0;
    double last_s = 0;
    if (!ml_run_has(m->run, m->table->name, "time_s"))
        return ML_OK;
    ML_AUTO_FREE double *time_s = ml_realloc_array(NULL, ML_SLICE_ROWS, sizeof *time_s);
    enum ml_status status = ml_run_count(m->run, m->table, &rows, err);
    for (size_t first = 0; !status && first < rows; first += ML_SLICE_ROWS) {
        size_t count = rows - first < ML_SLICE_ROWS ? rows - first : ML_SLICE_ROWS;
        status = ml_run_column_real(m->run, m->table->name, "time_s", first, count, time_s, err);
        if (!status)
            status = find_blocks_in(m, time_s, first, count, &last_s, err);
    }
    return status;
}

/* The next rows of BLOCK; the heap has it while there are some. */
static enum ml_status fill(struct ml_merge *m, size_t block, struct ml_error *err)
{
    struct block *b = &m->blocks[block];
    size_t count = b->end - b->next < m->slice_rows ? b->end - b->next : m->slice_rows;
    ml_slice_free(&b->slice);
    b->at = 0;
    enum ml_status status = ml_slice_read(m->run, m->table, b->next, count, &b->slice, err);
    b->next += count;
    return status;
}

static enum ml_status begin(struct ml_merge *m, struct ml_error *err)
{
    m->begun = true;
    m->heap = ml_realloc_array(NULL, m->n_blocks, sizeof *m->heap);
    for (size_t i = 0; i < m->n_blocks; i++) {
        enum ml_status status = fill(m, i, err);
        if (status)
            return status;
        m->heap[m->n_heap++] = i;
    }
    for (size_t i = m->n_heap; i-- > 0;)
        sink(m, i);
    return ML_OK;
}

/* Steps behind the row that was given last. */
static enum ml_status advance(struct ml_merge *m, struct ml_error *err)
{
    struct block *b = &m->blocks[m->heap[0]];
    enum ml_status status = ML_OK;
    if (++b->at == b->slice.count) {
        if (b->next < b->end)
            status = fill(m, m->heap[0], err);
        else
            m->heap[0] = m->heap[--m->n_heap];
    }
    if (!status)
        sink(m, 0);
    return status;
}

static size_t rows_in_memory(const struct ml_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i].kind == ML_TEXT)
            return TEXTS_IN_MEMORY;
    }
    return ROWS_IN_MEMORY;
}

enum ml_status ml_merge_open(struct ml_run *run, const struct ml_table *table,
                             struct ml_merge **out_merge, struct ml_error *err)
{
    struct ml_merge *m = ml_alloc(sizeof *m);
    m->run = run;
    m->table = table;
    enum ml_status status = find_blocks(m, err);
    if (status) {
        ml_merge_close(m);
        return status;
    }
    m->slice_rows = m->n_blocks ? rows_in_memory(table) / m->n_blocks : 0;
    if (m->slice_rows > ML_SLICE_ROWS)
        m->slice_rows = ML_SLICE_ROWS;
    if (m->slice_rows < FEWEST_ROWS)
        m->slice_rows = FEWEST_ROWS;
    *out_merge = m;
    return ML_OK;
}

enum ml_status ml_merge_next(struct ml_merge *merge, const void **out_row, struct ml_error *err)
{
    enum ml_status status = ML_OK;
    if (!merge->begun)
        status = begin(merge, err);
    else if (merge->n_heap)
        status = advance(merge, err);
    if (status)
        return status;
    *out_row = merge->n_heap ? row_of(merge, merge->heap[0]) : NULL;
    return ML_OK;
}

void ml_merge_close(struct ml_merge *merge)
{
    if (!merge)
        return;
    for (size_t i = 0; i < merge->n_blocks; i++)
        ml_slice_free(&merge->blocks[i].slice);
    free(merge->blocks);
    free(merge->heap);
    free(merge);
}
