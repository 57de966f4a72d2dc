/* A growing run of bytes: what is appended at the end is consumed at the front. */
#ifndef ML_BASE_BUFFER_H
#define ML_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct ml_buffer {
    char *data;      /* the first unconsumed byte */
    size_t length;   /* unconsumed bytes */
    char *base;      /* start of the allocation */
    size_t capacity; /* of the allocation */
};

void ml_buffer_append(struct ml_buffer *b, const void *data, size_t n);
void ml_buffer_append_text(struct ml_buffer *b, const char *text); /* with its NUL */
void ml_buffer_printf(struct ml_buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* without a NUL */

char *ml_buffer_make_room(struct ml_buffer *b, size_t n);

/* Room for N more bytes at data + length; the caller adds what it wrote to length. */
static inline char *ml_buffer_reserve(struct ml_buffer *b, size_t n)
{
    size_t used = (size_t)(b->data - b->base) + b->length;
    return b->base && b->capacity - used >= n ? b->data + b->length : ml_buffer_make_room(b, n);
}

/* Drops the first N (at most length) bytes. */
void ml_buffer_consume(struct ml_buffer *b, size_t n);

void ml_buffer_clear(struct ml_buffer *b); /* keeps the allocation */
void ml_buffer_free(struct ml_buffer *b);

#endif
