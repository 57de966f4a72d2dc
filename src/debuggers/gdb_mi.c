#include "debuggers/gdb_mi.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* gdb nests 4 deep in what is asked of it, and a stack of 1024 frames has 10000 values. */
#define DEPTH_MAX 16
#define VALUES_MAX 262144

/* Texts are cut out of the line where they stand: what an escape stands for is shorter than it. */
struct parser {
    char *at;
    struct ml_mi_record *record;
};

static size_t add_value(struct ml_mi_record *r, const char *name, char kind)
{
    ML_GROW(r->values, r->n_values, r->capacity);
    r->values[r->n_values] = (struct ml_mi_value){.name = name, .text = "", .kind = kind};
    return r->n_values++;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* The byte that the escape after a backslash stands for. A NUL would end the text: '?'. */
static char unescape(char **at)
{
    static const char letters[] = "abefnrtv", bytes[] = "\a\b\033\f\n\r\t\v";
    char *p = *at;
    if (is_octal(p[0]) && is_octal(p[1]) && is_octal(p[2])) {
        char byte = (char)((p[0] - '0') << 6 | (p[1] - '0') << 3 | (p[2] - '0'));
        *at = p + 3;
        return byte ? byte : '?';
    }
    const char *letter = strchr(letters, *p);
    *at = p + 1;
    return letter ? bytes[letter - letters] : *p;
}

/* "a \"text\" with\n escapes" */
static bool parse_string(struct parser *p, const char *name)
{
    char *from = p->at + 1, *to = from;
    size_t v = add_value(p->record, name, '"');
    p->record->values[v].text = from;
    p->record->values[v].size = 1;
    while (*from != '"') {
        if (*from == '\\' && from[1]) {
            from++;
            *to++ = unescape(&from);
        } else if (*from) {
            *to++ = *from++;
        } else {
            return false;
        }
    }
    p->at = from + 1;
    *to = 0;
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* The name before a '='; "" where the value stands alone. NULL: neither. */
static const char *parse_name(struct parser *p)
{
    char *name = p->at;
    if (!is_name_byte(*name))
        return "";
    while (is_name_byte(*p->at))
        p->at++;
    if (*p->at != '=')
        return NULL;
    *p->at++ = 0;
    return name;
}

static bool parse_values(struct parser *p, char end, int depth);

static bool parse_value(struct parser *p, int depth)
{
    const char *name = parse_name(p);
    if (!name || p->record->n_values == VALUES_MAX)
        return false;
    if (*p->at == '"')
        return parse_string(p, name);
    if ((*p->at != '{' && *p->at != '[') || depth == DEPTH_MAX)
        return false;
    size_t v = add_value(p->record, name, *p->at);
    char end = *p->at++ == '{' ? '}' : ']';
    if (*p->at == end)
        p->at++;
    else if (!parse_values(p, end, depth + 1))
        return false;
    p->record->values[v].size = p->record->n_values - v;
    return true;
}

/* Values between commas, up to and with END. */
static bool parse_values(struct parser *p, char end, int depth)
{
    while (parse_value(p, depth)) {
        if (*p->at == end) {
            p->at += end != 0;
            return true;
        }
        if (*p->at++ != ',')
            return false;
    }
    return false;
}

/* 12^done,... */
static bool parse_record(struct parser *p)
{
    struct ml_mi_record *r = p->record;
    if (*p->at >= '0' && *p->at <= '9')
        r->token = strtoll(p->at, &p->at, 10);
    if (!*p->at || !strchr("^*=", *p->at))
        return false;
    char type = *p->at++;
    r->word = p->at;
    while (is_name_byte(*p->at))
        p->at++;
    char after = *p->at;
    *p->at = 0;
    if (after == ',') {
        p->at++;
        if (!parse_values(p, 0, 0))
            return false;
    } else if (after) {
        return false;
    }
    r->type = type;
    return *r->word != 0;
}

bool ml_mi_parse(const char *line, struct ml_mi_record *record)
{
    free(record->text);
    *record = (struct ml_mi_record){.token = -1,
                                    .word = "",
                                    .values = record->values,
                                    .capacity = record->capacity,
                                    .text = ml_strdup(line)};
    struct parser p = {record->text, record};
    if (parse_record(&p))
        return true;
    record->type = 0;
    record->n_values = 0;
    return false;
}

static const struct ml_mi_value *find(const struct ml_mi_value *v, const struct ml_mi_value *end,
                                      const char *name)
{
    for (; v < end; v += v->size) {
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

const struct ml_mi_value *ml_mi_find(const struct ml_mi_record *record, const char *name)
{
    return find(record->values, record->values + record->n_values, name);
}

const struct ml_mi_value *ml_mi_member(const struct ml_mi_value *v, const char *name)
{
    return find(v + 1, v + v->size, name);
}

const char *ml_mi_text(const struct ml_mi_value *v, const char *name)
{
    const struct ml_mi_value *member = ml_mi_member(v, name);
    return member ? member->text : "";
}

void ml_mi_free(struct ml_mi_record *record)
{
    free(record->values);
    free(record->text);
    *record = (struct ml_mi_record){0};
}
