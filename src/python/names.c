#include "python/names.h"

#include "base/intern.h"
#include "base/memory.h"
#include "python/lines.h"
#include "python/text.h"

#include <stdlib.h>
#include <string.h>

/* Characters of a name and of a path, bytes of a line table. */
enum { NAME_MAX_CHARACTERS = 1024, PATH_MAX_CHARACTERS = 4096, LINES_MAX_B = 1 << 20 };

/* What is remembered is forgotten when it is so much. Texts stay, and are the end. */
enum { CODES_MAX = 1 << 15, TEXTS_MAX = 1 << 18 };

/* What tells a code object from another one that had its place before. */
struct key {
    int64_t process;
    uint64_t code, file, name, lines;
    uint64_t name_length, name_hash;
    int64_t first_line;
    uint64_t units; /* instructions of 2 bytes */
};

struct known {
    const char *function, *file; /* NULL: it has no name */
    struct ml_buffer lines;
};

struct ml_python_names {
    struct ml_intern texts;
    struct ml_intern keys;
    struct known *known; /* [keys.n] */
    size_t n_known, capacity;
};

struct ml_python_names *ml_python_names_open(void)
{
    return ml_alloc(sizeof(struct ml_python_names));
}

static void forget(struct ml_python_names *names)
{
    for (size_t i = 0; i < names->n_known; i++)
        ml_buffer_free(&names->known[i].lines);
    names->n_known = 0;
    ml_intern_free(&names->keys);
}

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

static bool read_key(const struct ml_python_layout *l, const struct ml_python_memory *m,
                     uint64_t code_type, struct key *key)
{
    uint8_t part[ML_PYTHON_PART_MAX_B];
    uint64_t text[2];
    int32_t first_line;
    uint32_t words = larger(larger(l->file, l->name), larger(l->lines, l->first_line));
    uint32_t size = larger(words, larger(l->type, l->count)) + 8;
    if (!ml_python_read(m, key->code, part, size) || word_at(part, l->type) != code_type)
        return false;
    key->file = word_at(part, l->file);
    key->name = word_at(part, l->name);
    key->lines = word_at(part, l->lines);
    key->units = word_at(part, l->count);
    memcpy(&first_line, part + l->first_line, sizeof first_line);
    key->first_line = first_line;
    /* PyASCIIObject: hash stands behind length */
    if (!key->name || !ml_python_read(m, key->name + l->text_length, text, sizeof text))
        return false;
    key->name_length = text[0];
    key->name_hash = text[1];
    return true;
}

/* NULL: it cannot be read, or there are too many. */
static const char *read_text(struct ml_python_names *names, const struct ml_python_layout *l,
                             const struct ml_python_memory *m, uint64_t address, size_t most)
{
    struct ml_buffer text = {0};
    const char *kept = NULL;
    if (names->texts.n < TEXTS_MAX && ml_python_text_read(l, m, address, most, &text)) {
        ml_buffer_append(&text, "", 1);
        kept = ml_intern_text(&names->texts, text.data);
    }
    ml_buffer_free(&text);
    return kept;
}

static struct known read_known(struct ml_python_names *names, const struct ml_python_layout *l,
                               const struct ml_python_memory *m, const struct key *key)
{
    struct known known = {0};
    known.function = read_text(names, l, m, key->name, NAME_MAX_CHARACTERS);
    known.file = read_text(names, l, m, key->file, PATH_MAX_CHARACTERS);
    if (known.function)
        ml_python_bytes_read(l, m, key->lines, LINES_MAX_B, &known.lines);
    return known;
}

static const struct known *know(struct ml_python_names *names, const struct ml_python_layout *l,
                                const struct ml_python_memory *m, const struct key *key)
{
    uint32_t number = ml_intern_find(&names->keys, key, sizeof *key);
    if (number != ML_INTERN_NONE)
        return &names->known[number];
    if (names->n_known == CODES_MAX)
        forget(names);
    ml_intern_add(&names->keys, key, sizeof *key);
    ML_GROW(names->known, names->n_known, names->capacity);
    names->known[names->n_known] = read_known(names, l, m, key);
    return &names->known[names->n_known++];
}

/* A frame that has not begun is one unit before its code, up to 3.12. */
static int32_t line_at(const struct known *known, const struct key *key, uint64_t offset_B)
{
    if (offset_B == (uint64_t)-2)
        return (int32_t)key->first_line;
    if (key->units > INT32_MAX || offset_B >= 2 * key->units)
        return -1;
    return ml_python_line((const uint8_t *)known->lines.data, known->lines.length,
                          (int32_t)key->first_line, offset_B);
}

bool ml_python_names_at(struct ml_python_names *names, const struct ml_python_layout *l,
                        const struct ml_python_memory *m, int64_t process, uint64_t code_type,
                        uint64_t code, uint64_t instruction, struct ml_python_name *out_name)
{
    struct key key = {.process = process, .code = code};
    if (!read_key(l, m, code_type, &key))
        return false;
    const struct known *known = know(names, l, m, &key);
    if (!known->function)
        return false;
    *out_name =
        (struct ml_python_name){.function = known->function,
                                .file = known->file ? known->file : "",
                                .line = line_at(known, &key, instruction - code - l->instructions)};
    return true;
}

void ml_python_names_close(struct ml_python_names *names)
{
    if (!names)
        return;
    forget(names);
    free(names->known);
    ml_intern_free(&names->texts);
    free(names);
}
