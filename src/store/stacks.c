#include "store/stacks.h"

#include "base/memory.h"
#include "base/own.h"
#include "store/internal.h"
#include "store/stack_keys.h"

#include <stdlib.h>

/* The rows that a member writes, from records that came from all: the number of the row as a
 * varint, then the packed row. */
struct share {
    int64_t first;
    size_t count;
    const struct ml_table *table;
    uint8_t *records;
    size_t length;
    const uint8_t **row; /* [count], in the records */
};

/* Records to be sent, by row and so by writer. */
struct post {
    struct ml_team *team;
    int64_t total; /* rows of the table */
    struct ml_buffer records;
    size_t *counts; /* bytes, by writer */
};

/* The members write equal parts of a table, in their order. */
static int64_t first_row(const struct ml_team *team, int64_t total, int member)
{
    return total * member / team->size;
}

static int writer_of(const struct ml_team *team, int64_t total, int64_t row)
{
    return (int)(((row + 1) * team->size - 1) / total);
}

static struct post open_post(struct ml_team *team, int64_t total)
{
    return (struct post){
        .team = team, .total = total, .counts = ml_alloc((size_t)team->size * sizeof(size_t))};
}

static void close_post(struct post *p)
{
    ml_buffer_free(&p->records);
    free(p->counts);
}

/* The bytes from START on are the record of ROW. */
static void count_record(struct post *p, size_t start, int32_t row)
{
    p->counts[writer_of(p->team, p->total, row)] += p->records.length - start;
}

/* Where each row of the share lies. */
static enum ml_status find_rows(struct share *s, struct ml_error *err)
{
    const uint8_t *p = s->records, *end = p + s->length;
    size_t found = 0;
    union {
        struct ml_frame_row frame;
        struct ml_stack_row stack;
    } row;
    s->row = ml_alloc((s->count + 1) * sizeof *s->row);
    for (int64_t number; ml_varint_read(&p, end, &number); found++) {
        const uint8_t *at = p;
        if (number < s->first || number - s->first >= (int64_t)s->count ||
            s->row[number - s->first] || !ml_row_unpack(s->table, &p, end, &row))
            break;
        s->row[number - s->first] = at;
    }
    if (p != end || found != s->count)
        return ml_fail(err, ML_RUN_LOST, "the stacks of the nodes do not make one tree");
    return ML_OK;
}

static void fetch_row(void *context, size_t i, void *out_row)
{
    const struct share *s = context;
    const uint8_t *p = s->row[i];
    ml_row_unpack(s->table, &p, s->records + s->length, out_row);
}

/* Sends the records to their writers, which write TABLE. */
static enum ml_status deliver(struct ml_store *store, const struct ml_table *table,
                              const struct post *post, struct ml_error *err)
{
    struct ml_team *team = store->team;
    struct share s = {.table = table, .first = first_row(team, post->total, team->member)};
    s.count = (size_t)(first_row(team, post->total, team->member + 1) - s.first);
    enum ml_status status = ML_OK;
    if (post->total) {
        ML_AUTO_FREE size_t *counts = ml_alloc((size_t)team->size * sizeof *counts);
        s.records = team->exchange(team, post->records.data, post->counts, counts);
        status = team->agree(team, ML_OK, err);
        for (int i = 0; i < team->size; i++)
            s.length += counts[i];
        if (status == ML_OK)
            status = team->agree(team, find_rows(&s, err), err);
    }
    if (status == ML_OK) {
        struct ml_rows rows = {.count = s.count, .fetch = fetch_row, .context = &s};
        status = ml_store_table(store, table, &rows, 1, err);
    }
    free(s.records);
    free(s.row);
    return status;
}

static enum ml_status write_frames(struct ml_store *store, const struct ml_stack_keys *keys,
                                   const struct ml_stack_set *sets, size_t n_sets,
                                   const struct ml_numbers *frames, struct ml_error *err)
{
    struct post post = open_post(store->team, frames->total);
    for (size_t i = 0; i < frames->n_told; i++) {
        size_t start = post.records.length;
        ml_varint_append(&post.records, frames->told[i].number);
        ml_stack_keys_frame(keys, sets, n_sets, frames->told[i].key, &post.records);
        count_record(&post, start, frames->told[i].number);
    }
    enum ml_status status = deliver(store, &ml_table_frames, &post, err);
    close_post(&post);
    return status;
}

static enum ml_status write_tree(struct ml_store *store, const struct ml_stack_keys *keys,
                                 const struct ml_numbers *frames, const struct ml_numbers *stacks,
                                 struct ml_error *err)
{
    struct post post = open_post(store->team, stacks->total);
    for (size_t i = 0; i < stacks->n_told; i++) {
        size_t start = post.records.length;
        const struct ml_told *told = &stacks->told[i];
        const struct ml_tree_node *node = &keys->nodes[told->key];
        struct ml_stack_row row = {.parent = node->parent < 0 ? -1 : stacks->of[node->parent],
                                   .frame = frames->of[node->frame],
                                   .depth = (int32_t)keys->stacks[told->key].level};
        ml_varint_append(&post.records, told->number);
        ml_row_pack(&ml_table_stacks, &row, &post.records);
        count_record(&post, start, told->number);
    }
    enum ml_status status = deliver(store, &ml_table_stacks, &post, err);
    close_post(&post);
    return status;
}

enum ml_status ml_store_stacks(struct ml_store *store, const struct ml_stack_set *sets,
                               size_t n_sets, int32_t **out_rows, struct ml_error *err)
{
    struct ml_team *team = store->team;
    struct ml_stack_keys keys = {0};
    struct ml_numbers frames = {0}, stacks = {0};
    enum ml_status status = team->agree(team, ml_stack_keys_make(sets, n_sets, &keys, err), err);
    if (status == ML_OK)
        status = ml_number_keys(team, keys.frames, keys.n_frames, &frames, err);
    if (status == ML_OK)
        status = write_frames(store, &keys, sets, n_sets, &frames, err);
    if (status == ML_OK)
        status = ml_number_keys(team, keys.stacks, keys.n_stacks, &stacks, err);
    if (status == ML_OK)
        status = write_tree(store, &keys, &frames, &stacks, err);
    if (status == ML_OK)
        *out_rows = ML_TAKE_POINTER(stacks.of);
    ml_numbers_free(&frames);
    ml_numbers_free(&stacks);
    ml_stack_keys_free(&keys);
    return status;
}
