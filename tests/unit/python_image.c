#include "python_image.h"

#include <string.h>

static bool read_image(void *context, uint64_t address, void *out, size_t n)
{
    struct image *image = context;
    image->n_reads++;
    if (address < IMAGE || n > IMAGE_B || address - IMAGE > IMAGE_B - n)
        return false;
    memcpy(out, image->bytes + (address - IMAGE), n);
    return true;
}

static void fetch_image(void *context, uint64_t address, size_t n)
{
    struct image *image = context;
    (void)address;
    image->n_fetched += n;
}

struct ml_python_memory image_memory(struct image *image)
{
    return (struct ml_python_memory){image, read_image, fetch_image};
}

void image_clear(struct image *image)
{
    memset(image->bytes, 0, sizeof image->bytes);
    image->n_reads = image->n_fetched = 0;
}

void image_put(struct image *image, uint64_t address, const void *bytes, size_t n)
{
    memcpy(image->bytes + (address - IMAGE), bytes, n);
}

void image_put_word(struct image *image, uint64_t address, uint64_t word)
{
    image_put(image, address, &word, sizeof word);
}

/* As in CPython 3.13.0 on x86_64, but for the list of interpreters, which stands behind all this.
 */
size_t image_offsets(int minor, uint64_t *w)
{
    static const struct {
        uint8_t in_13, in_14;
        uint64_t offset;
    } known[] = {
        {5, 5, 1000},  {8, 8, 7264},  {9, 9, 7344}, {21, 24, 8},   {23, 26, 72}, {25, 28, 160},
        {26, 29, 232}, {29, 32, 8},   {30, 33, 0},  {31, 34, 56},  {33, 36, 70}, {35, 40, 112},
        {37, 42, 128}, {38, 43, 136}, {39, 44, 68}, {43, 48, 200}, {45, 51, 8},  {65, 75, 16},
        {66, 76, 32},  {68, 78, 32},  {69, 79, 16}, {70, 80, 40},
    };
    memset(w, 0, ML_PYTHON_OFFSETS_B);
    memcpy(w, "xdebugpy", 8);
    w[1] = minor == 13 ? 0x030d00f0 : 0x030e00f0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        w[minor == 13 ? known[i].in_13 : known[i].in_14] = known[i].offset;
    return ML_PYTHON_OFFSETS_B;
}

void image_open(struct image *image, int minor)
{
    uint64_t words[ML_PYTHON_OFFSETS_B / 8];
    image_clear(image);
    if (minor < 13) {
        ml_python_layout_known(0x03000000u | (uint32_t)minor << 16, &image->layout);
        return;
    }
    size_t n = image_offsets(minor, words);
    ml_python_layout_parse((const uint8_t *)words, n, &image->layout);
}

void image_put_text(struct image *image, uint64_t address, const void *characters, size_t n,
                    unsigned kind, bool ascii)
{
    const struct ml_python_layout *l = &image->layout;
    uint32_t state = (kind | 1u << 3 | (unsigned)ascii << 4) << l->kind_shift;
    image_put_word(image, address + l->text_length, n);
    image_put(image, address + l->text_state, &state, sizeof state);
    image_put(image, address + (ascii ? l->text_ascii : l->text_other), characters, n * kind);
}

void image_put_code(struct image *image, unsigned i, const char *name, const char *file,
                    int32_t first_line, const uint8_t *table, size_t n)
{
    const struct ml_python_layout *l = &image->layout;
    uint64_t at = CODE(i), texts = TEXTS + 0x400u * i;
    image_put_text(image, texts, name, strlen(name), 1, true);
    image_put_text(image, texts + 0x100, file, strlen(file), 1, true);
    image_put_word(image, texts + 0x200 + l->count, n);
    image_put(image, texts + 0x200 + l->bytes, table, n);
    image_put_word(image, at + l->type, CODE_TYPE);
    image_put_word(image, at + l->count, 48);
    image_put_word(image, at + l->name, texts);
    image_put_word(image, at + l->file, texts + 0x100);
    image_put_word(image, at + l->lines, texts + 0x200);
    image_put(image, at + l->first_line, &first_line, sizeof first_line);
}

uint64_t image_instruction(const struct image *image, unsigned code, uint64_t offset_B)
{
    return CODE(code) + image->layout.instructions + offset_B;
}

void image_put_frame(struct image *image, const struct image_frame *f)
{
    const struct ml_python_layout *l = &image->layout;
    uint8_t owner = (uint8_t)f->owner, is_entry = f->is_entry;
    image_put_word(image, f->at + l->code, f->owner < 3 ? CODE(f->code) : 0);
    image_put_word(image, f->at + l->previous, f->previous);
    image_put_word(image, f->at + l->instruction, image_instruction(image, f->code, f->offset_B));
    image_put(image, f->at + l->owner, &owner, 1);
    if (ml_python_has_entries(l))
        image_put(image, f->at + l->is_entry, &is_entry, 1);
}

void image_put_thread(struct image *image, unsigned i, uint64_t native, uint64_t next,
                      uint64_t current, uint64_t top)
{
    const struct ml_python_layout *l = &image->layout;
    uint64_t at = THREAD_STATE(i);
    image_put_word(image, at + l->native_thread, native);
    image_put_word(image, at + l->next_thread, next);
    image_put_word(image, at + l->current, current);
    image_put_word(image, at + l->chunk, CHUNK);
    image_put_word(image, at + l->chunk + 8, top);
    image_put_word(image, RUNTIME + l->interpreters, INTERPRETER);
    image_put_word(image, INTERPRETER + l->threads, THREAD_STATE(0));
}

void image_put_frames(struct image *i)
{
    bool has_entries = ml_python_has_entries(&i->layout);
    uint64_t inner = C_STACK + 0x100, outer = C_STACK + 0x800;
    const struct image_frame frames[] = {
        {HEAP, CHUNK + 0x200, 3, 6, 1, false},
        {CHUNK + 0x200, has_entries ? CHUNK + 0x100 : inner, 2, 4, 0, true},
        {CHUNK + 0x100, CHUNK + 0x80, 1, 2, 0, false},
        {CHUNK + 0x80, has_entries ? 0 : outer, 0, 8, 0, true},
    };
    for (size_t n = 0; n < sizeof frames / sizeof *frames; n++)
        image_put_frame(i, &frames[n]);
    if (has_entries) {
        image_put_word(i, inner + i->layout.cframe_current, HEAP);
        image_put_word(i, inner + i->layout.cframe_outer, outer);
        image_put_thread(i, 0, 70, 0, inner, CHUNK + 0x300);
        return;
    }
    image_put_frame(i, &(struct image_frame){inner, CHUNK + 0x100, 0, 0, 3, false});
    image_put_frame(i, &(struct image_frame){outer, 0, 0, 0, 3, false});
    image_put_thread(i, 0, 70, 0, HEAP, CHUNK + 0x300);
    if (ml_python_has_cframes(&i->layout)) {
        image_put_word(i, C_STACK + i->layout.cframe_current, HEAP);
        image_put_thread(i, 0, 70, 0, C_STACK, CHUNK + 0x300);
    }
}
