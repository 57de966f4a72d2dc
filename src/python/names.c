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

/* What was read in the present moment. */
struct recent {
    uint64_t moment; /* 0: unused */
    struct key key;
    uint32_t number; /* among the known */
};

enum { RECENT = 256 };

struct ml_python_names {
    struct recent recent[RECENT]; /* by place: the last one wins */
    uint64_t moment;
    struct ml_intern texts;
    struct ml_intern keys;
    struct known *known; /* [keys.n] */
    size_t n_known, capacity;
};

struct ml_python_names *ml_python_names_open(void)
{
    struct ml_python_names *names = ml_alloc(sizeof *names);
    names->moment = 1;
    return names;
}

void ml_python_names_begin(struct ml_python_names *names)
{
    names->moment++;
}

static void forget(struct ml_python_names *names)
{
    for (size_t i = 0; i < names->n_known; i++)
        ml_buffer_free(&names->known[i].lines);
    names->n_known = 0;
    names->moment++;
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

/* The number of what is known of KEY. */
static uint32_t know(struct ml_python_names *names, const struct ml_python_layout *l,
                     const struct ml_python_memory *m, const struct key *key)
{
    uint32_t number = ml_intern_find(&names->keys, key, sizeof *key);
    if (number != ML_INTERN_NONE)
        return number;
    if (names->n_known == CODES_MAX)
        forget(names);
    number = ml_intern_add(&names->keys, key, sizeof *key);
    ML_GROW(names->known, names->n_known, names->capacity);
    names->known[names->n_known++] = read_known(names, l, m, key);
    return number;
}

/* NULL: there is no code object of that type. */
static const struct recent *look_up(struct ml_python_names *names, const struct ml_python_layout *l,
                                    const struct ml_python_memory *m, uint64_t code_type,
                                    int64_t process, uint64_t code)
{
    struct recent *r = &names->recent[(code >> 4 ^ code >> 12) % RECENT];
    if (r->moment == names->moment && r->key.process == process && r->key.code == code)
        return r;
    r->moment = 0;
    r->key = (struct key){.process = process, .code = code};
    if (!read_key(l, m, code_type, &r->key))
        return NULL;
    r->number = know(names, l, m, &r->key);
    r->moment = names->moment;
    return r;
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
    const struct recent *r = look_up(names, l, m, code_type, process, code);
    const struct known *known = r ? &names->known[r->number] : NULL;
    if (!known || !known->function)
        return false;
    *out_name = (struct ml_python_name){
        .function = known->function,
        .file = known->file ? known->file : "",
        .line = line_at(known, &r->key, instruction - code - l->instructions)};
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
