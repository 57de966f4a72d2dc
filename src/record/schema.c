#include "record/schema.h"

#include <string.h>

static void *field(void *row, const struct ml_column *column)
{
    return (char *)row + column->offset;
}

static const void *const_field(const void *row, const struct ml_column *column)
{
    return (const char *)row + column->offset;
}

void ml_row_clear(const struct ml_table *table, void *row)
{
    memset(row, 0, table->row_size);
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ml_column *c = &table->columns[i];
        switch (c->kind) {
        case ML_INSTANT:
        case ML_SPAN:
        case ML_INT64:
            *(int64_t *)field(row, c) = ML_NOT_MEASURED;
            break;
        case ML_INT32:
            *(int32_t *)field(row, c) = ML_NOT_MEASURED;
            break;
        case ML_CODE:
            *(int8_t *)field(row, c) = ML_NOT_MEASURED;
            break;
        case ML_REAL:
            *(double *)field(row, c) = ML_NOT_MEASURED;
            break;
        case ML_TEXT:
            *(const char **)field(row, c) = "";
            break;
        }
    }
}

static int64_t integer_of(const void *row, const struct ml_column *c)
{
    switch (c->kind) {
    case ML_INT32:
        return *(const int32_t *)const_field(row, c);
    case ML_CODE:
        return *(const int8_t *)const_field(row, c);
    default:
        return *(const int64_t *)const_field(row, c);
    }
}

bool ml_row_equal(const struct ml_table *table, const void *a, const void *b, size_t first)
{
    for (size_t i = first; i < table->n_columns; i++) {
        const struct ml_column *c = &table->columns[i];
        bool equal;
        if (c->kind == ML_TEXT)
            equal = strcmp(*(const char *const *)const_field(a, c),
                           *(const char *const *)const_field(b, c)) == 0;
        else if (c->kind == ML_REAL)
            equal = memcmp(const_field(a, c), const_field(b, c), sizeof(double)) == 0;
        else
            equal = integer_of(a, c) == integer_of(b, c);
        if (!equal)
            return false;
    }
    return true;
}

void ml_row_pack(const struct ml_table *table, const void *row, struct ml_buffer *out)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ml_column *c = &table->columns[i];
        if (c->kind == ML_TEXT) {
            const char *text = *(const char *const *)const_field(row, c);
            ml_varint_append(out, (int64_t)strlen(text));
            ml_buffer_append_text(out, text);
        } else if (c->kind == ML_REAL) {
            ml_buffer_append(out, const_field(row, c), sizeof(double));
        } else {
            ml_varint_append(out, integer_of(row, c));
        }
    }
}

static bool unpack_text(const uint8_t **p, const uint8_t *end, const char **out)
{
    int64_t n;
    if (!ml_varint_read(p, end, &n) || n < 0 || n >= end - *p || (*p)[n] != 0)
        return false;
    if (memchr(*p, 0, (size_t)n))
        return false;
    *out = (const char *)*p;
    *p += n + 1;
    return true;
}

static bool unpack_integer(const uint8_t **p, const uint8_t *end, const struct ml_column *c,
                           void *row)
{
    int64_t value;
    if (!ml_varint_read(p, end, &value))
        return false;
    if (c->kind == ML_INT32) {
        if (value != (int32_t)value)
            return false;
        *(int32_t *)field(row, c) = (int32_t)value;
    } else if (c->kind == ML_CODE) {
        if (value != (int8_t)value)
            return false;
        *(int8_t *)field(row, c) = (int8_t)value;
    } else {
        *(int64_t *)field(row, c) = value;
    }
    return true;
}

bool ml_row_unpack(const struct ml_table *table, const uint8_t **cursor, const uint8_t *end,
                   void *out_row)
{
    const uint8_t *p = *cursor;
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct ml_column *c = &table->columns[i];
        if (c->kind == ML_TEXT) {
            if (!unpack_text(&p, end, field(out_row, c)))
                return false;
        } else if (c->kind == ML_REAL) {
            if (end - p < (ptrdiff_t)sizeof(double))
                return false;
            memcpy(field(out_row, c), p, sizeof(double));
            p += sizeof(double);
        } else if (!unpack_integer(&p, end, c, out_row)) {
            return false;
        }
    }
    *cursor = p;
    return true;
}

const char *ml_code_meaning(const struct ml_code *codes, int value)
{
    for (; codes && codes->meaning; codes++) {
        if (codes->value == value)
            return codes->meaning;
    }
    return "unknown";
}
