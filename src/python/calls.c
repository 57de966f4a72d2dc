#include "python/calls.h"

#include <string.h>

/* Frames are looked at, chunks of the data stack are read as a whole. */
enum { FRAMES_MAX = 4096, CHUNKS_MAX = 10, CHUNK_MAX_B = 1 << 18 };

/* Who owns a frame (enum _frameowner): from FRAME_OWNED_BY_CSTACK (3.12, 3.13), or _BY_INTERPRETER
 * (3.14), on it is none of Python code. */
enum { OWNED_BY_C = 3 };

struct range {
    uint64_t start, end;
};

struct reading {
    const struct ml_python_layout *layout;
    const struct ml_python_memory *memory;
    struct range chunks[CHUNKS_MAX]; /* [n_chunks] of the thread's data stack, the newest first */
    size_t n_chunks;
    struct range older; /* the one before them, not fetched yet; its `end` is 0: not known */
    uint64_t older_link;
};

struct frame {
    uint64_t code, previous, instruction;
    int owner;
    bool is_entry;
};

static uint64_t word_at(const uint8_t *part, uint32_t offset)
{
    uint64_t word;
    memcpy(&word, part + offset, sizeof word);
    return word;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* ---- chunks ---- */

static bool holds(const struct range *range, uint64_t address)
{
    return address >= range->start && address < range->end;
}

static void add_chunk(struct reading *r, struct range chunk)
{
    if (r->n_chunks == CHUNKS_MAX || chunk.end <= chunk.start ||
        chunk.end - chunk.start > CHUNK_MAX_B)
        return;
    r->chunks[r->n_chunks++] = chunk;
    if (r->memory->fetch)
        r->memory->fetch(r->memory->context, chunk.start, chunk.end - chunk.start);
    r->older_link = ml_python_pointer(r->memory, chunk.start);
    r->older = (struct range){0};
}

/* struct _stack_chunk: previous, size, top (used words of data, while another one is in use), data.
 * Include/cpython/pystate.h */
static void see_older(struct reading *r)
{
    uint64_t head[3];
    uint64_t at = r->older_link;
    r->older_link = 0;
    if (ml_python_read(r->memory, at, head, sizeof head) && head[2] <= CHUNK_MAX_B / 8)
        r->older = (struct range){at, at + sizeof head + 8 * head[2]};
}

/* Whether ADDRESS is on the data stack, as far as that is looked at. */
static bool on_data_stack(struct reading *r, uint64_t address)
{
    for (size_t i = 0; i < r->n_chunks; i++) {
        if (holds(&r->chunks[i], address))
            return true;
    }
    if (r->older_link)
        see_older(r);
    if (!holds(&r->older, address) || r->n_chunks == CHUNKS_MAX)
        return false;
    add_chunk(r, r->older);
    return true;
}

/* ---- frames ---- */

static bool read_frame(const struct reading *r, uint64_t address, struct frame *out)
{
    const struct ml_python_layout *l = r->layout;
    uint8_t part[ML_PYTHON_PART_MAX_B];
    uint32_t words = larger(larger(l->code, l->previous), l->instruction) + 8;
    uint32_t size = larger(words, larger(l->owner, l->is_entry) + 1);
    if (!ml_python_read(r->memory, address, part, size))
        return false;
    *out = (struct frame){
        .code = word_at(part, l->code) & ~UINT64_C(7), /* 3.14 marks references in these bits */
        .previous = word_at(part, l->previous),
        .instruction = word_at(part, l->instruction),
        .owner = part[l->owner],
        .is_entry = ml_python_has_entries(l) && part[l->is_entry],
    };
    return true;
}

static void add_call(struct ml_python_calls *calls, const struct frame *frame, uint64_t home)
{
    calls->list[calls->n++] = (struct ml_python_call){frame->code, frame->instruction, home};
}

/* 3.11: each run of the eval loop has a _PyCFrame on the C stack, and the frame with which it began
 * says so. */
static void read_with_entries(struct reading *r, uint64_t cframe, struct ml_python_calls *calls)
{
    struct frame frame;
    uint64_t address = ml_python_pointer(r->memory, cframe + r->layout->cframe_current);
    for (int i = 0; i < FRAMES_MAX && calls->n < ML_PYTHON_CALLS_MAX && address; i++) {
        on_data_stack(r, address);
        if (!read_frame(r, address, &frame))
            return;
        add_call(calls, &frame, cframe);
        if (frame.is_entry)
            cframe = ml_python_pointer(r->memory, cframe + r->layout->cframe_outer);
        address = frame.previous;
    }
}

/* Since 3.12 each run of the eval loop begins with a frame without code that lies on the C stack,
 * outside all frames that this run made. Those of which it is not found are dropped. */
static void read_with_sentinels(struct reading *r, uint64_t address, struct ml_python_calls *calls)
{
    struct frame frame;
    size_t group = 0;
    for (int i = 0; i < FRAMES_MAX && calls->n < ML_PYTHON_CALLS_MAX && address; i++) {
        bool on_stack = on_data_stack(r, address);
        if (!read_frame(r, address, &frame))
            break;
        if (frame.owner < OWNED_BY_C)
            add_call(calls, &frame, 0);
        else if (!on_stack)
            while (group < calls->n)
                calls->list[group++].home = address;
        address = frame.previous;
    }
    calls->n = group;
}

void ml_python_calls_read(const struct ml_python_layout *l, const struct ml_python_memory *memory,
                          uint64_t state, uint64_t thread, struct ml_python_calls *calls)
{
    struct reading r = {.layout = l, .memory = memory};
    uint8_t part[ML_PYTHON_PART_MAX_B + 16];
    uint32_t size = larger(larger(l->native_thread, l->current), l->chunk + 8) + 8;
    calls->n = 0;
    if (!ml_python_read(memory, state, part, size) || word_at(part, l->native_thread) != thread)
        return;
    add_chunk(&r, (struct range){word_at(part, l->chunk), word_at(part, l->chunk + 8)});
    uint64_t current = word_at(part, l->current);
    if (ml_python_has_entries(l))
        read_with_entries(&r, current, calls);
    else if (ml_python_has_cframes(l))
        read_with_sentinels(&r, ml_python_pointer(memory, current + l->cframe_current), calls);
    else
        read_with_sentinels(&r, current, calls);
}
