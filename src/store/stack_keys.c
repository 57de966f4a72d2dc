#include "store/stack_keys.h"

#include "base/memory.h"
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static struct ml_key hash(const void *bytes, size_t n, int64_t level)
{
    XXH128_hash_t h = XXH3_128bits(bytes, n);
    return (struct ml_key){.high = h.high64, .low = h.low64, .level = level};
}

/* Texts that the file cuts are cut before they are compared, so that no two rows are equal. */
static const char *cut(const char *text, char out_text[ML_STORE_TEXT_MAX_B + 1])
{
    size_t n = ml_store_text_length(text);
    memcpy(out_text, text, n);
    out_text[n] = 0;
    return out_text;
}

static void pack_frame(const struct ml_rows *rows, size_t i, struct ml_buffer *out)
{
    char function[ML_STORE_TEXT_MAX_B + 1], file[ML_STORE_TEXT_MAX_B + 1];
    char module[ML_STORE_TEXT_MAX_B + 1];
    struct ml_frame_row row;
    rows->fetch(rows->context, i, &row);
    row.function = cut(row.function, function);
    row.file = cut(row.file, file);
    row.module = cut(row.module, module);
    ml_row_pack(&ml_table_frames, &row, out);
}

static void hash_frames(const struct ml_rows *rows, struct ml_stack_keys *keys)
{
    struct ml_buffer packed = {0};
    for (size_t i = 0; i < rows->count; i++) {
        ml_buffer_clear(&packed);
        pack_frame(rows, i, &packed);
        keys->frames[keys->n_frames++] = hash(packed.data, packed.length, 0);
    }
    ml_buffer_free(&packed);
}

static void hash_stack(struct ml_stack_keys *keys, struct ml_tree_node node)
{
    struct ml_key none = {.level = -1};
    const struct ml_key *parent = node.parent < 0 ? &none : &keys->stacks[node.parent];
    const struct ml_key *frame = &keys->frames[node.frame];
    uint64_t both[] = {parent->high, parent->low, frame->high, frame->low};
    keys->nodes[keys->n_stacks] = node;
    keys->stacks[keys->n_stacks++] = hash(both, sizeof both, parent->level + 1);
}

/* The stacks of a set whose frames begin at FIRST_FRAME. */
static enum ml_status hash_stacks(const struct ml_rows *rows, size_t first_frame,
                                  struct ml_stack_keys *keys, struct ml_error *err)
{
    size_t first = keys->n_stacks, n_frames = keys->n_frames - first_frame;
    for (size_t i = 0; i < rows->count; i++) {
        struct ml_stack_row row;
        rows->fetch(rows->context, i, &row);
        if (row.frame < 0 || (size_t)row.frame >= n_frames || row.parent < -1 ||
            (row.parent >= 0 && (size_t)row.parent >= i))
            return ml_fail(err, ML_RUN_LOST, "stack %zu of a journal has no place in its tree", i);
        hash_stack(
            keys, (struct ml_tree_node){.parent = row.parent < 0 ? -1 : (int32_t)first + row.parent,
                                        .frame = (int32_t)first_frame + row.frame});
    }
    return ML_OK;
}

enum ml_status ml_stack_keys_make(const struct ml_stack_set *sets, size_t n_sets,
                                  struct ml_stack_keys *out_keys, struct ml_error *err)
{
    size_t n_frames = 0, n_stacks = 0;
    for (size_t i = 0; i < n_sets; i++) {
        n_frames += sets[i].frames.count;
        n_stacks += sets[i].stacks.count;
    }
    if (n_frames > INT32_MAX || n_stacks > INT32_MAX)
        return ml_fail(err, ML_RUN_LOST, "%zu stacks are more than can be merged here", n_stacks);
    struct ml_stack_keys keys = {
        .frames = ml_realloc_array(NULL, n_frames + 1, sizeof *keys.frames),
        .stacks = ml_realloc_array(NULL, n_stacks + 1, sizeof *keys.stacks),
        .nodes = ml_realloc_array(NULL, n_stacks + 1, sizeof *keys.nodes),
        .first_frame = ml_alloc((n_sets + 1) * sizeof *keys.first_frame)};
    enum ml_status status = ML_OK;
    for (size_t i = 0; i < n_sets && status == ML_OK; i++) {
        hash_frames(&sets[i].frames, &keys);
        status = hash_stacks(&sets[i].stacks, keys.first_frame[i], &keys, err);
        keys.first_frame[i + 1] = keys.n_frames;
    }
    if (status == ML_OK)
        *out_keys = keys;
    else
        ml_stack_keys_free(&keys);
    return status;
}

void ml_stack_keys_frame(const struct ml_stack_keys *keys, const struct ml_stack_set *sets,
                         size_t n_sets, size_t i, struct ml_buffer *out)
{
    size_t low = 0, high = n_sets;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (keys->first_frame[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    pack_frame(&sets[low].frames, i - keys->first_frame[low], out);
}

void ml_stack_keys_free(struct ml_stack_keys *keys)
{
    free(keys->frames);
    free(keys->stacks);
    free(keys->nodes);
    free(keys->first_frame);
    *keys = (struct ml_stack_keys){0};
}
