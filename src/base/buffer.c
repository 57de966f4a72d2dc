#include "base/buffer.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *ml_buffer_make_room(struct ml_buffer *b, size_t n)
{
    size_t consumed = (size_t)(b->data - b->base);
    if (consumed && b->base) {
        memmove(b->base, b->data, b->length);
        b->data = b->base;
    }
    if (b->capacity - b->length < n || !b->base) {
        size_t wanted = b->length + n;
        size_t doubled = 2 * b->capacity;
        b->capacity = wanted > doubled ? wanted : doubled;
        b->base = ml_realloc_array(b->base, b->capacity, 1);
        b->data = b->base;
    }
    return b->data + b->length;
}

void ml_buffer_append(struct ml_buffer *b, const void *data, size_t n)
{
    char *end = ml_buffer_reserve(b, n);
    if (n)
        memcpy(end, data, n);
    b->length += n;
}

void ml_buffer_append_text(struct ml_buffer *b, const char *text)
{
    ml_buffer_append(b, text, strlen(text) + 1);
}

void ml_buffer_printf(struct ml_buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n > 0) {
        vsnprintf(ml_buffer_reserve(b, (size_t)n + 1), (size_t)n + 1, format, again);
        b->length += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void ml_buffer_consume(struct ml_buffer *b, size_t n)
{
    if (n >= b->length) {
        ml_buffer_clear(b);
        return;
    }
    b->data += n;
    b->length -= n;
}

void ml_buffer_clear(struct ml_buffer *b)
{
    b->data = b->base;
    b->length = 0;
}

void ml_buffer_free(struct ml_buffer *b)
{
    free(b->base);
    *b = (struct ml_buffer){0};
}
