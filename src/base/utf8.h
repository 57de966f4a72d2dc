/* UTF-8 of outside origin: decoded strictly, and what would act on a terminal told apart. Pure. */
#ifndef ML_BASE_UTF8_H
#define ML_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ML_UTF8_INVALID UINT32_MAX

/* The code point at TEXT and the number of its bytes; 0 at the end of TEXT. A byte that is not
 * part of valid UTF-8 (overlong, surrogate, cut off) is ML_UTF8_INVALID, of one byte. */
size_t ml_utf8_decode(const char *text, uint32_t *out_point);

/* Whether POINT is a control, or reorders or hides text (bidirectional and zero-width marks, line
 * separators, tags). */
bool ml_utf8_is_hidden(uint32_t point);

/* Columns on a terminal: 0 for combining marks, 2 for East Asian wide and emoji, else 1. */
int ml_utf8_width(uint32_t point);

/* Those of a whole text. */
size_t ml_utf8_columns(const char *text);

#endif
